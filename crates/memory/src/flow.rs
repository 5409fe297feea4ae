//! Flow of subscriptions: the states of holds, and what readers are told.
//!
//! Whoever takes messages of this engine hands them out, so it is for them to let what is held or limited wait.

use std::collections::{BTreeMap, BTreeSet};

use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::flow::{DeliveryOrder, FlowSettings, FlowState, SubscriptionFlow};
use loanhook_core::model::id::{SubscriptionId, TenantId, TraceId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{FlowControl, StoreResult};

use super::step::{Operation, StepKind};
use super::{Memory, State};

impl State {
    /// The flow settings of a subscription as they are now; the limits alone of a deleted one. None where it cannot be read.
    pub fn flow_settings(&self, tenant: &TenantId, id: SubscriptionId) -> Option<FlowSettings> {
        let entry = self.subscriptions.get(&(tenant.clone(), id))?;
        let settings = entry.newest.readable()?.settings.flow;
        let hold_after_failures = settings.hold_after_failures.filter(|_| !entry.is_deleted());
        Some(FlowSettings { hold_after_failures, ..settings })
    }

    /// Records the end of an attempt, where its subscription has an automatic hold or is held.
    pub(super) fn record_flow(&mut self, row: &Attempt) {
        let settings = self.flow_settings(&row.tenant, row.subscription_id);
        let hold_after = settings.and_then(|settings| settings.hold_after_failures);
        let of = (row.tenant.clone(), row.subscription_id);
        let is_held = self.flow_states.get(&of).is_some_and(|state| state.hold.is_some());
        if hold_after.is_some() || is_held {
            self.flow_states.entry(of).or_default().record_end(row, hold_after);
        }
    }

    /// Changes the state of a subscription that is there now, by hand.
    fn change_flow(
        &mut self,
        tenant: &TenantId,
        id: SubscriptionId,
        change: impl FnOnce(&mut FlowState),
    ) -> bool {
        let of = (tenant.clone(), id);
        let is_current = self.subscriptions.get(&of).is_some_and(|entry| !entry.is_deleted());
        if is_current {
            change(self.flow_states.entry(of).or_default());
        }
        is_current
    }

    /// How many automatic attempts of a subscription are under way.
    fn in_flight(&self, tenant: &TenantId, id: SubscriptionId) -> usize {
        let own = self.deliveries.iter().filter(|((of, _), _)| of == tenant).map(|(_, own)| own);
        let of_subscription = own.filter(|delivery| delivery.snapshot.subscription_id == id);
        of_subscription.filter(|delivery| delivery.progress.in_flight().is_some()).count()
    }

    /// How many leave a second, whoever hands out messages knows: here a limit of those holds nothing back.
    fn flow(&self, tenant: &TenantId, id: SubscriptionId, now: Timestamp) -> SubscriptionFlow {
        let state = self.flow_states.get(&(tenant.clone(), id));
        let settings = self.flow_settings(tenant, id).unwrap_or_default();
        SubscriptionFlow {
            hold: state.and_then(|state| state.hold.clone()),
            waits_since: state.and_then(|state| state.waits_since(now)),
            is_limited: settings
                .max_in_flight
                .is_some_and(|most| self.in_flight(tenant, id) >= most as usize),
            is_ordered: settings.order == DeliveryOrder::Loan,
        }
    }
}

impl FlowControl for Memory {
    async fn hold(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        by: &str,
        now: Timestamp,
    ) -> StoreResult<bool> {
        self.once(Operation::ChangeSubscriptions, StepKind::Settings, |state| {
            Ok(state.change_flow(tenant, id, |flow| flow.hold(by, now)))
        })
        .await
    }

    async fn release_hold(&self, tenant: &TenantId, id: SubscriptionId, now: Timestamp) -> StoreResult<bool> {
        self.once(Operation::ChangeSubscriptions, StepKind::Settings, |state| {
            Ok(state.change_flow(tenant, id, |flow| flow.release(now)))
        })
        .await
    }

    async fn flows(
        &self,
        tenant: &TenantId,
        now: Timestamp,
    ) -> StoreResult<BTreeMap<SubscriptionId, SubscriptionFlow>> {
        self.once(Operation::ReadSubscriptions, StepKind::Read, |state| {
            let own = state.subscriptions.keys().filter(|(of, _)| of == tenant);
            let flows = own.map(|(_, id)| (*id, state.flow(tenant, *id, now)));
            Ok(flows.filter(|(_, flow)| *flow != SubscriptionFlow::default()).collect())
        })
        .await
    }

    async fn waiting_for_order(
        &self,
        _: &TenantId,
        deliveries: &[Delivery],
        now: Timestamp,
    ) -> StoreResult<BTreeSet<TraceId>> {
        self.once(Operation::ReadSubscriptions, StepKind::Read, |state| {
            let waiting = deliveries.iter().filter(|delivery| state.waits_for_order(delivery, now));
            Ok(waiting.map(|delivery| delivery.snapshot.trace_id).collect())
        })
        .await
    }

    async fn count_waiting(&self, tenant: &TenantId, id: SubscriptionId, now: Timestamp) -> StoreResult<u64> {
        self.once(Operation::ReadHistory, StepKind::Read, |state| {
            let own = state.deliveries.iter().filter(|((of, _), _)| of == tenant).map(|(_, own)| own);
            let of_subscription = own.filter(|delivery| delivery.snapshot.subscription_id == id);
            let due =
                of_subscription.filter(|delivery| delivery.progress.next_due().is_some_and(|due| due <= now));
            Ok(due.count() as u64)
        })
        .await
    }
}
