//! Sources of lazy items: what a lazy sequence draws its next items from.

use std::fmt;

use crate::error::Result;
use crate::evaluation_context::EvaluationContext;
use crate::value::Value;

/// Items that a source gives at once.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) items: Vec<Value>,
    /// Whether Clojure would hand them on as a chunk.
    pub(crate) is_chunk: bool,
}

impl Batch {
    /// Adds an item and says that more may follow.
    pub(crate) fn push(&mut self, item: Value) -> Result<bool> {
        self.items.push(item);
        Ok(true)
    }
}

/// Computes the items of a lazy sequence, a few at a time.
pub(crate) trait ItemSource: fmt::Debug {
    /// Puts at least one item into the empty batch, unless the source has ended; false if nothing will follow.
    fn pull(&mut self, ctx: &mut EvaluationContext<'_>, batch: &mut Batch) -> Result<bool>;
}
