//! Uncommitted flow: a change of the limits or the hold of a subscription that is written and not committed yet.
//!
//! Operations of one commit run one after the other, and the throttle follows a change after the commit. So until then
//! nothing of the subscription begins, else a later operation of the same commit would claim what the change forbids, and it
//! would leave after the change was answered.

use std::sync::Arc;

use super::scheduler::QueueScheduler;
use loanhook_core::model::flow::throttle::Throttle;
use loanhook_core::model::id::{SubscriptionId, TenantId};

/// One change; it ends when this is dropped, after its commit or without one.
pub(crate) struct UncommittedFlow {
    scheduler: Arc<QueueScheduler>,
    tenant: TenantId,
    subscription: SubscriptionId,
}

impl UncommittedFlow {
    pub(crate) fn begin(
        scheduler: &Arc<QueueScheduler>,
        (tenant, subscription): (&TenantId, SubscriptionId),
    ) -> Self {
        let change = Self { scheduler: Arc::clone(scheduler), tenant: tenant.clone(), subscription };
        let mut state = scheduler.state();
        state.change_throttle((tenant, subscription), |throttle| throttle.uncommitted += 1);
        drop(state);
        change
    }
}

impl Drop for UncommittedFlow {
    fn drop(&mut self) {
        let mut state = self.scheduler.state();
        let end = |throttle: &mut Throttle| throttle.uncommitted -= 1;
        state.change_throttle((&self.tenant, self.subscription), end);
        self.scheduler.unlock_and_notify(state);
    }
}
