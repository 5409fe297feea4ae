//! Subscriptions and keys.

use std::future::Future;
use std::sync::Arc;

use super::Stored;
use crate::model::id::{KeyId, SubscriptionId, TenantId};
use crate::model::key::{Key, KeyHash};
use crate::model::secret::Secrets;
use crate::model::subscription::Subscription;

#[derive(Debug, PartialEq, Eq)]
pub enum Replaced {
    Done,
    /// Another change came first.
    Changed,
    Unknown,
}

pub trait Subscriptions {
    /// The subscriptions of a tenant as they are now, the oldest first.
    fn subscriptions(
        &self,
        tenant: &TenantId,
    ) -> impl Future<Output = Stored<Arc<Vec<Arc<Subscription>>>>> + Send;

    /// A subscription in a version it has or had, deleted or not.
    fn subscription_version(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        version: u64,
    ) -> impl Future<Output = Stored<Option<Arc<Subscription>>>> + Send;

    /// The secrets of a subscription as they are now, even of a deleted one; at least as new as
    /// `version`.
    fn secrets(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        version: u64,
    ) -> impl Future<Output = Stored<Option<Secrets>>> + Send;

    /// False if the tenant has `most` already.
    fn create(&self, subscription: Subscription, most: usize) -> impl Future<Output = Stored<bool>> + Send;

    /// Puts the next version of a subscription, if it still is at the version before that.
    fn replace(&self, subscription: Subscription) -> impl Future<Output = Stored<Replaced>> + Send;

    /// False if there was none.
    fn delete(&self, tenant: &TenantId, id: SubscriptionId) -> impl Future<Output = Stored<bool>> + Send;
}

pub trait Keys {
    fn key(&self, hash: KeyHash) -> impl Future<Output = Stored<Option<Arc<Key>>>> + Send;

    fn add_key(&self, key: Key, hash: KeyHash) -> impl Future<Output = Stored<()>> + Send;

    /// The keys of a tenant, the oldest first: at most `limit`, after the one with the ID `after`.
    fn keys(
        &self,
        tenant: &TenantId,
        after: Option<KeyId>,
        limit: usize,
    ) -> impl Future<Output = Stored<Vec<Key>>> + Send;

    /// False if the tenant has no such key.
    fn delete_key(&self, tenant: &TenantId, id: KeyId) -> impl Future<Output = Stored<bool>> + Send;
}
