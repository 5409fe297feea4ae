//! Timestamp: a point in time, to the millisecond.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, SecondsFormat, Utc};

/// Milliseconds since 1970-01-01T00:00:00Z. As text: RFC 3339 in UTC with three decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The clock of this machine; in a simulation, that of the simulation.
    pub fn now() -> Self {
        crate::simulated::now().unwrap_or_else(Self::of_the_system)
    }

    fn of_the_system() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub const fn millis(self) -> i64 {
        self.0
    }

    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// How long from `earlier` until this, none if it is not later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The beginning of its hour, in UTC.
    pub const fn to_the_hour(self) -> Self {
        Self(self.0 - self.0.rem_euclid(3_600_000))
    }

    /// The beginning of its day, in UTC.
    pub const fn to_the_day(self) -> Self {
        Self(self.0 - self.0.rem_euclid(24 * 3_600_000))
    }

    /// So many milliseconds later, or earlier where there are less than none.
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// The first of two moments that may not be.
    pub fn first_of(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        one.into_iter().chain(other).min()
    }

    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(millis(span)))
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(millis(span)))
    }
}

/// Rounded to the nearest millisecond.
fn millis(span: Duration) -> i64 {
    i64::try_from((span + Duration::from_micros(500)).as_millis()).unwrap_or(i64::MAX)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::<Utc>::from_timestamp_millis(self.0) {
            Some(time) => f.write_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true)),
            None => write!(f, "{} ms", self.0),
        }
    }
}

impl FromStr for Timestamp {
    type Err = chrono::ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        DateTime::parse_from_rfc3339(text).map(|time| Self(time.timestamp_millis()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_value_say_the_same() {
        for (text, millis) in
            [("1970-01-01T00:00:00.000Z", 0), ("2026-11-23T10:00:00.123Z", 1_795_428_000_123)]
        {
            assert_eq!(text.parse::<Timestamp>().map(Timestamp::millis), Ok(millis));
            assert_eq!(Timestamp::from_millis(millis).to_string(), text);
        }
        let zoned: Timestamp = "2026-11-23T12:00:00+02:00".parse().expect("RFC 3339");
        assert_eq!(zoned.to_string(), "2026-11-23T10:00:00.000Z");
    }

    #[test]
    fn an_hour_and_a_day_begin_at_their_full_hours() {
        for (text, hour, day) in [
            ("2026-11-23T10:59:59.999Z", "2026-11-23T10:00:00.000Z", "2026-11-23T00:00:00.000Z"),
            ("2026-11-23T10:00:00.000Z", "2026-11-23T10:00:00.000Z", "2026-11-23T00:00:00.000Z"),
            ("1969-12-31T23:59:00.000Z", "1969-12-31T23:00:00.000Z", "1969-12-31T00:00:00.000Z"),
        ] {
            let time: Timestamp = text.parse().expect("RFC 3339");
            assert_eq!(
                (time.to_the_hour().to_string(), time.to_the_day().to_string()),
                (hour.into(), day.into())
            );
        }
    }

    #[test]
    fn a_response_time_rounds_to_the_nearest_millisecond() {
        let sent: Timestamp = "2026-11-23T10:00:00.123Z".parse().expect("RFC 3339");
        let ended = sent + Duration::from_micros(41_700);
        assert_eq!(ended.to_string(), "2026-11-23T10:00:00.165Z");
        assert_eq!(sent.since(ended), Duration::ZERO);
    }
}
