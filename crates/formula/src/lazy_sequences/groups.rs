//! Sources that look at several items at once: `partition`, `partition-by` and `interleave`.

use super::cursor::{ItemCursor, next_of_each};
use crate::call::call;
use crate::error::Result;
use crate::evaluation_context::EvaluationContext;
use crate::value::Value;
use crate::value::equality::equal;
use crate::value::items::Items;
use crate::value::sequence::Sequence;
use crate::value::sequence::source::{Batch, ItemSource};

/// `partition`, and `partition-all`.
#[derive(Debug)]
pub(crate) struct Partition {
    pub(crate) input: ItemCursor,
    /// How many items are in a group.
    pub(crate) size: usize,
    /// How many items after the beginning of a group the next begins.
    pub(crate) step: usize,
    /// Items that fill up the last group.
    pub(crate) pad: Option<Value>,
    /// Whether groups that are not full are kept.
    pub(crate) keeps_all: bool,
}

impl ItemSource for Partition {
    fn pull(&mut self, ctx: &mut EvaluationContext<'_>, batch: &mut Batch) -> Result<bool> {
        let mut group = Vec::new();
        // The input itself moves on by the step, which may be less or more than the size of a group.
        let mut ahead = self.input.fork(ctx)?;
        while group.len() < self.size {
            ctx.budget.take_steps(1)?;
            let Some(item) = ahead.next(ctx)? else { break };
            group.push(item);
        }
        if group.is_empty() {
            return Ok(false);
        }
        let is_full = group.len() == self.size;
        if !is_full && !self.keeps_all {
            let Some(pad) = &self.pad else { return Ok(false) };
            let mut pad = ItemCursor::of(pad);
            while group.len() < self.size {
                let Some(item) = pad.next(ctx)? else { break };
                group.push(item);
            }
        }
        let group = Items::new(&mut ctx.budget, group)?;
        batch.items.push(Value::Sequence(Sequence::realized_as_lazy(group)));
        Ok(self.input.skip(ctx, self.step)? && (is_full || self.keeps_all))
    }
}

/// `partition-by`: a group for each run of items for which the function gives equal values.
#[derive(Debug)]
pub(crate) struct PartitionBy {
    pub(crate) function: Value,
    pub(crate) input: ItemCursor,
}

impl ItemSource for PartitionBy {
    fn pull(&mut self, ctx: &mut EvaluationContext<'_>, batch: &mut Batch) -> Result<bool> {
        let Some(first) = self.input.next(ctx)? else { return Ok(false) };
        let key = call(ctx, &self.function, std::slice::from_ref(&first))?;
        let mut group = vec![first];
        while let Some(next) = self.input.peek(ctx)? {
            let next_key = call(ctx, &self.function, std::slice::from_ref(&next))?;
            if !equal(ctx, &key, &next_key)? {
                break;
            }
            self.input.next(ctx)?;
            group.push(next);
        }
        batch.push(Value::realized_sequence(&mut ctx.budget, group)?)
    }
}

/// `interleave`: the first of each collection, the second of each, and so on.
#[derive(Debug)]
pub(crate) struct Interleave {
    pub(crate) inputs: Vec<ItemCursor>,
}

impl Interleave {
    /// Up to so many collections it looks at all of them before it finds that one has ended.
    const MAX_PEEKED_INPUTS: usize = 2;
}

impl ItemSource for Interleave {
    fn pull(&mut self, ctx: &mut EvaluationContext<'_>, batch: &mut Batch) -> Result<bool> {
        let Some(items) = next_of_each(ctx, &mut self.inputs, Self::MAX_PEEKED_INPUTS)? else {
            return Ok(false);
        };
        batch.items = items;
        Ok(true)
    }
}
