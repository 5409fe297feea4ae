//! Functions as values: built-in ones, those that a formula defines, and those made of other functions.

use std::fmt;
use std::sync::Arc;

use super::{Value, deferred_drop};
use crate::error::{Failure, Result, invalid};
use crate::evaluation_context::EvaluationContext;

/// A built-in function.
pub(crate) struct Builtin {
    /// The name under which formulas know it, with its namespace unless that is `clojure.core`.
    pub(crate) name: &'static str,
    min_arguments: usize,
    max_arguments: usize,
    run: fn(&mut EvaluationContext<'_>, &[Value]) -> Result<Value>,
}

/// The maximum of a function that takes any number of arguments.
pub(crate) const ANY_COUNT: usize = usize::MAX;

impl fmt::Debug for Builtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Builtin {
    /// A function by its name, the least and the most arguments that it takes, and its code. The code may rely on the
    /// number of its arguments: [`Builtin::check_arity`] has run.
    pub(crate) const fn new(
        name: &'static str,
        (min_arguments, max_arguments): (usize, usize),
        run: fn(&mut EvaluationContext<'_>, &[Value]) -> Result<Value>,
    ) -> Self {
        Self { name, min_arguments, max_arguments, run }
    }

    /// Calls it. The steps to go through long texts and numbers among its arguments are taken here, so no function
    /// has to.
    pub(crate) fn call(&self, ctx: &mut EvaluationContext<'_>, args: &[Value]) -> Result<Value> {
        let scan_steps = args.iter().map(Value::scan_steps).fold(args.len() / 16, usize::saturating_add);
        ctx.budget.take_steps(scan_steps)?;
        (self.run)(ctx, args)
    }

    /// An error if it does not take so many arguments.
    pub(crate) fn check_arity(&self, count: usize) -> Result<()> {
        if (self.min_arguments..=self.max_arguments).contains(&count) {
            return Ok(());
        }
        let Self { name, min_arguments: min, max_arguments: max, .. } = self;
        let takes = match *max {
            max if max == *min => format!("{min}"),
            ANY_COUNT => format!("at least {min}"),
            max => format!("{min} to {max}"),
        };
        let noun = if (*min, *max) == (1, 1) { "argument" } else { "arguments" };
        Err(invalid(format!("`{name}` takes {takes} {noun}, and here it gets {count}")))
    }
}

/// The code of a function that a formula defines. The evaluator implements it.
pub(crate) trait ClosureCode: fmt::Debug {
    /// Calls `function`, whose code this is, with the values that it captured.
    fn call(
        &self,
        ctx: &mut EvaluationContext<'_>,
        function: &Value,
        captured: &[Value],
        args: &[Value],
    ) -> Result<Value>;
}

#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) kind: FunctionKind,
    /// What it captured, or the values that it was made of.
    pub(crate) values: Vec<Value>,
}

#[derive(Debug, Clone)]
pub(crate) enum FunctionKind {
    Builtin(&'static Builtin),
    /// Defined by the formula.
    Closure(Arc<dyn ClosureCode>),
    /// Calls the first value with the other values before its arguments.
    Partial,
    /// Calls all values, the last of them first.
    Comp,
    /// A vector of the results of all values.
    Juxt,
    /// Whether the result of the value is false.
    Complement,
    /// The value, whatever the arguments.
    Constantly,
    /// Calls the first value with the other values in place of arguments that are nil.
    Fnil,
    /// Whether every value is true of every argument.
    EveryPred,
    /// The first result that is true, of any value for any argument.
    SomeFn,
}

impl Drop for Function {
    fn drop(&mut self) {
        deferred_drop::drop_later(&mut self.values);
    }
}

impl Function {
    pub(crate) fn is_same_builtin(&self, other: &Self) -> bool {
        matches!(
            (&self.kind, &other.kind),
            (FunctionKind::Builtin(a), FunctionKind::Builtin(b)) if std::ptr::eq(*a, *b)
        )
    }

    /// The name that is printed for it.
    pub(crate) fn name(&self) -> &'static str {
        match &self.kind {
            FunctionKind::Builtin(builtin) => builtin.name,
            FunctionKind::Closure(_) => "fn",
            FunctionKind::Partial => "partial",
            FunctionKind::Comp => "comp",
            FunctionKind::Juxt => "juxt",
            FunctionKind::Complement => "complement",
            FunctionKind::Constantly => "constantly",
            FunctionKind::Fnil => "fnil",
            FunctionKind::EveryPred => "every-pred",
            FunctionKind::SomeFn => "some-fn",
        }
    }
}

/// The error of a call of a value that is no function.
pub(crate) fn not_a_function(value: &Value) -> Failure {
    invalid(format!("a function is needed here, and this is {}", value.type_name()))
}
