//! Subscriptions: each as it is now, and its versions, of which the newest has its secrets.
//!
//! A replaced version is kept as long as an event that matched it may be repeated; the last version of a deleted
//! subscription as long as its deliveries.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use aws_sdk_dynamodb::types::TransactWriteItem;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;

use crate::engine::Aws;
use crate::items::call_errors::store_error;
use crate::items::item::{Item, document, json, number, parse_json, parse_number, text};
use crate::items::key_schema::{self, CURRENT_PREFIX, DOC, EXPIRES, PK, SECRETS, SK, VERSION};
use crate::items::transaction::{Refusal, TransactionOutcome, TransactionPart as _};
use crate::items::unreadable::readable;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::secret::Secrets;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{ReplaceOutcome, StoreError, StoreResult, Subscriptions};

/// How long a replaced version is kept: an event may be repeated with its idempotency key for a day.
const REPLACED_VERSION_RETENTION: Duration = Duration::from_secs(2 * 24 * 3600);
/// How often a subscription may be changed while it is deleted.
const MAX_TRIES: u32 = 8;

impl Subscriptions for Aws {
    async fn subscriptions(&self, tenant: &TenantId) -> StoreResult<Arc<Vec<Arc<Subscription>>>> {
        let version = match self.cache().version(tenant) {
            Some(version) => version,
            None => self.tenant_version(tenant).await?,
        };
        if let Some(list) = self.cache().subscriptions(tenant, version) {
            return Ok(list);
        }
        let items = self.settings(tenant, CURRENT_PREFIX, None).await?;
        let list = Arc::new(readable(&items, |item| read(item).map(Arc::new)));
        self.cache().put_subscriptions(tenant, version, Arc::clone(&list));
        Ok(list)
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
        let newest = self.settings(tenant, &key_schema::versions_prefix(id), Some(1)).await?.pop();
        let Some(newest) = newest else { return Ok(None) };
        let newest = read(&newest)?;
        self.cache().put_secrets(tenant, id, newest.version, newest.secrets.clone());
        Ok(Some(newest.secrets))
    }

    async fn create(&self, subscription: Subscription, most: usize) -> StoreResult<bool> {
        let tenant = &subscription.tenant;
        let count = self
            .increment_tenant_version(tenant, 1)
            .condition_expression("attribute_not_exists(#count) OR #count < :most")
            .expression_attribute_values(":most", number(most));
        let put_current = self.put_if_absent(current_item(&subscription)?).part()?;
        let parts = vec![count.part()?, put_current, self.put_version(&subscription)?];
        let committed = self.transact(parts).await?;
        self.cache().forget_version(tenant);
        match committed {
            TransactionOutcome::Done => Ok(true),
            TransactionOutcome::Refused(refusals)
                if refusals.first().is_some_and(|first| first.is_condition()) =>
            {
                Ok(false)
            }
            TransactionOutcome::Refused(_) => {
                Err(StoreError::Failed("there is a subscription with this ID".into()))
            }
        }
    }

    async fn replace(&self, next: Subscription) -> StoreResult<ReplaceOutcome> {
        let tenant = &next.tenant;
        let put_current = self
            .put_if(current_item(&next)?, "#version = :before")
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_values(":before", number(next.version.saturating_sub(1)));
        let count = self.increment_tenant_version(tenant, 0).part()?;
        let parts = vec![count, put_current.part()?, self.put_version(&next)?, self.expire_previous(&next)?];
        let committed = self.transact(parts).await?;
        self.cache().forget_version(tenant);
        self.cache().forget_secrets(tenant, next.id);
        Ok(match committed {
            TransactionOutcome::Done => ReplaceOutcome::Replaced,
            TransactionOutcome::Refused(refusals) => match refusals.get(1) {
                Some(Refusal::Condition(None)) => ReplaceOutcome::NotFound,
                _ => ReplaceOutcome::VersionConflict,
            },
        })
    }

    async fn delete(&self, tenant: &TenantId, id: SubscriptionId) -> StoreResult<bool> {
        for _ in 0..MAX_TRIES {
            let Some(item) = self.get(key_schema::current_subscription(tenant, id)).await? else {
                return Ok(false);
            };
            let version: u64 = parse_number(&item, VERSION)?;
            let delete = self
                .delete_part(key_schema::current_subscription(tenant, id))
                .condition_expression("#version = :version")
                .expression_attribute_names("#version", VERSION)
                .expression_attribute_values(":version", number(version))
                .return_values_on_condition_check_failure(AllOld);
            // Its deliveries go on, and are signed with the secrets of the last version.
            let last = self.expire_version(tenant, id, version, Timestamp::now() + self.stack().retention);
            let parts = vec![self.increment_tenant_version(tenant, -1).part()?, delete.part()?, last.part()?];
            let committed = self.transact(parts).await?;
            self.cache().forget_version(tenant);
            if committed.is_done() {
                return Ok(true);
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

fn read(item: &Item) -> StoreResult<Subscription> {
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
    /// The put of a version, where it is not there yet.
    fn put_version(&self, subscription: &Subscription) -> StoreResult<TransactWriteItem> {
        let Subscription { tenant, id, version, .. } = subscription;
        let key = key_schema::subscription_version(tenant, *id, *version);
        self.put_if_absent(with_subscription(key.attributes(), subscription)?).part()
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

    /// Items of a tenant's settings whose sort keys have this prefix, in their order; with a limit, only the last ones, the
    /// very last first.
    async fn settings(&self, tenant: &TenantId, prefix: &str, last: Option<i32>) -> StoreResult<Vec<Item>> {
        let query = self
            .query_partition(&key_schema::settings_pk(tenant))
            .scan_index_forward(last.is_none())
            .set_limit(last)
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :prefix)")
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":prefix", text(prefix));
        if last.is_some() {
            return Ok(query.send().await.map_err(store_error)?.items.unwrap_or_default());
        }
        query.into_paginator().items().send().collect::<Result<_, _>>().await.map_err(store_error)
    }
}
