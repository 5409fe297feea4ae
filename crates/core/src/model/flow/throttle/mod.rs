//! Throttle of a subscription: how many of its requests may begin now by its flow settings and its hold.
//!
//! Whoever hands out the messages of a subscription keeps one, where it has a flow setting, or is held, or was held until just
//! now: the scheduler of the SQLite engine, and the dispatcher of the simulator. The keeper counts what is in flight, asks
//! before it hands out, and reserves in the same step: so no limit is exceeded at any moment, whichever queue a request is of. With
//! what it hands out it keeps the [`Reservation`], until that leaves or does not.
//!
//! A hold and the pace of its end are for automatic attempts; the limits are for resends too.

mod allowance;
mod paced_end;
mod readers;
mod reservation;
mod token_bucket;

use std::time::Instant;

pub use allowance::{Allowance, InFlight, Now};
pub use reservation::Reservation;

use self::paced_end::PacedEnd;
use self::token_bucket::TokenBucket;
use super::{EndedHold, FlowSettings, FlowState, Hold};
use crate::model::id::TenantId;
use crate::model::time::Timestamp;

/// What is known of one subscription. Times of day are in [`Now::time`] and due times, spans are measured in [`Now::instant`].
#[derive(Debug)]
pub struct Throttle {
    pub tenant: TenantId,
    settings: FlowSettings,
    bucket: Option<TokenBucket>,
    hold: Option<Hold>,
    /// When the next probe of an automatic hold may begin. While one is under way, when it could be as soon as it fails.
    next_probe: Timestamp,
    paced_end: Option<PacedEnd>,
    /// How many changes of it are written and not committed yet: nothing begins meanwhile.
    pub uncommitted: usize,
}

/// Whether what was sent before a throttle was made is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SentBefore {
    Nothing,
    Unknown,
}

impl Throttle {
    /// One without limits and without a hold.
    pub fn new(tenant: TenantId) -> Self {
        Self {
            tenant,
            settings: FlowSettings::default(),
            bucket: None,
            hold: None,
            next_probe: Timestamp::from_millis(0),
            paced_end: None,
            uncommitted: 0,
        }
    }

    /// Takes over settings that were just stored. `sent` counts where there was no rate before.
    pub fn set_settings(&mut self, settings: FlowSettings, sent: SentBefore, now: Instant) {
        self.settings = settings;
        let bucket = self.bucket.take();
        self.bucket = settings.max_per_second.map(|rate| match (bucket, sent) {
            (Some(mut bucket), _) => {
                bucket.set_rate(rate, now);
                bucket
            }
            (None, SentBefore::Nothing) => TokenBucket::full(rate, now),
            (None, SentBefore::Unknown) => TokenBucket::empty(rate, now),
        });
    }

    /// Takes over a state that was stored before this process started.
    pub fn resume_state(&mut self, state: &FlowState, now: Now) {
        self.set_hold(state.hold.clone());
        self.paced_end = match &self.hold {
            Some(_) => None,
            None => state.ended.and_then(|hold| PacedEnd::resumed(hold, now)),
        };
    }

    /// Takes over a state that was just stored.
    pub fn set_state(&mut self, state: &FlowState, now: Instant) {
        let was_held = self.hold.is_some();
        self.set_hold(state.hold.clone());
        if self.hold.is_some() {
            self.paced_end = None;
        } else if was_held {
            self.paced_end = state.ended.map(|hold| PacedEnd::new(hold, now));
        }
    }

    fn set_hold(&mut self, hold: Option<Hold>) {
        self.hold = hold;
        self.end_probe();
    }

    /// The probe that was under way has ended, or did not leave: the next may begin when the hold says. Whether that is
    /// another time than before.
    pub fn end_probe(&mut self) -> bool {
        let Some(probe) = self.hold.as_ref().and_then(Hold::probe) else { return false };
        std::mem::replace(&mut self.next_probe, probe.due) != probe.due
    }

    /// Ends a hold for good: the subscription is deleted, and its deliveries go on within its limits. What waited leaves
    /// slowly at first, as after any hold.
    pub fn forget_state(&mut self, now: Now) {
        self.settings.hold_after_failures = None;
        if let Some(hold) = self.hold.take() {
            self.paced_end = Some(PacedEnd::new(EndedHold { since: hold.since, at: now.time }, now.instant));
        }
    }

    /// Ends the paced end: nothing waits.
    pub fn end_pace(&mut self) {
        self.paced_end = None;
    }

    /// How many requests of a queue may begin.
    pub fn allowance(&mut self, automatic: bool, in_flight: InFlight, now: Now) -> Allowance {
        if self.uncommitted > 0 {
            return Allowance::None;
        }
        let mut count = usize::MAX;
        if let Some(most) = self.settings.max_in_flight {
            count = (most as usize).saturating_sub(in_flight.all);
            if count == 0 {
                return Allowance::None;
            }
        }
        if automatic && let Some(hold) = &self.hold {
            if hold.probe().is_none() || in_flight.automatic > 0 {
                return Allowance::None;
            }
            if now.time < self.next_probe {
                return Allowance::NotBefore(self.next_probe);
            }
            count = 1;
        }
        if automatic && let Some(end) = &mut self.paced_end {
            match end.available(now.instant) {
                None => self.paced_end = None,
                Some(0) => return now.not_before(end.time_to_next_second(now.instant)),
                Some(available) => count = count.min(available),
            }
        }
        if let Some(bucket) = &mut self.bucket {
            let available = bucket.available(now.instant);
            if available == 0 {
                return now.not_before(bucket.time_to_next());
            }
            count = count.min(available);
        }
        Allowance::Requests(count)
    }

    /// Reserves so many requests of a queue, which its allowance has.
    pub fn reserve(&mut self, automatic: bool, count: usize, now: Timestamp) -> Reservation {
        let bucket = self.bucket.as_mut().map(|bucket| {
            bucket.reserve(count);
            bucket.made_at()
        });
        let paced_end = self.paced_end.as_mut().filter(|_| automatic);
        let paced_second = paced_end.map(|end| end.reserve(count));
        if automatic && let Some(probe) = self.hold.as_ref().and_then(Hold::probe) {
            self.next_probe = probe.next(now).due;
        }
        Reservation { bucket, paced_second }
    }

    /// One that was reserved leaves.
    pub fn record_sent(&mut self, reservation: Reservation, now: Instant) {
        if let Some(bucket) = self.bucket_of(reservation) {
            bucket.record_sent(now);
        }
    }

    /// The bucket that a reservation took its tokens from, if that is the one that is there now.
    fn bucket_of(&mut self, reservation: Reservation) -> Option<&mut TokenBucket> {
        self.bucket.as_mut().filter(|bucket| reservation.bucket == Some(bucket.made_at()))
    }

    /// A resend that was said to leave did not.
    pub fn take_back_sent(&mut self, now: Instant) {
        if let Some(bucket) = &mut self.bucket {
            bucket.take_back_sent(now);
        }
    }

    /// So many of a reservation do not begin after all. Whether others may begin in their place.
    pub fn give_back(&mut self, automatic: bool, reservation: Reservation, count: usize) -> bool {
        let mut more = false;
        if let Some(bucket) = self.bucket_of(reservation) {
            bucket.give_back(count);
            more = true;
        }
        if let Some((end, second)) = self.paced_end.as_mut().zip(reservation.paced_second) {
            more |= end.give_back(second, count);
        }
        if automatic {
            more |= self.end_probe();
        }
        more
    }

    /// Nothing waits any more.
    pub fn nothing_waits(&mut self, now: Instant) {
        if self.paced_end.as_ref().is_some_and(|end| end.is_past_first_second(now)) {
            self.paced_end = None;
        }
    }

    /// Follows a clock that was set.
    pub fn shift(&mut self, millis: i64) {
        self.next_probe = self.next_probe.plus_millis(millis);
        if let Some(hold) = &mut self.hold {
            *hold = hold.shifted(millis);
        }
        if let Some(end) = &mut self.paced_end {
            end.hold = end.hold.shifted(millis);
        }
    }
}

#[cfg(test)]
#[path = "throttle_tests.rs"]
mod tests;
