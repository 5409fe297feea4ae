//! What is there of a sequence already, for whoever must not change it by looking.

use super::{Cells, Sequence};
use crate::value::Value;

impl Sequence {
    /// The first `count` of the items that are there, without computing more; and whether others may follow.
    pub(crate) fn computed_items(&self, count: usize) -> (Vec<Value>, bool) {
        let first_of = |items: &[Value], has_rest| {
            let items = items.get(self.offset..).unwrap_or_default();
            (items.iter().take(count).cloned().collect(), has_rest || items.len() > count)
        };
        match &self.cells {
            Cells::Fixed(items) => first_of(&items.values, false),
            Cells::Lazy(lazy) => first_of(&lazy.items.borrow(), lazy.rest.borrow().is_some()),
        }
    }
}
