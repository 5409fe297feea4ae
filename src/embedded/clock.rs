//! The wall clock, watched for being set back.
//!
//! The queue keeps due times by the wall clock, as they outlive the process. Where that clock is set back by an hour,
//! everything that is queued would be due an hour late. So while the process lives it compares the wall clock
//! with the monotonic one, and moves what is queued by as much as the wall clock was set back. A clock that is set
//! forward, or a machine that slept, counts as time that has passed: what is due by then is due.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::model::time::Timestamp;

/// A wall clock that lags by less than this is being adjusted, not set.
const TOLERANCE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct ClockWatch(Mutex<State>);

#[derive(Debug)]
struct State {
    wall: Timestamp,
    monotonic: Instant,
    /// By how much the clock was set back, as far as the queue does not show it yet.
    to_apply: Duration,
}

impl ClockWatch {
    /// A watch that begins now.
    pub(super) fn new(wall: Timestamp, monotonic: Instant) -> Self {
        Self(Mutex::new(State { wall, monotonic, to_apply: Duration::ZERO }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// By how much the wall clock was set back since the last time that this was applied; none if it was not.
    pub(super) fn set_back(&self, wall: Timestamp, monotonic: Instant) -> Option<Duration> {
        let mut state = self.state();
        let expected = state.wall + monotonic.saturating_duration_since(state.monotonic);
        let lag = expected.since(wall);
        if lag >= TOLERANCE {
            state.to_apply += lag;
        }
        (state.wall, state.monotonic) = (wall, monotonic);
        (!state.to_apply.is_zero()).then_some(state.to_apply)
    }

    /// What is queued was moved by so much.
    pub(super) fn applied(&self, by: Duration) {
        let mut state = self.state();
        state.to_apply = state.to_apply.saturating_sub(by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_795_428_000_000);
    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_clock_that_is_set_back_is_noticed_once_it_was_applied() {
        let begun = Instant::now();
        let later = |seconds| begun + Duration::from_secs(seconds);
        let watch = ClockWatch::new(START, begun);
        assert_eq!(watch.set_back(START + Duration::from_secs(5), later(5)), None);
        let back = (START + Duration::from_secs(10)).minus(HOUR);
        assert_eq!(watch.set_back(back, later(10)), Some(HOUR));
        assert_eq!(watch.set_back(back + Duration::from_secs(1), later(11)), Some(HOUR), "not applied yet");
        watch.applied(HOUR);
        assert_eq!(watch.set_back(back + Duration::from_secs(2), later(12)), None);
    }

    #[test]
    fn a_clock_that_is_set_forward_or_adjusted_is_none_of_this() {
        let begun = Instant::now();
        let watch = ClockWatch::new(START, begun);
        assert_eq!(watch.set_back(START + HOUR, begun + Duration::from_secs(1)), None);
        let adjusted = START + HOUR + Duration::from_millis(1500);
        assert_eq!(watch.set_back(adjusted, begun + Duration::from_secs(3)), None, "half a second behind");
    }
}
