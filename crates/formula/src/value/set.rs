//! Sets: the keys of a hash map, in its order.

use super::Value;
use super::map::Map;
use crate::budget::Budget;
use crate::error::{Result, invalid};
use crate::evaluation_context::EvaluationContext;

#[derive(Debug, Clone)]
pub(crate) struct Set(Map);

impl Default for Set {
    fn default() -> Self {
        Self(Map::hash_map())
    }
}

impl Set {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// A copy, whose memory and steps are taken from the budget.
    pub(crate) fn copy(&self, budget: &mut Budget) -> Result<Self> {
        self.0.copy(budget).map(Self)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &Value> {
        self.0.entries().iter().map(|entry| &entry.key)
    }

    /// The value in the set that equals this one.
    pub(crate) fn get(&self, ctx: &mut EvaluationContext<'_>, value: &Value) -> Result<Option<Value>> {
        Ok(self.0.find(ctx, value)?.map(|entry| entry.key.clone()))
    }

    /// False if an equal value was there, which stays as it is.
    pub(crate) fn put(&mut self, ctx: &mut EvaluationContext<'_>, value: Value) -> Result<bool> {
        self.0.put(ctx, value, Value::Nil)
    }

    pub(crate) fn remove(&mut self, ctx: &mut EvaluationContext<'_>, value: &Value) -> Result<()> {
        self.0.remove(ctx, value)
    }

    /// The set that a literal is. An error if a value is there twice.
    pub(crate) fn from_literal(ctx: &mut EvaluationContext<'_>, values: Vec<Value>) -> Result<Self> {
        let mut set = Self::default();
        for value in values {
            if !set.put(ctx, value)? {
                return Err(invalid("this value is in the set twice"));
            }
        }
        Ok(set)
    }
}
