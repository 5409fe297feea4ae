//! Cache of what every request asks for: current subscriptions, API keys, and source addresses.
//!
//! It holds all of them, from the start on. It changes on the writer's thread after each commit, before the caller is
//! answered, so whoever asks after that answer sees the change.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use rusqlite::{Connection, Row};

use super::rows::from_json;
use super::subscription_versions::opened_row;
use super::unreadable::{describe, is_newer, read_all};
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::key::{Key, KeyHash};
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;
use loanhook_seal::Keyring;

/// Sorted by ID.
type SubscriptionsByTenant = HashMap<TenantId, Arc<Vec<Arc<Subscription>>>>;

pub(super) struct Cache {
    subscriptions: RwLock<SubscriptionsByTenant>,
    keys: RwLock<HashMap<KeyHash, Arc<Key>>>,
    /// The beginning of the hour in which each key was last used.
    last_used_hours: Mutex<HashMap<KeyHash, Timestamp>>,
    /// When a request from each address was last recorded.
    source_addresses: Mutex<HashMap<IpAddr, Timestamp>>,
}

/// Why the cache cannot be filled.
#[derive(Debug)]
pub(super) enum LoadError {
    Database(rusqlite::Error),
    /// A newer loanhook stored a subscription: a sentence about that.
    Newer(String),
}

impl From<rusqlite::Error> for LoadError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl Cache {
    /// Reads everything that is to be held. What cannot be read is left out and logged, but for a subscription that a newer
    /// loanhook stored: an event that is accepted without it would lose a webhook without a word.
    pub(super) fn load(connection: &Connection, keyring: &Keyring) -> Result<Self, LoadError> {
        let cache = Self {
            subscriptions: RwLock::default(),
            keys: RwLock::default(),
            last_used_hours: Mutex::default(),
            source_addresses: Mutex::default(),
        };
        let mut statement =
            connection.prepare("SELECT id, tenant, doc FROM subscriptions WHERE current = 1 ORDER BY id")?;
        let subscription = |row: &Row<'_>| match opened_row(row, (1, 0, 2), keyring) {
            Err(fault) if is_newer(&fault) => Ok(Err(describe(&fault))),
            read => read.map(Ok),
        };
        for subscription in read_all(statement.query([])?, &"subscriptions", subscription)? {
            cache.put_subscription(subscription.map_err(LoadError::Newer)?);
        }
        let mut statement = connection.prepare("SELECT id, hash, doc, used FROM keys")?;
        let key = |row: &Row<'_>| {
            let used: Option<i64> = row.get(3)?;
            Ok((KeyHash(row.get(1)?), from_json(row, 2)?, used.map(Timestamp::from_millis)))
        };
        for (hash, key, used) in read_all(statement.query([])?, &"keys", key)? {
            cache.put_key(hash, key);
            if let Some(used) = used {
                cache.record_use(hash, used);
            }
        }
        let mut statement = connection.prepare("SELECT address, seen FROM egress")?;
        let seen = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get(1)?));
        for (address, seen) in read_all(statement.query([])?, &"addresses", seen)? {
            if let Ok(address) = address.parse() {
                cache.source_addresses().insert(address, Timestamp::from_millis(seen));
            }
        }
        Ok(cache)
    }

    /// The current subscriptions of a tenant, sorted by ID.
    pub(super) fn subscriptions(&self, tenant: &TenantId) -> Arc<Vec<Arc<Subscription>>> {
        read(&self.subscriptions).get(tenant).cloned().unwrap_or_default()
    }

    /// The current subscriptions of each tenant.
    pub(super) fn all_subscriptions(&self) -> Vec<Arc<Vec<Arc<Subscription>>>> {
        read(&self.subscriptions).values().cloned().collect()
    }

    pub(super) fn put_subscription(&self, subscription: Subscription) {
        let mut all = write(&self.subscriptions);
        let of_tenant = all.entry(subscription.tenant.clone()).or_default();
        let mut next = Vec::clone(of_tenant);
        match next.binary_search_by_key(&subscription.id, |other| other.id) {
            Ok(index) => next[index] = Arc::new(subscription),
            Err(index) => next.insert(index, Arc::new(subscription)),
        }
        *of_tenant = Arc::new(next);
    }

    pub(super) fn remove_subscription(&self, tenant: &TenantId, id: SubscriptionId) {
        if let Some(of_tenant) = write(&self.subscriptions).get_mut(tenant) {
            let kept = of_tenant.iter().filter(|other| other.id != id).cloned().collect();
            *of_tenant = Arc::new(kept);
        }
    }

    pub(super) fn key(&self, hash: KeyHash) -> Option<Arc<Key>> {
        read(&self.keys).get(&hash).cloned()
    }

    pub(super) fn put_key(&self, hash: KeyHash, key: Key) {
        write(&self.keys).insert(hash, Arc::new(key));
    }

    pub(super) fn remove_key(&self, hash: KeyHash) {
        write(&self.keys).remove(&hash);
        self.last_used_hours().remove(&hash);
    }

    /// The beginning of the hour in which a key was last used.
    pub(super) fn last_used_hour(&self, hash: KeyHash) -> Option<Timestamp> {
        self.last_used_hours().get(&hash).copied()
    }

    /// Records a use of a key. False if one in this hour, or in a later one, is recorded already.
    pub(super) fn record_use(&self, hash: KeyHash, hour: Timestamp) -> bool {
        let mut hours = self.last_used_hours();
        let new = hours.get(&hash).is_none_or(|recorded| *recorded < hour);
        if new {
            hours.insert(hash, hour);
        }
        new
    }

    fn last_used_hours(&self) -> MutexGuard<'_, HashMap<KeyHash, Timestamp>> {
        self.last_used_hours.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn source_addresses(&self) -> MutexGuard<'_, HashMap<IpAddr, Timestamp>> {
        self.source_addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
