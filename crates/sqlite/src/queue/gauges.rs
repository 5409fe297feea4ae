//! What metrics say of the queues: since when something is due, and which subscriptions have a flow.

use std::collections::BTreeMap;

use super::scheduler::QueueScheduler;
use loanhook_core::model::flow::{SubscriptionFlow, WaitingReason};
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::time::Timestamp;

/// The queues at one moment.
#[derive(Debug, Default)]
pub(crate) struct QueueGauges {
    /// When what has been due for longest was due, by what its subscription waits for: for a hold, for a limit, or for nothing
    /// but a permit.
    pub(crate) oldest_due: BTreeMap<Option<&'static str>, Timestamp>,
    /// The subscriptions that have any.
    pub(crate) flows: Vec<(TenantId, SubscriptionId, SubscriptionFlow)>,
}

impl QueueScheduler {
    /// The queues as they are at `now`. Reads what is in memory: for each queue when its first message is due.
    pub(crate) fn gauges(&self, now: Timestamp) -> QueueGauges {
        let state = self.state();
        let mut gauges = QueueGauges::default();
        for (id, queue) in &state.queues {
            let Some(due) = queue.due.filter(|due| *due <= now) else { continue };
            // A resend goes through a hold, not through a limit.
            let flow = state.flow(id.subscription, now);
            let reason = flow.and_then(|flow| match flow.waits_since {
                Some(_) if id.automatic => Some(WaitingReason::Hold),
                _ => flow.is_limited.then_some(WaitingReason::Limit),
            });
            let oldest = gauges.oldest_due.entry(reason.map(WaitingReason::as_str)).or_insert(due);
            *oldest = due.min(*oldest);
        }
        for (id, throttle) in &state.throttles {
            gauges.flows.extend(state.flow(*id, now).map(|flow| (throttle.tenant.clone(), *id, flow)));
        }
        gauges
    }
}
