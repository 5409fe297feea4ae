//! Throttle of a subscription: how many of its requests may begin now by its flow settings and its hold.
//!
//! There is one for each subscription that has a flow setting, or is held, or was held until just now; all others go by the
//! shares of their receivers alone. `states` holds them behind the scheduler's lock, which also counts what is in flight: so
//! no limit is exceeded at any moment, whichever queue a request is of.
//!
//! A hold and the pace of its end are for automatic attempts; the limits are for resends too.

use std::time::{Duration, Instant};

use super::paced_end::PacedEnd;
use super::token_bucket::TokenBucket;
use loanhook_core::model::flow::{DeliveryOrder, FlowSettings, FlowState, Hold, SubscriptionFlow};
use loanhook_core::model::id::TenantId;
use loanhook_core::model::time::Timestamp;

#[derive(Debug)]
pub(super) struct Throttle {
    pub(super) tenant: TenantId,
    settings: FlowSettings,
    bucket: Option<TokenBucket>,
    hold: Option<Hold>,
    /// When the next probe of an automatic hold may begin. While one is under way, when it could be as soon as it fails.
    next_probe: Timestamp,
    paced_end: Option<PacedEnd>,
}

/// Whether what was sent before a throttle was made is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SentBefore {
    Nothing,
    Unknown,
}

/// What may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Allowance {
    /// So many requests, at least one.
    Requests(usize),
    /// None before then.
    NotBefore(Timestamp),
    /// None until another ends, or the hold does.
    None,
}

/// The requests of a subscription that are in flight.
#[derive(Debug, Clone, Copy)]
pub(super) struct InFlight {
    pub(super) automatic: usize,
    /// With resends.
    pub(super) all: usize,
}

/// The moment by both clocks: due times go by the one, rates by the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    pub(super) time: Timestamp,
    pub(super) instant: Instant,
}

impl Throttle {
    pub(super) fn new(tenant: TenantId) -> Self {
        Self {
            tenant,
            settings: FlowSettings::default(),
            bucket: None,
            hold: None,
            next_probe: Timestamp::from_millis(0),
            paced_end: None,
        }
    }

    pub(super) fn set_settings(&mut self, settings: FlowSettings, sent: SentBefore, now: Instant) {
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
    pub(super) fn resume_state(&mut self, state: &FlowState, now: Timestamp) {
        self.set_hold(state.hold.clone());
        self.paced_end = match &self.hold {
            Some(_) => None,
            None => state.ended.and_then(|hold| PacedEnd::resumed(hold, now)),
        };
    }

    /// Takes over a state that was just stored.
    pub(super) fn set_state(&mut self, state: &FlowState) {
        let was_held = self.hold.is_some();
        self.set_hold(state.hold.clone());
        if self.hold.is_some() {
            self.paced_end = None;
        } else if was_held {
            self.paced_end = state.ended.map(PacedEnd::new);
        }
    }

    fn set_hold(&mut self, hold: Option<Hold>) {
        self.hold = hold;
        self.end_probe();
    }

    /// The probe that was under way has ended, or did not leave: the next may begin when the hold says.
    pub(super) fn end_probe(&mut self) {
        if let Some(probe) = self.hold.as_ref().and_then(Hold::probe) {
            self.next_probe = probe.due;
        }
    }

    /// Ends a hold and its paced end for good: the subscription is deleted, and its deliveries go on within its limits.
    pub(super) fn forget_state(&mut self) {
        self.settings.hold_after_failures = None;
        (self.hold, self.paced_end) = (None, None);
    }

    /// How many requests of a queue may begin.
    pub(super) fn allowance(&mut self, automatic: bool, in_flight: InFlight, now: Now) -> Allowance {
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
            match end.available(now.time) {
                None => self.paced_end = None,
                Some(0) => return Allowance::NotBefore(end.next_second()),
                Some(available) => count = count.min(available),
            }
        }
        if let Some(bucket) = &mut self.bucket {
            let available = bucket.available(now.instant);
            if available == 0 {
                // A millisecond more, as this clock counts in whole ones.
                let wait = bucket.time_to_next() + Duration::from_millis(1);
                return Allowance::NotBefore(now.time + wait);
            }
            count = count.min(available);
        }
        Allowance::Requests(count)
    }

    /// So many requests of a queue are to begin, which its allowance has.
    pub(super) fn take(&mut self, automatic: bool, count: usize, now: Timestamp) {
        if let Some(bucket) = &mut self.bucket {
            bucket.take(count);
        }
        if automatic && let Some(end) = &mut self.paced_end {
            end.begin(count);
        }
        if automatic && let Some(probe) = self.hold.as_ref().and_then(Hold::probe) {
            self.next_probe = probe.next(now).due;
        }
    }

    /// So many of them do not begin after all.
    pub(super) fn give_back(&mut self, automatic: bool, count: usize) {
        if let Some(bucket) = &mut self.bucket {
            bucket.give_back(count);
        }
        if automatic {
            self.end_probe();
        }
    }

    /// Nothing waits any more.
    pub(super) fn nothing_waits(&mut self, now: Timestamp) {
        if self.paced_end.as_ref().is_some_and(|end| end.is_past_first_second(now)) {
            self.paced_end = None;
        }
    }

    /// Whether automatic attempts that are due wait for it and not for their receiver.
    pub(super) fn holds_back(&self, has_due: bool) -> bool {
        self.hold.is_some() || has_due && (self.settings.has_limit() || self.paced_end.is_some())
    }

    /// The setting of the automatic hold, where the ends of attempts are to be recorded: it is set, or there is a hold.
    pub(super) fn recorded_by(&self) -> Option<Option<u32>> {
        let setting = self.settings.hold_after_failures;
        (setting.is_some() || self.hold.is_some()).then_some(setting)
    }

    /// Whether deliveries of a loan wait for earlier ones.
    pub(super) fn keeps_order(&self) -> bool {
        self.settings.order == DeliveryOrder::Loan
    }

    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.settings.is_default() && self.hold.is_none() && self.paced_end.is_none()
    }

    /// What readers are told.
    pub(super) fn flow(&self, now: Timestamp) -> SubscriptionFlow {
        let held_since = self.hold.as_ref().map(|hold| hold.since);
        let ending = self.paced_end.as_ref().map(|end| end.hold).filter(|hold| hold.is_paced(now));
        SubscriptionFlow {
            hold: self.hold.clone(),
            waits_since: held_since.or(ending.map(|hold| hold.since)),
            is_limited: self.settings.has_limit(),
            is_ordered: self.keeps_order(),
        }
    }

    /// Follows a clock that was set.
    pub(super) fn shift(&mut self, millis: i64) {
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
