//! The decision about a delivery whose time has come: whether anything is under way for it.

use std::time::Duration;

use loanhook_core::model::progress::Progress;
use loanhook_core::model::time::Timestamp;

/// How long after its time a delivery is overdue: its message is received later than it is due, and the index shows a
/// delivery later than the table.
pub(super) const OVERDUE_AFTER: Duration = Duration::from_secs(20);

/// What is to be done for a delivery that stands in a bucket whose time has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OverdueAction {
    /// It has ended.
    Nothing,
    /// An attempt is in flight, or due later: it is looked at again at that time.
    LookAgain(Timestamp),
    /// Nothing shows that a message for the attempt of this number is there.
    Wake { attempt: u32, due: Timestamp },
}

pub(super) fn overdue_action(progress: &Progress, lease: Duration, now: Timestamp) -> OverdueAction {
    let (attempt, due) = match progress {
        Progress::Waiting(next) => (next.number, next.due),
        Progress::Sending { claim, .. } | Progress::Canceling(claim) => (claim.number, claim.since + lease),
        Progress::Succeeded | Progress::Failed | Progress::Canceled => return OverdueAction::Nothing,
    };
    if now < due + OVERDUE_AFTER {
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
    fn a_delivery_is_woken_if_nothing_is_under_way_20_seconds_after_its_time() {
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
        for (progress, due) in states {
            let early = due + OVERDUE_AFTER.saturating_sub(Duration::from_millis(1));
            assert_eq!(overdue_action(&progress, LEASE, early), OverdueAction::LookAgain(due));
            let wake = OverdueAction::Wake { attempt: 3, due };
            assert_eq!(overdue_action(&progress, LEASE, due + OVERDUE_AFTER), wake);
        }
        for progress in [Progress::Succeeded, Progress::Failed, Progress::Canceled] {
            assert_eq!(overdue_action(&progress, LEASE, lease_end + OVERDUE_AFTER), OverdueAction::Nothing);
        }
    }
}
