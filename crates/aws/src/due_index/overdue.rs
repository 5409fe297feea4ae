//! The decision about a delivery whose time has come: whether anything is under way for it.
//!
//! Nothing shows whether a message is in a queue, so this is by time: a message is received within seconds, but for one
//! whose receiver has a slow mark, which may wait for a permit.

use std::time::Duration;

use crate::queue::put_back::MAX_PERMIT_WAIT;
use loanhook_core::model::progress::Progress;
use loanhook_core::model::time::Timestamp;

/// How long after its time a delivery is overdue: its message is received later than it is due, and the index shows a
/// delivery later than the table.
pub(super) const OVERDUE_AFTER: Duration = Duration::from_secs(20);
/// The same where its receiver has a slow mark.
pub(super) const SLOW_OVERDUE_AFTER: Duration = MAX_PERMIT_WAIT;

/// What is to be done for a delivery that stands in a bucket whose time has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OverdueAction {
    /// It has ended.
    Nothing,
    /// It is not overdue yet. With the end of the lease of the attempt in flight, or the time when the next one is due.
    LookAgain(Timestamp),
    /// Nothing shows that a message for the attempt of this number is there.
    Wake { attempt: u32, due: Timestamp },
}

/// `overdue_after` is one of the two above.
pub(super) fn overdue_action(
    progress: &Progress,
    lease: Duration,
    overdue_after: Duration,
    now: Timestamp,
) -> OverdueAction {
    let (attempt, due) = match progress {
        Progress::Waiting(next) => (next.number, next.due),
        Progress::Sending { claim, .. } | Progress::Canceling(claim) => (claim.number, claim.since + lease),
        Progress::Succeeded | Progress::Failed | Progress::Canceled => return OverdueAction::Nothing,
    };
    if now < due + overdue_after {
        OverdueAction::LookAgain(due)
    } else {
        OverdueAction::Wake { attempt, due }
    }
}

#[cfg(test)]
mod tests {
    use loanhook_core::model::id::AttemptId;
    use loanhook_core::model::progress::{Claim, NextAttempt};
    use uuid::Uuid;

    use super::*;

    const LEASE: Duration = Duration::from_secs(70);
    const DUE: Timestamp = Timestamp::from_millis(1_795_428_000_123);

    #[test]
    fn a_delivery_is_woken_if_nothing_is_under_way_20_seconds_after_its_time_or_21_minutes_if_its_receiver_is_slow()
     {
        let next = NextAttempt { number: 3, slot: 2, due: DUE };
        let claim = Claim {
            number: 3,
            slot: 2,
            attempt_id: AttemptId::at(DUE),
            token: Uuid::from_u128(1),
            since: DUE,
        };
        let lease_end = DUE + LEASE;
        let states = [
            (Progress::Waiting(next), DUE),
            (Progress::Sending { claim, due: DUE }, lease_end),
            (Progress::Canceling(claim), lease_end),
        ];
        for (overdue_after, seconds) in [(OVERDUE_AFTER, 20), (SLOW_OVERDUE_AFTER, 1260)] {
            let overdue_at = |due: Timestamp| due + Duration::from_secs(seconds);
            for (progress, due) in &states {
                let early = overdue_at(*due).minus(Duration::from_millis(1));
                let look_again = OverdueAction::LookAgain(*due);
                assert_eq!(overdue_action(progress, LEASE, overdue_after, early), look_again);
                let wake = OverdueAction::Wake { attempt: 3, due: *due };
                assert_eq!(overdue_action(progress, LEASE, overdue_after, overdue_at(*due)), wake);
            }
            for progress in [Progress::Succeeded, Progress::Failed, Progress::Canceled] {
                let action = overdue_action(&progress, LEASE, overdue_after, overdue_at(lease_end));
                assert_eq!(action, OverdueAction::Nothing);
            }
        }
    }
}
