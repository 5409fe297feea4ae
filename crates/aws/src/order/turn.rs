//! The turn of a delivery: when its first attempt may begin, by the open deliveries before it and the settings of its subscription.

use std::time::Duration;

use loanhook_core::model::flow::{DeliveryOrder, FlowSettings};
use loanhook_core::model::time::Timestamp;

/// The open deliveries before one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    Nothing,
    /// The first attempts of all have failed: the last of them then.
    Failed(Timestamp),
    /// There is one whose first attempt has not failed.
    Unfailed,
}

/// When a first attempt may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Now,
    /// When those before it step aside.
    At(Timestamp),
    /// At the end of one before it.
    Unknown,
}

impl Before {
    /// With one more delivery before it, whose first attempt failed then.
    pub(super) fn and_failed(self, failed: Timestamp) -> Self {
        match self {
            Self::Nothing => Self::Failed(failed),
            Self::Failed(other) => Self::Failed(other.max(failed)),
            Self::Unfailed => Self::Unfailed,
        }
    }

    /// The turn of what they are before.
    pub(super) fn turn(self, flow: FlowSettings) -> Turn {
        let step_aside = flow.step_aside_after_seconds.map(|seconds| Duration::from_secs(seconds.into()));
        match (flow.order, self, step_aside) {
            (DeliveryOrder::None, ..) | (_, Self::Nothing, _) => Turn::Now,
            (DeliveryOrder::Loan, Self::Failed(failed), Some(after)) => Turn::At(failed + after),
            (DeliveryOrder::Loan, Self::Failed(_), None) | (DeliveryOrder::Loan, Self::Unfailed, _) => {
                Turn::Unknown
            }
        }
    }
}

impl Turn {
    pub(super) fn has_come(self, now: Timestamp) -> bool {
        match self {
            Self::Now => true,
            Self::At(time) => time <= now,
            Self::Unknown => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: Timestamp = Timestamp::from_millis(1_795_428_000_123);
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn turns_by_table() {
        let none = FlowSettings::default();
        let loan = FlowSettings { order: DeliveryOrder::Loan, ..none };
        let steps_aside = FlowSettings { step_aside_after_seconds: Some(60), ..loan };
        let both = Before::Nothing.and_failed(FAILED).and_failed(FAILED.minus(SECOND));
        assert_eq!(both, Before::Failed(FAILED));
        assert_eq!(Before::Unfailed.and_failed(FAILED), Before::Unfailed);
        for (before, flow, turn) in [
            (Before::Nothing, loan, Turn::Now),
            (Before::Unfailed, loan, Turn::Unknown),
            (Before::Unfailed, steps_aside, Turn::Unknown),
            (both, loan, Turn::Unknown),
            (both, steps_aside, Turn::At(FAILED + 60 * SECOND)),
            (both, none, Turn::Now),
            (Before::Unfailed, none, Turn::Now),
        ] {
            assert_eq!(before.turn(flow), turn, "{before:?} {flow:?}");
        }
        let at = FAILED + 60 * SECOND;
        assert!(Turn::Now.has_come(FAILED) && !Turn::Unknown.has_come(at));
        assert!(Turn::At(at).has_come(at) && !Turn::At(at).has_come(at.minus(Duration::from_millis(1))));
    }
}
