//! Pace: how many items may be taken now, as a bucket that holds one second's worth of a rate, and at least one.

use crate::model::time::Timestamp;

const MICROS_PER_SECOND: f64 = 1e6;

/// When the next item may be taken, in microseconds since 1970-01-01T00:00:00Z; earlier is a stock that was not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    pub due_micros: i64,
}

impl Pace {
    /// The first item may be taken at this time.
    pub const fn from(time: Timestamp) -> Self {
        Self { due_micros: time.millis().saturating_mul(1000) }
    }

    /// The same without what was not used for so long that the bucket was full, and no later than the next item can be due:
    /// the clock may have been set back.
    fn at(self, per_second: f64, now: Timestamp) -> Self {
        let full = Self::from(now).due_micros - (bucket(per_second) - 1) * interval_micros(per_second);
        let next = Self::from(now).due_micros + interval_micros(per_second);
        Self { due_micros: self.due_micros.clamp(full, next) }
    }

    /// How many items may be taken at `now`.
    pub fn allowed(self, per_second: f64, now: Timestamp) -> u32 {
        let waited = Self::from(now).due_micros - self.at(per_second, now).due_micros;
        let allowed = if waited < 0 { 0 } else { waited / interval_micros(per_second) + 1 };
        u32::try_from(allowed).unwrap_or(u32::MAX)
    }

    /// The pace after so many items were taken at `now`.
    #[must_use]
    pub fn after(self, taken: u32, per_second: f64, now: Timestamp) -> Self {
        let due_micros = self.at(per_second, now).due_micros + i64::from(taken) * interval_micros(per_second);
        Self { due_micros }
    }

    /// When the next item may be taken.
    pub const fn due(self) -> Timestamp {
        Timestamp::from_millis(
            self.due_micros.div_euclid(1000) + (self.due_micros.rem_euclid(1000) > 0) as i64,
        )
    }
}

fn interval_micros(per_second: f64) -> i64 {
    (MICROS_PER_SECOND / per_second).ceil() as i64
}

/// How many items a bucket holds.
fn bucket(per_second: f64) -> i64 {
    (per_second.floor() as i64).max(1)
}
