//! Sequences: lists, and items that are computed when something looks at them.
//!
//! A sequence is an offset into shared cells. The cells of a list are all there; those of a lazy sequence are computed
//! and kept as something looks at them. `rest` is the next offset into the same cells, so a long sequence is no long
//! chain of values.

mod computed;
mod lazy_cells;
pub(crate) mod source;

use std::rc::Rc;

use super::Value;
use super::items::Items;
use crate::error::Result;
use crate::evaluation_context::EvaluationContext;
use lazy_cells::{LazyCells, Rest};
use source::{Batch, ItemSource};

/// How many items of a vector or range Clojure hands on at once.
pub(crate) const CHUNK_ITEMS: usize = 32;

#[derive(Debug, Clone)]
pub(crate) struct Sequence {
    cells: Cells,
    offset: usize,
    kind: SequenceKind,
}

/// What Clojure would have in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SequenceKind {
    /// A list, as `list?` says.
    List,
    /// A sequence that Clojure counts at once and `str` shows, and that is no list.
    Realized,
    /// The same, and it hands on its items in chunks, as that of a vector does.
    Chunked,
    /// A lazy sequence, whose items `str` does not show.
    Lazy,
    /// A sequence that is as lazy, and whose items `str` shows.
    ShownLazy,
    /// Items that are there, before a lazy sequence.
    Cons,
}

#[derive(Debug, Clone)]
enum Cells {
    Fixed(Rc<Items>),
    Lazy(Rc<LazyCells>),
}

impl Sequence {
    pub(crate) fn list(items: Rc<Items>) -> Self {
        Self { cells: Cells::Fixed(items), offset: 0, kind: SequenceKind::List }
    }

    /// Items that are all there, and no list.
    pub(crate) fn realized(items: Rc<Items>) -> Self {
        Self { cells: Cells::Fixed(items), offset: 0, kind: SequenceKind::Realized }
    }

    /// Items that are all there, where Clojure has a lazy sequence.
    pub(crate) fn realized_as_lazy(items: Rc<Items>) -> Self {
        Self { cells: Cells::Fixed(items), offset: 0, kind: SequenceKind::Lazy }
    }

    pub(super) fn of_vector(items: &Rc<Items>) -> Self {
        let kind = if items.is_map_entry { SequenceKind::Realized } else { SequenceKind::Chunked };
        Self { cells: Cells::Fixed(Rc::clone(items)), offset: 0, kind }
    }

    pub(crate) fn lazy(ctx: &mut EvaluationContext<'_>, source: impl ItemSource + 'static) -> Result<Self> {
        Self::from_cells(ctx, Vec::new(), Rest::Source(Box::new(source)), SequenceKind::Lazy)
    }

    /// A lazy sequence that `str` shows, and that Clojure counts item by item, as that of `cycle`.
    pub(crate) fn shown_lazy(
        ctx: &mut EvaluationContext<'_>,
        source: impl ItemSource + 'static,
    ) -> Result<Self> {
        Self::from_cells(ctx, Vec::new(), Rest::Source(Box::new(source)), SequenceKind::ShownLazy)
    }

    /// A lazy sequence that `str` shows, and that Clojure counts at once, as that of `range`.
    pub(crate) fn counted_lazy(
        ctx: &mut EvaluationContext<'_>,
        source: impl ItemSource + 'static,
    ) -> Result<Self> {
        Self::from_cells(ctx, Vec::new(), Rest::Source(Box::new(source)), SequenceKind::Realized)
    }

    fn from_cells(
        ctx: &mut EvaluationContext<'_>,
        items: Vec<Value>,
        rest: Rest,
        kind: SequenceKind,
    ) -> Result<Self> {
        ctx.budget.take_values(items.len() + 8)?;
        Ok(Self { cells: Cells::Lazy(Rc::new(LazyCells::new(items, rest))), offset: 0, kind })
    }

    pub(crate) fn is_list(&self) -> bool {
        self.kind == SequenceKind::List
    }

    /// Whether `str` does not show its items.
    pub(crate) fn is_lazy(&self) -> bool {
        self.kind == SequenceKind::Lazy
    }

    /// Whether Clojure counts it without going through it.
    pub(crate) fn is_counted(&self) -> bool {
        matches!(self.kind, SequenceKind::List | SequenceKind::Realized | SequenceKind::Chunked)
    }

    /// Whether all of its items are there.
    pub(crate) fn is_fixed(&self) -> bool {
        matches!(self.cells, Cells::Fixed(_))
    }

    /// Whether both are the same offset into the same cells.
    pub(super) fn is_identical(&self, other: &Self) -> bool {
        let same_cells = match (&self.cells, &other.cells) {
            (Cells::Fixed(a), Cells::Fixed(b)) => Rc::ptr_eq(a, b),
            (Cells::Lazy(a), Cells::Lazy(b)) => Rc::ptr_eq(a, b),
            _ => false,
        };
        same_cells && self.offset == other.offset
    }

    /// The item at an index; none past the end.
    pub(crate) fn nth(&self, ctx: &mut EvaluationContext<'_>, index: usize) -> Result<Option<Value>> {
        let index = self.offset.saturating_add(index);
        match &self.cells {
            Cells::Fixed(items) => Ok(items.values.get(index).cloned()),
            Cells::Lazy(lazy) => {
                if !lazy.has_item(ctx, index)? {
                    return Ok(None);
                }
                Ok(lazy.items.borrow().get(index).cloned())
            }
        }
    }

    pub(crate) fn first(&self, ctx: &mut EvaluationContext<'_>) -> Result<Option<Value>> {
        self.nth(ctx, 0)
    }

    /// How many items, from the first, come in one chunk; none if the first comes by itself.
    fn chunk_length(&self, ctx: &mut EvaluationContext<'_>) -> Result<Option<usize>> {
        match &self.cells {
            Cells::Fixed(items) if self.kind == SequenceKind::Chunked && self.offset < items.values.len() => {
                let end = ((self.offset / CHUNK_ITEMS + 1) * CHUNK_ITEMS).min(items.values.len());
                Ok(Some(end - self.offset))
            }
            Cells::Fixed(_) => Ok(None),
            Cells::Lazy(lazy) => {
                if !lazy.has_item(ctx, self.offset)? {
                    return Ok(None);
                }
                let chunks = lazy.chunks.borrow();
                let index = chunks.partition_point(|(_, end)| *end <= self.offset);
                let chunk = chunks.get(index).filter(|(start, _)| *start <= self.offset);
                Ok(chunk.map(|(_, end)| end - self.offset))
            }
        }
    }

    /// Moves the next chunk, or the next item, into the batch; nothing at the end.
    pub(crate) fn take_batch(&mut self, ctx: &mut EvaluationContext<'_>, batch: &mut Batch) -> Result<()> {
        let chunk = self.chunk_length(ctx)?;
        batch.is_chunk = chunk.is_some();
        let count = chunk.unwrap_or(1);
        for index in 0..count {
            batch.items.extend(self.nth(ctx, index)?);
        }
        *self = self.skip(count);
        Ok(())
    }

    /// Without its first items. Looks at none of them.
    pub(crate) fn skip(&self, count: usize) -> Self {
        let offset = self.offset.saturating_add(count);
        let kind = match (&self.cells, self.kind) {
            (_, SequenceKind::Cons) => SequenceKind::Lazy,
            // What is left of fixed items at their end is the empty list.
            (Cells::Fixed(items), SequenceKind::Realized | SequenceKind::Chunked)
                if offset >= items.values.len() =>
            {
                SequenceKind::List
            }
            (_, kind) => kind,
        };
        Self { cells: self.cells.clone(), offset, kind }
    }

    pub(crate) fn is_empty(&self, ctx: &mut EvaluationContext<'_>) -> Result<bool> {
        match &self.cells {
            Cells::Fixed(items) => Ok(self.offset >= items.values.len()),
            Cells::Lazy(lazy) => lazy.has_item(ctx, self.offset).map(|has_item| !has_item),
        }
    }

    /// All of its items. Computes a lazy sequence to its end.
    pub(crate) fn to_values(&self, ctx: &mut EvaluationContext<'_>) -> Result<Vec<Value>> {
        let values = match &self.cells {
            Cells::Fixed(items) => items.values.get(self.offset..).unwrap_or_default().to_vec(),
            Cells::Lazy(lazy) => {
                let mut index = self.offset;
                while lazy.has_item(ctx, index)? {
                    index = lazy.items.borrow().len();
                }
                lazy.items.borrow().get(self.offset..).unwrap_or_default().to_vec()
            }
        };
        ctx.budget.take_values(values.len())?;
        Ok(values)
    }

    pub(crate) fn count(&self, ctx: &mut EvaluationContext<'_>) -> Result<usize> {
        match &self.cells {
            Cells::Fixed(items) => Ok(items.values.len().saturating_sub(self.offset)),
            Cells::Lazy(_) => Ok(self.to_values(ctx)?.len()),
        }
    }

    /// The sequence with a value before it; `as_list`: where all items are there, it is a list.
    pub(crate) fn cons(&self, ctx: &mut EvaluationContext<'_>, first: Value, as_list: bool) -> Result<Self> {
        if let Cells::Fixed(items) = &self.cells {
            let rest = items.values.get(self.offset..).unwrap_or_default();
            ctx.budget.take_steps(rest.len() / 16)?;
            let values = std::iter::once(first).chain(rest.iter().cloned()).collect();
            let items = Items::new(&mut ctx.budget, values)?;
            return Ok(if as_list { Self::list(items) } else { Self::realized(items) });
        }
        let mut items = vec![first];
        let mut tail = self.clone();
        // Items that stand before a sequence already are copied, so that repeated `cons` does not nest.
        if let (Cells::Lazy(lazy), SequenceKind::Cons) = (&self.cells, self.kind)
            && let Some(Rest::Sequence(rest)) = lazy.rest.borrow().as_ref()
        {
            items.extend(lazy.items.borrow().get(self.offset..).unwrap_or_default().iter().cloned());
            tail = rest.clone();
        }
        Self::from_cells(ctx, items, Rest::Sequence(tail), SequenceKind::Cons)
    }
}
