//! Functions: those that are built in, those that a formula writes, and those made of others.

use std::sync::Arc;

use super::cx::Cx;
use super::error::{Fail, R, wrong};
use super::grave;
use super::node::Proto;
use super::price;
use super::value::Value;

/// A function of the subset.
pub(super) struct Builtin {
    pub(super) name: &'static str,
    pub(super) least: usize,
    pub(super) most: usize,
    run: fn(&mut Cx<'_>, &[Value]) -> R<Value>,
}

/// However many arguments.
pub(super) const ANY: usize = usize::MAX;

impl std::fmt::Debug for Builtin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Builtin {
    pub(super) const fn new(
        name: &'static str,
        (least, most): (usize, usize),
        run: fn(&mut Cx<'_>, &[Value]) -> R<Value>,
    ) -> Self {
        Self { name, least, most, run }
    }

    /// What it gives; going through its arguments is paid for.
    pub(super) fn call(&self, cx: &mut Cx<'_>, args: &[Value]) -> R<Value> {
        cx.budget.steps(args.iter().map(price::value).fold(args.len() / 16, usize::saturating_add))?;
        (self.run)(cx, args)
    }

    /// Why it cannot be called with so many arguments.
    pub(super) fn check(&self, count: usize) -> R<()> {
        if (self.least..=self.most).contains(&count) {
            return Ok(());
        }
        let Self { name, least, most, .. } = self;
        let takes = match *most {
            most if most == *least => format!("{least}"),
            ANY => format!("at least {least}"),
            most => format!("{least} to {most}"),
        };
        let noun = if (*least, *most) == (1, 1) { "argument" } else { "arguments" };
        Err(wrong(format!("`{name}` takes {takes} {noun}, and here it gets {count}")))
    }
}

#[derive(Debug)]
pub(super) struct Function {
    pub(super) kind: Kind,
    /// What it took along.
    pub(super) values: Vec<Value>,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Builtin(&'static Builtin),
    Written(Arc<Proto>),
    /// The first value, with the others before its arguments.
    Partial,
    /// All of them, the last first.
    Comp,
    /// A vector of what each gives.
    Juxt,
    Complement,
    Constantly,
    /// The first value, with the others in the place of arguments that are nil.
    Fnil,
    EveryPred,
    SomeFn,
}

impl Drop for Function {
    fn drop(&mut self) {
        grave::bury(&mut self.values);
    }
}

impl Function {
    pub(super) fn same_builtin(&self, other: &Self) -> bool {
        matches!((&self.kind, &other.kind), (Kind::Builtin(a), Kind::Builtin(b)) if std::ptr::eq(*a, *b))
    }

    /// What it is called, where it has a name.
    pub(super) fn name(&self) -> &'static str {
        match &self.kind {
            Kind::Builtin(builtin) => builtin.name,
            Kind::Written(_) => "fn",
            Kind::Partial => "partial",
            Kind::Comp => "comp",
            Kind::Juxt => "juxt",
            Kind::Complement => "complement",
            Kind::Constantly => "constantly",
            Kind::Fnil => "fnil",
            Kind::EveryPred => "every-pred",
            Kind::SomeFn => "some-fn",
        }
    }
}

/// What was called is no function.
pub(super) fn not_a_function(value: &Value) -> Fail {
    wrong(format!("a function is needed here, and this is {}", value.kind_name()))
}
