//! Maps, in Clojure's order.
//!
//! A map of up to 8 keys that `hash-map` did not make keeps the order in which its keys came (an array map). With its
//! ninth key it becomes a hash map, and stays one. A hash map is in the order of Clojure's hash trie: `nil` first,
//! then by hash, five bits at a time from the lowest. The entries of both stand in a vector; that of a hash map is
//! sorted by those bits, which takes no trie.

use super::Value;
use super::deferred_drop;
use super::equality::equal;
use super::hash::hash;
use super::items::Items;
use crate::budget::Budget;
use crate::cost;
use crate::error::{Result, invalid};
use crate::evaluation_context::EvaluationContext;

/// How many keys an array map may have.
const MAX_ARRAY_MAP_KEYS: usize = 8;

#[derive(Debug, Clone, Default)]
pub(crate) struct Map {
    is_hash_map: bool,
    entries: Vec<Entry>,
}

impl Drop for Map {
    fn drop(&mut self) {
        deferred_drop::drop_all_later(self.entries.drain(..).flat_map(|entry| [entry.key, entry.value]));
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// By what a hash map is sorted; 0 in an array map.
    trie_order: u64,
    pub(crate) key: Value,
    pub(crate) value: Value,
}

/// Where a key is among the entries.
enum Search {
    Found(usize),
    /// It is not there. It would be inserted at this index, with this order.
    Missing(usize, u64),
}

impl Map {
    pub(crate) fn hash_map() -> Self {
        Self { is_hash_map: true, entries: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// A copy, whose memory and steps are taken from the budget.
    pub(crate) fn copy(&self, budget: &mut Budget) -> Result<Self> {
        budget.take_values(self.len() * 2)?;
        budget.take_steps(self.len() / 8)?;
        Ok(self.clone())
    }

    fn search(&self, ctx: &mut EvaluationContext<'_>, key: &Value) -> Result<Search> {
        if !self.is_hash_map {
            for (index, entry) in self.entries.iter().enumerate() {
                if equal(ctx, &entry.key, key)? {
                    return Ok(Search::Found(index));
                }
            }
            return Ok(Search::Missing(self.entries.len(), 0));
        }
        let order = trie_order(ctx, key)?;
        let mut index = self.entries.partition_point(|entry| entry.trie_order < order);
        while let Some(entry) = self.entries.get(index).filter(|entry| entry.trie_order == order) {
            if equal(ctx, &entry.key, key)? {
                return Ok(Search::Found(index));
            }
            index += 1;
        }
        Ok(Search::Missing(index, order))
    }

    pub(crate) fn find(&self, ctx: &mut EvaluationContext<'_>, key: &Value) -> Result<Option<&Entry>> {
        if self.entries.is_empty() {
            return Ok(None);
        }
        // By far the most common case.
        if let (Value::Keyword(name), false) = (key, self.is_hash_map) {
            ctx.budget.take_steps(cost::scan_text(name.len()))?;
            let is_key = |entry: &&Entry| matches!(&entry.key, Value::Keyword(other) if other == name);
            return Ok(self.entries.iter().find(is_key));
        }
        Ok(match self.search(ctx, key)? {
            Search::Found(index) => Some(&self.entries[index]),
            Search::Missing(..) => None,
        })
    }

    pub(crate) fn get(&self, ctx: &mut EvaluationContext<'_>, key: &Value) -> Result<Option<Value>> {
        Ok(self.find(ctx, key)?.map(|entry| entry.value.clone()))
    }

    /// Puts a value at a key. An equal key that is there stays as it is. False if there was one.
    pub(crate) fn put(&mut self, ctx: &mut EvaluationContext<'_>, key: Value, value: Value) -> Result<bool> {
        match self.search(ctx, &key)? {
            Search::Found(index) => {
                self.entries[index].value = value;
                return Ok(false);
            }
            Search::Missing(..) if !self.is_hash_map && self.len() >= MAX_ARRAY_MAP_KEYS => {
                self.become_hash_map(ctx)?;
                return self.put(ctx, key, value);
            }
            Search::Missing(index, trie_order) => {
                ctx.budget.take_values(3)?;
                ctx.budget.take_steps((self.len() - index) / 32)?;
                self.entries.insert(index, Entry { trie_order, key, value });
            }
        }
        Ok(true)
    }

    fn become_hash_map(&mut self, ctx: &mut EvaluationContext<'_>) -> Result<()> {
        for entry in &mut self.entries {
            entry.trie_order = trie_order(ctx, &entry.key)?;
        }
        self.entries.sort_by_key(|entry| entry.trie_order);
        self.is_hash_map = true;
        Ok(())
    }

    pub(crate) fn remove(&mut self, ctx: &mut EvaluationContext<'_>, key: &Value) -> Result<()> {
        if let Search::Found(index) = self.search(ctx, key)? {
            ctx.budget.take_steps((self.len() - index) / 32)?;
            self.entries.remove(index);
        }
        Ok(())
    }

    /// The map that a literal is, from its keys and values in turn. An error if a key is there twice.
    pub(crate) fn from_literal(ctx: &mut EvaluationContext<'_>, values: Vec<Value>) -> Result<Self> {
        let is_large = values.len() > MAX_ARRAY_MAP_KEYS * 2;
        let mut map = if is_large { Self::hash_map() } else { Self::default() };
        let mut values = values.into_iter();
        while let (Some(key), Some(value)) = (values.next(), values.next()) {
            if !map.put(ctx, key, value)? {
                return Err(invalid("this key is in the map twice"));
            }
        }
        Ok(map)
    }

    /// The entries as vectors of a key and a value, as `seq` gives them.
    pub(crate) fn entry_values(&self, budget: &mut Budget) -> Result<Vec<Value>> {
        let entry_value = |entry: &Entry| {
            Items::map_entry(budget, entry.key.clone(), entry.value.clone()).map(Value::Vector)
        };
        self.entries.iter().map(entry_value).collect()
    }

    /// An empty map of the same kind.
    pub(crate) fn empty_copy(&self) -> Self {
        Self { is_hash_map: self.is_hash_map, entries: Vec::new() }
    }
}

/// The position of a key in the order of Clojure's hash trie, whose root branches by the lowest five bits of the hash.
fn trie_order(ctx: &mut EvaluationContext<'_>, key: &Value) -> Result<u64> {
    if key.is_nil() {
        return Ok(0);
    }
    let hash = hash(ctx, key)? as u32;
    let levels = (0..7).fold(0_u64, |order, level| (order << 5) | u64::from((hash >> (level * 5)) & 31));
    Ok(levels + 1)
}
