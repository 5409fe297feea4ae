//! Flow of subscriptions as readers are told of it: holds, and limits that hold something back now.

use std::collections::BTreeMap;
use std::time::Instant;

use uuid::Uuid;

use super::id::QueueId;
use super::scheduler::QueueScheduler;
use super::states::{QueueStates, Stage};
use loanhook_core::model::flow::SubscriptionFlow;
use loanhook_core::model::flow::throttle::{InFlight, Now, Throttle};
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::time::Timestamp;

impl QueueStates {
    /// The flow of a subscription; none where there is nothing to tell.
    pub(super) fn flow(&self, subscription: SubscriptionId, now: Timestamp) -> Option<SubscriptionFlow> {
        let throttle = self.throttles.get(&subscription)?;
        throttle.flow(self.is_at_limit(throttle, subscription), now)
    }

    /// Whether a limit of a subscription holds back what is due. Between the moment at which there is a token again and the one at
    /// which the queue is looked at, it still waits for its rate.
    fn is_at_limit(&self, throttle: &Throttle, subscription: SubscriptionId) -> bool {
        let automatic = QueueId { tenant: throttle.tenant.clone(), subscription, automatic: true };
        let in_flight =
            InFlight { automatic: self.in_flight(&automatic), all: self.shares.in_flight(&automatic) };
        let waits_for_time = |queue: &QueueId| {
            self.queues.get(queue).is_some_and(|queue| matches!(queue.stage, Stage::Throttled(_)))
        };
        throttle.is_at_limit(in_flight, Now { time: Timestamp::now(), instant: Instant::now() })
            || throttle.has_rate() && waits_for_time(&automatic)
    }
}

impl QueueScheduler {
    /// The flow of the subscriptions of a tenant that have any.
    pub(crate) fn flows(
        &self,
        tenant: &TenantId,
        now: Timestamp,
    ) -> BTreeMap<SubscriptionId, SubscriptionFlow> {
        let state = self.state();
        let first = (tenant.clone(), SubscriptionId::from_uuid(Uuid::nil()));
        let own = state.throttled.range(first..).take_while(|(of, _)| of == tenant);
        own.filter_map(|(_, id)| Some((*id, state.flow(*id, now)?))).collect()
    }

    /// The flow of a subscription, if it has any.
    pub(crate) fn flow(
        &self,
        (tenant, id): (&TenantId, SubscriptionId),
        now: Timestamp,
    ) -> Option<SubscriptionFlow> {
        let state = self.state();
        state.throttles.get(&id).filter(|throttle| throttle.tenant == *tenant)?;
        state.flow(id, now)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::fair_shares::PermitCounts;
    use super::super::{NextQueue, WirePermits};
    use super::*;
    use loanhook_core::model::flow::FlowSettings;
    use loanhook_core::model::flow::throttle::SentBefore;

    fn is_limited(scheduler: &QueueScheduler, of: &QueueId) -> bool {
        let flow = scheduler.flow((&of.tenant, of.subscription), Timestamp::now());
        flow.is_some_and(|flow| flow.is_limited)
    }

    #[test]
    fn what_is_due_waits_for_a_limit_only_while_that_is_reached() {
        let in_flight = FlowSettings { max_in_flight: Some(2), ..FlowSettings::default() };
        let a_second = FlowSettings { max_per_second: Some(0.1), ..FlowSettings::default() };
        for (settings, at_once) in [(in_flight, 2), (a_second, 1)] {
            let scheduler = Arc::new(QueueScheduler::default());
            let tenant = TenantId::try_from("acme".to_owned()).expect("a tenant");
            let subscription = SubscriptionId::from_uuid(Uuid::from_u128(1));
            let id = QueueId { tenant, subscription, automatic: true };
            scheduler.set_flow_settings((&id.tenant, subscription), settings, SentBefore::Nothing);
            scheduler.schedule(id.clone(), Timestamp::now());
            assert!(!is_limited(&scheduler, &id), "{settings:?}: it waits for a sender");
            let free = || PermitCounts { total: 256, free: 256 };
            let NextQueue::Ready(found, reserved) = scheduler.next_queue(16, free, Timestamp::now()) else {
                panic!("it is due")
            };
            assert_eq!((&found, reserved.count), (&id, at_once));
            let permits = WirePermits::reserved(&scheduler, found, reserved);
            assert!(is_limited(&scheduler, &id), "{settings:?}: nothing more may begin");
            drop(permits);
            assert!(!is_limited(&scheduler, &id), "{settings:?}: nothing of it left");
        }
    }
}
