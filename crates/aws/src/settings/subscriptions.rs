//! Subscriptions: each as it is now, and its versions, of which the newest has its secrets. The list of all is in
//! [`subscription_list`](super::subscription_list), how long versions are kept in [`versions`](super::versions).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use aws_sdk_dynamodb::types::TransactWriteItem;

use super::changes::Change;
use super::flow_ids::{FlowChange, FlowIds};
use super::stored_subscription::StoredSubscription;
use super::tenant_record::{CountChange, SettingsChange, SettingsOutcome};
use super::tenant_version::TenantVersion;
use crate::engine::Aws;
use crate::items::item::{Item, number, parse_number};
use crate::items::key_schema::{self, VERSION};
use crate::items::transaction::{Refusal, TransactionPart as _};
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::subscription::{Origin, Subscription};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DeleteOutcome, ReplaceOutcome, StoreError, StoreResult, Subscriptions};

/// How often a subscription may be changed while it is deleted.
const MAX_TRIES: u32 = 8;

impl Subscriptions for Aws {
    async fn subscriptions(&self, tenant: &TenantId) -> StoreResult<Arc<Vec<Arc<Subscription>>>> {
        let at = self.current_version(tenant).await?;
        self.subscription_list(tenant, &at).await
    }

    async fn subscription(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
    ) -> StoreResult<Option<Arc<Subscription>>> {
        let item = self.get(key_schema::current_subscription(tenant, id)).await?;
        let current = self.open_each(item.as_slice()).await?.pop();
        if let Some(current) = &current {
            self.cache().put_newest(current);
        }
        Ok(current)
    }

    async fn subscription_version(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        version: u64,
    ) -> StoreResult<Option<Arc<Subscription>>> {
        let item = self.get(key_schema::subscription_version(tenant, id, version)).await?;
        match item {
            Some(item) => self.open(&item).await.map(Some),
            None => Ok(None),
        }
    }

    async fn subscription_versions(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        before: Option<u64>,
        limit: usize,
    ) -> StoreResult<Vec<Arc<Subscription>>> {
        self.versions_before(tenant, id, before, limit).await
    }

    async fn newest_version(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        version: u64,
    ) -> StoreResult<Option<Arc<Subscription>>> {
        self.read_newest_version(tenant, id, version).await
    }

    async fn newest_version_to(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        origin: &Origin,
    ) -> StoreResult<Option<Arc<Subscription>>> {
        self.find_version_to(tenant, id, origin).await
    }

    async fn create(&self, subscription: Subscription, most: usize) -> StoreResult<bool> {
        let Subscription { tenant, id, version, .. } = &subscription;
        let sealed = StoredSubscription::seal(&subscription, &self.sealing_keyring().await?);
        let put_current = self.put_if_absent(current_item(&subscription, &sealed)?).part()?;
        let writes = vec![put_current, self.put_version(&subscription, &sealed, false)?];
        let flow = FlowChange::Set(*id, !subscription.settings.flow.is_default());
        let (change, count) = (Change::Put(*id, *version), CountChange::Added { most });
        let change = SettingsChange { tenant, change, count, flow };
        match self.change_tenants(&[change], |_| Ok(writes.clone())).await? {
            SettingsOutcome::Done(at) => {
                self.cache().put_newest(&Arc::new(subscription.clone()));
                self.store_list(tenant, &at).await;
            }
            SettingsOutcome::TooMany => return Ok(false),
            SettingsOutcome::Refused(_) => {
                return Err(StoreError::Failed("there is a subscription with this ID".into()));
            }
        }
        Ok(true)
    }

    async fn replace(&self, next: Subscription) -> StoreResult<ReplaceOutcome> {
        let tenant = &next.tenant;
        let sealed = StoredSubscription::seal(&next, &self.sealing_keyring().await?);
        let put_current = self
            .put_if(current_item(&next, &sealed)?, "#version = :before")
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_values(":before", number(next.version.saturating_sub(1)));
        let (put_current, expire_previous) = (put_current.part()?, self.expire_previous(&next)?);
        let flow = FlowChange::Set(next.id, !next.settings.flow.is_default());
        let change = Change::Put(next.id, next.version);
        let change = SettingsChange { tenant, change, count: CountChange::Same, flow };
        let had_flow = AtomicBool::new(false);
        let writes = |before: &TenantVersion| -> StoreResult<Vec<TransactWriteItem>> {
            let FlowIds { set, marked } = &before.flow;
            had_flow.store(set.contains(&next.id), Ordering::Relaxed);
            let put_version = self.put_version(&next, &sealed, marked.contains(&next.id))?;
            Ok(vec![put_current.clone(), put_version, expire_previous.clone()])
        };
        let outcome = self.change_tenants(&[change], writes).await?;
        self.cache().forget_subscription(tenant, next.id);
        Ok(match outcome {
            SettingsOutcome::Done(at) => {
                self.cache().put_newest(&Arc::new(next.clone()));
                self.store_list(tenant, &at).await;
                if had_flow.into_inner() {
                    self.follow_flow_settings(&next).await?;
                }
                ReplaceOutcome::Replaced
            }
            SettingsOutcome::Refused(refusals)
                if matches!(refusals.first(), Some(Refusal::Condition(None))) =>
            {
                ReplaceOutcome::NotFound
            }
            SettingsOutcome::Refused(_) | SettingsOutcome::TooMany => ReplaceOutcome::VersionConflict,
        })
    }

    async fn follow_order(&self, tenant: &TenantId, id: SubscriptionId) -> StoreResult<()> {
        self.follow_order_settings(tenant, id).await
    }

    async fn delete(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        only: Option<u64>,
    ) -> StoreResult<DeleteOutcome> {
        for _ in 0..MAX_TRIES {
            let Some(item) = self.get(key_schema::current_subscription(tenant, id)).await? else {
                return Ok(DeleteOutcome::NotFound);
            };
            let version: u64 = parse_number(&item, VERSION)?;
            if only.is_some_and(|only| only != version) {
                return Ok(DeleteOutcome::VersionConflict);
            }
            let delete = self
                .delete_part(key_schema::current_subscription(tenant, id))
                .condition_expression("#version = :version")
                .expression_attribute_names("#version", VERSION)
                .expression_attribute_values(":version", number(version))
                .return_values_on_condition_check_failure(AllOld);
            // Its deliveries go on, with the credentials of the last version.
            let last = self.expire_version(tenant, id, version, Timestamp::now() + self.stack().retention);
            let (change, writes) = (Change::Deleted(id), vec![delete.part()?, last.part()?]);
            let change =
                SettingsChange { tenant, change, count: CountChange::Removed, flow: FlowChange::Delete(id) };
            let had_flow = AtomicBool::new(false);
            let writes = |before: &TenantVersion| {
                had_flow.store(before.flow.contains(id), Ordering::Relaxed);
                Ok(writes.clone())
            };
            let outcome = self.change_tenants(&[change], writes).await?;
            self.cache().forget_subscription(tenant, id);
            if let SettingsOutcome::Done(at) = outcome {
                self.store_list(tenant, &at).await;
                if had_flow.into_inner() {
                    self.end_flow_of_deleted(tenant, id).await?;
                }
                return Ok(DeleteOutcome::Deleted);
            }
        }
        Err(StoreError::Busy)
    }
}

fn current_item(subscription: &Subscription, sealed: &StoredSubscription) -> StoreResult<Item> {
    let mut item = key_schema::current_subscription(&subscription.tenant, subscription.id).attributes();
    sealed.add_to(&mut item)?;
    Ok(item)
}
