//! Evaluator of a subset of Clojure over JSON, with limits on what an evaluation may use.
//!
//! A [`Formula`] is one form, such as `(> (or days-past-due 0) 30)`. It is parsed once and evaluated over any number of
//! [`Context`]s, whose variables are the members of a JSON object. Threads may share both.
//!
//! ```
//! use chrono::DateTime;
//! use loanhook_formula::{Context, Formula};
//! use serde_json::value::RawValue;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let formula = Formula::parse("(reduce + (map :amount payments))")?;
//! let json: Box<RawValue> = serde_json::from_str(r#"{"payments": [{"amount": 100.5}, {"amount": 250}]}"#)?;
//! let context = Context::new(&json, DateTime::UNIX_EPOCH)?;
//! assert_eq!(formula.evaluate(&context)?.printed, "350.5");
//! # Ok(())
//! # }
//! ```
//!
//! # What it guarantees
//!
//! - **Clojure's answers.** Inside of the subset the value is that of Clojure 1.11 on Java 17, to the printed digit. What
//!   is outside of it is refused by name, with [`FormulaErrorKind::Unsupported`]. `docs/formulas.md` is the reference.
//! - **No effects.** A formula reads its context and nothing else, and changes nothing.
//! - **An end.** Steps, bytes and depth are counted, so every evaluation ends, on any input, within
//!   [`Formula::MAX_USAGE`]. Nothing else is measured: the same formula over the same context ends in the same way on any
//!   machine.
//! - **Errors with a position.** A [`FormulaError`] says which form it is about. It never holds a value of the context.
//!
//! Time, logging, storage and when a formula is evaluated are left to the caller.
//!
//! # How it is built
//!
//! `reader` makes a form of the text, `compiler` makes a node of the form, `evaluator` computes the value of the node.
//! `functions` holds the built-in functions, `value` what they work on.

#![warn(missing_docs)]

mod budget;
mod call;
mod compiler;
mod context;
mod cost;
mod decimal;
mod double;
mod error;
mod evaluation_context;
mod evaluator;
mod form;
mod formula;
mod functions;
mod json_output;
mod json_path_cache;
mod lazy_sequences;
mod name;
mod node;
mod pattern;
mod printing;
mod reader;
mod trace;
mod value;

pub use budget::{MAX_FORMULA_BYTES, ResourceUsage};
pub use context::Context;
pub use error::{FormulaError, FormulaErrorKind, Position};
pub use formula::{Formula, FormulaValue};
pub use trace::{
    Expression, ExpressionKind, MAX_PRINTED_CHARS, MAX_TRACE_STEPS, MAX_TRACE_STEPS_OF_FORM, Trace,
    TraceStep, TracedFormula, TracedValue,
};

/// The example of the README, as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExample;
