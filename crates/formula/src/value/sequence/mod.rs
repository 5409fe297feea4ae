//! Sequences: lists, and what is computed only as far as it is asked for.
//!
//! A sequence is a place in a row of cells. The cells of a list are there; those of a lazy sequence are
//! appended, and kept, as somebody looks at them. `rest` is the next place in the same cells, so a long
//! sequence is no long chain of values.

use std::cell::RefCell;
use std::rc::Rc;

use super::cx::Cx;
use super::error::R;
use super::lazy::Lazy;
use super::seqable;
use super::source::Source;
use super::value::{Items, Value};

/// How many items of a vector or range Clojure hands on at once.
pub(super) const CHUNK: usize = 32;

#[derive(Debug, Clone)]
pub(super) struct Seq {
    cells: Cells,
    from: usize,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `list?`
    List,
    /// It is all there, as the rest of a vector is.
    Plain,
    /// The same, and handed on in chunks.
    Chunked,
    /// Clojure's `str` does not show what is in one of these.
    Lazy,
    /// It does show what is in one of these, which are as lazy.
    Shown,
    /// A lazy sequence with items before it that are there.
    Cons,
}

#[derive(Debug, Clone)]
enum Cells {
    Fixed(Rc<Items>),
    Lazy(Rc<Lazy>),
}

impl Seq {
    pub(super) fn list(items: Rc<Items>) -> Self {
        Self { cells: Cells::Fixed(items), from: 0, kind: Kind::List }
    }

    /// Values that are all there, and no list.
    pub(super) fn plain(items: Rc<Items>) -> Self {
        Self { cells: Cells::Fixed(items), from: 0, kind: Kind::Plain }
    }

    /// The same where Clojure has a lazy sequence.
    pub(super) fn realized(items: Rc<Items>) -> Self {
        Self { cells: Cells::Fixed(items), from: 0, kind: Kind::Lazy }
    }

    pub(super) fn lazy(cx: &mut Cx<'_>, source: Source) -> R<Self> {
        Self::begun(cx, Vec::new(), source, Kind::Lazy)
    }

    /// What `str` shows as it is, and nobody has counted.
    pub(super) fn shown(cx: &mut Cx<'_>, source: Source) -> R<Self> {
        Self::begun(cx, Vec::new(), source, Kind::Shown)
    }

    /// What `str` shows as it is, and can be counted at once, for all that it is computed as it is asked for.
    pub(super) fn range(cx: &mut Cx<'_>, source: Source) -> R<Self> {
        Self::begun(cx, Vec::new(), source, Kind::Plain)
    }

    fn begun(cx: &mut Cx<'_>, items: Vec<Value>, source: Source, kind: Kind) -> R<Self> {
        cx.budget.values(items.len() + 8)?;
        let source = RefCell::new(Some(Box::new(source)));
        let lazy = Lazy { items: RefCell::new(items), chunks: RefCell::default(), source };
        Ok(Self { cells: Cells::Lazy(Rc::new(lazy)), from: 0, kind })
    }

    pub(super) fn is_list(&self) -> bool {
        self.kind == Kind::List
    }

    pub(super) fn is_lazy(&self) -> bool {
        self.kind == Kind::Lazy
    }

    /// Whether Clojure counts it without going through it.
    pub(super) fn is_counted(&self) -> bool {
        matches!(self.kind, Kind::List | Kind::Plain | Kind::Chunked)
    }

    /// Whether all of it is there.
    pub(super) fn is_fixed(&self) -> bool {
        matches!(self.cells, Cells::Fixed(_))
    }

    /// Whether they are one place in one row.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let one_row = match (&self.cells, &other.cells) {
            (Cells::Fixed(a), Cells::Fixed(b)) => Rc::ptr_eq(a, b),
            (Cells::Lazy(a), Cells::Lazy(b)) => Rc::ptr_eq(a, b),
            _ => false,
        };
        one_row && self.from == other.from
    }

    /// The item at a place, none past the end.
    pub(super) fn nth(&self, cx: &mut Cx<'_>, place: usize) -> R<Option<Value>> {
        let place = self.from.saturating_add(place);
        match &self.cells {
            Cells::Fixed(items) => Ok(items.values.get(place).cloned()),
            Cells::Lazy(lazy) => {
                if !lazy.has(cx, place)? {
                    return Ok(None);
                }
                Ok(lazy.items.borrow().get(place).cloned())
            }
        }
    }

    pub(super) fn first(&self, cx: &mut Cx<'_>) -> R<Option<Value>> {
        self.nth(cx, 0)
    }

    /// How many items, from the first, come in one chunk; none if the first comes by itself.
    pub(super) fn chunk(&self, cx: &mut Cx<'_>) -> R<Option<usize>> {
        match &self.cells {
            Cells::Fixed(items) if self.kind == Kind::Chunked && self.from < items.values.len() => {
                Ok(Some(((self.from / CHUNK + 1) * CHUNK).min(items.values.len()) - self.from))
            }
            Cells::Fixed(_) => Ok(None),
            Cells::Lazy(lazy) => {
                if !lazy.has(cx, self.from)? {
                    return Ok(None);
                }
                let chunks = lazy.chunks.borrow();
                let place = chunks.partition_point(|(_, end)| *end <= self.from);
                Ok(chunks.get(place).filter(|(start, _)| *start <= self.from).map(|(_, end)| end - self.from))
            }
        }
    }

    /// Without its first items; what is before a sequence's end only is not looked at.
    pub(super) fn skip(&self, count: usize) -> Self {
        let from = self.from.saturating_add(count);
        let kind = match (&self.cells, self.kind) {
            (_, Kind::Cons) => Kind::Lazy,
            // Nothing of what is there is the empty list.
            (Cells::Fixed(items), Kind::Plain | Kind::Chunked) if from >= items.values.len() => Kind::List,
            (_, kind) => kind,
        };
        Self { cells: self.cells.clone(), from, kind }
    }

    pub(super) fn is_empty(&self, cx: &mut Cx<'_>) -> R<bool> {
        match &self.cells {
            Cells::Fixed(items) => Ok(self.from >= items.values.len()),
            Cells::Lazy(lazy) => lazy.has(cx, self.from).map(|has| !has),
        }
    }

    /// All of its items.
    pub(super) fn all(&self, cx: &mut Cx<'_>) -> R<Vec<Value>> {
        let all = match &self.cells {
            Cells::Fixed(items) => items.values.get(self.from..).unwrap_or_default().to_vec(),
            Cells::Lazy(lazy) => {
                let mut place = self.from;
                while lazy.has(cx, place)? {
                    place = lazy.items.borrow().len();
                }
                lazy.items.borrow().get(self.from..).unwrap_or_default().to_vec()
            }
        };
        cx.budget.values(all.len())?;
        Ok(all)
    }

    pub(super) fn count(&self, cx: &mut Cx<'_>) -> R<usize> {
        match &self.cells {
            Cells::Fixed(items) => Ok(items.values.len().saturating_sub(self.from)),
            Cells::Lazy(_) => Ok(self.all(cx)?.len()),
        }
    }

    /// The same with a value before it.
    pub(super) fn cons(&self, cx: &mut Cx<'_>, first: Value, list: bool) -> R<Self> {
        if let Cells::Fixed(items) = &self.cells {
            let rest = items.values.get(self.from..).unwrap_or_default();
            cx.budget.steps(rest.len() / 16)?;
            let values = std::iter::once(first).chain(rest.iter().cloned()).collect();
            let items = Items::new(&mut cx.budget, values)?;
            return Ok(if list { Self::list(items) } else { Self::plain(items) });
        }
        let mut items = vec![first];
        let mut tail = self.clone();
        // What is before a tail already goes before it here too, so that the two do not nest.
        if let (Cells::Lazy(lazy), Kind::Cons) = (&self.cells, self.kind)
            && let Some(Source::Tail(end)) = lazy.source.borrow().as_deref()
        {
            items.extend(lazy.items.borrow().get(self.from..).unwrap_or_default().iter().cloned());
            tail = end.clone();
        }
        Self::begun(cx, items, Source::Tail(tail), Kind::Cons)
    }
}

/// The sequence of anything that has one, as `seq` finds it.
pub(super) fn of(cx: &mut Cx<'_>, value: &Value) -> R<Seq> {
    Ok(match value {
        Value::Seq(seq) => seq.clone(),
        Value::Vector(items) => {
            let kind = if items.entry { Kind::Plain } else { Kind::Chunked };
            Seq { cells: Cells::Fixed(Rc::clone(items)), from: 0, kind }
        }
        other => {
            let values = seqable::values(cx, other)?;
            Seq::plain(Items::new(&mut cx.budget, values)?)
        }
    })
}
