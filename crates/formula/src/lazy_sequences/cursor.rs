//! Cursor over the items of a value, for sources that draw from it.

use crate::error::Result;
use crate::evaluation_context::EvaluationContext;
use crate::value::Value;
use crate::value::iteration::sequence_of;
use crate::value::sequence::Sequence;
use crate::value::sequence::source::Batch;

/// What a source draws its items from. Nothing looks at the value before the first item is drawn.
#[derive(Debug)]
pub(crate) struct ItemCursor {
    value: Value,
    /// What is left, once the first item was drawn.
    rest: Option<Sequence>,
}

impl ItemCursor {
    pub(crate) fn of(value: &Value) -> Self {
        Self { value: value.clone(), rest: None }
    }

    /// The items that were not drawn yet.
    pub(super) fn rest(&mut self, ctx: &mut EvaluationContext<'_>) -> Result<&mut Sequence> {
        let rest = match self.rest.take() {
            Some(rest) => rest,
            None => sequence_of(ctx, &std::mem::replace(&mut self.value, Value::Nil))?,
        };
        Ok(self.rest.insert(rest))
    }

    /// Draws the next item; none at the end.
    pub(super) fn next(&mut self, ctx: &mut EvaluationContext<'_>) -> Result<Option<Value>> {
        let rest = self.rest(ctx)?;
        let first = rest.first(ctx)?;
        *rest = rest.skip(1);
        Ok(first)
    }

    /// Draws the next item into the batch; false at the end.
    pub(super) fn next_into(&mut self, ctx: &mut EvaluationContext<'_>, batch: &mut Batch) -> Result<bool> {
        match self.next(ctx)? {
            Some(item) => batch.push(item),
            None => Ok(false),
        }
    }

    /// Draws the next chunk, or the next item, into the batch; false at the end.
    pub(super) fn next_batch(&mut self, ctx: &mut EvaluationContext<'_>, batch: &mut Batch) -> Result<bool> {
        self.rest(ctx)?.take_batch(ctx, batch)?;
        Ok(!batch.items.is_empty())
    }

    /// Draws and drops so many items, a step each; false if the end came before.
    pub(super) fn skip(&mut self, ctx: &mut EvaluationContext<'_>, count: usize) -> Result<bool> {
        for _ in 0..count {
            ctx.budget.take_steps(1)?;
            if self.next(ctx)?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The next item, which is not drawn; none at the end.
    pub(super) fn peek(&mut self, ctx: &mut EvaluationContext<'_>) -> Result<Option<Value>> {
        self.rest(ctx)?.first(ctx)
    }

    /// Another cursor over the items that were not drawn yet.
    pub(super) fn fork(&mut self, ctx: &mut EvaluationContext<'_>) -> Result<Self> {
        Ok(Self::from(self.rest(ctx)?.clone()))
    }
}

impl From<Sequence> for ItemCursor {
    fn from(sequence: Sequence) -> Self {
        Self { value: Value::Nil, rest: Some(sequence) }
    }
}

/// Up to so many collections `map` looks at all of them before it finds that one has ended.
pub(crate) const MAX_PEEKED_MAP_INPUTS: usize = 3;

/// The next item of each cursor; none once one has ended. Up to `max_peeked` cursors are all looked at first, as
/// Clojure does.
pub(crate) fn next_of_each(
    ctx: &mut EvaluationContext<'_>,
    cursors: &mut [ItemCursor],
    max_peeked: usize,
) -> Result<Option<Vec<Value>>> {
    if cursors.len() <= max_peeked {
        for cursor in cursors.iter_mut() {
            cursor.peek(ctx)?;
        }
    }
    cursors.iter_mut().map(|cursor| cursor.next(ctx)).collect()
}
