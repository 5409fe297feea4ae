//! Versions of a subscription: read from the newest on, and when each of them expires.
//!
//! A replaced version is kept as long as its deliveries, and those of an event that matched it and is repeated: they may take their
//! credentials from it, and people see what was changed. So is the last version of a deleted subscription.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};

use super::stored_subscription::StoredSubscription;
use crate::engine::Aws;
use crate::items::call_errors::store_error;
use crate::items::item::{number, text, unexpired};
use crate::items::key_schema::{self, EXPIRES, FLOW_MARK, PK, SECRETS, SK};
use crate::items::transaction::TransactionPart as _;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::subscription::{Origin, Subscription};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;

/// How much longer than a delivery a replaced version is kept: an event may be repeated with its idempotency key for a day.
const REPEATED_EVENT: Duration = Duration::from_secs(2 * 24 * 3600);

/// How many versions are read at once where one is looked for.
const VERSIONS_PER_QUERY: i32 = 10;

impl Aws {
    /// The newest version of a subscription, from the cache where that has it in this version or a newer one.
    pub(super) async fn read_newest_version(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        version: u64,
    ) -> StoreResult<Option<Arc<Subscription>>> {
        if let Some(newest) = self.cache().newest(tenant, id, version) {
            return Ok(Some(newest));
        }
        let newest = self.newest_version_item(tenant, id).await?;
        match newest {
            Some(newest) => self.keep_newest(&newest).await.map(Some),
            None => Ok(None),
        }
    }

    /// The newest version whose requests go there.
    pub(super) async fn find_version_to(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        origin: &Origin,
    ) -> StoreResult<Option<Arc<Subscription>>> {
        // A page of 1 MB would have hundreds of versions, and the one that is looked for is most often near.
        let (query, mut from) = (self.versions(tenant, id).limit(VERSIONS_PER_QUERY), None);
        loop {
            let page = query.clone().set_exclusive_start_key(from).send().await.map_err(store_error)?;
            let items: Vec<_> = page.items.unwrap_or_default().into_iter().filter_map(unexpired).collect();
            let mut versions = self.open_each(&items).await?.into_iter();
            let found = versions.find(|version| version.settings.origin() == Some(origin));
            from = page.last_evaluated_key;
            if found.is_some() || from.is_none() {
                return Ok(found);
            }
        }
    }

    /// Versions from before `before` that are kept and can be read, the newest first: at most `limit`.
    pub(super) async fn versions_before(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        before: Option<u64>,
        limit: usize,
    ) -> StoreResult<Vec<Arc<Subscription>>> {
        let (query, mut found) = (self.versions(tenant, id).limit(VERSIONS_PER_QUERY), Vec::new());
        let key = |before| key_schema::subscription_version(tenant, id, before).attributes();
        let mut from = before.map(key);
        while found.len() < limit {
            let page = query.clone().set_exclusive_start_key(from).send().await.map_err(store_error)?;
            let items: Vec<_> = page.items.unwrap_or_default().into_iter().filter_map(unexpired).collect();
            found.extend(self.open_each(&items).await?);
            from = page.last_evaluated_key;
            if from.is_none() {
                break;
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    /// The put of a version, where it is not there yet, with a flow mark or without.
    pub(super) fn put_version(
        &self,
        subscription: &Subscription,
        sealed: &StoredSubscription,
        is_marked: bool,
    ) -> StoreResult<TransactWriteItem> {
        let Subscription { tenant, id, version, .. } = subscription;
        let key = key_schema::subscription_version(tenant, *id, *version);
        let mut item = key.attributes();
        sealed.add_to(&mut item)?;
        if is_marked {
            item.insert(FLOW_MARK.into(), AttributeValue::Bool(true));
        }
        self.put_if_absent(item).part()
    }

    /// Lets the version before this one expire, and removes its secrets. Until then it is shown among the versions; deliveries take
    /// their credentials from it as long as they live, where the next one goes to another host.
    pub(super) fn expire_previous(&self, next: &Subscription) -> StoreResult<TransactWriteItem> {
        let expires = Timestamp::now() + REPEATED_EVENT + self.stack().retention;
        self.expire_version(&next.tenant, next.id, next.version.saturating_sub(1), expires)
            .update_expression("SET #expires = :expires REMOVE #secrets")
            .expression_attribute_names("#secrets", SECRETS)
            .part()
    }

    /// The update that sets when a version expires.
    pub(super) fn expire_version(
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
    pub(super) fn versions(&self, tenant: &TenantId, id: SubscriptionId) -> QueryFluentBuilder {
        self.query_partition(&key_schema::settings_pk(tenant))
            .scan_index_forward(false)
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :prefix)")
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":prefix", text(key_schema::versions_prefix(id)))
    }
}
