//! An explanation as the API shows it: fields are null, never absent.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use super::ledger_event::VerdictKind;
use loanhook_core::explain::{ExplainedStep, FormulaError, FormulaExplanation};
use loanhook_core::stored_event::ExplainedVerdict;

/// Why a subscription decided about an event as it did.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Explanation)]
pub(in crate::api) struct ExplanationView {
    /// Null where the subscription asks for events by their names.
    #[schema(required)]
    trigger: Option<FormulaView>,
    /// Null where it has none. It is evaluated whatever the trigger came to.
    #[schema(required)]
    restriction: Option<FormulaView>,
    /// What it decided. Of another version than the one that decided: what it would decide, if its trigger was not true at
    /// the event before. Null where it asks for events of other names.
    #[schema(required)]
    verdict: Option<VerdictKind>,
}

/// What a formula came to.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ExplainedFormula)]
struct FormulaView {
    formula: String,
    /// Null where JSON has no such value, and where it failed.
    #[schema(value_type = Option<serde_json::Value>, required)]
    value: Box<RawValue>,
    /// Why it failed, if it did.
    #[schema(required)]
    error: Option<FormulaErrorView>,
    /// Why it came to that: a sentence.
    reason: String,
    /// The evaluations of its sub-expressions, at most 500, in the order in which they ended.
    steps: Vec<StepView>,
    /// Whether steps were left out.
    truncated: bool,
    /// The variables that it names, with their values; null where the context has none of that name.
    #[schema(value_type = BTreeMap<String, serde_json::Value>)]
    variables: BTreeMap<String, Box<RawValue>>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ExplainedFormulaError)]
struct FormulaErrorView {
    detail: String,
    /// Where in the formula, from 1.
    line: u32,
    column: u32,
}

/// One evaluation of one sub-expression.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ExplainedStep)]
struct StepView {
    /// As it is written, of at most 200 characters.
    source: String,
    /// Where it begins, from 1.
    line: u32,
    column: u32,
    /// Null where JSON has no such value, and where it is long.
    #[schema(value_type = Option<serde_json::Value>, required)]
    value: Box<RawValue>,
    /// As Clojure's `pr-str` writes it, of at most 200 characters.
    printed: String,
}

impl From<ExplainedVerdict> for ExplanationView {
    fn from(explained: ExplainedVerdict) -> Self {
        let ExplainedVerdict { verdict, explanation, .. } = explained;
        Self {
            trigger: explanation.trigger.map(Into::into),
            restriction: explanation.restriction.map(Into::into),
            verdict: verdict.map(Into::into),
        }
    }
}

impl From<FormulaExplanation> for FormulaView {
    fn from(explained: FormulaExplanation) -> Self {
        let FormulaExplanation { formula, result, steps, is_cut, variables, reason } = explained;
        let (value, error) = match result {
            Ok(value) => (value.json, None),
            Err(error) => (RawValue::NULL.to_owned(), Some(error.into())),
        };
        Self {
            formula,
            value,
            error,
            reason,
            steps: steps.into_iter().map(Into::into).collect(),
            truncated: is_cut,
            variables: variables.into_iter().map(|variable| (variable.name, variable.json)).collect(),
        }
    }
}

impl From<FormulaError> for FormulaErrorView {
    fn from(error: FormulaError) -> Self {
        let FormulaError { position, detail, .. } = error;
        Self { detail, line: position.line, column: position.column }
    }
}

impl From<ExplainedStep> for StepView {
    fn from(step: ExplainedStep) -> Self {
        let ExplainedStep { source, position, value } = step;
        Self {
            source,
            line: position.line,
            column: position.column,
            value: value.json,
            printed: value.printed,
        }
    }
}
