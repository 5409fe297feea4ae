//! The functions of the subset, by name.

mod changes;
mod collections;
mod combinators;
mod dates;
mod folds;
mod format;
mod java;
mod lazy;
mod lookup;
mod maps;
mod numbers;
mod outside;
mod predicates;
mod reading;
mod regexes;
mod seqs;
mod sets;
mod strings;
mod texts;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use super::form::Literal;
use super::function::Builtin;

pub(super) use lookup::{get, nth};

const ALL: [&[Builtin]; 18] = [
    numbers::FUNCTIONS,
    predicates::FUNCTIONS,
    changes::FUNCTIONS,
    collections::FUNCTIONS,
    combinators::FUNCTIONS,
    dates::FUNCTIONS,
    folds::FUNCTIONS,
    format::FUNCTIONS,
    java::FUNCTIONS,
    lazy::FUNCTIONS,
    lookup::FUNCTIONS,
    maps::FUNCTIONS,
    reading::FUNCTIONS,
    regexes::FUNCTIONS,
    seqs::FUNCTIONS,
    sets::FUNCTIONS,
    strings::FUNCTIONS,
    texts::FUNCTIONS,
];

static BY_NAME: LazyLock<HashMap<&'static str, &'static Builtin>> = LazyLock::new(|| {
    ALL.iter().flat_map(|functions| functions.iter()).map(|builtin| (builtin.name, builtin)).collect()
});

/// What a name that a formula does not bind is.
pub(super) enum Known {
    Function(&'static Builtin),
    Constant(Literal),
    /// Clojure knows it, formulas do not.
    Outside,
    No,
}

pub(super) fn find(name: &str) -> Known {
    let plain = plain(name);
    if let Some(builtin) = BY_NAME.get(&*plain) {
        return Known::Function(builtin);
    }
    match &*plain {
        "Long/MAX_VALUE" => Known::Constant(Literal::Long(i64::MAX)),
        "Long/MIN_VALUE" => Known::Constant(Literal::Long(i64::MIN)),
        "Integer/MAX_VALUE" => Known::Constant(Literal::Long(i32::MAX.into())),
        "Integer/MIN_VALUE" => Known::Constant(Literal::Long(i32::MIN.into())),
        "Math/PI" => Known::Constant(Literal::Double(std::f64::consts::PI)),
        "Math/E" => Known::Constant(Literal::Double(std::f64::consts::E)),
        plain if outside::is_outside(plain) => Known::Outside,
        _ => Known::No,
    }
}

/// The name under which a function is known here: without the namespace that is always there, and that of
/// strings by its short name.
pub(super) fn plain(name: &str) -> Cow<'_, str> {
    match name.split_once('/') {
        Some(("clojure.core", own)) if !own.is_empty() => own.into(),
        Some(("clojure.string" | "string" | "s", own)) => format!("str/{own}").into(),
        Some(("clojure.set", own)) => format!("set/{own}").into(),
        Some(("clojure.math", own)) => format!("math/{own}").into(),
        Some(("java.lang.Math", own)) => format!("Math/{own}").into(),
        _ => name.into(),
    }
}

/// The names of all.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    BY_NAME.keys().copied()
}
