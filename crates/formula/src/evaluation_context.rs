//! Evaluation context: what every function of an evaluation is handed.

use std::cell::RefCell;

use crate::budget::Budget;
use crate::context::Context;
use crate::trace::recorder::Recorder;

/// The budget of one evaluation, and the variables that it reads.
pub(crate) struct EvaluationContext<'a> {
    pub(crate) budget: Budget,
    pub(crate) context: &'a Context<'a>,
    /// Where the steps are recorded, if the evaluation is traced.
    pub(crate) trace: Option<&'a RefCell<Recorder>>,
}

impl<'a> EvaluationContext<'a> {
    pub(crate) fn new(context: &'a Context<'a>) -> Self {
        Self { budget: Budget::default(), context, trace: None }
    }
}
