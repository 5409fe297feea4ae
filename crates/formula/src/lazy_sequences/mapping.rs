//! Sources that pass on what a function makes of their input: `map`, `filter`, `concat`, `for` and the like.

use std::collections::VecDeque;

use super::cursor::{ItemCursor, MAX_PEEKED_MAP_INPUTS, next_of_each};
use crate::call::call;
use crate::error::Result;
use crate::evaluation_context::EvaluationContext;
use crate::value::Value;
use crate::value::iteration::items_of;
use crate::value::sequence::source::{Batch, ItemSource};

/// What is passed on for an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ItemRule {
    /// The result of the function.
    Map,
    /// The item, if the result is true.
    Filter,
    /// The item, if the result is false.
    Remove,
    /// The result, unless it is nil.
    Keep,
}

/// `map`, `filter`, `remove` and `keep` of one collection. The items come in the chunks of the collection.
#[derive(Debug)]
pub(crate) struct MapItems {
    pub(crate) rule: ItemRule,
    pub(crate) function: Value,
    pub(crate) input: ItemCursor,
    /// The index of the next item, where the function takes it (`map-indexed`).
    pub(crate) index: Option<i64>,
}

impl ItemSource for MapItems {
    fn pull(&mut self, ctx: &mut EvaluationContext<'_>, batch: &mut Batch) -> Result<bool> {
        while batch.items.is_empty() {
            let mut drawn = Batch::default();
            if !self.input.next_batch(ctx, &mut drawn)? {
                return Ok(false);
            }
            batch.is_chunk = drawn.is_chunk;
            for item in drawn.items {
                ctx.budget.take_steps(1)?;
                let result = match &mut self.index {
                    Some(index) => {
                        *index += 1;
                        call(ctx, &self.function, &[Value::Long(*index - 1), item.clone()])?
                    }
                    None => call(ctx, &self.function, std::slice::from_ref(&item))?,
                };
                match self.rule {
                    ItemRule::Map => batch.items.push(result),
                    ItemRule::Filter if result.is_true() => batch.items.push(item),
                    ItemRule::Remove if !result.is_true() => batch.items.push(item),
                    ItemRule::Keep if !result.is_nil() => batch.items.push(result),
                    ItemRule::Filter | ItemRule::Remove | ItemRule::Keep => {}
                }
            }
        }
        Ok(true)
    }
}

/// `map` of several collections.
#[derive(Debug)]
pub(crate) struct MapTogether {
    pub(crate) function: Value,
    pub(crate) inputs: Vec<ItemCursor>,
}

impl ItemSource for MapTogether {
    fn pull(&mut self, ctx: &mut EvaluationContext<'_>, batch: &mut Batch) -> Result<bool> {
        let Some(args) = next_of_each(ctx, &mut self.inputs, MAX_PEEKED_MAP_INPUTS)? else {
            return Ok(false);
        };
        batch.push(call(ctx, &self.function, &args)?)
    }
}

/// How many collections `apply` has taken out of their sequence when it calls `concat`, as Clojure 1.11 does.
const EAGER_COLLECTIONS: usize = 4;

/// `concat` and `mapcat`: the items of collections, one collection after the other.
#[derive(Debug)]
pub(crate) struct Concat {
    current: Option<ItemCursor>,
    collections: VecDeque<Value>,
    /// Collections that are computed as they are needed, after the others.
    more_collections: Option<ItemCursor>,
}

impl Concat {
    pub(crate) fn of(collections: &[Value]) -> Self {
        Self { current: None, collections: collections.iter().cloned().collect(), more_collections: None }
    }

    /// The first few collections are computed at once, as in Clojure, where `mapcat` is `apply concat`: an error in one of
    /// them is one of the call, even if no item is asked for.
    pub(crate) fn of_lazy(ctx: &mut EvaluationContext<'_>, mut collections: ItemCursor) -> Result<Self> {
        let mut first = VecDeque::new();
        while first.len() < EAGER_COLLECTIONS
            && let Some(collection) = collections.next(ctx)?
        {
            first.push_back(collection);
        }
        Ok(Self { current: None, collections: first, more_collections: Some(collections) })
    }
}

impl ItemSource for Concat {
    fn pull(&mut self, ctx: &mut EvaluationContext<'_>, batch: &mut Batch) -> Result<bool> {
        loop {
            ctx.budget.take_steps(1)?;
            if let Some(current) = &mut self.current
                && current.next_batch(ctx, batch)?
            {
                return Ok(true);
            }
            let next = match (self.collections.pop_front(), &mut self.more_collections) {
                (Some(next), _) => Some(next),
                (None, Some(more)) => more.next(ctx)?,
                (None, None) => None,
            };
            match next {
                Some(next) => self.current = Some(ItemCursor::of(&next)),
                None => return Ok(false),
            }
        }
    }
}

/// `for`: the items of what the function gives for each item of the collection, until it gives nil.
#[derive(Debug)]
pub(crate) struct ForEach {
    pub(crate) function: Value,
    pub(crate) input: ItemCursor,
}

impl ItemSource for ForEach {
    fn pull(&mut self, ctx: &mut EvaluationContext<'_>, batch: &mut Batch) -> Result<bool> {
        while let Some(item) = self.input.next(ctx)? {
            ctx.budget.take_steps(1)?;
            let result = call(ctx, &self.function, &[item])?;
            if result.is_nil() {
                break;
            }
            batch.items = items_of(ctx, &result)?;
            if !batch.items.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
