//! Sources that depend on the items before: `interpose`, `distinct`, `dedupe` and `reductions`.

use super::cursor::ItemCursor;
use crate::call::call;
use crate::error::Result;
use crate::evaluation_context::EvaluationContext;
use crate::value::Value;
use crate::value::equality::equal;
use crate::value::sequence::source::{Batch, ItemSource};
use crate::value::set::Set;

#[derive(Debug)]
pub(crate) struct Interpose {
    pub(crate) separator: Value,
    pub(crate) input: ItemCursor,
    /// Whether an item was passed on.
    pub(crate) has_begun: bool,
}

impl ItemSource for Interpose {
    fn pull(&mut self, ctx: &mut EvaluationContext<'_>, batch: &mut Batch) -> Result<bool> {
        let Some(item) = self.input.next(ctx)? else { return Ok(false) };
        if std::mem::replace(&mut self.has_begun, true) {
            batch.items.push(self.separator.clone());
        }
        batch.push(item)
    }
}

#[derive(Debug)]
pub(crate) struct Distinct {
    pub(crate) input: ItemCursor,
    pub(crate) seen: Set,
}

impl ItemSource for Distinct {
    fn pull(&mut self, ctx: &mut EvaluationContext<'_>, batch: &mut Batch) -> Result<bool> {
        while let Some(item) = self.input.next(ctx)? {
            ctx.budget.take_steps(1)?;
            if self.seen.put(ctx, item.clone())? {
                return batch.push(item);
            }
        }
        Ok(false)
    }
}

/// `dedupe`: without items that equal the item before them.
#[derive(Debug)]
pub(crate) struct Dedupe {
    pub(crate) input: ItemCursor,
    pub(crate) last: Option<Value>,
}

impl ItemSource for Dedupe {
    fn pull(&mut self, ctx: &mut EvaluationContext<'_>, batch: &mut Batch) -> Result<bool> {
        while let Some(item) = self.input.next(ctx)? {
            let is_repeated = match &self.last {
                Some(last) => equal(ctx, last, &item)?,
                None => false,
            };
            self.last = Some(item.clone());
            if !is_repeated {
                return batch.push(item);
            }
        }
        Ok(false)
    }
}

#[derive(Debug)]
pub(crate) struct Reductions {
    pub(crate) function: Value,
    pub(crate) input: ItemCursor,
    /// The last result; before the first item the initial value, if there is one.
    pub(crate) last: Option<Value>,
    /// Whether the first item was passed on.
    pub(crate) has_begun: bool,
}

impl ItemSource for Reductions {
    fn pull(&mut self, ctx: &mut EvaluationContext<'_>, batch: &mut Batch) -> Result<bool> {
        let next = if std::mem::replace(&mut self.has_begun, true) {
            let (Some(last), Some(item)) = (self.last.take(), self.input.next(ctx)?) else {
                return Ok(false);
            };
            call(ctx, &self.function, &[last, item])?
        } else {
            match self.last.take() {
                Some(initial) => initial,
                None => match self.input.next(ctx)? {
                    Some(first) => first,
                    None => call(ctx, &self.function, &[])?,
                },
            }
        };
        self.last = Some(next.clone());
        batch.push(next)
    }
}
