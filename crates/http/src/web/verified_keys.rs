//! A cache of keys that were valid lately, each with the addresses that it came from. It tells a known integration from
//! a guess; it never makes a key valid.

use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};

use super::client::AddressGroup;
use loanhook_core::model::key::KeyHash;

type KeyAtAddress = (KeyHash, AddressGroup);

/// The pairs, in two generations. New pairs go into the first; when it is full it becomes the second, and the second is
/// dropped with the pairs that were not used since.
#[derive(Debug)]
pub(super) struct VerifiedKeys {
    max_pairs: usize,
    generations: RwLock<[HashSet<KeyAtAddress>; 2]>,
}

impl VerifiedKeys {
    /// A generation has at most so many pairs.
    pub(super) fn new(max_pairs: usize) -> Self {
        Self { max_pairs, generations: RwLock::default() }
    }

    pub(super) fn contains(&self, pair: &KeyAtAddress) -> bool {
        let [new, old] = &*self.generations.read().unwrap_or_else(PoisonError::into_inner);
        new.contains(pair) || old.contains(pair)
    }

    /// Keeps a pair whose key was valid just now.
    pub(super) fn insert(&self, pair: KeyAtAddress) {
        if self.generations.read().unwrap_or_else(PoisonError::into_inner)[0].contains(&pair) {
            return;
        }
        let generations = &mut *self.generations.write().unwrap_or_else(PoisonError::into_inner);
        if generations[0].len() >= self.max_pairs {
            generations.swap(0, 1);
            generations[0].clear();
        }
        generations[0].insert(pair);
    }

    /// Removes a pair whose key is not valid any more.
    pub(super) fn remove(&self, pair: &KeyAtAddress) {
        for generation in &mut *self.generations.write().unwrap_or_else(PoisonError::into_inner) {
            generation.remove(pair);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(number: usize) -> KeyAtAddress {
        (KeyHash::of(&number.to_string()), AddressGroup::default())
    }

    #[test]
    fn pairs_in_use_stay_and_the_number_of_pairs_is_bounded() {
        let known = VerifiedKeys::new(4);
        for number in 0..100 {
            known.insert(pair(number));
            known.insert(pair(0));
            let generations = known.generations.read().expect("the pairs");
            assert!(generations.iter().all(|generation| generation.len() <= 4));
        }
        assert!(known.contains(&pair(0)) && known.contains(&pair(99)) && !known.contains(&pair(50)));
        known.remove(&pair(0));
        assert!(!known.contains(&pair(0)));
    }
}
