//! Sources that pass on a part of their input: `take`, `drop`, `take-while`, `drop-while` and `take-nth`.

use super::cursor::ItemCursor;
use crate::call::call;
use crate::error::Result;
use crate::evaluation_context::EvaluationContext;
use crate::value::Value;
use crate::value::sequence::source::{Batch, ItemSource};

#[derive(Debug)]
pub(crate) struct Take {
    pub(crate) input: ItemCursor,
    /// How many items are left.
    pub(crate) count: usize,
}

impl ItemSource for Take {
    fn pull(&mut self, ctx: &mut EvaluationContext<'_>, batch: &mut Batch) -> Result<bool> {
        if self.count == 0 {
            return Ok(false);
        }
        self.count -= 1;
        self.input.next_into(ctx, batch)
    }
}

#[derive(Debug)]
pub(crate) struct TakeWhile {
    pub(crate) function: Value,
    pub(crate) input: ItemCursor,
}

impl ItemSource for TakeWhile {
    fn pull(&mut self, ctx: &mut EvaluationContext<'_>, batch: &mut Batch) -> Result<bool> {
        match self.input.next(ctx)? {
            Some(item) if call(ctx, &self.function, std::slice::from_ref(&item))?.is_true() => {
                batch.push(item)
            }
            _ => Ok(false),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Drop {
    pub(crate) input: ItemCursor,
    /// How many items are still to be dropped.
    pub(crate) count: usize,
}

impl ItemSource for Drop {
    fn pull(&mut self, ctx: &mut EvaluationContext<'_>, batch: &mut Batch) -> Result<bool> {
        let count = std::mem::take(&mut self.count);
        if !self.input.skip(ctx, count)? {
            return Ok(false);
        }
        self.input.next_batch(ctx, batch)
    }
}

#[derive(Debug)]
pub(crate) struct DropWhile {
    /// Nil once an item was passed on.
    pub(crate) function: Value,
    pub(crate) input: ItemCursor,
}

impl ItemSource for DropWhile {
    fn pull(&mut self, ctx: &mut EvaluationContext<'_>, batch: &mut Batch) -> Result<bool> {
        if !self.function.is_nil() {
            while let Some(item) = self.input.peek(ctx)? {
                ctx.budget.take_steps(1)?;
                if !call(ctx, &self.function, &[item])?.is_true() {
                    break;
                }
                self.input.next(ctx)?;
            }
            self.function = Value::Nil;
        }
        self.input.next_batch(ctx, batch)
    }
}

#[derive(Debug)]
pub(crate) struct TakeNth {
    pub(crate) input: ItemCursor,
    pub(crate) step: usize,
    /// How many items are dropped before the next.
    pub(crate) skipped: usize,
}

impl ItemSource for TakeNth {
    fn pull(&mut self, ctx: &mut EvaluationContext<'_>, batch: &mut Batch) -> Result<bool> {
        let count = std::mem::replace(&mut self.skipped, self.step - 1);
        if !self.input.skip(ctx, count)? {
            return Ok(false);
        }
        self.input.next_into(ctx, batch)
    }
}
