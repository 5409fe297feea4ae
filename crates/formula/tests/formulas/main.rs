//! Formulas against what they must be: a table, Clojure itself, and whatever proptest comes up with.

mod bounds;
mod cases;
mod clojure;
mod differential;
mod fuzz;
mod grammar;
mod greedy;
mod table;
mod worst;

use chrono::{DateTime, Utc};
use loanhook_formula::{Context, FaultKind, Formula, FormulaError, Used};
use serde_json::value::RawValue;

/// The variables that the formulas here are over.
const CONTEXT: &str = include_str!("context.json");

/// 2026-11-23T10:00:00Z
const NOW: DateTime<Utc> = match DateTime::from_timestamp(1_795_428_000, 0) {
    Some(now) => now,
    None => DateTime::UNIX_EPOCH,
};

/// What a formula prints over the context here.
fn printed(formula: &str) -> Result<String, FormulaError> {
    let json: Box<RawValue> = serde_json::from_str(CONTEXT).expect("JSON");
    let context = Context::new(&json, NOW).expect("an object");
    Formula::parse(formula)?.eval(&context).map(|outcome| outcome.printed)
}

/// What a formula uses over the context here; nothing if it cannot be read.
fn used(formula: &str) -> Used {
    let json: Box<RawValue> = serde_json::from_str(CONTEXT).expect("JSON");
    let context = Context::new(&json, NOW).expect("an object");
    Formula::parse(formula).map_or(Used { steps: 0, bytes: 0 }, |formula| formula.measure(&context).1)
}

/// The same as the tables write it.
fn answer(formula: &str) -> String {
    match printed(formula) {
        Ok(printed) => printed,
        Err(error) if error.kind == FaultKind::Unsupported => "!unsupported".into(),
        Err(error) if error.kind == FaultKind::Limit => "!limit".into(),
        Err(_) => "!".into(),
    }
}
