//! Subscriptions: each as it is now, and its versions, the newest with its secrets. One that was replaced is
//! kept as long as an event may be repeated that matched it; the last of a deleted subscription as long as
//! its deliveries.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{Delete, TransactWriteItem, Update};

use super::Aws;
use super::call_errors::store_error;
use super::item::{Item, document, json, number, parse_json, parse_number, text};
use super::key_schema::{self, CURRENT_PREFIX, DOC, EXPIRES, PK, SECRETS, SK, VERSION};
use super::transaction::{TransactionOutcome, TransactionWrite as _, put};
use super::unreadable::readable;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::secret::Secrets;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{ReplaceOutcome, StoreError, StoreResult, Subscriptions};

/// How long a version that was replaced is kept: an event may be repeated for a day, under its key.
const REPLACED_VERSION_RETENTION: Duration = Duration::from_secs(2 * 24 * 3600);
const MAX_TRIES: u32 = 8;

impl Subscriptions for Aws {
    async fn subscriptions(&self, tenant: &TenantId) -> StoreResult<Arc<Vec<Arc<Subscription>>>> {
        let counter = match self.0.cache.version(tenant) {
            Some(counter) => counter,
            None => self.tenant_version(tenant).await?,
        };
        if let Some(list) = self.0.cache.subscriptions(tenant, counter) {
            return Ok(list);
        }
        let items = self.settings(tenant, CURRENT_PREFIX, None).await?;
        let list = Arc::new(readable(&items, |item| read(item).map(Arc::new)));
        self.0.cache.put_subscriptions(tenant, counter, Arc::clone(&list));
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
        if let Some(secrets) = self.0.cache.secrets(tenant, id, version) {
            return Ok(Some(secrets));
        }
        let newest = self.settings(tenant, &key_schema::versions_prefix(id), Some(1)).await?.pop();
        let Some(newest) = newest else { return Ok(None) };
        let newest = read(&newest)?;
        self.0.cache.put_secrets(tenant, id, newest.version, newest.secrets.clone());
        Ok(Some(newest.secrets))
    }

    async fn create(&self, subscription: Subscription, most: usize) -> StoreResult<bool> {
        let tenant = &subscription.tenant;
        let count = self
            .increment_tenant_version(tenant, 1)
            .condition_expression("attribute_not_exists(#count) OR #count < :most")
            .expression_attribute_values(":most", number(most));
        let put_current = put(self.table(), current(&subscription)?, "attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", PK);
        let parts = vec![count.write()?, put_current.write()?, self.put_version(&subscription)?];
        let committed = self.transact(parts).await?;
        self.0.cache.forget_version(tenant);
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
        let put_current = put(self.table(), current(&next)?, "#version = :before")
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_values(":before", number(next.version.saturating_sub(1)));
        let count = self.increment_tenant_version(tenant, 0).write()?;
        let parts = vec![count, put_current.write()?, self.put_version(&next)?, self.expire_previous(&next)?];
        let committed = self.transact(parts).await?;
        self.0.cache.forget_version(tenant);
        self.0.cache.forget_secrets(tenant, next.id);
        Ok(match committed {
            TransactionOutcome::Done => ReplaceOutcome::Replaced,
            TransactionOutcome::Refused(refusals) => match refusals.get(1) {
                Some(super::transaction::Refusal::Condition(None)) => ReplaceOutcome::NotFound,
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
            let delete = Delete::builder()
                .table_name(self.table())
                .set_key(Some(key_schema::current_subscription(tenant, id).key()))
                .condition_expression("#version = :version")
                .expression_attribute_names("#version", VERSION)
                .expression_attribute_values(":version", number(version))
                .return_values_on_condition_check_failure(AllOld);
            // Deliveries go on, and are signed with what the last version has.
            let last = self.expire_version(tenant, id, version, Timestamp::now() + self.0.stack.retention);
            let parts =
                vec![self.increment_tenant_version(tenant, -1).write()?, delete.write()?, last.write()?];
            let committed = self.transact(parts).await?;
            self.0.cache.forget_version(tenant);
            if committed.is_done() {
                return Ok(true);
            }
        }
        Err(StoreError::Busy)
    }
}

fn item(mut item: Item, subscription: &Subscription) -> StoreResult<Item> {
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

fn current(subscription: &Subscription) -> StoreResult<Item> {
    item(key_schema::current_subscription(&subscription.tenant, subscription.id).key(), subscription)
}

impl Aws {
    /// Keeps a version for good; one that is there was kept by an earlier try of the same change.
    fn put_version(&self, subscription: &Subscription) -> StoreResult<TransactWriteItem> {
        let Subscription { tenant, id, version, .. } = subscription;
        let item = item(key_schema::subscription_version(tenant, *id, *version).key(), subscription)?;
        put(self.table(), item, "attribute_not_exists(#pk)").expression_attribute_names("#pk", PK).write()
    }

    /// Takes the secrets from the version before this one, which only a repeated event still asks for.
    fn expire_previous(&self, next: &Subscription) -> StoreResult<TransactWriteItem> {
        let over = Timestamp::now() + REPLACED_VERSION_RETENTION;
        self.expire_version(&next.tenant, next.id, next.version.saturating_sub(1), over)
            .update_expression("SET #expires = :expires REMOVE #secrets")
            .expression_attribute_names("#secrets", SECRETS)
            .write()
    }

    /// Keeps a version until then, and no longer.
    fn expire_version(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        version: u64,
        over: Timestamp,
    ) -> UpdateBuilder {
        Update::builder()
            .table_name(self.table())
            .set_key(Some(key_schema::subscription_version(tenant, id, version).key()))
            .update_expression("SET #expires = :expires")
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#expires", EXPIRES)
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(":expires", number(over.seconds()))
    }

    /// Items of a tenant's settings, the oldest first; with a limit, so many of the newest.
    async fn settings(&self, tenant: &TenantId, prefix: &str, newest: Option<i32>) -> StoreResult<Vec<Item>> {
        let query = self
            .dynamodb()
            .query()
            .table_name(self.table())
            .consistent_read(true)
            .scan_index_forward(newest.is_none())
            .set_limit(newest)
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :prefix)")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":pk", text(key_schema::settings_pk(tenant)))
            .expression_attribute_values(":prefix", text(prefix));
        if newest.is_some() {
            return Ok(query.send().await.map_err(store_error)?.items.unwrap_or_default());
        }
        query.into_paginator().items().send().collect::<Result<_, _>>().await.map_err(store_error)
    }
}
