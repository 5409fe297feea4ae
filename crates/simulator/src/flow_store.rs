//! Port of the flow of subscriptions, delegated to the engine.

use std::collections::{BTreeMap, BTreeSet};

use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::flow::SubscriptionFlow;
use loanhook_core::model::id::{SubscriptionId, TenantId, TraceId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{FlowControl, StoreResult};

use crate::store::Store;

impl FlowControl for Store {
    async fn hold(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        by: &str,
        now: Timestamp,
    ) -> StoreResult<bool> {
        self.memory().hold(tenant, id, by, now).await
    }

    async fn release_hold(&self, tenant: &TenantId, id: SubscriptionId, now: Timestamp) -> StoreResult<bool> {
        self.memory().release_hold(tenant, id, now).await
    }

    async fn flows(
        &self,
        tenant: &TenantId,
        now: Timestamp,
    ) -> StoreResult<BTreeMap<SubscriptionId, SubscriptionFlow>> {
        self.memory().flows(tenant, now).await
    }

    async fn waiting_for_order(
        &self,
        tenant: &TenantId,
        deliveries: &[Delivery],
        now: Timestamp,
    ) -> StoreResult<BTreeSet<TraceId>> {
        self.memory().waiting_for_order(tenant, deliveries, now).await
    }

    async fn count_waiting(&self, tenant: &TenantId, id: SubscriptionId, now: Timestamp) -> StoreResult<u64> {
        self.memory().count_waiting(tenant, id, now).await
    }
}
