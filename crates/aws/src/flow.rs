//! Flow of subscriptions: this engine keeps none yet, so no subscription has a limit or a hold
//! ([`keeps_flow`](loanhook_core::ports::Subscriptions::keeps_flow)). Nothing is called.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::Aws;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::flow::SubscriptionFlow;
use loanhook_core::model::id::{SubscriptionId, TenantId, TraceId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{FlowControl, StoreResult};

impl FlowControl for Aws {
    async fn hold(&self, _: &TenantId, _: SubscriptionId, _: &str, _: Timestamp) -> StoreResult<bool> {
        Ok(false)
    }

    async fn release_hold(&self, _: &TenantId, _: SubscriptionId, _: Timestamp) -> StoreResult<bool> {
        Ok(false)
    }

    async fn flows(
        &self,
        _: &TenantId,
        _: Timestamp,
    ) -> StoreResult<BTreeMap<SubscriptionId, SubscriptionFlow>> {
        Ok(BTreeMap::new())
    }

    async fn waiting_for_order(
        &self,
        _: &TenantId,
        _: &[Delivery],
        _: Timestamp,
    ) -> StoreResult<BTreeSet<TraceId>> {
        Ok(BTreeSet::new())
    }

    async fn count_waiting(&self, _: &TenantId, _: SubscriptionId, _: Timestamp) -> StoreResult<u64> {
        Ok(0)
    }
}
