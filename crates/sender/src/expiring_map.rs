//! A map of bounded size whose entries each expire at a time of their own.
//!
//! The cache of name lookups and the record of failed addresses are such maps. In a full map a new entry replaces the
//! one that expires first, so entries that a stranger causes cannot keep others out. Every operation takes logarithmic
//! time at most. An expired entry is not returned, but is removed only when another replaces it.

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
    /// All keys, the one that expires first in front.
    by_expiry: BTreeSet<(Instant, K)>,
}

impl<K: Clone + Eq + Hash + Ord, V> ExpiringMap<K, V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, entries: HashMap::new(), by_expiry: BTreeSet::new() }
    }

    /// The value of a key that has not expired, and when it does.
    pub(crate) fn get<Q>(&self, key: &Q, now: Instant) -> Option<(Instant, &V)>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let (expires_at, value) = self.entries.get(key)?;
        (now < *expires_at).then_some((*expires_at, value))
    }

    pub(crate) fn insert(&mut self, key: K, expires_at: Instant, value: V) {
        self.remove(&key);
        if self.entries.len() >= self.capacity
            && let Some((_, first)) = self.by_expiry.pop_first()
        {
            self.entries.remove(&first);
        }
        self.by_expiry.insert((expires_at, key.clone()));
        self.entries.insert(key, (expires_at, value));
    }

    pub(crate) fn remove(&mut self, key: &K) {
        if let Some((key, (expires_at, _))) = self.entries.remove_entry(key) {
            self.by_expiry.remove(&(expires_at, key));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_new_entry_replaces_the_one_that_expires_first() {
        let (mut map, now) = (ExpiringMap::new(2), Instant::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        map.insert("a", at(30), 1);
        map.insert("b", at(10), 2);
        map.insert("b", at(40), 3);
        map.insert("c", at(20), 4);
        let values =
            |map: &ExpiringMap<_, _>| ["a", "b", "c"].map(|key| map.get(&key, now).map(|(_, value)| *value));
        assert_eq!(values(&map), [None, Some(3), Some(4)]);
        map.insert("a", at(50), 5);
        assert_eq!(values(&map), [Some(5), Some(3), None]);
        map.remove(&"a");
        map.insert("c", at(60), 6);
        assert_eq!(values(&map), [None, Some(3), Some(6)]);
    }

    #[test]
    fn an_entry_expires_at_its_time() {
        let (mut map, now) = (ExpiringMap::new(2), Instant::now());
        let expires_at = now + Duration::from_secs(1);
        map.insert("a", expires_at, ());
        assert_eq!((map.get(&"a", now), map.get(&"a", expires_at)), (Some((expires_at, &())), None));
    }
}
