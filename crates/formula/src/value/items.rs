//! Items: the values of a vector or list.

use std::rc::Rc;

use super::Value;
use super::deferred_drop;
use crate::budget::Budget;
use crate::error::Result;

#[derive(Debug)]
pub(crate) struct Items {
    pub(crate) values: Vec<Value>,
    /// Whether it is an entry of a map: a key and its value.
    pub(crate) is_map_entry: bool,
}

impl Items {
    pub(crate) fn new(budget: &mut Budget, values: Vec<Value>) -> Result<Rc<Self>> {
        budget.take_values(values.len() + 1)?;
        Ok(Rc::new(Self { values, is_map_entry: false }))
    }

    pub(crate) fn map_entry(budget: &mut Budget, key: Value, value: Value) -> Result<Rc<Self>> {
        budget.take_values(3)?;
        Ok(Rc::new(Self { values: vec![key, value], is_map_entry: true }))
    }
}

impl Drop for Items {
    fn drop(&mut self) {
        deferred_drop::drop_later(&mut self.values);
    }
}
