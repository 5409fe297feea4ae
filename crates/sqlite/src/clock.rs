//! Clock monitor: notices when the wall clock is set.
//!
//! The queue keeps due times by the wall clock, as they outlive the process. Where that clock is set back by an hour,
//! everything that is queued would be due an hour late; where it is set forward, an hour early. So while the process
//! lives it compares the wall clock with one that only ever counts up, and moves the due times by as much as the wall
//! clock was set.
//!
//! That steady clock must count the time that a machine sleeps. Linux has one (`CLOCK_BOOTTIME`, clock_gettime(2)).
//! Elsewhere it stops meanwhile, so there a wall clock that is ahead counts as time that has passed.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use loanhook_core::model::time::Timestamp;

/// A wall clock that differs by less than this is being adjusted, not set.
const MAX_ADJUSTMENT: Duration = Duration::from_secs(1);
/// A reading of both clocks that takes longer than this is not used.
const MAX_READING_TIME: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct ClockMonitor(Mutex<ClockState>);

#[derive(Debug)]
struct ClockState {
    last: ClockReading,
    /// By how many milliseconds the wall clock was set, as far as the due times were not moved by it yet.
    unapplied_millis: i64,
}

/// A reading that takes less than this is exact enough.
const EXACT_READING_TIME: Duration = Duration::from_millis(1);
/// How many readings are taken at most, to find an exact one.
const MAX_READINGS: usize = 5;

/// Both clocks at one moment.
#[derive(Debug, Clone, Copy)]
struct ClockReading {
    wall: Timestamp,
    /// Since some moment before the process began.
    steady: Duration,
    /// How long before `steady` the wall clock was read, at most.
    gap: Duration,
}

impl ClockReading {
    /// The most exact of some readings; none where each took too long, as the process was stopped meanwhile.
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
            if reading.gap < EXACT_READING_TIME {
                break;
            }
        }
        best.filter(|best| best.gap < MAX_READING_TIME)
    }
}

impl ClockMonitor {
    /// A monitor that begins now.
    pub(super) fn new() -> Self {
        let inexact = || ClockReading { wall: Timestamp::now(), steady: steady(), gap: MAX_READING_TIME };
        Self(Mutex::new(ClockState {
            last: ClockReading::take().unwrap_or_else(inexact),
            unapplied_millis: 0,
        }))
    }

    fn state(&self) -> MutexGuard<'_, ClockState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// By how many milliseconds the wall clock was set since due times were last moved, negative where it was set back.
    /// None if it was not set.
    pub(super) fn unapplied_step_millis(&self) -> Option<i64> {
        let mut state = self.state();
        if let Some(now) = ClockReading::take() {
            state.compare(now);
        }
        Some(state.unapplied_millis).filter(|millis| *millis != 0)
    }

    /// Takes in that the due times were moved by so many milliseconds.
    pub(super) fn record_applied(&self, millis: i64) {
        self.state().unapplied_millis -= millis;
    }
}

impl ClockState {
    fn compare(&mut self, now: ClockReading) {
        let expected = self.last.wall + now.steady.saturating_sub(self.last.steady);
        let step_millis = now.wall.millis() - expected.millis();
        let counts = cfg!(target_os = "linux") || step_millis < 0;
        if counts && Duration::from_millis(step_millis.unsigned_abs()) >= MAX_ADJUSTMENT {
            // The wall clock may have been read that much earlier: an inexact reading makes messages due later, never earlier.
            self.unapplied_millis += step_millis + i64::try_from(now.gap.as_millis()).unwrap_or(0);
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

    /// What is left to apply after these readings, each so many seconds after the start with the wall clock so many
    /// milliseconds off.
    fn unapplied(readings: &[(u64, i64)]) -> i64 {
        let at = |(seconds, off): (u64, i64)| {
            let steady = Duration::from_secs(seconds);
            ClockReading { wall: (START + steady).plus_millis(off), steady, gap: Duration::ZERO }
        };
        let mut state = ClockState { last: at((0, 0)), unapplied_millis: 0 };
        readings.iter().for_each(|reading| state.compare(at(*reading)));
        state.unapplied_millis
    }

    #[test]
    fn each_step_of_the_clock_counts_once() {
        assert_eq!(unapplied(&[(5, 0), (3600, 0)]), 0);
        assert_eq!(unapplied(&[(5, 0), (10, -HOUR), (11, -HOUR)]), -HOUR);
        let forward = if cfg!(target_os = "linux") { HOUR } else { 0 };
        assert_eq!(unapplied(&[(5, HOUR), (6, HOUR)]), forward);
        assert_eq!(unapplied(&[(5, -HOUR), (6, 0)]), forward - HOUR, "and so does setting it right again");
    }

    #[test]
    fn small_adjustments_of_the_clock_do_not_count() {
        assert_eq!(unapplied(&[(10, -999), (20, -1500), (30, -600), (40, 300)]), 0);
    }

    #[test]
    fn an_inexact_reading_makes_no_message_due_earlier() {
        let at =
            |wall: Timestamp, seconds, gap| ClockReading { wall, steady: Duration::from_secs(seconds), gap };
        let gap = Duration::from_millis(40);
        let mut state = ClockState { last: at(START, 0, Duration::ZERO), unapplied_millis: 0 };
        // Read 40 ms before the other clock, the wall clock seems to be set by 40 ms less than it was.
        let wall = START.plus_millis(HOUR + 5000 - 40);
        state.compare(at(wall, 5, gap));
        assert_eq!(state.unapplied_millis, if cfg!(target_os = "linux") { HOUR } else { 0 });
    }

    #[test]
    fn a_step_counts_until_it_was_applied() {
        let monitor = ClockMonitor::new();
        monitor.state().unapplied_millis = -HOUR;
        assert_eq!(monitor.unapplied_step_millis(), Some(-HOUR));
        assert_eq!(monitor.unapplied_step_millis(), Some(-HOUR), "it is not yet applied");
        monitor.record_applied(-HOUR);
        assert_eq!(monitor.unapplied_step_millis(), None);
    }
}
