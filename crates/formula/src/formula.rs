//! Formula: parsed once, evaluated over any number of contexts.

use std::sync::Arc;

use serde_json::value::RawValue;

use crate::budget::ResourceUsage;
use crate::context::Context;
use crate::error::{FormulaError, Result};
use crate::evaluation_context::EvaluationContext;
use crate::evaluator::evaluate;
use crate::node::Node;
use crate::value::Value;
use crate::{compiler, json_output, printing, reader};

/// A formula that was parsed. Clones share it.
#[derive(Debug, Clone)]
pub struct Formula(Arc<Program>);

#[derive(Debug)]
struct Program {
    node: Node,
    slot_count: usize,
}

/// The value of a formula over a context.
#[derive(Debug)]
pub struct FormulaValue {
    /// The value as JSON; null where JSON has no such value, as for ratios, functions and infinities.
    pub value: Box<RawValue>,
    /// The value as Clojure's `pr-str` prints it.
    pub printed: String,
}

impl Formula {
    /// What an evaluation may use at most.
    pub const MAX_USAGE: ResourceUsage = ResourceUsage::MAX;

    /// Reads and compiles a formula, of at most [`MAX_FORMULA_BYTES`](crate::MAX_FORMULA_BYTES).
    ///
    /// # Errors
    ///
    /// Where the text is not one form of the subset: its syntax, names that are not known, and how many arguments
    /// functions get are checked here.
    pub fn parse(text: &str) -> Result<Self, FormulaError> {
        let form = reader::read(text)?;
        let (node, slot_count) = compiler::compile(&form)?;
        Ok(Self(Arc::new(Program { node, slot_count })))
    }

    /// Its value over a context.
    ///
    /// # Errors
    ///
    /// Where an evaluation of it in Clojure would fail, where it uses what is not supported, or where it would go beyond
    /// [`Formula::MAX_USAGE`].
    pub fn evaluate(&self, context: &Context<'_>) -> Result<FormulaValue, FormulaError> {
        self.evaluate_with_usage(context).0
    }

    /// The result of [`Formula::evaluate`], and what the evaluation used, whether it failed or not.
    pub fn evaluate_with_usage(
        &self,
        context: &Context<'_>,
    ) -> (Result<FormulaValue, FormulaError>, ResourceUsage) {
        let mut ctx = EvaluationContext::new(context);
        let value = self.formula_value(&mut ctx).map_err(FormulaError::from);
        (value, ctx.budget.used())
    }

    /// Whether its value over a context is true as Clojure sees it, which all values are but nil and false; and what
    /// the evaluation used, whether it failed or not. The errors are those of [`Formula::evaluate`].
    pub fn is_true(&self, context: &Context<'_>) -> (Result<bool, FormulaError>, ResourceUsage) {
        let mut ctx = EvaluationContext::new(context);
        let value = self.value(&mut ctx).map_err(FormulaError::from);
        (value.map(|value| value.is_true()), ctx.budget.used())
    }

    fn formula_value(&self, ctx: &mut EvaluationContext<'_>) -> Result<FormulaValue> {
        let value = self.value(ctx)?;
        let printed = printing::pr_str(ctx, &value)?;
        Ok(FormulaValue { value: json_output::to_json(ctx, &value)?, printed })
    }

    fn value(&self, ctx: &mut EvaluationContext<'_>) -> Result<Value> {
        evaluate(ctx, &self.0.node, self.0.slot_count)
    }
}
