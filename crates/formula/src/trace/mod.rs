//! Traces of evaluations: the value of each sub-expression, with its place in the text of the formula.
//!
//! [`TracedFormula`] is for whoever explains why a formula was true or false, or where it failed. It ends in the same
//! way as a [`Formula`](crate::Formula) of the same text, with the same use of steps and bytes.
//!
//! A trace is bounded: it has at most [`MAX_TRACE_STEPS`] steps, of which at most [`MAX_TRACE_STEPS_OF_FORM`] are of one
//! expression (a function may be called for each of many items), and each value is printed to at most
//! [`MAX_PRINTED_CHARS`] characters. [`Trace::is_cut`] and [`TracedValue::is_cut`] say where something is left out.

mod expression;
pub(crate) mod forms;
mod preview;
pub(crate) mod recorder;

use std::cell::RefCell;
use std::ops::Range;

use serde_json::value::RawValue;

use crate::budget::ResourceUsage;
use crate::context::Context;
use crate::error::{FormulaError, Position};
use crate::evaluation_context::EvaluationContext;
use crate::evaluator::evaluate_traced;
use crate::node::Node;
use crate::{compiler, reader};
pub use expression::{Expression, ExpressionKind};
use forms::TracedForms;
use preview::Previews;
use recorder::Recorder;

/// How many steps a trace has at most.
pub const MAX_TRACE_STEPS: usize = 500;
/// How many steps of one expression a trace has at most: those that began first.
pub const MAX_TRACE_STEPS_OF_FORM: usize = 20;
/// How many characters a value of a trace is printed to at most.
pub const MAX_PRINTED_CHARS: usize = 200;

/// A formula whose evaluations are traced. It is parsed for this, and takes more time and memory than a
/// [`Formula`](crate::Formula).
#[derive(Debug)]
pub struct TracedFormula {
    expression: Expression,
    node: Node,
    slot_count: usize,
    forms: TracedForms,
}

/// What an evaluation came to, and the steps on the way.
#[derive(Debug)]
pub struct Trace {
    /// The value of the formula, or why it has none.
    pub result: Result<TracedValue, FormulaError>,
    /// What the evaluation used, whether it failed or not: as much as without a trace.
    pub usage: ResourceUsage,
    /// The steps, in the order in which they ended: the parts of an expression before it. What was not evaluated has
    /// none, as the rest of an `and` after its first false operand; neither has what failed, nor what is written as a
    /// constant or a function.
    pub steps: Vec<TraceStep>,
    /// Whether steps were left out.
    pub is_cut: bool,
}

/// One evaluation of one sub-expression.
#[derive(Debug)]
pub struct TraceStep {
    /// Where the expression begins.
    pub position: Position,
    /// Its bytes in the text of the formula.
    pub source: Range<usize>,
    /// Whether it is the name of a variable.
    pub is_variable: bool,
    /// What it came to.
    pub value: TracedValue,
}

/// A value of a trace.
#[derive(Debug, Clone)]
pub struct TracedValue {
    /// Whether it counts as true, as every value does but nil and false.
    pub is_true: bool,
    /// The value as JSON; null where JSON has no such value, and where `is_cut`.
    pub json: Box<RawValue>,
    /// The value as Clojure's `pr-str` prints it, of at most [`MAX_PRINTED_CHARS`] characters.
    pub printed: String,
    /// Whether something is left out, which `…` stands for: the rest of a long text, or items of a lazy sequence that the
    /// evaluation did not compute.
    pub is_cut: bool,
}

impl TracedFormula {
    /// Reads and compiles a formula.
    ///
    /// # Errors
    ///
    /// Those of [`Formula::parse`](crate::Formula::parse).
    pub fn parse(text: &str) -> Result<Self, FormulaError> {
        let (form, ranges) = reader::read_with_ranges(text)?;
        let expression = Expression::new(&form, &ranges);
        let (node, slot_count, forms) = compiler::compile_traced(&form, ranges)?;
        Ok(Self { expression, node, slot_count, forms })
    }

    /// The formula as it is written.
    pub const fn expression(&self) -> &Expression {
        &self.expression
    }

    /// The names of the variables that it reads, wherever they stand in it, in the order of the alphabet.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.forms.variables.iter().map(|name| &**name)
    }

    /// Evaluates it over a context. Its result is true, false or an error as that of
    /// [`Formula::is_true`](crate::Formula::is_true) is.
    pub fn trace(&self, context: &Context<'_>) -> Trace {
        let mut ctx = EvaluationContext::new(context);
        let recorder = RefCell::new(Recorder::new(self.forms.all().len()));
        ctx.trace = Some(&recorder);
        let value = evaluate_traced(&mut ctx, &self.node, self.slot_count);
        let usage = ctx.budget.used();
        let (steps, is_cut) = recorder.into_inner().into_steps();
        let previews = Previews { context, has_failed: value.is_err() };
        let step = |(form, value): (usize, _)| {
            let form = self.forms.all().get(form)?;
            let (position, source) = (form.position, form.source.clone());
            Some(TraceStep { position, source, is_variable: form.is_variable, value: previews.of(&value) })
        };
        let steps = steps.into_iter().filter_map(step).collect();
        let result = value.map(|value| previews.of(&value)).map_err(FormulaError::from);
        Trace { result, usage, steps, is_cut }
    }
}
