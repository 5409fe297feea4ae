//! A map of bounded size whose entries end at a time of their own.
//!
//! Where it is full, a newcomer takes the place of the entry that ends first: what strangers put in cannot keep others
//! out. Every operation takes logarithmic time at most.

use std::{
    borrow::Borrow,
    collections::{BTreeSet, HashMap},
    hash::Hash,
    time::Instant,
};

#[derive(Debug)]
pub(crate) struct ExpiringMap<K, V> {
    capacity: usize,
    entries: HashMap<K, (Instant, V)>,
    /// All keys, the one that ends first in front.
    order: BTreeSet<(Instant, K)>,
}

impl<K: Clone + Eq + Hash + Ord, V> ExpiringMap<K, V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, entries: HashMap::new(), order: BTreeSet::new() }
    }

    /// What is kept of a key and has not ended, and when that ends.
    pub(crate) fn get<Q>(&self, key: &Q, now: Instant) -> Option<(Instant, &V)>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let (until, value) = self.entries.get(key)?;
        (now < *until).then_some((*until, value))
    }

    pub(crate) fn insert(&mut self, key: K, until: Instant, value: V) {
        self.remove(&key);
        if self.entries.len() >= self.capacity
            && let Some((_, first)) = self.order.pop_first()
        {
            self.entries.remove(&first);
        }
        self.order.insert((until, key.clone()));
        self.entries.insert(key, (until, value));
    }

    pub(crate) fn remove(&mut self, key: &K) {
        if let Some((key, (until, _))) = self.entries.remove_entry(key) {
            self.order.remove(&(until, key));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_newcomer_takes_the_place_of_what_ends_first() {
        let (mut map, now) = (ExpiringMap::new(2), Instant::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        map.insert("a", at(30), 1);
        map.insert("b", at(10), 2);
        map.insert("b", at(40), 3);
        map.insert("c", at(20), 4);
        let kept =
            |map: &ExpiringMap<_, _>| ["a", "b", "c"].map(|key| map.get(&key, now).map(|(_, value)| *value));
        assert_eq!(kept(&map), [None, Some(3), Some(4)]);
        map.insert("a", at(50), 5);
        assert_eq!(kept(&map), [Some(5), Some(3), None]);
        map.remove(&"a");
        map.insert("c", at(60), 6);
        assert_eq!(kept(&map), [None, Some(3), Some(6)]);
    }

    #[test]
    fn an_entry_ends_at_its_time() {
        let (mut map, now) = (ExpiringMap::new(2), Instant::now());
        let end = now + Duration::from_secs(1);
        map.insert("a", end, ());
        assert_eq!((map.get(&"a", now), map.get(&"a", end)), (Some((end, &())), None));
    }
}
