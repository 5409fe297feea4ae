//! Throttling: the scheduler keeps to the throttle of each subscription that has one.
//!
//! Whatever changes a throttle (a setting, a hold, its end) changes it here after the commit that stores it, and wakes the
//! queues that wait for it.

use std::collections::BTreeMap;
use std::time::Instant;

use super::id::QueueId;
use super::scheduler::QueueScheduler;
use super::states::{QueueStates, Stage};
use super::throttle::{Allowance, InFlight, Now, SentBefore, Throttle};
use loanhook_core::model::flow::{FlowSettings, FlowState, SubscriptionFlow};
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
        if throttle.is_empty() {
            self.throttles.remove(&id.subscription);
        }
        match allowance {
            Allowance::Requests(most) => Allowance::Requests(most.min(count)),
            none => none,
        }
    }

    /// Reserves wire permits for so many requests of a queue, which its allowance has.
    pub(super) fn reserve(&mut self, id: &QueueId, count: usize, now: Timestamp) {
        if let Some(throttle) = self.throttles.get_mut(&id.subscription).filter(|_| count > 0) {
            throttle.take(id.automatic, count, now);
        }
        self.update(id, |queue| queue.wire_permits += count);
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
    pub(super) fn nothing_waits(&mut self, id: &QueueId, now: Timestamp) {
        if let Some(throttle) = self.throttles.get_mut(&id.subscription) {
            throttle.nothing_waits(now);
            if throttle.is_empty() {
                self.throttles.remove(&id.subscription);
            }
        }
    }

    /// Changes the throttle of a subscription, and forgets it where nothing is in it any more.
    fn change_throttle(
        &mut self,
        (tenant, subscription): (&TenantId, SubscriptionId),
        change: impl FnOnce(&mut Throttle),
    ) {
        change(self.throttles.entry(subscription).or_insert_with(|| Throttle::new(tenant.clone())));
        self.wake(subscription);
        if self.throttles.get(&subscription).is_some_and(Throttle::is_empty) {
            self.throttles.remove(&subscription);
        }
    }
}

impl QueueScheduler {
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
        self.state().change_throttle(of, |throttle| throttle.resume_state(flow, Timestamp::now()));
    }

    /// Takes over the flow state of a subscription that was just stored.
    pub(crate) fn set_flow_state(&self, of: (&TenantId, SubscriptionId), flow: &FlowState) {
        let mut state = self.state();
        state.change_throttle(of, |throttle| throttle.set_state(flow));
        self.unlock_and_notify(state);
    }

    /// Ends the hold of a subscription that was deleted; its limits stay.
    pub(crate) fn forget_flow_state(&self, of: (&TenantId, SubscriptionId)) {
        let mut state = self.state();
        if state.throttles.contains_key(&of.1) {
            state.change_throttle(of, Throttle::forget_state);
            self.unlock_and_notify(state);
        }
    }

    /// An attempt of a subscription has ended or was given back, and its flow state is as it was.
    pub(crate) fn end_probe(&self, of: (&TenantId, SubscriptionId)) {
        let mut state = self.state();
        if state.throttles.contains_key(&of.1) {
            state.change_throttle(of, Throttle::end_probe);
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

    /// The flow of the subscriptions of a tenant that have any.
    pub(crate) fn flows(
        &self,
        tenant: &TenantId,
        now: Timestamp,
    ) -> BTreeMap<SubscriptionId, SubscriptionFlow> {
        let state = self.state();
        let own = state.throttles.iter().filter(|(_, throttle)| throttle.tenant == *tenant);
        let flows = own.map(|(id, throttle)| (*id, throttle.flow(now)));
        flows.filter(|(_, flow)| *flow != SubscriptionFlow::default()).collect()
    }
}
