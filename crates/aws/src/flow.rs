//! Flow of subscriptions: this engine keeps the order of a loan ([`order`](crate::order)), and no limit or hold yet.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::Aws;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::flow::{DeliveryOrder, SubscriptionFlow};
use loanhook_core::model::id::{SubscriptionId, TenantId, TraceId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{FlowControl, StoreResult, Subscriptions as _};

impl FlowControl for Aws {
    async fn hold(&self, _: &TenantId, _: SubscriptionId, _: &str, _: Timestamp) -> StoreResult<bool> {
        Ok(false)
    }

    async fn release_hold(&self, _: &TenantId, _: SubscriptionId, _: Timestamp) -> StoreResult<bool> {
        Ok(false)
    }

    async fn flows(
        &self,
        tenant: &TenantId,
        _: Timestamp,
    ) -> StoreResult<BTreeMap<SubscriptionId, SubscriptionFlow>> {
        let subscriptions = self.subscriptions(tenant).await?;
        let ordered = subscriptions
            .iter()
            .filter(|subscription| subscription.settings.flow.order == DeliveryOrder::Loan);
        let flow = SubscriptionFlow { is_ordered: true, ..SubscriptionFlow::default() };
        Ok(ordered.map(|subscription| (subscription.id, flow.clone())).collect())
    }

    async fn waiting_for_order(
        &self,
        tenant: &TenantId,
        deliveries: &[Delivery],
        now: Timestamp,
    ) -> StoreResult<BTreeSet<TraceId>> {
        self.behind_others(tenant, deliveries, now).await
    }

    async fn count_waiting(&self, _: &TenantId, _: SubscriptionId, _: Timestamp) -> StoreResult<u64> {
        Ok(0)
    }
}
