//! Ports of settings: subscriptions and API keys.

use std::future::Future;
use std::sync::Arc;

use super::StoreResult;
use crate::model::id::{KeyId, SubscriptionId, TenantId};
use crate::model::key::{Key, KeyHash};
use crate::model::subscription::{Origin, Subscription};
use crate::model::time::Timestamp;

#[derive(Debug, PartialEq, Eq)]
pub enum ReplaceOutcome {
    Replaced,
    /// Another change came first.
    VersionConflict,
    NotFound,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeleteOutcome {
    Deleted,
    /// It is at another version.
    VersionConflict,
    NotFound,
}

pub trait Subscriptions {
    /// The subscriptions of a tenant as they are now, the oldest first. An engine may leave out their secrets.
    fn subscriptions(
        &self,
        tenant: &TenantId,
    ) -> impl Future<Output = StoreResult<Arc<Vec<Arc<Subscription>>>>> + Send;

    /// A subscription as it is now, with its secrets.
    fn subscription(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
    ) -> impl Future<Output = StoreResult<Option<Arc<Subscription>>>> + Send;

    /// Lets the deliveries of a subscription go that waited for earlier ones and need not any more. It is for whoever has changed
    /// the order of a subscription, or when a delivery steps aside. An engine that does so in the step that stores the
    /// change has nothing left to do; another does it some minutes later where this fails.
    fn follow_order(
        &self,
        _tenant: &TenantId,
        _id: SubscriptionId,
    ) -> impl Future<Output = StoreResult<()>> + Send {
        std::future::ready(Ok(()))
    }

    /// A subscription in a version it has or had, deleted or not.
    fn subscription_version(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        version: u64,
    ) -> impl Future<Output = StoreResult<Option<Arc<Subscription>>>> + Send;

    /// Versions of a subscription, the newest first, from before the version `before`: at most `limit`, and fewer only where no more
    /// are kept. An engine may leave out their signing secrets. Those that cannot be read are left out, and the log says so.
    fn subscription_versions(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        before: Option<u64>,
        limit: usize,
    ) -> impl Future<Output = StoreResult<Vec<Arc<Subscription>>>> + Send;

    /// The newest version of a subscription, with its signing secrets: as it is now, a deleted one as it last was. It is at
    /// least as new as `version`.
    fn newest_version(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        version: u64,
    ) -> impl Future<Output = StoreResult<Option<Arc<Subscription>>>> + Send;

    /// The newest version of a subscription whose requests go to this scheme, host and port, as far as versions can be read.
    /// An engine may leave out its signing secrets. Such a version is kept as long as a delivery of it may be sent.
    fn newest_version_to(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        origin: &Origin,
    ) -> impl Future<Output = StoreResult<Option<Arc<Subscription>>>> + Send;

    /// False if the tenant has `most` already. Fails where it has a subscription of this ID, or had one whose versions are kept.
    fn create(
        &self,
        subscription: Subscription,
        most: usize,
    ) -> impl Future<Output = StoreResult<bool>> + Send;

    /// Puts the next version of a subscription, if it still is at the version before that.
    fn replace(&self, subscription: Subscription)
    -> impl Future<Output = StoreResult<ReplaceOutcome>> + Send;

    /// Deletes a subscription, if it is at this version; with none, at whichever it is.
    fn delete(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        version: Option<u64>,
    ) -> impl Future<Output = StoreResult<DeleteOutcome>> + Send;
}

/// A key as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedKey {
    pub key: Key,
    /// The beginning of the hour in which it was last used.
    pub last_used_at: Option<Timestamp>,
}

/// What became of the key that the environment names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvironmentKeyOutcome {
    /// It was there.
    Unchanged,
    /// It is there now; these keys, which the environment named before, are over.
    Added { ended: Vec<Key> },
    /// It was deleted, and stays so.
    Deleted,
}

pub trait Keys {
    /// The key of a hash, over or not: whoever asks looks at the clock.
    fn key(&self, hash: KeyHash) -> impl Future<Output = StoreResult<Option<Arc<Key>>>> + Send;

    /// Fails where the tenant has a key of this ID.
    fn add_key(&self, key: Key, hash: KeyHash) -> impl Future<Output = StoreResult<()>> + Send;

    /// The keys of a tenant, the oldest first: at most `limit`, after the one with the ID `after`.
    fn keys(
        &self,
        tenant: &TenantId,
        after: Option<KeyId>,
        limit: usize,
    ) -> impl Future<Output = StoreResult<Vec<ListedKey>>> + Send;

    /// The key of a tenant that has this ID.
    fn listed_key(
        &self,
        tenant: &TenantId,
        id: KeyId,
    ) -> impl Future<Output = StoreResult<Option<Key>>> + Send;

    /// Sees to it that the key with this hash is one with every scope that the environment names: `key`, if there is
    /// none. The keys of its tenant that the environment named before end; one that the environment names again comes
    /// back, unless it was deleted.
    fn ensure_environment_key(
        &self,
        key: Key,
        hash: KeyHash,
    ) -> impl Future<Output = StoreResult<EnvironmentKeyOutcome>> + Send;

    /// A key was used: this is noted, on the side, once an hour, for lists to show.
    fn record_use(&self, key: &Key, hash: KeyHash, now: Timestamp);

    /// False if the tenant has no such key.
    fn delete_key(&self, tenant: &TenantId, id: KeyId) -> impl Future<Output = StoreResult<bool>> + Send;
}
