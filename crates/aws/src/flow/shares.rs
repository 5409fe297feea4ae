//! Shares of the limits of a subscription: they are divided between several items, so that none of them is written too often, and
//! so that together they never allow more.
//!
//! The rate of a share is kept by the *theoretical arrival time* of the next request (GCRA, ITU-T I.371): each request that is let
//! through moves it on by the interval of the rate, and one is let through while it is at most a second's worth ahead.

use loanhook_core::model::flow::FlowSettings;
use loanhook_core::model::time::Timestamp;

/// So many requests under way are counted by one item: below 1 KiB, it is one write unit.
const IN_FLIGHT_PER_SHARE: u32 = 16;
/// So many requests a second: a tenth of what DynamoDB takes of one item.
const PER_SECOND_PER_SHARE: f64 = 100.0;
const MICROS_PER_SECOND: f64 = 1_000_000.0;

/// One of the shares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Share {
    pub(super) index: u32,
    /// How many requests it lets be under way.
    pub(super) in_flight: Option<u32>,
    pub(super) rate: Option<Rate>,
}

/// The rate of a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rate {
    /// Microseconds from one request to the next.
    pub(super) interval: i64,
    /// How far ahead of now the theoretical arrival time may be when a request is let through, in microseconds.
    pub(super) tolerance: i64,
}

impl Rate {
    fn of(per_second: f64) -> Self {
        // Both are rounded so that they allow no more than they should.
        let interval = to_micros((MICROS_PER_SECOND / per_second).ceil());
        let burst = to_micros(per_second.floor().max(1.0));
        Self { interval, tolerance: interval * (burst - 1) }
    }

    /// How many requests may begin at once, where the theoretical arrival time is this.
    pub(super) fn tokens(self, time: Option<i64>, now: Timestamp) -> u32 {
        let ahead = time.map_or(0, |time| (time - micros(now)).max(0));
        let tokens = if ahead > self.tolerance { 0 } else { (self.tolerance - ahead) / self.interval + 1 };
        u32::try_from(tokens).unwrap_or(u32::MAX)
    }
}

pub(super) fn micros(time: Timestamp) -> i64 {
    time.millis().saturating_mul(1000)
}

fn to_micros(value: f64) -> i64 {
    value as i64
}

/// How many shares the limits have. With a share of less than one request, or of less than one a second, they would allow more.
pub(super) fn count(settings: &FlowSettings) -> u32 {
    let by_in_flight = settings.max_in_flight.map_or(1, |most| most.div_ceil(IN_FLIGHT_PER_SHARE));
    let by_rate = settings.max_per_second.map_or(1, |rate| to_count((rate / PER_SECOND_PER_SHARE).ceil()));
    let most = settings.max_in_flight.unwrap_or(u32::MAX);
    let most = most.min(settings.max_per_second.map_or(u32::MAX, |rate| to_count(rate.floor())));
    by_in_flight.max(by_rate).min(most).max(1)
}

fn to_count(value: f64) -> u32 {
    value as u32
}

/// The share of this index, of so many.
pub(super) fn share(settings: &FlowSettings, index: u32, count: u32) -> Share {
    let in_flight = settings.max_in_flight.map(|most| most / count + u32::from(index < most % count));
    let rate = settings.max_per_second.map(|rate| Rate::of(rate / f64::from(count)));
    Share { index, in_flight, rate }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(max_in_flight: Option<u32>, max_per_second: Option<f64>) -> FlowSettings {
        FlowSettings { max_in_flight, max_per_second, ..FlowSettings::default() }
    }

    #[test]
    fn shares_allow_together_what_the_limits_say_and_no_more() {
        for (in_flight, per_second, shares) in [
            (Some(1), None, 1),
            (Some(16), None, 1),
            (Some(17), None, 2),
            (Some(1000), None, 63),
            (None, Some(0.1), 1),
            (None, Some(100.0), 1),
            (None, Some(100.5), 2),
            (None, Some(10_000.0), 100),
            (Some(1000), Some(0.1), 1),
            (Some(1000), Some(5.5), 5),
            (Some(3), Some(10_000.0), 3),
            (Some(1000), Some(10_000.0), 100),
        ] {
            let settings = limits(in_flight, per_second);
            assert_eq!(count(&settings), shares, "{settings:?}");
            let all: Vec<_> = (0..shares).map(|index| share(&settings, index, shares)).collect();
            if let Some(most) = in_flight {
                assert_eq!(all.iter().filter_map(|share| share.in_flight).sum::<u32>(), most);
                assert!(all.iter().all(|share| share.in_flight > Some(0)));
            }
            if let Some(rate) = per_second {
                let rates = all.iter().filter_map(|share| share.rate);
                let burst: i64 = rates.clone().map(|rate| rate.tolerance / rate.interval + 1).sum();
                assert!(burst <= to_micros(rate.floor().max(1.0)), "{burst} at once");
                let per_second: f64 = rates.map(|rate| MICROS_PER_SECOND / rate.interval as f64).sum();
                assert!(per_second <= rate, "{per_second} a second");
            }
        }
    }

    #[test]
    fn what_a_rate_lets_through_at_once_by_how_far_its_time_is_ahead() {
        let now = Timestamp::from_millis(1_795_428_000_000);
        let rate = Rate::of(5.0);
        for (ahead_millis, tokens) in
            [(-1000, 5), (0, 5), (1, 4), (200, 4), (201, 3), (800, 1), (801, 0), (5000, 0)]
        {
            let time = micros(now) + ahead_millis * 1000;
            assert_eq!(rate.tokens(Some(time), now), tokens, "{ahead_millis} ms");
        }
        assert_eq!(rate.tokens(None, now), 5);
        let slow = Rate::of(0.1);
        assert_eq!((slow.interval, slow.tolerance, slow.tokens(None, now)), (10_000_000, 0, 1));
    }
}
