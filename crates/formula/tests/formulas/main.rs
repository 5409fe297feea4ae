//! Formulas against their expected answers: those of tables, those of Clojure itself, and limits that hold for any text.

mod arbitrary_text;
mod clojure_process;
mod costly_formulas;
mod differential;
mod errors;
mod limits;
mod random_formulas;
mod stack;
mod table_files;
mod tables;
mod trace_equivalence;
mod traces;
mod unbounded_formulas;

use chrono::{DateTime, Utc};
use loanhook_formula::{Context, Formula, FormulaError, FormulaErrorKind, ResourceUsage};
use serde_json::value::RawValue;

/// The variables that the formulas of the tables read.
const CONTEXT: &str = include_str!("context.json");

/// 2026-11-23T10:00:00Z
const NOW: DateTime<Utc> = match DateTime::from_timestamp(1_795_428_000, 0) {
    Some(now) => now,
    None => DateTime::UNIX_EPOCH,
};

/// What a formula prints over [`CONTEXT`].
fn printed(formula: &str) -> Result<String, FormulaError> {
    let json: Box<RawValue> = serde_json::from_str(CONTEXT).expect("JSON");
    let context = Context::new(&json, NOW).expect("an object");
    Formula::parse(formula)?.evaluate(&context).map(|evaluation| evaluation.printed)
}

/// What an evaluation over [`CONTEXT`] uses; nothing if the formula cannot be parsed.
fn used(formula: &str) -> ResourceUsage {
    let json: Box<RawValue> = serde_json::from_str(CONTEXT).expect("JSON");
    let context = Context::new(&json, NOW).expect("an object");
    Formula::parse(formula)
        .map_or(ResourceUsage { steps: 0, bytes: 0 }, |formula| formula.evaluate_with_usage(&context).1)
}

/// The answer over [`CONTEXT`], as the tables write it.
fn answer(formula: &str) -> String {
    match printed(formula) {
        Ok(printed) => printed,
        Err(error) if error.kind == FormulaErrorKind::Unsupported => "!unsupported".into(),
        Err(error) if error.kind == FormulaErrorKind::LimitExceeded => "!limit".into(),
        Err(_) => "!".into(),
    }
}
