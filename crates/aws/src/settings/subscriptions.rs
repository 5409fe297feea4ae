//! Subscriptions: each as it is now, and its versions, of which the newest has its secrets. The list of all is in
//! [`subscription_list`](super::subscription_list).
//!
//! A replaced version is kept as long as an event that matched it may be repeated; the last version of a deleted
//! subscription as long as its deliveries.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use aws_sdk_dynamodb::types::TransactWriteItem;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;

use super::changes::Change;
use super::flow_ids::{FlowChange, FlowIds};
use super::tenant_record::{CountChange, SettingsChange, SettingsOutcome};
use super::tenant_version::TenantVersion;
use crate::engine::Aws;
use crate::items::item::{Item, document, json, number, parse_json, parse_number};
use crate::items::key_schema::{self, DOC, EXPIRES, FLOW_MARK, PK, SECRETS, VERSION};
use crate::items::transaction::{Refusal, TransactionPart as _};
use crate::items::unreadable::readable;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::secret::Secrets;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DeleteOutcome, ReplaceOutcome, StoreError, StoreResult, Subscriptions};

/// How long a replaced version is kept: an event may be repeated with its idempotency key for a day.
const REPLACED_VERSION_RETENTION: Duration = Duration::from_secs(2 * 24 * 3600);
/// How often a subscription may be changed while it is deleted.
const MAX_TRIES: u32 = 8;

impl Subscriptions for Aws {
    fn keeps_flow(&self) -> bool {
        true
    }

    fn keeps_order(&self) -> bool {
        true
    }

    async fn subscriptions(&self, tenant: &TenantId) -> StoreResult<Arc<Vec<Arc<Subscription>>>> {
        let at = match self.cache().version(tenant) {
            Some(at) => at,
            None => self.tenant_version(tenant).await?,
        };
        self.subscription_list(tenant, &at).await
    }

    async fn subscription(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
    ) -> StoreResult<Option<Arc<Subscription>>> {
        let item = self.get(key_schema::current_subscription(tenant, id)).await?;
        Ok(readable(item.as_slice(), |item| read(item).map(Arc::new)).pop())
    }

    async fn subscription_version(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        version: u64,
    ) -> StoreResult<Option<Arc<Subscription>>> {
        let item = self.get(key_schema::subscription_version(tenant, id, version)).await?;
        item.as_ref().map(|item| read(item).map(Arc::new)).transpose()
    }

    async fn secrets(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        version: u64,
    ) -> StoreResult<Option<Secrets>> {
        if let Some(secrets) = self.cache().secrets(tenant, id, version) {
            return Ok(Some(secrets));
        }
        let Some(newest) = self.newest_version(tenant, id).await? else { return Ok(None) };
        let newest = self.keep_newest(&newest)?;
        Ok(Some(newest.secrets))
    }

    async fn create(&self, subscription: Subscription, most: usize) -> StoreResult<bool> {
        let Subscription { tenant, id, version, .. } = &subscription;
        let put_current = self.put_if_absent(current_item(&subscription)?).part()?;
        let writes = vec![put_current, self.put_version(&subscription, false)?];
        let flow = FlowChange::Set(*id, !subscription.settings.flow.is_default());
        let (change, count) = (Change::Put(*id, *version), CountChange::Added { most });
        let change = SettingsChange { tenant, change, count, flow };
        match self.change_tenants(&[change], |_| Ok(writes.clone())).await? {
            SettingsOutcome::Done(at) => self.store_list(tenant, &at).await,
            SettingsOutcome::TooMany => return Ok(false),
            SettingsOutcome::Refused(_) => {
                return Err(StoreError::Failed("there is a subscription with this ID".into()));
            }
        }
        Ok(true)
    }

    async fn replace(&self, next: Subscription) -> StoreResult<ReplaceOutcome> {
        let tenant = &next.tenant;
        let put_current = self
            .put_if(current_item(&next)?, "#version = :before")
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
            let put_version = self.put_version(&next, marked.contains(&next.id))?;
            Ok(vec![put_current.clone(), put_version, expire_previous.clone()])
        };
        let outcome = self.change_tenants(&[change], writes).await?;
        self.cache().forget_subscription(tenant, next.id);
        Ok(match outcome {
            SettingsOutcome::Done(at) => {
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
            // Its deliveries go on, and are signed with the secrets of the last version.
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

fn with_subscription(mut item: Item, subscription: &Subscription) -> StoreResult<Item> {
    let secretless = Subscription { secrets: Secrets::without_expired(), ..subscription.clone() };
    item.insert(VERSION.into(), number(subscription.version));
    item.insert(DOC.into(), json(&secretless)?);
    item.insert(SECRETS.into(), json(&subscription.secrets)?);
    Ok(item)
}

pub(crate) fn read(item: &Item) -> StoreResult<Subscription> {
    let mut subscription: Subscription = document(item)?;
    if item.contains_key(SECRETS) {
        subscription.secrets = parse_json(item, SECRETS)?;
    }
    Ok(subscription)
}

fn current_item(subscription: &Subscription) -> StoreResult<Item> {
    let key = key_schema::current_subscription(&subscription.tenant, subscription.id);
    with_subscription(key.attributes(), subscription)
}

impl Aws {
    /// The put of a version, where it is not there yet, with a flow mark or without.
    fn put_version(&self, subscription: &Subscription, is_marked: bool) -> StoreResult<TransactWriteItem> {
        let Subscription { tenant, id, version, .. } = subscription;
        let key = key_schema::subscription_version(tenant, *id, *version);
        let mut item = with_subscription(key.attributes(), subscription)?;
        if is_marked {
            item.insert(FLOW_MARK.into(), AttributeValue::Bool(true));
        }
        self.put_if_absent(item).part()
    }

    /// Lets the version before this one expire, which only a repeated event still reads, and removes its secrets.
    fn expire_previous(&self, next: &Subscription) -> StoreResult<TransactWriteItem> {
        let expires = Timestamp::now() + REPLACED_VERSION_RETENTION;
        self.expire_version(&next.tenant, next.id, next.version.saturating_sub(1), expires)
            .update_expression("SET #expires = :expires REMOVE #secrets")
            .expression_attribute_names("#secrets", SECRETS)
            .part()
    }

    /// The update that sets when a version expires.
    fn expire_version(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        version: u64,
        expires: Timestamp,
    ) -> UpdateBuilder {
        self.update_part(key_schema::subscription_version(tenant, id, version))
            .update_expression("SET #expires = :expires")
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#expires", EXPIRES)
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(":expires", number(expires.seconds()))
    }
}
