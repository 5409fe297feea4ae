//! Reading of a shard: its records that were read and are not counted yet, and which of all shards can be counted next.
//!
//! Counts are right in any order. What fails and recovers is told in the order of its time, and the attempts of one receiver are in
//! many shards. So a record is counted once each shard was read up to its time or to its end: what is read later happened later. The
//! others wait.

use std::collections::VecDeque;

use tracing::error;

use super::changes::{Changes, RecordFault, changes};
use super::shard::{Page, Shard};
use loanhook_core::model::report::Counting;
use loanhook_core::model::time::Timestamp;

/// So many records of a shard may wait while more of it is read: a page has at most as many.
const MAX_WAITING: usize = 1000;

/// A record that was read.
#[derive(Debug)]
pub(super) struct ReadRecord {
    pub(super) sequence: String,
    pub(super) changes: Changes,
    /// When it happened, or a record before it in its shard did, if that is later; none before the first that has a time.
    at: Option<Timestamp>,
}

/// Why a shard is read no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    AtItsEnd,
    /// What follows was written by a newer version.
    OfNewerVersion,
    CannotBeRead,
}

/// A shard as a run reads it.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) shard: Shard,
    /// What was read and is not counted, in its order.
    waiting: VecDeque<ReadRecord>,
    /// The latest time that was read.
    latest: Option<Timestamp>,
    over: Option<Over>,
}

impl Reading {
    pub(super) const fn new(shard: Shard) -> Self {
        Self { shard, waiting: VecDeque::new(), latest: None, over: None }
    }

    /// Takes in what was read next, up to the first record that a newer version wrote.
    pub(super) fn take(&mut self, counting: Counting, page: Page) {
        for record in page.records {
            let sequence = record.dynamodb().and_then(|change| change.sequence_number());
            let Some(sequence) = sequence.map(str::to_owned) else { continue };
            match changes(counting, &record) {
                Ok(changes) => self.push(sequence, changes),
                Err(RecordFault::Newer) => {
                    self.over = Some(Over::OfNewerVersion);
                    return;
                }
                Err(failure @ RecordFault::Unreadable(_)) => {
                    error!(%sequence, %failure, "reports.unreadable_not_counted");
                    self.push(sequence, Changes::default());
                }
            }
        }
        if page.is_last {
            self.over = Some(Over::AtItsEnd);
        }
    }

    fn push(&mut self, sequence: String, changes: Changes) {
        let at = changes.happening.as_ref().and_then(|happening| happening.at());
        self.latest = self.latest.max(at);
        self.waiting.push_back(ReadRecord { sequence, changes, at: self.latest });
    }

    /// Takes in that it cannot be read: no other waits for it.
    pub(super) fn give_up(&mut self) {
        self.over = Some(Over::CannotBeRead);
    }

    pub(super) const fn is_over(&self) -> bool {
        self.over.is_some()
    }

    pub(super) fn is_of_newer_version(&self) -> bool {
        self.over == Some(Over::OfNewerVersion)
    }

    /// How many of its records wait.
    pub(super) fn waiting_count(&self) -> usize {
        self.waiting.len()
    }

    /// Whether more of it may be read: where so much waits of all shards that `is_full`, only to let the others go on.
    pub(super) fn is_read_on(&self, is_full: bool) -> bool {
        let most = if is_full { 1 } else { MAX_WAITING };
        !self.is_over() && self.waiting.len() < most
    }

    /// Whether all of it is counted for ever, and its checkpoint does not say so.
    pub(super) fn has_ended(&self) -> bool {
        let is_known = self.shard.checkpoint.as_ref().is_some_and(|checkpoint| checkpoint.ended);
        let is_done = self.over == Some(Over::AtItsEnd) && self.waiting.is_empty();
        is_done && self.shard.closed && !is_known
    }
}

/// Takes the records that can be counted, each with the place of its shard, in the order of their time and of each shard in its own:
/// those before the earliest of the times up to which a shard was read that has more.
pub(super) fn take_countable(readings: &mut [Reading]) -> Vec<(usize, ReadRecord)> {
    let bound = readings.iter().filter(|reading| !reading.is_over()).map(|reading| reading.latest).min();
    let mut all = Vec::new();
    for (place, reading) in readings.iter_mut().enumerate() {
        let is_after = |record: &ReadRecord| bound.is_some_and(|bound| bound < record.at);
        let end = reading.waiting.iter().position(is_after).unwrap_or(reading.waiting.len());
        all.extend(reading.waiting.drain(..end).map(|record| (place, record)));
    }
    // The times of a shard ascend, and the sort is stable.
    all.sort_by_key(|(_, record)| record.at);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operational::Happening;
    use loanhook_core::model::flow::{HeldBy, Hold};
    use loanhook_core::model::id::{SubscriptionId, TenantId};

    /// A reading of an open shard.
    fn reading() -> Reading {
        Reading::new(Shard::new("shard".into(), false, None))
    }

    /// Reads a record of each of these times; 0 is one without.
    fn read(reading: &mut Reading, times: &[i64]) {
        let tenant = TenantId::try_from("acme".to_owned()).expect("a tenant");
        for time in times {
            let of = crate::queue::Receiver {
                tenant: tenant.clone(),
                subscription_id: SubscriptionId::from_uuid(uuid::Uuid::nil()),
            };
            let hold = Hold { by: HeldBy::Operator("Ann".into()), since: Timestamp::from_millis(*time) };
            let happening = (*time > 0).then_some(Happening::Held { of, hold });
            reading.push(time.to_string(), Changes::from(happening));
        }
    }

    fn countable(readings: &mut [Reading]) -> Vec<(usize, String)> {
        take_countable(readings).into_iter().map(|(place, record)| (place, record.sequence)).collect()
    }

    fn named(expected: &[(usize, i64)]) -> Vec<(usize, String)> {
        expected.iter().map(|(place, time)| (*place, time.to_string())).collect()
    }

    #[test]
    fn a_record_waits_until_each_shard_is_read_as_far_or_to_its_end() {
        let mut readings = [reading(), reading(), reading()];
        read(&mut readings[0], &[10, 50, 90]);
        read(&mut readings[1], &[20, 30]);
        assert_eq!(countable(&mut readings), [], "of the third nothing was read");
        read(&mut readings[2], &[0, 5, 40]);
        let expected = [(2, 0), (2, 5), (0, 10), (1, 20), (1, 30)];
        assert_eq!(countable(&mut readings), named(&expected), "the second was read up to 30");
        assert!(readings[1].is_read_on(true) && !readings[0].is_read_on(true));
        // A success that is read later, and happened before failures that were read.
        read(&mut readings[1], &[45]);
        assert_eq!(countable(&mut readings), named(&[(2, 40)]));
        readings[2].give_up();
        assert_eq!(countable(&mut readings), named(&[(1, 45)]));
        readings[1].over = Some(Over::AtItsEnd);
        assert_eq!(countable(&mut readings), named(&[(0, 50), (0, 90)]));
    }

    #[test]
    fn records_of_more_shards_than_are_read_at_once_are_counted_in_the_order_of_their_time() {
        let mut readings: Vec<_> = (0..20).map(|_| reading()).collect();
        let mut counted = Vec::new();
        // Shard n has a record every n + 1 milliseconds; its pages have five.
        for round in 0..400 {
            for (number, reading) in (1_i64..).zip(&mut readings) {
                if !reading.is_read_on(true) {
                    continue;
                }
                let first = reading.latest.map_or(0, Timestamp::millis);
                let page: Vec<_> =
                    (1..=5).map(|step| first + step * number).filter(|at| *at <= 300).collect();
                read(reading, &page);
                if page.len() < 5 {
                    reading.over = Some(Over::AtItsEnd);
                }
            }
            counted.extend(take_countable(&mut readings));
            if readings.iter().all(Reading::is_over) {
                break;
            }
            assert!(round < 399, "it comes to its end");
        }
        assert!(counted.is_sorted_by_key(|(_, record)| record.at));
        assert_eq!(counted.len(), (1..=20).map(|number| 300 / number).sum::<usize>());
    }

    #[test]
    fn a_shard_is_read_on_while_little_of_it_waits_and_others_have_room() {
        let mut reading = reading();
        assert!(reading.is_read_on(true));
        read(&mut reading, &[1]);
        assert!(reading.is_read_on(false) && !reading.is_read_on(true));
        read(&mut reading, &vec![1; MAX_WAITING - 1]);
        assert!(!reading.is_read_on(false));
    }
}
