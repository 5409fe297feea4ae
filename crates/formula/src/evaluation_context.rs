//! Evaluation context: what every function of an evaluation is handed.

use crate::budget::Budget;
use crate::context::Context;

/// The budget of one evaluation, and the variables that it reads.
pub(crate) struct EvaluationContext<'a> {
    pub(crate) budget: Budget,
    pub(crate) context: &'a Context<'a>,
}

impl<'a> EvaluationContext<'a> {
    pub(crate) fn new(context: &'a Context<'a>) -> Self {
        Self { budget: Budget::default(), context }
    }
}
