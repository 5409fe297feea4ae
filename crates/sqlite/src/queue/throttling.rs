//! Throttling: the scheduler keeps to the throttle of each subscription that has one.
//!
//! Whatever changes a throttle (a setting, a hold, its end) changes it here after the commit that stores it, and wakes the
//! queues that wait for it.

use std::time::Instant;

use super::id::QueueId;
use super::permits::ReservedPermits;
use super::scheduler::QueueScheduler;
use super::states::{QueueStates, Stage};
use loanhook_core::model::flow::throttle::{Allowance, InFlight, Now, Reservation, SentBefore, Throttle};
use loanhook_core::model::flow::{FlowSettings, FlowState};
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::time::Timestamp;

impl QueueStates {
    /// How many of `count` requests of a queue may begin by the throttle of its subscription.
    pub(super) fn allowance(&mut self, id: &QueueId, count: usize, time: Timestamp) -> Allowance {
        if count == 0 {
            return Allowance::None;
        }
        let in_flight = InFlight { automatic: self.in_flight(id), all: self.shares.in_flight(id) };
        let Some(throttle) = self.throttles.get_mut(&id.subscription) else {
            return Allowance::Requests(count);
        };
        let allowance = throttle.allowance(id.automatic, in_flight, Now { time, instant: Instant::now() });
        self.forget_if_empty(id.subscription);
        match allowance {
            Allowance::Requests(most) => Allowance::Requests(most.min(count)),
            none => none,
        }
    }

    /// Reserves wire permits for so many requests of a queue, which its allowance has.
    pub(super) fn reserve(&mut self, id: &QueueId, count: usize, now: Timestamp) -> ReservedPermits {
        let throttle = self.throttles.get_mut(&id.subscription).filter(|_| count > 0);
        let reservation = throttle.map(|throttle| throttle.reserve(id.automatic, count, now));
        self.update(id, |queue| queue.wire_permits += count);
        ReservedPermits { count, reservation: reservation.unwrap_or_default() }
    }

    /// A request of a queue leaves, for which a wire permit was reserved.
    pub(super) fn record_sent(&mut self, id: &QueueId, reservation: Reservation, now: Instant) {
        if let Some(throttle) = self.throttles.get_mut(&id.subscription) {
            throttle.record_sent(reservation, now);
        }
    }

    /// So many requests of a queue do not leave, for which wire permits were reserved.
    pub(super) fn give_back(&mut self, id: &QueueId, unused: ReservedPermits) {
        let ReservedPermits { count, reservation } = unused;
        let throttle = self.throttles.get_mut(&id.subscription);
        if throttle.is_some_and(|throttle| throttle.give_back(id.automatic, reservation, count)) {
            self.wake(id.subscription);
        }
    }

    /// The probe of a subscription that was under way has ended, or did not leave.
    pub(super) fn end_probe(&mut self, subscription: SubscriptionId) {
        if self.throttles.get_mut(&subscription).is_some_and(Throttle::end_probe) {
            self.wake(subscription);
        }
    }

    /// Looks again at the queues of a subscription that wait for its throttle.
    fn wake(&mut self, subscription: SubscriptionId) {
        let Some(throttle) = self.throttles.get(&subscription) else { return };
        let automatic = QueueId { tenant: throttle.tenant.clone(), subscription, automatic: true };
        for id in [automatic.sibling(), automatic.clone()] {
            match self.queues.get(&id).map(|queue| queue.stage) {
                Some(Stage::AtLimit) => self.make_ready(id),
                Some(Stage::Throttled(until)) => {
                    self.timers.remove(&(until, id.clone()));
                    self.make_ready(id);
                }
                _ => {}
            }
        }
        self.admit_waiting(&automatic);
    }

    /// No automatic attempt of a subscription waits any more.
    pub(super) fn nothing_waits(&mut self, id: &QueueId) {
        if let Some(throttle) = self.throttles.get_mut(&id.subscription) {
            throttle.nothing_waits(Instant::now());
            self.forget_if_empty(id.subscription);
        }
    }

    /// Changes the throttle of a subscription, and forgets it where nothing is in it any more.
    pub(super) fn change_throttle(
        &mut self,
        (tenant, subscription): (&TenantId, SubscriptionId),
        change: impl FnOnce(&mut Throttle),
    ) {
        let throttled = &mut self.throttled;
        change(self.throttles.entry(subscription).or_insert_with(|| {
            throttled.insert((tenant.clone(), subscription));
            Throttle::new(tenant.clone())
        }));
        self.wake(subscription);
        self.forget_if_empty(subscription);
    }

    fn forget_if_empty(&mut self, subscription: SubscriptionId) {
        if self.throttles.get(&subscription).is_some_and(Throttle::is_empty)
            && let Some(throttle) = self.throttles.remove(&subscription)
        {
            self.throttled.remove(&(throttle.tenant, subscription));
        }
    }
}

impl QueueScheduler {
    /// Keeps as many of the reserved wire permits of a queue as its throttle lets begin now, which may have been tightened
    /// since, and gives the others back. Those that are kept are reserved anew.
    pub(crate) fn keep_allowed(&self, id: &QueueId, reserved: ReservedPermits) -> ReservedPermits {
        let ReservedPermits { count, reservation } = reserved;
        let (mut state, now) = (self.state(), Timestamp::now());
        let Some(throttle) = state.throttles.get_mut(&id.subscription) else {
            return reserved;
        };
        throttle.give_back(id.automatic, reservation, count);
        state.update(id, |queue| queue.wire_permits = queue.wire_permits.saturating_sub(count));
        let kept = match state.allowance(id, count, now) {
            Allowance::Requests(kept) => kept,
            Allowance::NotBefore(_) | Allowance::None => 0,
        };
        let kept = state.reserve(id, kept, now);
        if kept.count < count {
            state.wake(id.subscription);
            self.release_locked(state, id, |_| ());
        }
        kept
    }

    /// Takes over the settings of a subscription that were stored.
    pub(crate) fn set_flow_settings(
        &self,
        (tenant, id): (&TenantId, SubscriptionId),
        settings: FlowSettings,
        sent: SentBefore,
    ) {
        let mut state = self.state();
        if settings.is_default() && !state.throttles.contains_key(&id) {
            return;
        }
        let change = |throttle: &mut Throttle| throttle.set_settings(settings, sent, Instant::now());
        state.change_throttle((tenant, id), change);
        self.unlock_and_notify(state);
    }

    /// Takes over the flow state of a subscription that was stored before this process started.
    pub(crate) fn resume_flow_state(&self, of: (&TenantId, SubscriptionId), flow: &FlowState) {
        self.state().change_throttle(of, |throttle| throttle.resume_state(flow, Now::read()));
    }

    /// Takes over the flow state of a subscription that was just stored.
    pub(crate) fn set_flow_state(&self, of: (&TenantId, SubscriptionId), flow: &FlowState) {
        let mut state = self.state();
        state.change_throttle(of, |throttle| throttle.set_state(flow, Instant::now()));
        self.unlock_and_notify(state);
    }

    /// Ends the hold of a subscription that was deleted; its limits stay.
    pub(crate) fn forget_flow_state(&self, (tenant, subscription): (&TenantId, SubscriptionId)) {
        let mut state = self.state();
        if state.throttles.contains_key(&subscription) {
            let automatic = QueueId { tenant: tenant.clone(), subscription, automatic: true };
            let waits = state.queues.get(&automatic).is_some_and(|queue| queue.due.is_some());
            state.change_throttle((tenant, subscription), |throttle| {
                throttle.forget_state(Now::read());
                if !waits {
                    // Perhaps nothing of it is ever asked for again, and its throttle would stay.
                    throttle.end_pace();
                }
            });
            self.unlock_and_notify(state);
        }
    }

    /// An attempt of a subscription has ended or was given back, and its flow state is as it was.
    pub(crate) fn end_probe(&self, subscription: SubscriptionId) {
        let mut state = self.state();
        state.end_probe(subscription);
        self.unlock_and_notify(state);
    }

    /// The handler of a resend found that it is not to be sent: it does not count in the rate.
    pub(crate) fn take_back_sent(&self, subscription: SubscriptionId) {
        let mut state = self.state();
        if let Some(throttle) = state.throttles.get_mut(&subscription) {
            throttle.take_back_sent(Instant::now());
            state.wake(subscription);
            self.unlock_and_notify(state);
        }
    }

    /// What decides the automatic hold of a subscription, where the ends of its attempts are to be recorded.
    pub(crate) fn recorded_by(&self, id: SubscriptionId) -> Option<Option<u32>> {
        self.state().throttles.get(&id).and_then(Throttle::recorded_by)
    }

    /// Whether a subscription keeps an order of its deliveries, as far as is known before the transaction that decides it.
    pub(crate) fn keeps_order(&self, id: SubscriptionId) -> bool {
        self.state().throttles.get(&id).is_some_and(Throttle::keeps_order)
    }
}
