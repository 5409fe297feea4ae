//! The newest version of a subscription, even of a deleted one: it gives the credentials, and says what limits and holds there are.

use std::sync::Arc;

use super::stored_subscription::StoredSubscription;
use crate::engine::Aws;
use crate::flow::KnownFlow;
use crate::items::call_errors::store_error;
use crate::items::item::Item;
use loanhook_core::model::flow::FlowSettings;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::subscription::Subscription;
use loanhook_core::ports::StoreResult;

impl Aws {
    /// What the item of a newest version says, kept for the attempts that follow.
    pub(crate) async fn keep_newest(&self, newest: &Item) -> StoreResult<Arc<Subscription>> {
        let subscription = self.open(newest).await?;
        self.cache().put_newest(&subscription);
        let flow = KnownFlow::of(newest, subscription.settings.flow);
        self.cache().put_flow(&subscription.tenant, subscription.id, flow);
        Ok(subscription)
    }

    /// The flow settings of a subscription as they are now, or as they were when it was deleted; the default where none is left.
    pub(crate) async fn newest_flow(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
    ) -> StoreResult<FlowSettings> {
        let newest = self.newest_version_item(tenant, id).await?;
        let newest = newest.as_ref().map(StoredSubscription::read).transpose()?;
        Ok(newest.map_or_else(FlowSettings::default, |newest| newest.flow()))
    }

    /// The item of the newest version of a subscription, even of a deleted one.
    pub(crate) async fn newest_version_item(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
    ) -> StoreResult<Option<Item>> {
        let query = self.versions(tenant, id).limit(1);
        Ok(query.send().await.map_err(store_error)?.items.unwrap_or_default().pop())
    }
}
