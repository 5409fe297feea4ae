//! Maps and sets, in Clojure's order.
//!
//! A map of up to 8 keys that was not made by `hash-map` keeps the order in which they came (an array map);
//! with its ninth it becomes a hash map for good. Those, and every set, are in the order of Clojure's hash
//! tries: `nil` first, then by hash, five bits at a time from the lowest. A trie is not needed for that: the
//! entries stand in a vector, sorted by those bits.

use super::budget::Budget;
use super::cx::Cx;
use super::equal::equal;
use super::error::{R, wrong};
use super::grave;
use super::hash::hash;
use super::price;
use super::value::{Items, Value};

/// How many keys an array map holds.
const ARRAY_AT_MOST: usize = 8;

#[derive(Debug, Clone, Default)]
pub(super) struct Map {
    hashed: bool,
    entries: Vec<Entry>,
}

impl Drop for Map {
    fn drop(&mut self) {
        grave::bury_all(self.entries.drain(..).flat_map(|entry| [entry.key, entry.value]));
    }
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Where it is in a hash map; 0 in an array map.
    order: u64,
    pub(super) key: Value,
    pub(super) value: Value,
}

/// Where a key is, or where it would be put.
type Place = Result<usize, (usize, u64)>;

impl Map {
    pub(super) fn hashed() -> Self {
        Self { hashed: true, entries: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// A copy, paid for.
    pub(super) fn copy(&self, budget: &mut Budget) -> R<Self> {
        budget.values(self.len() * 2)?;
        budget.steps(self.len() / 8)?;
        Ok(self.clone())
    }

    fn place(&self, cx: &mut Cx<'_>, key: &Value) -> R<Place> {
        if !self.hashed {
            for (place, entry) in self.entries.iter().enumerate() {
                if equal(cx, &entry.key, key)? {
                    return Ok(Ok(place));
                }
            }
            return Ok(Err((self.entries.len(), 0)));
        }
        let order = order(cx, key)?;
        let mut place = self.entries.partition_point(|entry| entry.order < order);
        while let Some(entry) = self.entries.get(place).filter(|entry| entry.order == order) {
            if equal(cx, &entry.key, key)? {
                return Ok(Ok(place));
            }
            place += 1;
        }
        Ok(Err((place, order)))
    }

    pub(super) fn find(&self, cx: &mut Cx<'_>, key: &Value) -> R<Option<&Entry>> {
        if self.entries.is_empty() {
            return Ok(None);
        }
        // The common case by far.
        if let (Value::Keyword(name), false) = (key, self.hashed) {
            cx.budget.steps(price::text(name.len()))?;
            let found = self
                .entries
                .iter()
                .find(|entry| matches!(&entry.key, Value::Keyword(other) if other == name));
            return Ok(found);
        }
        Ok(self.place(cx, key)?.ok().map(|place| &self.entries[place]))
    }

    pub(super) fn get(&self, cx: &mut Cx<'_>, key: &Value) -> R<Option<Value>> {
        Ok(self.find(cx, key)?.map(|entry| entry.value.clone()))
    }

    /// Puts a value at a key; an equal key that is there stays as it is. False if one was there.
    pub(super) fn put(&mut self, cx: &mut Cx<'_>, key: Value, value: Value) -> R<bool> {
        match self.place(cx, &key)? {
            Ok(place) => {
                self.entries[place].value = value;
                return Ok(false);
            }
            Err(_) if !self.hashed && self.len() >= ARRAY_AT_MOST => {
                self.become_hashed(cx)?;
                return self.put(cx, key, value);
            }
            Err((place, order)) => {
                cx.budget.values(3)?;
                cx.budget.steps((self.len() - place) / 32)?;
                self.entries.insert(place, Entry { order, key, value });
            }
        }
        Ok(true)
    }

    fn become_hashed(&mut self, cx: &mut Cx<'_>) -> R<()> {
        for entry in &mut self.entries {
            entry.order = order(cx, &entry.key)?;
        }
        self.entries.sort_by_key(|entry| entry.order);
        self.hashed = true;
        Ok(())
    }

    pub(super) fn remove(&mut self, cx: &mut Cx<'_>, key: &Value) -> R<()> {
        if let Ok(place) = self.place(cx, key)? {
            cx.budget.steps((self.len() - place) / 32)?;
            self.entries.remove(place);
        }
        Ok(())
    }

    /// From keys and values in turn, none twice: what a literal makes.
    pub(super) fn literal(cx: &mut Cx<'_>, values: Vec<Value>) -> R<Self> {
        let mut map = if values.len() > ARRAY_AT_MOST * 2 { Self::hashed() } else { Self::default() };
        let mut values = values.into_iter();
        while let (Some(key), Some(value)) = (values.next(), values.next()) {
            if !map.put(cx, key, value)? {
                return Err(wrong("this key is in the map twice"));
            }
        }
        Ok(map)
    }

    /// An entry as `seq` gives it.
    pub(super) fn entry(budget: &mut Budget, entry: &Entry) -> R<Value> {
        Items::entry(budget, entry.key.clone(), entry.value.clone()).map(Value::Vector)
    }

    /// The entries as vectors of a key and a value.
    pub(super) fn pairs(&self, budget: &mut Budget) -> R<Vec<Value>> {
        self.entries.iter().map(|entry| Self::entry(budget, entry)).collect()
    }

    /// Without entries, as orderly as it was.
    pub(super) fn emptied(&self) -> Self {
        Self { hashed: self.hashed, entries: Vec::new() }
    }
}

/// The place of a key's hash in the order of a hash trie.
fn order(cx: &mut Cx<'_>, key: &Value) -> R<u64> {
    if key.is_nil() {
        return Ok(0);
    }
    let hash = hash(cx, key)? as u32;
    let levels = (0..7).fold(0_u64, |order, level| (order << 5) | u64::from((hash >> (level * 5)) & 31));
    Ok(levels + 1)
}

/// A hash map of nothing but keys.
#[derive(Debug, Clone)]
pub(super) struct Set(Map);

impl Default for Set {
    fn default() -> Self {
        Self(Map::hashed())
    }
}

impl Set {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn copy(&self, budget: &mut Budget) -> R<Self> {
        self.0.copy(budget).map(Self)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &Value> {
        self.0.entries.iter().map(|entry| &entry.key)
    }

    /// The value in the set that equals this one.
    pub(super) fn get(&self, cx: &mut Cx<'_>, value: &Value) -> R<Option<Value>> {
        Ok(self.0.find(cx, value)?.map(|entry| entry.key.clone()))
    }

    /// False if it was there.
    pub(super) fn put(&mut self, cx: &mut Cx<'_>, value: Value) -> R<bool> {
        self.0.put(cx, value, Value::Nil)
    }

    pub(super) fn remove(&mut self, cx: &mut Cx<'_>, value: &Value) -> R<()> {
        self.0.remove(cx, value)
    }

    pub(super) fn literal(cx: &mut Cx<'_>, values: Vec<Value>) -> R<Self> {
        let mut set = Self::default();
        for value in values {
            if !set.put(cx, value)? {
                return Err(wrong("this value is in the set twice"));
            }
        }
        Ok(set)
    }
}
