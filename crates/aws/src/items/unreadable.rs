//! Items that cannot be read: a list leaves them out and logs how many, so that one of them hides no other item.

use tracing::error;

use super::item::{Item, get_text};
use super::key_schema::{PK, SK};
use loanhook_core::ports::{StoreError, StoreResult};

/// The items that one read left out; they are logged when the read ends.
#[derive(Default)]
pub(crate) struct UnreadableItems {
    count: u32,
    /// The key of the first, and what is wrong with it.
    first: Option<(String, StoreError)>,
}

impl UnreadableItems {
    /// The value of an item; none where it could not be read.
    pub(crate) fn readable<T>(&mut self, item: &Item, read: StoreResult<T>) -> Option<T> {
        read.map_err(|fault| {
            self.count += 1;
            let key =
                || format!("{} {}", get_text(item, PK).unwrap_or("?"), get_text(item, SK).unwrap_or("?"));
            self.first.get_or_insert_with(|| (key(), fault));
        })
        .ok()
    }
}

impl Drop for UnreadableItems {
    fn drop(&mut self) {
        if let Some((first, why)) = &self.first {
            error!(left_out = self.count, first, %why, "store.unreadable_left_out");
        }
    }
}

/// The values of those items that can be read.
pub(crate) fn readable<T>(items: &[Item], read: impl Fn(&Item) -> StoreResult<T>) -> Vec<T> {
    let mut left_out = UnreadableItems::default();
    items.iter().filter_map(|item| left_out.readable(item, read(item))).collect()
}
