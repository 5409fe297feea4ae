//! Sources that need no input, or repeat it: `range`, `iterate`, `repeat` and `cycle`.

use crate::call::call;
use crate::error::Result;
use crate::evaluation_context::EvaluationContext;
use crate::value::Value;
use crate::value::number::arithmetic::{OnOverflow, add, sign};
use crate::value::number::comparison;
use crate::value::sequence::source::{Batch, ItemSource};
use crate::value::sequence::{CHUNK_ITEMS, Sequence};

/// `range`: with an end it comes in chunks.
#[derive(Debug)]
pub(crate) struct Range {
    pub(crate) next: Value,
    pub(crate) step: Value,
    pub(crate) end: Option<Value>,
}

impl Range {
    /// The next number, and one step on.
    fn advance(&mut self, ctx: &mut EvaluationContext<'_>) -> Result<Value> {
        let item = std::mem::replace(&mut self.next, Value::Nil);
        // Past the greatest long it goes on with big integers, which are past any end that is a long.
        self.next = add(&mut ctx.budget, OnOverflow::Promote, &item, &self.step)?;
        Ok(item)
    }
}

impl ItemSource for Range {
    fn pull(&mut self, ctx: &mut EvaluationContext<'_>, batch: &mut Batch) -> Result<bool> {
        if self.end.is_none() {
            let item = self.advance(ctx)?;
            return batch.push(item);
        }
        batch.is_chunk = true;
        let ascends = sign(&self.step) >= 0;
        while batch.items.len() < CHUNK_ITEMS {
            ctx.budget.take_steps(1)?;
            let Some(end) = &self.end else { return Ok(false) };
            let order = comparison::order(&mut ctx.budget, &self.next, end)?;
            if !order.is_some_and(|order| if ascends { order.is_lt() } else { order.is_gt() }) {
                return Ok(false);
            }
            let item = self.advance(ctx)?;
            batch.items.push(item);
        }
        Ok(true)
    }
}

/// `iterate`, from the second item on.
#[derive(Debug)]
pub(crate) struct Iterate {
    pub(crate) function: Value,
    /// None once the function has failed.
    pub(crate) last: Option<Value>,
}

impl ItemSource for Iterate {
    fn pull(&mut self, ctx: &mut EvaluationContext<'_>, batch: &mut Batch) -> Result<bool> {
        let Some(last) = self.last.take() else { return Ok(false) };
        let next = call(ctx, &self.function, &[last])?;
        self.last = Some(next.clone());
        batch.push(next)
    }
}

/// `repeat`.
#[derive(Debug)]
pub(crate) struct Repeat {
    pub(crate) value: Value,
    /// How many items are left; none if there is no end.
    pub(crate) count: Option<i64>,
}

impl ItemSource for Repeat {
    fn pull(&mut self, _: &mut EvaluationContext<'_>, batch: &mut Batch) -> Result<bool> {
        if self.count == Some(0) {
            return Ok(false);
        }
        self.count = self.count.map(|count| count - 1);
        batch.push(self.value.clone())
    }
}

/// `cycle`.
#[derive(Debug)]
pub(crate) struct Cycle {
    pub(crate) all: Sequence,
    /// What is left of this round.
    pub(crate) rest: Sequence,
}

impl ItemSource for Cycle {
    fn pull(&mut self, ctx: &mut EvaluationContext<'_>, batch: &mut Batch) -> Result<bool> {
        if self.rest.is_empty(ctx)? {
            self.rest = self.all.clone();
        }
        let Some(first) = self.rest.first(ctx)? else { return Ok(false) };
        self.rest = self.rest.skip(1);
        batch.push(first)
    }
}
