//! Built-in functions, and the table of their names.
//!
//! Each module below has a constant `FUNCTIONS` with the functions of one subject. The reference lists them all
//! (`docs/formulas.md`). The compiler looks names up here. A function gets its arguments evaluated and counted; it
//! takes the memory of what it makes from the budget, and a step for each item that it looks at.

mod arguments;
mod arithmetic;
mod clojure_strings;
mod collections;
mod core_strings;
mod dates;
mod format;
mod format_directive;
mod function_makers;
mod generators;
mod java_math;
mod lookup;
mod maps;
mod parsing;
mod predicates;
mod reductions;
mod regexes;
mod sequences;
mod sets;
mod sorting;
mod unsupported_names;
mod updates;
mod utf16;
mod whole_sequences;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use crate::form::Literal;
use crate::value::function::Builtin;

const ALL_FUNCTIONS: [&[Builtin]; 19] = [
    arithmetic::FUNCTIONS,
    clojure_strings::FUNCTIONS,
    collections::FUNCTIONS,
    core_strings::FUNCTIONS,
    dates::FUNCTIONS,
    format::FUNCTIONS,
    function_makers::FUNCTIONS,
    generators::FUNCTIONS,
    java_math::FUNCTIONS,
    lookup::FUNCTIONS,
    maps::FUNCTIONS,
    parsing::FUNCTIONS,
    predicates::FUNCTIONS,
    reductions::FUNCTIONS,
    regexes::FUNCTIONS,
    sequences::FUNCTIONS,
    sets::FUNCTIONS,
    updates::FUNCTIONS,
    whole_sequences::FUNCTIONS,
];

static BY_NAME: LazyLock<HashMap<&'static str, &'static Builtin>> = LazyLock::new(|| {
    ALL_FUNCTIONS
        .iter()
        .flat_map(|functions| functions.iter())
        .map(|builtin| (builtin.name, builtin))
        .collect()
});

/// What a name stands for that the formula does not bind.
pub(crate) enum KnownName {
    Function(&'static Builtin),
    Constant(Literal),
    /// Clojure has it, formulas do not.
    Unsupported,
    Unknown,
}

pub(crate) fn find(name: &str) -> KnownName {
    let short = short_name(name);
    if let Some(builtin) = BY_NAME.get(&*short) {
        return KnownName::Function(builtin);
    }
    match &*short {
        "Long/MAX_VALUE" => KnownName::Constant(Literal::Long(i64::MAX)),
        "Long/MIN_VALUE" => KnownName::Constant(Literal::Long(i64::MIN)),
        "Integer/MAX_VALUE" => KnownName::Constant(Literal::Long(i32::MAX.into())),
        "Integer/MIN_VALUE" => KnownName::Constant(Literal::Long(i32::MIN.into())),
        "Math/PI" => KnownName::Constant(Literal::Double(std::f64::consts::PI)),
        "Math/E" => KnownName::Constant(Literal::Double(std::f64::consts::E)),
        short if unsupported_names::is_unsupported(short) => KnownName::Unsupported,
        _ => KnownName::Unknown,
    }
}

/// The name under which the table has a function: without the namespace `clojure.core`, and with the short names of
/// other namespaces.
pub(crate) fn short_name(name: &str) -> Cow<'_, str> {
    match name.split_once('/') {
        Some(("clojure.core", own)) if !own.is_empty() => own.into(),
        Some(("clojure.string" | "string" | "s", own)) => format!("str/{own}").into(),
        Some(("clojure.set", own)) => format!("set/{own}").into(),
        Some(("clojure.math", own)) => format!("math/{own}").into(),
        Some(("java.lang.Math", own)) => format!("Math/{own}").into(),
        _ => name.into(),
    }
}

/// The names of all built-in functions.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    BY_NAME.keys().copied()
}
