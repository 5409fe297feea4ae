//! Cells of a lazy sequence: the items computed so far, and what computes the next.

use std::cell::RefCell;

use super::Sequence;
use super::source::{Batch, ItemSource};
use crate::error::Result;
use crate::evaluation_context::EvaluationContext;
use crate::value::{Value, deferred_drop};

/// What follows the items that are there.
#[derive(Debug)]
pub(super) enum Rest {
    Source(Box<dyn ItemSource>),
    /// The items of another sequence.
    Sequence(Sequence),
}

/// Every item is computed once, when something first looks at it, and kept.
#[derive(Debug)]
pub(super) struct LazyCells {
    pub(super) items: RefCell<Vec<Value>>,
    /// Where each chunk begins and ends, in their order. Items that came one by one are in none.
    pub(super) chunks: RefCell<Vec<(usize, usize)>>,
    /// None once all items are there.
    pub(super) rest: RefCell<Option<Rest>>,
}

impl LazyCells {
    pub(super) fn new(items: Vec<Value>, rest: Rest) -> Self {
        Self { items: RefCell::new(items), chunks: RefCell::default(), rest: RefCell::new(Some(rest)) }
    }

    /// Whether there is an item at this index. Computes the items up to it.
    pub(super) fn has_item(&self, ctx: &mut EvaluationContext<'_>, index: usize) -> Result<bool> {
        while self.items.borrow().len() <= index {
            let Some(mut rest) = self.rest.take() else { return Ok(false) };
            let mut batch = Batch::default();
            // A sequence that draws from another takes more stack than a call does.
            ctx.budget.enter_level()?;
            ctx.budget.enter_level()?;
            ctx.budget.take_steps(1)?;
            let more_may_follow = rest.pull(ctx, &mut batch)?;
            ctx.budget.leave_level();
            ctx.budget.leave_level();
            ctx.budget.take_values(batch.items.len())?;
            let mut items = self.items.borrow_mut();
            if batch.is_chunk {
                self.chunks.borrow_mut().push((items.len(), items.len() + batch.items.len()));
            }
            items.append(&mut batch.items);
            drop(items);
            if more_may_follow {
                *self.rest.borrow_mut() = Some(rest);
            } else {
                rest.drop_later();
            }
        }
        Ok(true)
    }
}

impl Rest {
    fn pull(&mut self, ctx: &mut EvaluationContext<'_>, batch: &mut Batch) -> Result<bool> {
        match self {
            Self::Source(source) => source.pull(ctx, batch),
            Self::Sequence(sequence) => {
                sequence.take_batch(ctx, batch)?;
                Ok(!batch.items.is_empty())
            }
        }
    }

    fn drop_later(self) {
        match self {
            Self::Source(source) => deferred_drop::drop_source_later(source),
            Self::Sequence(sequence) => {
                deferred_drop::drop_all_later(std::iter::once(Value::Sequence(sequence)));
            }
        }
    }
}

impl Drop for LazyCells {
    fn drop(&mut self) {
        deferred_drop::drop_later(self.items.get_mut());
        if let Some(rest) = self.rest.take() {
            rest.drop_later();
        }
    }
}
