//! The records of several shards in one order: that of the time at which what they say happened, and of each shard in its own.
//!
//! Counts are right in any order. What fails and recovers is told in the order of its time, and the attempts of one receiver are in
//! many shards.

use tracing::error;

use super::changes::{Changes, RecordFault, changes};
use super::shard::{Page, Shard};
use loanhook_core::model::report::Counting;
use loanhook_core::model::time::Timestamp;

/// A record that was read.
pub(super) struct Merged {
    /// The place of its shard among those that were read.
    pub(super) place: usize,
    pub(super) sequence: String,
    pub(super) changes: Changes,
    /// When it happened; of what has no time of its own, that of the record before it in its shard.
    at: Option<Timestamp>,
}

/// Takes the records of these pages, of each shard up to the first that a newer version wrote: the rest of that shard is left to the
/// next run, and is named with `true`.
pub(super) fn merged(counting: Counting, read: &mut [(Shard, Page)]) -> (Vec<Merged>, Vec<bool>) {
    let mut all = Vec::new();
    let mut of_newer = vec![false; read.len()];
    for (place, (_, page)) in read.iter_mut().enumerate() {
        let mut latest = None;
        for record in std::mem::take(&mut page.records) {
            let sequence = record.dynamodb().and_then(|change| change.sequence_number());
            let Some(sequence) = sequence.map(str::to_owned) else { continue };
            let changes = match changes(counting, &record) {
                Ok(changes) => changes,
                Err(RecordFault::Newer) => {
                    (of_newer[place], page.is_last) = (true, true);
                    break;
                }
                Err(failure @ RecordFault::Unreadable(_)) => {
                    error!(%sequence, %failure, "reports.unreadable_not_counted");
                    Changes::default()
                }
            };
            latest = latest.max(changes.happening.as_ref().and_then(|happening| happening.at()));
            all.push(Merged { place, sequence, changes, at: latest });
        }
    }
    // Of those of one shard the order stays: their times ascend, and the sort is stable.
    all.sort_by_key(|record| record.at);
    (all, of_newer)
}
