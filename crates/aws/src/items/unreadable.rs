//! Items of the table that cannot be read: each is left out and said in the log, so that one hides no other.

use tracing::error;

use super::item::{Item, get_text};
use super::key_schema::{PK, SK};
use loanhook_core::ports::{StoreError, StoreResult};

/// What was left out of one read.
#[derive(Default)]
pub(super) struct UnreadableItems {
    count: u32,
    /// Where the first is, and what is wrong with it.
    first: Option<(String, StoreError)>,
}

impl UnreadableItems {
    /// The value that was read; none where it could not be.
    pub(super) fn readable<T>(&mut self, item: &Item, read: StoreResult<T>) -> Option<T> {
        read.map_err(|fault| {
            self.count += 1;
            let place =
                || format!("{} {}", get_text(item, PK).unwrap_or("?"), get_text(item, SK).unwrap_or("?"));
            self.first.get_or_insert_with(|| (place(), fault));
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

/// What of these items can be read.
pub(super) fn readable<T>(items: &[Item], read: impl Fn(&Item) -> StoreResult<T>) -> Vec<T> {
    let mut left_out = UnreadableItems::default();
    items.iter().filter_map(|item| left_out.readable(item, read(item))).collect()
}
