//! Formulas: triggers and restrictions, written in a subset of Clojure.
//!
//! A subscription's author writes what LoanPro's users write, `(and (> status-days-past-due 30)
//! (not status-stoplight))`, over the variables of a loan. [`Formula::parse`] reads it once, looks its names up
//! and writes its macros out; [`Formula::eval`] runs that over the context of an event.
//!
//! What it guarantees: inside the subset, which `docs/formulas.md` lists, the answer is that of Clojure 1.11.
//! A formula sees the context and nothing else, and changes nothing. It always ends: steps, depth, and the
//! sizes of what it makes are counted against `budget`, so it neither runs for ever nor takes all memory, on
//! any input; and as nothing else is counted, the same formula over the same context always ends the same way.

mod budget;
mod call;
mod compare;
mod compile;
mod context;
mod cx;
mod duplicates;
mod equal;
mod error;
mod eval;
mod form;
mod function;
mod functions;
mod grave;
mod hash;
mod input;
mod json;
mod lazy;
mod map;
mod node;
mod number;
mod parts;
mod pattern;
mod pattern_shape;
mod pattern_syntax;
mod price;
mod print;
mod reader;
mod reader_token;
mod seq;
mod seqable;
mod source;
mod source_groups;
mod source_streams;
mod suggest;
mod value;

use std::sync::Arc;

use serde_json::value::RawValue;

pub use budget::MAX_FORMULA;
pub use context::Context;
pub use error::{FaultKind, FormulaError, Position};

use cx::Cx;
use eval::{Frame, eval};
use node::Node;

/// A formula, ready to run. Clones share it.
#[derive(Debug, Clone)]
pub struct Formula(Arc<Program>);

#[derive(Debug)]
struct Program {
    node: Node,
    places: usize,
}

/// What a formula comes to.
#[derive(Debug)]
pub struct Outcome {
    /// As JSON; null where JSON has no such value, as for ratios, functions and infinities.
    pub value: Box<RawValue>,
    /// As Clojure's `pr-str` writes it.
    pub printed: String,
}

/// What an evaluation used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    pub steps: u64,
    /// Asked for, given back or not.
    pub bytes: u64,
}

impl Formula {
    /// What an evaluation may use.
    pub const MOST: Used = Used { steps: budget::MAX_STEPS, bytes: budget::MAX_BYTES };

    pub fn parse(text: &str) -> Result<Self, FormulaError> {
        let form = reader::read(text)?;
        let (node, places) = compile::compile(&form)?;
        Ok(Self(Arc::new(Program { node, places })))
    }

    /// Whether it is true of a context, as Clojure takes things for true: all but nil and false. And what it
    /// took to tell, whatever came of it.
    pub fn holds(&self, context: &Context<'_>) -> (Result<bool, FormulaError>, Used) {
        let mut cx = Cx::new(context);
        let value = eval(&mut cx, &mut Frame::new(self.0.places), &self.0.node);
        (value.map(|value| value.is_true()).map_err(FormulaError::from), cx.budget.used())
    }

    /// Its value over a context.
    pub fn eval(&self, context: &Context<'_>) -> Result<Outcome, FormulaError> {
        self.measure(context).0
    }

    /// The same, and what it used, whatever came of it.
    pub fn measure(&self, context: &Context<'_>) -> (Result<Outcome, FormulaError>, Used) {
        let mut cx = Cx::new(context);
        let outcome = self.outcome(&mut cx).map_err(FormulaError::from);
        (outcome, cx.budget.used())
    }

    fn outcome(&self, cx: &mut Cx<'_>) -> error::R<Outcome> {
        let value = eval(cx, &mut Frame::new(self.0.places), &self.0.node)?;
        let printed = print::printed(cx, &value)?;
        Ok(Outcome { value: json::json(cx, &value)?, printed })
    }
}
