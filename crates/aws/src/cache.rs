//! What an execution environment keeps of settings between invocations.
//!
//! Nothing here is believed for its age: subscriptions and keys stand while their tenant's counter, read
//! each time, is the one they were read at. Authenticating a caller reads that counter, and what follows in
//! the same moment need not read it again.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use loanhook_core::model::id::{KeyId, SubscriptionId, TenantId};
use loanhook_core::model::key::{Key, KeyHash};
use loanhook_core::model::payload::PayloadKey;
use loanhook_core::model::secret::Secrets;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;

/// How long a counter that was read counts as read now.
const VERSION_VALIDITY: Duration = Duration::from_millis(500);
/// A map that has grown so large begins anew.
const MAX_MAP_ENTRIES: usize = 10_000;

pub(super) type SubscriptionList = Arc<Vec<Arc<Subscription>>>;

#[derive(Default)]
pub(super) struct Cache(Mutex<Maps>);

#[derive(Default)]
struct Maps {
    versions: HashMap<TenantId, (Instant, u64)>,
    subscriptions: HashMap<TenantId, (u64, SubscriptionList)>,
    keys: HashMap<KeyHash, (u64, Arc<Key>)>,
    secrets: HashMap<(TenantId, SubscriptionId), (u64, Secrets)>,
    /// The beginning of the hour for which the use of a key was last noted.
    uses: HashMap<KeyId, Timestamp>,
    /// When an answer was last put.
    responses: HashMap<(TenantId, PayloadKey), Timestamp>,
    /// When a request was last noted to have left from an address.
    egress: HashMap<IpAddr, Timestamp>,
}

fn insert<K: Eq + Hash, V>(map: &mut HashMap<K, V>, key: K, value: V) {
    if map.len() >= MAX_MAP_ENTRIES {
        map.clear();
    }
    map.insert(key, value);
}

impl Cache {
    fn maps(&self) -> MutexGuard<'_, Maps> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn version(&self, tenant: &TenantId) -> Option<u64> {
        let (read, counter) = *self.maps().versions.get(tenant)?;
        (read.elapsed() < VERSION_VALIDITY).then_some(counter)
    }

    /// `read` is before the counter was asked for; an answer that came late gives way to a later reading.
    pub(super) fn put_version(&self, tenant: &TenantId, read: Instant, counter: u64) {
        let mut maps = self.maps();
        if maps.versions.get(tenant).is_none_or(|(known, _)| *known < read) {
            insert(&mut maps.versions, tenant.clone(), (read, counter));
        }
    }

    pub(super) fn subscriptions(&self, tenant: &TenantId, counter: u64) -> Option<SubscriptionList> {
        let maps = self.maps();
        maps.subscriptions.get(tenant).filter(|(at, _)| *at == counter).map(|(_, list)| Arc::clone(list))
    }

    pub(super) fn put_subscriptions(&self, tenant: &TenantId, counter: u64, list: SubscriptionList) {
        insert(&mut self.maps().subscriptions, tenant.clone(), (counter, list));
    }

    /// A key, and the counter of its tenant at which it was there.
    pub(super) fn key(&self, hash: KeyHash) -> Option<(u64, Arc<Key>)> {
        self.maps().keys.get(&hash).cloned()
    }

    pub(super) fn put_key(&self, hash: KeyHash, counter: u64, key: Arc<Key>) {
        insert(&mut self.maps().keys, hash, (counter, key));
    }

    pub(super) fn forget_key(&self, hash: KeyHash) {
        self.maps().keys.remove(&hash);
    }

    pub(super) fn secrets(&self, tenant: &TenantId, id: SubscriptionId, version: u64) -> Option<Secrets> {
        let maps = self.maps();
        let (of, secrets) = maps.secrets.get(&(tenant.clone(), id))?;
        (*of >= version).then(|| secrets.clone())
    }

    pub(super) fn put_secrets(&self, tenant: &TenantId, id: SubscriptionId, version: u64, secrets: Secrets) {
        insert(&mut self.maps().secrets, (tenant.clone(), id), (version, secrets));
    }

    pub(super) fn forget_secrets(&self, tenant: &TenantId, id: SubscriptionId) {
        self.maps().secrets.remove(&(tenant.clone(), id));
    }

    /// Whether an answer was put from here less than `ago` ago.
    pub(super) fn response_was_put(
        &self,
        tenant: &TenantId,
        key: PayloadKey,
        now: Timestamp,
        ago: Duration,
    ) -> bool {
        self.maps().responses.get(&(tenant.clone(), key)).is_some_and(|put| now.since(*put) < ago)
    }

    pub(super) fn record_response_put(&self, tenant: &TenantId, key: PayloadKey, put: Timestamp) {
        insert(&mut self.maps().responses, (tenant.clone(), key), put);
    }

    /// False if a use in this hour, or in a later one, is noted already; else it is now.
    pub(super) fn record_key_use(&self, key: KeyId, hour: Timestamp) -> bool {
        let mut maps = self.maps();
        let new = maps.uses.get(&key).is_none_or(|noted| *noted < hour);
        if new {
            insert(&mut maps.uses, key, hour);
        }
        new
    }

    /// False if it was noted less than `every` ago; else it is, now.
    pub(super) fn record_egress(&self, address: IpAddr, now: Timestamp, every: Duration) -> bool {
        let mut maps = self.maps();
        let noted = maps.egress.get(&address);
        let due = noted.is_none_or(|noted| now.since(*noted) >= every);
        if due {
            insert(&mut maps.egress, address, now);
        }
        due
    }

    /// Since when requests of this environment were noted to leave from its addresses.
    pub(super) fn egress(&self) -> Vec<(IpAddr, Timestamp)> {
        self.maps().egress.iter().map(|(address, noted)| (*address, *noted)).collect()
    }

    /// The settings of a tenant were changed from here.
    pub(super) fn forget_version(&self, tenant: &TenantId) {
        self.maps().versions.remove(tenant);
    }
}
