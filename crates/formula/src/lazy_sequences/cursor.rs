//! What the sources of lazy sequences draw from.

use super::cx::Cx;
use super::error::R;
use super::seq::{self, Seq};
use super::value::Value;

/// Items that come together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) items: Vec<Value>,
    /// Whether Clojure would hand them on as a chunk.
    pub(super) chunked: bool,
}

/// What a source draws from: looked at only once something is asked of it.
#[derive(Debug)]
pub(super) struct Input {
    value: Value,
    seq: Option<Seq>,
}

impl Input {
    pub(super) fn of(value: &Value) -> Self {
        Self { value: value.clone(), seq: None }
    }

    /// The rest of it.
    pub(super) fn open(&mut self, cx: &mut Cx<'_>) -> R<&mut Seq> {
        let seq = match self.seq.take() {
            Some(seq) => seq,
            None => seq::of(cx, &std::mem::replace(&mut self.value, Value::Nil))?,
        };
        Ok(self.seq.insert(seq))
    }

    pub(super) fn next(&mut self, cx: &mut Cx<'_>) -> R<Option<Value>> {
        let seq = self.open(cx)?;
        let first = seq.first(cx)?;
        *seq = seq.skip(1);
        Ok(first)
    }

    /// The next items that come together; nothing at the end.
    pub(super) fn batch(&mut self, cx: &mut Cx<'_>, batch: &mut Batch) -> R<()> {
        let seq = self.open(cx)?;
        let chunk = seq.chunk(cx)?;
        batch.chunked = chunk.is_some();
        let count = chunk.unwrap_or(1);
        for place in 0..count {
            batch.items.extend(seq.nth(cx, place)?);
        }
        *seq = seq.skip(count);
        Ok(())
    }

    pub(super) fn peek(&mut self, cx: &mut Cx<'_>) -> R<Option<Value>> {
        self.open(cx)?.first(cx)
    }

    /// Another that begins where this one stands.
    pub(super) fn fork(&mut self, cx: &mut Cx<'_>) -> R<Self> {
        Ok(Self::from(self.open(cx)?.clone()))
    }
}

impl From<Seq> for Input {
    fn from(seq: Seq) -> Self {
        Self { value: Value::Nil, seq: Some(seq) }
    }
}

pub(super) fn one(batch: &mut Batch, item: Value) -> R<bool> {
    batch.items.push(item);
    Ok(true)
}

/// The next of each. Clojure looks at all of a few before it finds that one has ended.
pub(super) fn together(cx: &mut Cx<'_>, inputs: &mut [Input], few: usize) -> R<Option<Vec<Value>>> {
    if inputs.len() <= few {
        for input in inputs.iter_mut() {
            input.peek(cx)?;
        }
    }
    inputs.iter_mut().map(|input| input.next(cx)).collect()
}
