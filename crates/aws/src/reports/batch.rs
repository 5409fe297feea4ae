//! Batch of changes: what one transaction adds to the counts and tells, and how far it comes in each shard.

use std::collections::BTreeMap;

use super::added::Added;
use super::changes::Changes;
use super::checkpoints::{Checkpoint, move_checkpoint};
use super::count_item::{CountKey, add, addition_count};
use crate::engine::Aws;
use crate::items::transaction::TransactionPart as _;
use crate::operational::{Gathered, States};
use loanhook_core::model::report::{CountChange, Counts};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;

/// How many items a transaction has at most
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>).
const MAX_ITEMS: usize = 100;
/// To how many attributes of an item one update adds: an expression has at most 4 KB.
const MAX_ADDITIONS: usize = 150;

/// What is to be written together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    sums: BTreeMap<CountKey, Counts>,
    /// What may be told.
    gathered: Gathered,
    /// By shard: where it was, and where it comes.
    checkpoints: BTreeMap<String, (Option<Checkpoint>, Checkpoint)>,
    added: Added,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.checkpoints.is_empty()
    }

    /// Whether these changes of a record of a shard fit into the transaction.
    pub(super) fn has_room_for(&self, shard: &str, changes: &Changes, states: &States) -> bool {
        let mut items = self.sums.len() + self.checkpoints.len() + self.gathered.item_count();
        items += changes.happening.as_ref().map_or(0, |happening| self.gathered.items_of(happening, states));
        items += usize::from(!self.checkpoints.contains_key(shard));
        for change in &changes.counts {
            for key in CountKey::of(&change.group) {
                match self.sums.get(&key) {
                    Some(sum) if addition_count(sum) + addition_count(&change.counts) > MAX_ADDITIONS => {
                        return false;
                    }
                    Some(_) => {}
                    None => items += 1,
                }
            }
        }
        items <= MAX_ITEMS
    }

    /// Adds the changes of a record.
    pub(super) fn add(&mut self, changes: Changes, states: &States) {
        self.added.add_changes(&changes);
        if let Some(happening) = changes.happening {
            self.gathered.add(happening, states);
        }
        for CountChange { group, counts } in changes.counts {
            for key in CountKey::of(&group) {
                self.sums.entry(key).or_default().add(&counts);
            }
        }
    }

    /// All that it adds, whatever the group.
    pub(super) fn added(&self) -> &Added {
        &self.added
    }

    /// Notes that all of a shard up to `to` is in this batch; `from` is where the shard was before the batch.
    pub(super) fn come_to(&mut self, shard: &str, from: Option<&Checkpoint>, to: Checkpoint) {
        let (_, at) = self.checkpoints.entry(shard.to_owned()).or_insert_with(|| (from.cloned(), to.clone()));
        *at = to;
    }
}

impl Aws {
    /// Writes a batch, and gives where the shards are now; none, and nothing is written, where another run came first. The states
    /// follow what was written.
    pub(super) async fn write_counts(
        &self,
        batch: Batch,
        states: &mut States,
        now: Timestamp,
    ) -> StoreResult<Option<Vec<(String, Checkpoint)>>> {
        let table = &self.stack().reports;
        let mut parts = Vec::new();
        for (shard, (before, after)) in &batch.checkpoints {
            parts.push(move_checkpoint(table, shard, before.as_ref(), after, now).part()?);
        }
        for (key, sum) in batch.sums.iter().filter(|(_, sum)| **sum != Counts::default()) {
            parts.push(add(table, key, sum).part()?);
        }
        let mut recorded = self.record_operational(&batch.gathered, states, now)?;
        parts.append(&mut recorded.writes);
        let done = self.transact(parts).await?.is_done();
        if done {
            recorded.follow(states);
        }
        let reached = batch.checkpoints.into_iter().map(|(shard, (_, after))| (shard, after));
        Ok(done.then(|| reached.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loanhook_core::model::id::TenantId;
    use loanhook_core::model::report::CountGroup;

    fn change(hour: i64, responses: std::ops::Range<u32>) -> Changes {
        let mut counts = Counts { resends: 1, ..Counts::default() };
        responses.for_each(|tenths| counts.record_response_time(f64::from(tenths) / 10.0));
        let group = CountGroup {
            tenant: TenantId::try_from("acme".to_owned()).expect("a tenant"),
            hour: Timestamp::from_millis(hour * 3_600_000),
            subscription: None,
            event_name: "Posted".into(),
        };
        Changes::from(vec![CountChange { group, counts }])
    }

    #[test]
    fn a_batch_is_full_before_its_transaction_is_too_large() {
        let (mut batch, states) = (Batch::default(), States::default());
        let mut days = 0;
        while batch.has_room_for("shard", &change(days * 24, 0..0), &states) {
            batch.add(change(days * 24, 0..0), &states);
            batch.come_to("shard", None, Checkpoint::at("1"));
            days += 1;
        }
        // Each day is an item of an hour and one of a day, and the shard is one.
        assert_eq!(days, 49);
        assert!(batch.has_room_for("shard", &change(0, 0..0), &states), "the same items again");
        assert!(batch.has_room_for("other", &change(0, 0..0), &states), "one more item");
        assert!(!batch.has_room_for("shard", &change(0, 0..149), &states), "too many attributes of one item");
    }
}
