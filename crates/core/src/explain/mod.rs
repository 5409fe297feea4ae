//! Explanation of what a subscription's formulas came to for one event: the value of each sub-expression, the values
//! of the variables, and a sentence with the deciding reason.
//!
//! The API, the command line and the page show it to whoever asks why an event fired, or did not. It evaluates the
//! formulas again, each by itself, and says nothing of what depends on other events: whether a trigger was true before,
//! and whether the formulas of all subscriptions together took too many steps.
//!
//! An explanation holds values of the event's context, so it is shown to those who may read the loan, and not logged.

mod describe;
mod places;
mod reason;
mod text;

use serde_json::value::RawValue;

use crate::model::event_evaluation::{EventEvaluation, not_unicode_error};
use crate::model::subscription::{Criteria, Settings};
use loanhook_formula::{Context, TraceStep, TracedFormula};
pub use loanhook_formula::{FormulaError, Position, TracedValue};

/// How many characters of a sub-expression's source are shown at most.
const MAX_SOURCE_CHARS: usize = 200;

/// What the formulas of a subscription came to for one event.
#[derive(Debug)]
pub struct Explanation {
    /// None where the subscription asks for events by their names.
    pub trigger: Option<FormulaExplanation>,
    /// None where it has no restriction. It is evaluated whatever the trigger came to.
    pub restriction: Option<FormulaExplanation>,
}

/// What one formula came to over a context.
#[derive(Debug)]
pub struct FormulaExplanation {
    /// Its text.
    pub formula: String,
    /// Its value, or why it has none.
    pub result: Result<TracedValue, FormulaError>,
    /// The evaluations of its sub-expressions, in the order in which they ended: those inside of another before it. At
    /// most [`MAX_TRACE_STEPS`](loanhook_formula::MAX_TRACE_STEPS); none where the formula cannot be read.
    pub steps: Vec<ExplainedStep>,
    /// Whether steps were left out.
    pub is_cut: bool,
    /// The variables that it names, in the order of the alphabet, whether they were read or not.
    pub variables: Vec<ExplainedVariable>,
    /// Why it is true, false or failed: a sentence without a full stop, such as `(> days 30)` is false because `days` is
    /// 13, with formulas between backquotes.
    pub reason: String,
}

/// One evaluation of one sub-expression.
#[derive(Debug)]
pub struct ExplainedStep {
    /// The sub-expression as it is written, of at most 200 characters: `…` at its end stands for what is left out.
    pub source: String,
    /// Where it begins.
    pub position: Position,
    pub value: TracedValue,
}

/// A variable that a formula names.
#[derive(Debug)]
pub struct ExplainedVariable {
    pub name: String,
    /// Its JSON as it was sent; null where it is missing.
    pub json: Box<RawValue>,
    /// Whether the context has no variable of this name.
    pub is_missing: bool,
}

/// Explains the formulas of a subscription's settings for an event.
pub fn explain(settings: &Settings, evaluation: &EventEvaluation<'_>) -> Explanation {
    let explained = |formula: &str| match evaluation.context() {
        Some(context) => explain_formula(formula, context),
        None => FormulaExplanation::without_trace(formula, not_unicode_error()),
    };
    let trigger = match &settings.criteria {
        Criteria::Events(_) | Criteria::Operational(_) => None,
        Criteria::Trigger { trigger, .. } => Some(explained(trigger)),
    };
    Explanation { trigger, restriction: settings.restriction.as_deref().map(explained) }
}

/// Explains one formula over a context.
pub fn explain_formula(formula: &str, context: &Context<'_>) -> FormulaExplanation {
    let traced = match TracedFormula::parse(formula) {
        Ok(traced) => traced,
        Err(error) => return FormulaExplanation::without_trace(formula, error),
    };
    let trace = traced.trace(context);
    let reason = reason::reason(formula, traced.expression(), &trace, context);
    let step = |step: TraceStep| ExplainedStep {
        source: describe::cut(&formula[step.source], MAX_SOURCE_CHARS),
        position: step.position,
        value: step.value,
    };
    let variable = |name: &str| {
        let json = context.variable(name);
        let (name, is_missing) = (name.to_owned(), json.is_none());
        ExplainedVariable { name, json: json.unwrap_or(RawValue::NULL).to_owned(), is_missing }
    };
    FormulaExplanation {
        formula: formula.to_owned(),
        result: trace.result,
        steps: trace.steps.into_iter().map(step).collect(),
        is_cut: trace.is_cut,
        variables: traced.variables().map(variable).collect(),
        reason,
    }
}

impl FormulaExplanation {
    /// Of a formula that was not evaluated.
    fn without_trace(formula: &str, error: FormulaError) -> Self {
        Self {
            formula: formula.to_owned(),
            reason: format!("the formula fails at {}: {}", error.position, error.detail),
            result: Err(error),
            steps: Vec::new(),
            is_cut: false,
            variables: Vec::new(),
        }
    }
}

#[cfg(test)]
mod reason_tests;
#[cfg(test)]
mod text_tests;
