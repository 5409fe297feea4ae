//! The list of a tenant's subscriptions as it is now, read with few read units.
//!
//! A cached list, or else the stored one ([`stored_list`](super::stored_list)), is brought up to the version that was
//! read: only the subscriptions that changed since are read. Where the known changes do not reach that far back, all of
//! them are read.
//!
//! A list is kept only if it shows what the changes up to its version have made. A transaction appears item by item, so
//! its version can be read a moment before the rest of it. Where no change is known, as with a version that an earlier
//! version of this program made, a list is kept only if its version was known some seconds before the list was read.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use tracing::warn;

use super::changes::{Change, outcome};
use super::stored_list::StoredList;
use super::stored_subscription::StoredSubscription;
use super::tenant_version::TenantVersion;
use crate::cache::SubscriptionList;
use crate::engine::Aws;
use crate::items::call_errors::store_error;
use crate::items::item::{Item, get_number, get_text, text};
use crate::items::key_schema::{self, CURRENT_PREFIX, DOC, SK, VERSION};
use crate::sdk::MAX_CONCURRENT_CALLS;
use crate::sealing::NoKeyring;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::subscription::Subscription;
use loanhook_core::ports::{StoreError, StoreResult};

/// A list, and the version of its tenant at which it was so.
type ListAt = (u64, SubscriptionList);

impl Aws {
    /// The subscriptions at this version of their tenant or a newer one, the oldest first, without secrets.
    pub(super) async fn subscription_list(
        &self,
        tenant: &TenantId,
        at: &TenantVersion,
    ) -> StoreResult<SubscriptionList> {
        let can_be_refreshed = |known: &ListAt| at.changes_since(known.0).is_some();
        let known = match self.cache().subscriptions(tenant).filter(can_be_refreshed) {
            Some(cached) => Some(cached),
            None => self.unpacked_list(tenant, at).await?.filter(can_be_refreshed),
        };
        // Said before the items are read.
        let has_appeared =
            at.knows_its_change() || self.cache().has_appeared(tenant, at.number, Instant::now());
        let (list, items, changes) = match known {
            Some((version, list)) => {
                let changes = at.changes_since(version).unwrap_or_default();
                if changes.is_empty() {
                    self.cache().put_subscriptions(tenant, version, Arc::clone(&list));
                    return Ok(list);
                }
                let (list, items) = self.refreshed(tenant, &list, changes).await?;
                (list, items, changes)
            }
            None => {
                let items = self.current_subscriptions(tenant).await?;
                let list = self.open_without_secrets(&items).await?;
                (Arc::new(list), items, at.known_changes())
            }
        };
        if has_appeared && show(changes, &items) {
            self.cache().put_subscriptions(tenant, at.number, Arc::clone(&list));
        }
        Ok(list)
    }

    /// The subscriptions of a tenant, for who has heard that they changed: whatever was read a moment ago does not count.
    pub(crate) async fn subscriptions_now(&self, tenant: &TenantId) -> StoreResult<SubscriptionList> {
        let at = self.tenant_version(tenant).await?;
        self.subscription_list(tenant, &at).await
    }

    /// The current subscriptions of a tenant as they are stored, their secrets sealed, and the IDs of those that cannot be read: for
    /// who goes on where one of them keeps the list from being read.
    pub(crate) async fn readable_subscriptions(
        &self,
        tenant: &TenantId,
    ) -> StoreResult<(SubscriptionList, BTreeSet<SubscriptionId>)> {
        let (mut all, mut unread) = (Vec::new(), BTreeSet::new());
        for item in self.current_subscriptions(tenant).await? {
            match StoredSubscription::read_settings(&item) {
                Ok(stored) => all.push(Arc::new(stored.as_stored().clone())),
                Err(_) => {
                    let id = get_text(&item, SK).and_then(|sk| sk.strip_prefix(CURRENT_PREFIX));
                    unread.extend(id.and_then(|id| id.parse::<SubscriptionId>().ok()));
                }
            }
        }
        Ok((Arc::new(all), unread))
    }

    /// The stored list, read, and kept if it is the one of this version. None where all of it cannot be read and opened: it is a
    /// cache, and a list without some of its subscriptions would hide them.
    async fn unpacked_list(&self, tenant: &TenantId, at: &TenantVersion) -> StoreResult<Option<ListAt>> {
        let Some(stored) = self.stored_list(tenant).await else { return Ok(None) };
        let why = match self.open_whole_list(&stored).await? {
            Ok(list) => {
                self.keep_list(tenant, &stored, stored.version == at.number);
                return Ok(Some((stored.version, Arc::new(list))));
            }
            Err(why) => why,
        };
        warn!(%tenant, %why, "subscriptions.stored_list_unreadable");
        Ok(None)
    }

    /// The subscriptions of a stored list, or why one of them cannot be read or opened.
    async fn open_whole_list(
        &self,
        list: &StoredList,
    ) -> StoreResult<Result<Vec<Arc<Subscription>>, StoreError>> {
        let read: StoreResult<Vec<_>> = list.documents.lines().map(StoredSubscription::of_document).collect();
        let mut stored = match read {
            Ok(stored) => stored,
            Err(why) => return Ok(Err(why)),
        };
        let keys = stored.iter_mut().flat_map(StoredSubscription::keys).collect();
        let keyring = match self.keyring_of(keys).await {
            Ok(keyring) => keyring,
            Err(NoKeyring::Store(failure)) => return Err(failure),
            Err(unknown @ NoKeyring::UnknownKey(_)) => return Ok(Err(unknown.into_store_error())),
        };
        Ok(stored.into_iter().map(|stored| stored.open(keyring.as_ref()).map(Arc::new)).collect())
    }

    /// The subscriptions of these items, without their signing secrets.
    async fn open_without_secrets(&self, items: &[Item]) -> StoreResult<Vec<Arc<Subscription>>> {
        self.open_all(items.iter().map(|item| (item, StoredSubscription::read_settings(item)))).await
    }

    /// The list after these changes, and the items that were read for it.
    async fn refreshed(
        &self,
        tenant: &TenantId,
        list: &SubscriptionList,
        changes: &[Change],
    ) -> StoreResult<(SubscriptionList, Vec<Item>)> {
        let changed = outcome(changes);
        let keys = changed.keys().map(|id| key_schema::current_subscription(tenant, *id));
        let reads: Vec<_> = keys.map(|key| self.get(key)).collect();
        let items: Vec<_> = stream::iter(reads).buffered(MAX_CONCURRENT_CALLS).try_collect().await?;
        let items: Vec<Item> = items.into_iter().flatten().collect();
        let mut list: Vec<_> =
            list.iter().filter(|known| !changed.contains_key(&known.id)).cloned().collect();
        list.extend(self.open_without_secrets(&items).await?);
        list.sort_by_key(|subscription| subscription.id);
        Ok((Arc::new(list), items))
    }

    /// The items of all current subscriptions, the oldest first, without secrets.
    pub(super) async fn current_subscriptions(&self, tenant: &TenantId) -> StoreResult<Vec<Item>> {
        let query = self
            .query_partition(&key_schema::settings_pk(tenant))
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :prefix)")
            .projection_expression("#pk, #sk, #version, #doc")
            .expression_attribute_names("#sk", SK)
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_names("#doc", DOC)
            .expression_attribute_values(":prefix", text(CURRENT_PREFIX));
        query.into_paginator().items().send().collect::<Result<_, _>>().await.map_err(store_error)
    }
}

/// Whether the items of all current subscriptions show what the known changes of a version have made.
pub(super) fn shows(at: &TenantVersion, items: &[Item]) -> bool {
    show(at.known_changes(), items)
}

/// Whether items of current subscriptions show what these changes have made: each subscription in the version that it
/// has since or a newer one, and none that was deleted.
fn show(changes: &[Change], items: &[Item]) -> bool {
    outcome(changes).into_iter().all(|(id, expected)| {
        let sort_key = format!("{CURRENT_PREFIX}{id}");
        let item = items.iter().find(|item| get_text(item, SK) == Some(&sort_key));
        let version: Option<u64> = item.and_then(|item| get_number(item, VERSION));
        match expected {
            Some(expected) => version >= Some(expected),
            None => item.is_none(),
        }
    })
}
