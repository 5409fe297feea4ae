//! Subscriptions: each as it is now, and its versions, of which the newest has its secrets. The list of all is in
//! [`subscription_list`](super::subscription_list).
//!
//! A replaced version is kept as long as an event that matched it may be repeated, and as long as its deliveries where the next
//! one goes to another host: they take their credentials from it. So is the last version of a deleted subscription.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use aws_sdk_dynamodb::types::TransactWriteItem;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;

use super::changes::Change;
use super::tenant_record::{CountChange, SettingsOutcome};
use crate::engine::Aws;
use crate::items::call_errors::store_error;
use crate::items::item::{Item, document, json, number, parse_json, parse_number, text, unexpired};
use crate::items::key_schema::{self, DOC, EXPIRES, PK, SECRETS, SK, VERSION};
use crate::items::transaction::{Refusal, TransactionPart as _};
use crate::items::unreadable::readable;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::secret::Secrets;
use loanhook_core::model::subscription::{Origin, Subscription};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DeleteOutcome, ReplaceOutcome, StoreError, StoreResult, Subscriptions};

/// How long a replaced version is kept: an event may be repeated with its idempotency key for a day.
const REPLACED_VERSION_RETENTION: Duration = Duration::from_secs(2 * 24 * 3600);
/// How often a subscription may be changed while it is deleted.
const MAX_TRIES: u32 = 8;

impl Subscriptions for Aws {
    fn keeps_flow(&self) -> bool {
        false
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
        let current = readable(item.as_slice(), |item| read(item).map(Arc::new)).pop();
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
        item.as_ref().map(|item| read(item).map(Arc::new)).transpose()
    }

    async fn newest_version(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        version: u64,
    ) -> StoreResult<Option<Arc<Subscription>>> {
        if let Some(newest) = self.cache().newest(tenant, id, version) {
            return Ok(Some(newest));
        }
        let page = self.versions(tenant, id).limit(1).send().await.map_err(store_error)?;
        let Some(item) = page.items.unwrap_or_default().pop() else { return Ok(None) };
        let newest = Arc::new(read(&item)?);
        self.cache().put_newest(&newest);
        Ok(Some(newest))
    }

    async fn newest_version_to(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        origin: &Origin,
    ) -> StoreResult<Option<Arc<Subscription>>> {
        let (query, mut from) = (self.versions(tenant, id), None);
        loop {
            let page = query.clone().set_exclusive_start_key(from).send().await.map_err(store_error)?;
            let items: Vec<_> = page.items.unwrap_or_default().into_iter().filter_map(unexpired).collect();
            let found = readable(&items, read).into_iter().find(|version| version.settings.origin() == Some(origin));
            from = page.last_evaluated_key;
            if found.is_some() || from.is_none() {
                return Ok(found.map(Arc::new));
            }
        }
    }

    async fn create(&self, subscription: Subscription, most: usize) -> StoreResult<bool> {
        let Subscription { tenant, id, version, .. } = &subscription;
        let put_current = self.put_if_absent(current_item(&subscription)?).part()?;
        let writes = vec![put_current, self.put_version(&subscription)?];
        let (change, count) = (Change::Put(*id, *version), CountChange::Added { most });
        match self.change_tenant(tenant, change, count, writes).await? {
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
        let keeps_origin = self.keeps_origin(&next).await?;
        let expire_previous = self.expire_previous(&next, keeps_origin)?;
        let writes = vec![put_current.part()?, self.put_version(&next)?, expire_previous];
        let change = Change::Put(next.id, next.version);
        let outcome = self.change_tenant(tenant, change, CountChange::Same, writes).await?;
        self.cache().forget_newest(tenant, next.id);
        Ok(match outcome {
            SettingsOutcome::Done(at) => {
                self.store_list(tenant, &at).await;
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
            let outcome = self.change_tenant(tenant, change, CountChange::Removed, writes).await?;
            if let SettingsOutcome::Done(at) = outcome {
                self.store_list(tenant, &at).await;
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

    /// Whether the requests of this version go to the scheme, host and port of the version before it. Whoever made it has most
    /// often read that one from here a moment ago.
    async fn keeps_origin(&self, next: &Subscription) -> StoreResult<bool> {
        let before = next.version.saturating_sub(1);
        let known = self.cache().newest(&next.tenant, next.id, before);
        let before = match known.filter(|known| known.version == before) {
            Some(known) => Some(known),
            None => self.subscription(&next.tenant, next.id).await?,
        };
        Ok(before.is_some_and(|before| {
            before.settings.origin().is_some() && before.settings.origin() == next.settings.origin()
        }))
    }

    /// Lets the version before this one expire, and removes its secrets. A repeated event may read it for a day. Where the
    /// next one goes to another host, deliveries of it take their credentials from it as long as they live.
    fn expire_previous(&self, next: &Subscription, keeps_origin: bool) -> StoreResult<TransactWriteItem> {
        let deliveries_live = if keeps_origin { Duration::ZERO } else { self.stack().retention };
        let expires = Timestamp::now() + REPLACED_VERSION_RETENTION + deliveries_live;
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

    /// The query of the versions of a subscription, even of a deleted one, the newest first.
    fn versions(&self, tenant: &TenantId, id: SubscriptionId) -> QueryFluentBuilder {
        self.query_partition(&key_schema::settings_pk(tenant))
            .scan_index_forward(false)
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :prefix)")
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":prefix", text(key_schema::versions_prefix(id)))
    }
}
