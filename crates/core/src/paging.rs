//! Paging: how a page of a list is put together from parts that are read one after the other.
//!
//! A page is full unless the list ends or 5,000 items were looked at for it; then the next page goes on where that ended.

/// A filtered page looks at this many items at most.
const MAX_EXAMINED: usize = 5000;
/// How many items a filtered page reads at once.
const FILTERED_READ: usize = 500;

/// A page under way: its items so far, and where the list is read on. `C` is the position of an item.
#[derive(Debug)]
pub(crate) struct Paging<T, C> {
    limit: usize,
    read_at_once: usize,
    examined: usize,
    items: Vec<T>,
    last: Option<C>,
    before: Option<C>,
    state: State<C>,
}

#[derive(Debug)]
enum State<C> {
    Reading,
    /// The page is done; the next one begins before this position, if there is one.
    Done(Option<C>),
}

impl<T, C: Copy> Paging<T, C> {
    /// A page of at most `limit` items from before `before`. What is not filtered reads one item more than it shows.
    pub(crate) fn new(limit: usize, is_filtered: bool, before: Option<C>) -> Self {
        let read_at_once = if is_filtered { FILTERED_READ } else { limit + 1 };
        let state = State::Reading;
        Self { limit, read_at_once, examined: 0, items: Vec::new(), last: None, before, state }
    }

    /// How many items are to be read next; none where the page is done.
    pub(crate) fn wanted(&self) -> Option<usize> {
        let left = MAX_EXAMINED.saturating_sub(self.examined);
        matches!(self.state, State::Reading).then(|| self.read_at_once.min(left))
    }

    /// Where to read on.
    pub(crate) const fn before(&self) -> Option<C> {
        self.before
    }

    /// Takes what was read: the items of it that pass, each with its position, how many were looked at for them, and where
    /// the list goes on, which is nowhere at its end.
    pub(crate) fn add(
        &mut self,
        passing: impl IntoIterator<Item = (C, T)>,
        examined: usize,
        goes_on: Option<C>,
    ) {
        self.examined += examined;
        for (position, item) in passing {
            if self.items.len() == self.limit {
                self.state = State::Done(self.last);
                return;
            }
            self.items.push(item);
            self.last = Some(position);
        }
        self.before = goes_on;
        if goes_on.is_none() || self.examined >= MAX_EXAMINED {
            self.state = State::Done(goes_on);
        }
    }

    /// The items, and where the next page begins: before this position.
    pub(crate) fn end(self) -> (Vec<T>, Option<C>) {
        let next = match self.state {
            State::Reading => self.before,
            State::Done(next) => next,
        };
        (self.items, next)
    }
}

/// Where a list goes on of which so many items were wanted and these were read: nowhere if there were fewer.
pub(crate) fn goes_on<T, C>(read: &[T], wanted: usize, position: impl Fn(&T) -> C) -> Option<C> {
    read.last().filter(|_| read.len() >= wanted).map(position)
}
