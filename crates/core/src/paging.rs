//! Paging: how a page of a list is put together from parts that are read one after the other.
//!
//! A page is full unless the list ends or 5,000 items were looked at for it; then the next page goes on where that ended.

/// A filtered page looks at this many items at most.
const MAX_EXAMINED: usize = 5000;
/// How many items a filtered page reads at once.
const FILTERED_READ: usize = 500;

/// Cuts what was read as one more than a page has, which is how it is known that more follows: the item that the page ends with, where
/// that is so. The next page begins after it.
pub fn cut_to_page<T>(read: &mut Vec<T>, limit: usize) -> Option<&T> {
    let more = read.len() > limit;
    read.truncate(limit);
    read.last().filter(|_| more)
}

/// A page under way: its items so far, and where the list is read on. `C` is the position of an item.
#[derive(Debug)]
pub(crate) struct Paging<T, C> {
    limit: usize,
    read_at_once: usize,
    few_first: bool,
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
        let few_first = false;
        Self { limit, read_at_once, few_first, examined: 0, items: Vec::new(), last: None, before, state }
    }

    /// The same for a list of which nearly all may pass: a filtered page begins with as few as one that is not filtered.
    pub(crate) fn few_first(self) -> Self {
        Self { few_first: true, ..self }
    }

    /// How many items are to be read next; none where the page is done.
    pub(crate) fn wanted(&self) -> Option<usize> {
        let left = MAX_EXAMINED.saturating_sub(self.examined);
        let at_once = if self.few_first && self.examined == 0 { self.limit + 1 } else { self.read_at_once };
        matches!(self.state, State::Reading).then(|| at_once.min(left))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Pages of the numbers below `all` that `passes` lets pass, from the greatest on; and how many were read for each.
    fn pages(
        all: usize,
        limit: usize,
        few_first: bool,
        passes: fn(usize) -> bool,
    ) -> Vec<(Vec<usize>, usize)> {
        let (mut pages, mut before) = (Vec::new(), None);
        loop {
            let paging = Paging::new(limit, true, before);
            let mut paging = if few_first { paging.few_first() } else { paging };
            let mut read = 0;
            while let Some(wanted) = paging.wanted() {
                let end = paging.before().unwrap_or(all);
                let found: Vec<usize> = (end.saturating_sub(wanted)..end).rev().collect();
                read += found.len();
                let goes_on = goes_on(&found, wanted, |number| *number);
                let passing = found.iter().copied().filter(|number| passes(*number));
                paging.add(passing.map(|number| (number, number)), found.len(), goes_on);
            }
            let (items, next) = paging.end();
            pages.push((items, read));
            before = next;
            if before.is_none() {
                return pages;
            }
        }
    }

    #[test]
    fn pages_have_every_item_once_and_are_full_or_have_looked_at_5000() {
        for few_first in [false, true] {
            for (all, limit, passes) in [
                (0, 3, (|_| true) as fn(usize) -> bool),
                (3, 3, |_| true),
                (4, 3, |_| true),
                (1200, 50, |number| number % 7 == 0),
                (12_000, 2, |number| number == 11_000 || number == 5),
                (5000, 3, |_| false),
            ] {
                let pages = pages(all, limit, few_first, passes);
                let found: Vec<_> = pages.iter().flat_map(|(items, _)| items.clone()).collect();
                assert_eq!(found, (0..all).rev().filter(|number| passes(*number)).collect::<Vec<_>>());
                for (index, (items, read)) in pages.iter().enumerate() {
                    assert!(*read <= MAX_EXAMINED);
                    assert!(items.len() == limit || *read == MAX_EXAMINED || index + 1 == pages.len());
                }
            }
        }
    }

    #[test]
    fn a_filtered_page_of_which_all_pass_reads_one_item_more_than_it_shows() {
        assert_eq!(pages(1000, 600, true, |_| true)[0].1, 601);
        assert_eq!(pages(100, 50, true, |_| true)[0].1, 51);
        assert_eq!(pages(1000, 50, false, |_| true)[0].1, FILTERED_READ);
    }
}
