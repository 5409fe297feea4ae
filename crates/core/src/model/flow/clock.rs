//! Times of a flow state by a clock that was set: moved with it while the process runs, and bounded at a start, which does not
//! know whether it was set meanwhile.

use super::{EndedHold, FlowState, HeldBy, Hold};
use crate::model::time::Timestamp;

impl FlowState {
    /// The same by a clock that was set by so many milliseconds.
    #[must_use]
    pub fn shifted(&self, millis: i64) -> Self {
        Self {
            failures: self.failures,
            hold: self.hold.as_ref().map(|hold| hold.shifted(millis)),
            ended: self.ended.map(|ended| ended.shifted(millis)),
        }
    }

    /// The same without times that a clock which was set back made impossible: no hold began or ended after `now`, and a
    /// probe is due after its delay at the latest.
    #[must_use]
    pub fn bounded_by(&self, now: Timestamp) -> Self {
        let mut bounded = self.clone();
        if let Some(hold) = &mut bounded.hold {
            hold.since = hold.since.min(now);
            if let HeldBy::Failures(probe) = &mut hold.by {
                probe.due = probe.due.min(now + probe.delay);
            }
        }
        if let Some(ended) = &mut bounded.ended {
            *ended = EndedHold { since: ended.since.min(now), at: ended.at.min(now) };
        }
        bounded
    }
}

impl Hold {
    /// The same by a clock that was set by so many milliseconds.
    #[must_use]
    pub fn shifted(&self, millis: i64) -> Self {
        let mut shifted = self.clone();
        shifted.since = shifted.since.plus_millis(millis);
        if let HeldBy::Failures(probe) = &mut shifted.by {
            probe.due = probe.due.plus_millis(millis);
        }
        shifted
    }
}

impl EndedHold {
    /// The same by a clock that was set by so many milliseconds.
    #[must_use]
    pub const fn shifted(self, millis: i64) -> Self {
        Self { since: self.since.plus_millis(millis), at: self.at.plus_millis(millis) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::flow::Probe;

    const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);
    const SECOND: Duration = Duration::from_secs(1);

    fn held(since: Timestamp, due: Timestamp) -> FlowState {
        let by = HeldBy::Failures(Probe { due, delay: 30 * SECOND });
        FlowState { hold: Some(Hold { by, since }), ..FlowState::default() }
    }

    fn ended(since: Timestamp, at: Timestamp) -> FlowState {
        FlowState { ended: Some(EndedHold { since, at }), ..FlowState::default() }
    }

    #[test]
    fn times_that_cannot_be_are_bounded_and_others_stay() {
        let (past, future) = (NOW.plus_millis(-9000), NOW + 3600 * SECOND);
        for possible in [held(past, NOW + 20 * SECOND), held(past, past), ended(past, NOW)] {
            assert_eq!(possible.bounded_by(NOW), possible);
        }
        assert_eq!(held(future, future).bounded_by(NOW), held(NOW, NOW + 30 * SECOND));
        assert_eq!(ended(past, future).bounded_by(NOW), ended(past, NOW));
    }
}
