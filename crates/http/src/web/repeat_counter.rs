//! A counter of repeated occurrences, so that the log has at most two lines a minute of each name: one at the first
//! occurrence, and one with the count of the rest when its window ends.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long occurrences are counted before the count is logged.
const WINDOW_LENGTH: Duration = Duration::from_secs(60);

#[derive(Debug)]
struct CountedWindows<K> {
    /// How often each name occurred after the first time, in its window.
    counts: HashMap<K, u64>,
    /// When each window ends, the earliest first.
    ends: VecDeque<(Instant, K)>,
    /// How often names occurred that were too many to be counted by themselves, and when that window ends.
    unnamed: u64,
    unnamed_end: Option<Instant>,
}

/// Windows that have ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct EndedWindows<K> {
    /// How often each name occurred after the first time.
    pub(super) names: Vec<(K, u64)>,
    /// How often names occurred that were too many to be counted by themselves.
    pub(super) unnamed: u64,
}

/// The counts: a window for each name, from its first occurrence on.
#[derive(Debug)]
pub(super) struct RepeatCounter<K> {
    max_names: usize,
    windows: Mutex<CountedWindows<K>>,
}

impl<K: Eq + Hash + Clone> RepeatCounter<K> {
    /// At most so many names have a window at a time; the others are counted together.
    pub(super) fn new(max_names: usize) -> Self {
        let (counts, ends) = (HashMap::new(), VecDeque::new());
        Self {
            max_names,
            windows: Mutex::new(CountedWindows { counts, ends, unnamed: 0, unnamed_end: None }),
        }
    }

    /// Counts one occurrence. True if it is the first in its window: then it is logged at once.
    pub(super) fn count(&self, name: &K, now: Instant) -> bool {
        let CountedWindows { counts, ends, unnamed: others, unnamed_end: others_end } =
            &mut *self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(name) {
            *count += 1;
            return false;
        }
        if counts.len() >= self.max_names {
            *others += 1;
            others_end.get_or_insert(now + WINDOW_LENGTH);
            return false;
        }
        counts.insert(name.clone(), 0);
        ends.push_back((now + WINDOW_LENGTH, name.clone()));
        true
    }

    /// The windows that have ended since the last call.
    pub(super) fn take_ended(&self, now: Instant) -> EndedWindows<K> {
        let CountedWindows { counts, ends, unnamed: others, unnamed_end: others_end } =
            &mut *self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let mut over = Vec::new();
        while let Some((_, name)) = ends.pop_front_if(|(end, _)| *end <= now) {
            let more = counts.remove(&name).unwrap_or_default();
            if more > 0 {
                over.push((name, more));
            }
        }
        let others = others_end.take_if(|end| *end <= now).map_or(0, |_| std::mem::take(others));
        EndedWindows { names: over, unnamed: others }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_reported_at_once_and_the_rest_when_the_window_ends() {
        let (windows, start) = (RepeatCounter::new(8), Instant::now());
        let counted = [1, 1, 2, 1].map(|name| windows.count(&name, start));
        assert_eq!(counted, [true, false, true, false]);
        assert_eq!(windows.take_ended(start + WINDOW_LENGTH - Duration::from_secs(1)).names, []);
        assert_eq!(
            windows.take_ended(start + WINDOW_LENGTH),
            EndedWindows { names: vec![(1, 2)], unnamed: 0 }
        );
        assert_eq!(windows.take_ended(start + WINDOW_LENGTH).names, []);
        assert!(windows.count(&1, start + WINDOW_LENGTH), "a new window");
    }

    #[test]
    fn names_beyond_the_limit_are_counted_together() {
        let (windows, start) = (RepeatCounter::new(2), Instant::now());
        assert_eq!(
            [1, 2, 3, 4, 3].map(|name| windows.count(&name, start)),
            [true, true, false, false, false]
        );
        assert_eq!(windows.take_ended(start + WINDOW_LENGTH / 2).unnamed, 0);
        assert_eq!(windows.take_ended(start + WINDOW_LENGTH), EndedWindows { names: vec![], unnamed: 3 });
        assert_eq!(windows.take_ended(start + 2 * WINDOW_LENGTH).unnamed, 0, "it is reported once");
        assert!(windows.count(&3, start + WINDOW_LENGTH));
    }
}
