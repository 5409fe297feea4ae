//! The record of a receiver: what an execution environment has seen of it, and when that sets or removes its slow mark.

use std::time::Duration;

use loanhook_core::model::time::Timestamp;

/// A mark is written again, when its receiver is seen to be slow again, once in so long.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(20);
/// A receiver that hangs now and then keeps its mark at least so long after it was last seen to be slow.
const MIN_MARK_AGE: Duration = Duration::from_secs(60);
/// So many failures in a row set a mark: one may be the fault of its event.
const FAILURES_FOR_MARK: u32 = 3;
/// So many quick successes in a row remove it.
const SUCCESSES_FOR_REMOVAL: u32 = 3;

/// What one request says of its receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Observation {
    /// It takes, or took, long; whatever comes of it.
    Slow,
    /// It failed soon.
    Failed,
    /// It succeeded soon.
    Quick,
}

/// What is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MarkChange {
    Set,
    Remove,
}

/// Requests in a row, as this environment saw them end.
#[derive(Debug, Default)]
pub(super) struct ReceiverRecord {
    failures: u32,
    successes: u32,
}

impl ReceiverRecord {
    /// Adds a request; `mark` is when the mark in force says that the receiver was last seen to be slow.
    pub(super) fn add(
        &mut self,
        observation: Observation,
        mark: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<MarkChange> {
        match observation {
            Observation::Quick => {
                self.failures = 0;
                self.successes += 1;
                let is_old = mark.is_some_and(|seen| now.since(seen) >= MIN_MARK_AGE);
                (is_old && self.successes >= SUCCESSES_FOR_REMOVAL).then_some(MarkChange::Remove)
            }
            Observation::Slow | Observation::Failed => {
                self.successes = 0;
                self.failures += 1;
                let counts = observation == Observation::Slow || self.failures >= FAILURES_FOR_MARK;
                let is_new = mark.is_none_or(|seen| now.since(seen) >= RENEWAL_INTERVAL);
                (counts && is_new).then_some(MarkChange::Set)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Observation::{Failed, Quick, Slow};
    use super::*;

    const SEEN: Timestamp = Timestamp::from_millis(1_795_428_000_000);

    /// The last change of these observations, all made so many seconds after the mark was written, if there is one.
    fn change(observations: &[Observation], mark_age_seconds: Option<u64>) -> Option<MarkChange> {
        let mut record = ReceiverRecord::default();
        let now = SEEN + Duration::from_secs(mark_age_seconds.unwrap_or(0));
        let changes = observations.iter().map(|seen| record.add(*seen, mark_age_seconds.map(|_| SEEN), now));
        changes.last().flatten()
    }

    #[test]
    fn a_mark_is_set_by_one_slow_request_or_three_failures_in_a_row() {
        assert_eq!(change(&[Slow], None), Some(MarkChange::Set));
        assert_eq!(change(&[Failed, Failed], None), None);
        assert_eq!(change(&[Failed, Failed, Failed], None), Some(MarkChange::Set));
        assert_eq!(change(&[Failed, Failed, Quick, Failed], None), None);
        assert_eq!(change(&[Quick, Quick, Quick], None), None);
    }

    #[test]
    fn a_mark_is_renewed_every_20_seconds_while_its_receiver_is_slow() {
        assert_eq!(change(&[Slow], Some(19)), None);
        assert_eq!(change(&[Slow], Some(20)), Some(MarkChange::Set));
        assert_eq!(change(&[Failed, Failed, Failed], Some(20)), Some(MarkChange::Set));
    }

    #[test]
    fn a_mark_is_removed_by_three_quick_successes_in_a_row_a_minute_after_the_last_slow_request() {
        assert_eq!(change(&[Quick, Quick], Some(60)), None);
        assert_eq!(change(&[Quick, Quick, Quick], Some(59)), None);
        assert_eq!(change(&[Quick, Quick, Quick], Some(60)), Some(MarkChange::Remove));
        assert_eq!(change(&[Quick, Quick, Failed, Quick], Some(60)), None);
    }
}
