//! Checkpoints: how far each shard of the stream is counted, and since when is counted.
//!
//! They are one partition. A transaction moves a checkpoint on condition that it is where this run found it.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::Update;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;

use crate::engine::Aws;
use crate::items::item::{Item, get_number, get_text, number, text};
use crate::items::key_schema::{EXPIRES, ItemKey, PK, SK};
use crate::items::write_outcome::write_outcome;
use loanhook_core::model::report::Counting;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;

/// The partition of checkpoints.
const CHECKPOINTS_PK: &str = "P#";
/// The sort key of the item that says since when is counted; a shard's is its ID.
const COUNTING_SK: &str = "counting";
/// In milliseconds since 1970; absent where everything is counted.
const SINCE: &str = "since";
const SEQUENCE: &str = "sequence";
const ENDED: &str = "ended";
/// A shard and all of its records are gone after 24 hours.
const CHECKPOINT_LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);
/// What stands for the sequence number of a shard that ended without a record.
const NO_RECORD: &str = "0";

/// How far a shard is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Checkpoint {
    /// The sequence number of the last record that was counted.
    pub(super) sequence: String,
    /// It was the last one of a shard that takes no more.
    pub(super) ended: bool,
}

impl Checkpoint {
    pub(super) fn at(sequence: &str) -> Self {
        Self { sequence: sequence.to_owned(), ended: false }
    }

    /// The same, of a shard that takes no more records.
    pub(super) fn ended(before: Option<Self>) -> Self {
        Self { ended: true, ..before.unwrap_or_else(|| Self::at(NO_RECORD)) }
    }

    /// Whether a record is counted already. Sequence numbers ascend in a shard, and are written without zeros before them,
    /// or all with as many digits.
    pub(super) fn includes(&self, sequence: &str) -> bool {
        let order = |digits: &str| (digits.len(), digits.to_owned());
        order(sequence) <= order(&self.sequence)
    }
}

/// What the runs before this one left.
pub(super) struct Checkpoints {
    pub(super) counting: Counting,
    pub(super) of_shards: HashMap<String, Checkpoint>,
}

/// The key of the item that says since when is counted.
pub(super) fn counting_key() -> ItemKey {
    ItemKey { pk: CHECKPOINTS_PK.into(), sk: COUNTING_SK.into() }
}

/// Since when is counted, by that item.
pub(super) fn counting(item: &Item) -> Counting {
    get_number(item, SINCE).map_or(Counting::ALL, |since| Counting::since(Timestamp::from_millis(since)))
}

/// The update that moves the checkpoint of a shard, if it is where it was found.
pub(super) fn move_checkpoint(
    table: &str,
    shard: &str,
    before: Option<&Checkpoint>,
    after: &Checkpoint,
    now: Timestamp,
) -> UpdateBuilder {
    let key = ItemKey { pk: CHECKPOINTS_PK.into(), sk: shard.into() };
    let update = Update::builder()
        .table_name(table)
        .set_key(Some(key.attributes()))
        .update_expression("SET #sequence = :sequence, #ended = :ended, #expires = :expires")
        .expression_attribute_names("#sequence", SEQUENCE)
        .expression_attribute_names("#ended", ENDED)
        .expression_attribute_names("#expires", EXPIRES)
        .expression_attribute_values(":sequence", text(&after.sequence))
        .expression_attribute_values(":ended", number(u8::from(after.ended)))
        .expression_attribute_values(":expires", number((now + CHECKPOINT_LIFETIME).seconds()));
    match before {
        None => update.condition_expression("attribute_not_exists(#sequence)"),
        Some(before) => update
            .condition_expression("#sequence = :before")
            .expression_attribute_values(":before", text(&before.sequence)),
    }
}

impl Aws {
    /// What the runs before this one left. The first run says since when is counted: from now on.
    pub(super) async fn checkpoints(&self, now: Timestamp) -> StoreResult<Checkpoints> {
        let mut items = self.checkpoint_items().await?;
        if !items.iter().any(is_counting) {
            let mut first = counting_key().attributes();
            first.insert(SINCE.into(), number(now.millis()));
            let put = self
                .dynamodb()
                .put_item()
                .table_name(&self.stack().reports)
                .set_item(Some(first))
                .condition_expression("attribute_not_exists(#pk)")
                .expression_attribute_names("#pk", PK);
            // Another first run may have said so.
            write_outcome(put.send().await)?;
            items = self.checkpoint_items().await?;
        }
        let of_shards = items.iter().filter_map(|item| {
            let checkpoint = Checkpoint {
                sequence: get_text(item, SEQUENCE)?.to_owned(),
                ended: get_number::<u8>(item, ENDED) == Some(1),
            };
            Some((get_text(item, SK)?.to_owned(), checkpoint))
        });
        let counting = items.iter().find(|item| is_counting(item)).map_or(Counting::since(now), counting);
        Ok(Checkpoints { counting, of_shards: of_shards.collect() })
    }

    async fn checkpoint_items(&self) -> StoreResult<Vec<Item>> {
        self.query_all(self.query_reports(CHECKPOINTS_PK)).await
    }
}

fn is_counting(item: &Item) -> bool {
    get_text(item, SK) == Some(COUNTING_SK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_up_to_the_checkpoint_is_counted_already() {
        for (checkpoint, sequence, counted) in [
            ("111", "110", true),
            ("111", "111", true),
            ("111", "112", false),
            ("111", "99", true),
            ("99", "111", false),
        ] {
            assert_eq!(Checkpoint::at(checkpoint).includes(sequence), counted, "{sequence} at {checkpoint}");
        }
        assert!(!Checkpoint::ended(None).includes("100"));
    }
}
