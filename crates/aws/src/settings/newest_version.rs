//! The newest version of a subscription, even of a deleted one: it has the signing secrets, and says what limits and holds there are.

use super::subscriptions::read;
use crate::engine::Aws;
use crate::flow::KnownFlow;
use crate::items::call_errors::store_error;
use crate::items::item::{Item, text};
use crate::items::key_schema::{self, SK};
use loanhook_core::model::flow::FlowSettings;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::subscription::Subscription;
use loanhook_core::ports::StoreResult;

impl Aws {
    /// What the item of a newest version says, kept for the attempts that follow.
    pub(crate) fn keep_newest(&self, newest: &Item) -> StoreResult<Subscription> {
        let subscription = read(newest)?;
        let Subscription { tenant, id, version, secrets, .. } = &subscription;
        self.cache().put_secrets(tenant, *id, *version, secrets.clone());
        self.cache().put_flow(tenant, *id, KnownFlow::of(newest, &subscription));
        Ok(subscription)
    }

    /// The flow settings of a subscription as they are now, or as they were when it was deleted; the default where none is left.
    pub(crate) async fn newest_flow(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
    ) -> StoreResult<FlowSettings> {
        let newest = self.newest_version(tenant, id).await?;
        Ok(newest
            .as_ref()
            .map(read)
            .transpose()?
            .map_or_else(FlowSettings::default, |newest| newest.settings.flow))
    }

    /// The item of the newest version of a subscription, even of a deleted one.
    pub(crate) async fn newest_version(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
    ) -> StoreResult<Option<Item>> {
        let query = self
            .query_partition(&key_schema::settings_pk(tenant))
            .scan_index_forward(false)
            .limit(1)
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :prefix)")
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":prefix", text(key_schema::versions_prefix(id)));
        Ok(query.send().await.map_err(store_error)?.items.unwrap_or_default().pop())
    }
}
