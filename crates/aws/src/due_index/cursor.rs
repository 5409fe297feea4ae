//! The cursor of a shard: up to which slot its buckets were handed over and checked. The sweep goes on from there, so a run
//! that does not come or dies leaves nothing out.

use std::ops::Range;
use std::time::Duration;

use super::bucket::Slot;
use crate::engine::Aws;
use crate::items::call_errors::store_error;
use crate::items::item::{get_number, get_text, number};
use crate::items::key_schema::{self, CHECKED, HANDED_OVER, SK, SWEEP_PK};
use crate::items::write_outcome::write_outcome;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;

/// Where the first sweep of a table begins: deliveries may have been deferred before there was a sweep.
const FIRST_LOOK_BACK: Duration = Duration::from_secs(3600);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) shard: u8,
    /// The last slot whose deferred deliveries were put into the queue.
    pub(super) handed_over: Slot,
    /// The last slot whose deliveries were looked at after their time.
    pub(super) checked: Slot,
}

impl Aws {
    /// The cursors of these shards.
    pub(super) async fn sweep_cursors(&self, shards: Range<u8>, now: Timestamp) -> StoreResult<Vec<Cursor>> {
        let items =
            self.query_partition(SWEEP_PK).send().await.map_err(store_error)?.items.unwrap_or_default();
        let first = Slot::of(now.minus(FIRST_LOOK_BACK));
        let cursor = |shard: u8| {
            let name = shard.to_string();
            let item = items.iter().find(|item| get_text(item, SK) == Some(&name));
            let slot = |attribute| item.and_then(|item| get_number(item, attribute)).map_or(first, Slot);
            Cursor { shard, handed_over: slot(HANDED_OVER), checked: slot(CHECKED) }
        };
        Ok(shards.map(cursor).collect())
    }

    /// Moves a cursor forward. One that another run has moved further stays.
    pub(super) async fn put_sweep_cursor(&self, cursor: Cursor) -> StoreResult<()> {
        let update = self
            .update(key_schema::sweep_cursor(cursor.shard))
            .update_expression("SET #handed = :handed, #checked = :checked")
            .condition_expression(
                "attribute_not_exists(#handed) OR (#handed <= :handed AND #checked <= :checked)",
            )
            .expression_attribute_names("#handed", HANDED_OVER)
            .expression_attribute_names("#checked", CHECKED)
            .expression_attribute_values(":handed", number(cursor.handed_over.0))
            .expression_attribute_values(":checked", number(cursor.checked.0));
        write_outcome(update.send().await).map(|_| ())
    }
}
