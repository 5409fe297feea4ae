//! Counts of one hour, subscription and event name, and a change of them.

use super::attempt_class::AttemptClass;
use super::histogram::{Histogram, Percentiles};
use crate::model::id::{SubscriptionId, TenantId};
use crate::model::time::Timestamp;

/// Tenths of a millisecond in a millisecond: response times are measured in tenths.
const TENTHS: f64 = 10.0;

/// What is counted together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountGroup {
    pub tenant: TenantId,
    /// Its beginning, in UTC.
    pub hour: Timestamp,
    /// None for what belongs to no subscription: events.
    pub subscription: Option<SubscriptionId>,
    pub event_name: String,
}

/// Counts, or what is added to counts: then a number may be below zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    pub events_accepted: i64,
    /// Of these, events without a delivery.
    pub events_unmatched: i64,
    pub deliveries_accepted: i64,
    /// Deliveries that ended with the success of their first automatic attempt.
    pub succeeded_first: i64,
    /// All others that succeeded; also those whose schedule ran out, and that a resend delivered.
    pub succeeded_later: i64,
    /// Deliveries whose schedule ran out without success.
    pub exhausted: i64,
    pub canceled: i64,
    pub resends: i64,
    /// Attempts that ended, automatic and manual, in the order of [`AttemptClass::ALL`].
    pub attempts: [i64; AttemptClass::ALL.len()],
    /// In tenths of a millisecond, of the attempts whose response time is known.
    pub response_time: Histogram,
    /// From acceptance until the first automatic attempt began, in milliseconds.
    pub first_attempt: Histogram,
}

/// What one change of the history adds to the counts of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountChange {
    pub group: CountGroup,
    pub counts: Counts,
}

impl Counts {
    /// Adds all counts of another.
    pub fn add(&mut self, other: &Self) {
        for (count, other) in self.scalars_mut().into_iter().zip(other.scalars()) {
            *count += other;
        }
        for (count, other) in self.attempts.iter_mut().zip(other.attempts) {
            *count += other;
        }
        self.response_time.add(&other.response_time);
        self.first_attempt.add(&other.first_attempt);
    }

    /// Deliveries that have not ended. Never below zero, also where one that ended was accepted before counting began.
    pub fn pending(&self) -> i64 {
        let ended = self.succeeded_first + self.succeeded_later + self.exhausted + self.canceled;
        (self.deliveries_accepted - ended).max(0)
    }

    pub fn count_attempt(&mut self, class: AttemptClass) {
        for (of, count) in AttemptClass::ALL.into_iter().zip(&mut self.attempts) {
            *count += i64::from(of == class);
        }
    }

    /// How many attempts ended in these classes.
    pub fn attempts_in(&self, is_in: impl Fn(AttemptClass) -> bool) -> i64 {
        let counted = AttemptClass::ALL.into_iter().zip(self.attempts);
        counted.filter(|(class, _)| is_in(*class)).map(|(_, count)| count).sum()
    }

    pub fn record_response_time(&mut self, millis: f64) {
        self.response_time.record((millis.max(0.0) * TENTHS).round() as u64);
    }

    /// Percentiles in milliseconds; none where no response time was measured.
    pub fn response_time_ms(&self) -> Option<Percentiles> {
        let Percentiles { p50, p95, p99 } = self.response_time.percentiles()?;
        Some(Percentiles { p50: p50 / TENTHS, p95: p95 / TENTHS, p99: p99 / TENTHS })
    }

    /// Percentiles in milliseconds; none where no delivery was attempted.
    pub fn first_attempt_ms(&self) -> Option<Percentiles> {
        self.first_attempt.percentiles()
    }

    /// All counts but attempts and histograms, in an order that stored counts rely on.
    pub fn scalars(&self) -> [i64; 8] {
        let Self {
            events_accepted,
            events_unmatched,
            deliveries_accepted,
            succeeded_first,
            succeeded_later,
            exhausted,
            canceled,
            resends,
            attempts: _,
            response_time: _,
            first_attempt: _,
        } = self;
        [
            *events_accepted,
            *events_unmatched,
            *deliveries_accepted,
            *succeeded_first,
            *succeeded_later,
            *exhausted,
            *canceled,
            *resends,
        ]
    }

    /// The same, to be changed.
    pub fn scalars_mut(&mut self) -> [&mut i64; 8] {
        [
            &mut self.events_accepted,
            &mut self.events_unmatched,
            &mut self.deliveries_accepted,
            &mut self.succeeded_first,
            &mut self.succeeded_later,
            &mut self.exhausted,
            &mut self.canceled,
            &mut self.resends,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::failure::ErrorKind;

    #[test]
    fn counts_are_added_one_by_one() {
        let mut one = Counts::default();
        for (count, value) in one.scalars_mut().into_iter().zip(1..) {
            *count = value;
        }
        one.count_attempt(AttemptClass::Status(2));
        one.count_attempt(AttemptClass::Error(ErrorKind::Dns));
        one.record_response_time(41.7);
        one.first_attempt.record(3);
        let mut sum = one.clone();
        sum.add(&one);
        assert_eq!(sum.scalars(), [2, 4, 6, 8, 10, 12, 14, 16]);
        assert_eq!(sum.attempts.iter().sum::<i64>(), 4);
        assert_eq!((sum.attempts_in(|_| true), sum.attempts_in(AttemptClass::is_success)), (4, 2));
        assert_eq!(sum.response_time_ms().map(|times| times.p99), Some(41.65), "the middle of 41.6 and 41.7");
        assert_eq!(sum.first_attempt_ms().map(|times| times.p50), Some(3.0));
    }

    #[test]
    fn pending_is_what_did_not_end_and_never_below_zero() {
        let of = |accepted, exhausted| Counts {
            deliveries_accepted: accepted,
            succeeded_first: 1,
            exhausted,
            ..Counts::default()
        };
        assert_eq!((of(3, 1).pending(), of(0, 1).pending()), (1, 0));
    }
}
