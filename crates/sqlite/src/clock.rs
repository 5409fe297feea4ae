//! The wall clock, watched for being set.
//!
//! The queue keeps due times by the wall clock, as they outlive the process. Where that clock is set back by an hour,
//! everything that is queued would be due an hour late; where it is set forward, an hour early. So while the process
//! lives it compares the wall clock with one that only ever counts up, and moves what is queued by as much as the wall
//! clock was set.
//!
//! That other clock must count the time that a machine sleeps. Linux has one (`CLOCK_BOOTTIME`, clock_gettime(2)).
//! Elsewhere it stops meanwhile, so there a wall clock that is ahead is taken for time that has passed.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use loanhook_core::model::time::Timestamp;

/// A wall clock that differs by less than this is being adjusted, not set.
const TOLERANCE: Duration = Duration::from_secs(1);
/// Two clocks that are read with more time between them than this say nothing of each other.
const AT_ONCE: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct ClockWatch(Mutex<State>);

#[derive(Debug)]
struct State {
    last: Reading,
    /// By how many milliseconds the wall clock was set, as far as the queue does not show it yet.
    to_apply: i64,
}

/// A reading this exact is as good as any.
const EXACT: Duration = Duration::from_millis(1);
/// How many readings are taken at most, to find an exact one.
const MAX_READINGS: usize = 5;

/// Both clocks at one moment.
#[derive(Debug, Clone, Copy)]
struct Reading {
    wall: Timestamp,
    /// Since some moment before the process began.
    steady: Duration,
    /// How long before `steady` the wall clock was read, at most.
    gap: Duration,
}

impl Reading {
    /// The most exact of some readings; none where the process was stopped in the midst of each.
    fn take() -> Option<Self> {
        let mut best: Option<Self> = None;
        for _ in 0..MAX_READINGS {
            let before = steady();
            let wall = Timestamp::now();
            let steady = steady();
            let reading = Self { wall, steady, gap: steady.saturating_sub(before) };
            if best.is_none_or(|best| reading.gap < best.gap) {
                best = Some(reading);
            }
            if reading.gap < EXACT {
                break;
            }
        }
        best.filter(|best| best.gap < AT_ONCE)
    }
}

impl ClockWatch {
    /// A watch that begins now.
    pub(super) fn new() -> Self {
        let inexact = || Reading { wall: Timestamp::now(), steady: steady(), gap: AT_ONCE };
        Self(Mutex::new(State { last: Reading::take().unwrap_or_else(inexact), to_apply: 0 }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// By how many milliseconds the wall clock was set since this was last applied, less than none where it was set
    /// back; none if it was not set.
    pub(super) fn was_set(&self) -> Option<i64> {
        let mut state = self.state();
        if let Some(now) = Reading::take() {
            state.note(now);
        }
        Some(state.to_apply).filter(|millis| *millis != 0)
    }

    /// What is queued was moved by so many milliseconds.
    pub(super) fn applied(&self, millis: i64) {
        self.state().to_apply -= millis;
    }
}

impl State {
    fn note(&mut self, now: Reading) {
        let expected = self.last.wall + now.steady.saturating_sub(self.last.steady);
        let set = now.wall.millis() - expected.millis();
        let counts = cfg!(target_os = "linux") || set < 0;
        if counts && Duration::from_millis(set.unsigned_abs()) >= TOLERANCE {
            // The wall clock may have been read so much earlier: what is queued may become due later, never earlier.
            self.to_apply += set + i64::try_from(now.gap.as_millis()).unwrap_or(0);
        }
        self.last = now;
    }
}

#[cfg(target_os = "linux")]
fn steady() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::try_from(time).unwrap_or_default()
}

#[cfg(not(target_os = "linux"))]
fn steady() -> Duration {
    static BEGUN: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    BEGUN.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_795_428_000_000);
    const HOUR: i64 = 3_600_000;

    /// What is to be applied after so many seconds, each time with the wall clock so many milliseconds off.
    fn to_apply(readings: &[(u64, i64)]) -> i64 {
        let at = |(seconds, off): (u64, i64)| {
            let steady = Duration::from_secs(seconds);
            Reading { wall: (START + steady).plus_millis(off), steady, gap: Duration::ZERO }
        };
        let mut state = State { last: at((0, 0)), to_apply: 0 };
        readings.iter().for_each(|reading| state.note(at(*reading)));
        state.to_apply
    }

    #[test]
    fn a_clock_that_is_set_is_noticed_once() {
        assert_eq!(to_apply(&[(5, 0), (3600, 0)]), 0);
        assert_eq!(to_apply(&[(5, 0), (10, -HOUR), (11, -HOUR)]), -HOUR);
        let forward = if cfg!(target_os = "linux") { HOUR } else { 0 };
        assert_eq!(to_apply(&[(5, HOUR), (6, HOUR)]), forward);
        assert_eq!(to_apply(&[(5, -HOUR), (6, 0)]), forward - HOUR, "and what is set right again");
    }

    #[test]
    fn a_clock_that_is_adjusted_was_not_set() {
        assert_eq!(to_apply(&[(10, -999), (20, -1500), (30, -600), (40, 300)]), 0);
    }

    #[test]
    fn an_inexact_reading_makes_nothing_due_earlier() {
        let at = |wall: Timestamp, seconds, gap| Reading { wall, steady: Duration::from_secs(seconds), gap };
        let gap = Duration::from_millis(40);
        let mut state = State { last: at(START, 0, Duration::ZERO), to_apply: 0 };
        // Read 40 ms before the other clock, the wall clock seems to be set by 40 ms less than it was.
        let wall = START.plus_millis(HOUR + 5000 - 40);
        state.note(at(wall, 5, gap));
        assert_eq!(state.to_apply, if cfg!(target_os = "linux") { HOUR } else { 0 });
    }

    #[test]
    fn what_was_applied_is_not_applied_again() {
        let watch = ClockWatch::new();
        watch.state().to_apply = -HOUR;
        assert_eq!(watch.was_set(), Some(-HOUR));
        assert_eq!(watch.was_set(), Some(-HOUR), "it is not yet applied");
        watch.applied(-HOUR);
        assert_eq!(watch.was_set(), None);
    }
}
