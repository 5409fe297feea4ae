//! The cache that an execution environment keeps between invocations.
//!
//! Subscriptions and keys are cached with the version of their tenant, and are current while the version that each use
//! reads is the same. Authentication reads it, and what follows within half a second does not read it again. Of the list of
//! an older version only what changed is read again. The other entries only save writes.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::settings::TenantVersion;
use loanhook_core::model::id::{KeyId, SubscriptionId, TenantId};
use loanhook_core::model::key::{Key, KeyHash};
use loanhook_core::model::payload::PayloadKey;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;

/// How long a version that was read counts as current.
const VERSION_VALIDITY: Duration = Duration::from_millis(500);
/// How long after its version a transaction has certainly appeared whole. It takes milliseconds; this is for one that is
/// taken up again after a failure in DynamoDB.
const COMMIT_TIME: Duration = Duration::from_secs(5);
/// A map of this size is emptied before the next entry.
const MAX_MAP_ENTRIES: usize = 10_000;

pub(crate) type SubscriptionList = Arc<Vec<Arc<Subscription>>>;

#[derive(Default)]
pub(crate) struct Cache(Mutex<Maps>);

#[derive(Default)]
struct Maps {
    versions: HashMap<TenantId, ReadVersion>,
    subscriptions: HashMap<TenantId, (u64, SubscriptionList)>,
    keys: HashMap<KeyHash, (u64, Arc<Key>)>,
    /// The newest version of a subscription when it was last read, with its secrets.
    newest: HashMap<(TenantId, SubscriptionId), Arc<Subscription>>,
    /// The beginning of the hour for which the use of a key was last recorded.
    uses: HashMap<KeyId, Timestamp>,
    /// When a response body was last stored.
    responses: HashMap<(TenantId, PayloadKey), Timestamp>,
    /// When it was last recorded that a request left from an address.
    egress: HashMap<IpAddr, Timestamp>,
}

/// A version as it was last read.
struct ReadVersion {
    /// When that read began.
    started_at: Instant,
    /// When a read of this version first ended.
    known_since: Instant,
    version: Arc<TenantVersion>,
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

    /// The version of a tenant, if it was read a moment ago.
    pub(crate) fn version(&self, tenant: &TenantId) -> Option<Arc<TenantVersion>> {
        let maps = self.maps();
        let read = maps.versions.get(tenant)?;
        (read.started_at.elapsed() < VERSION_VALIDITY).then(|| Arc::clone(&read.version))
    }

    /// Whether this version was known here so long before `now` that the change which made it has appeared whole.
    pub(crate) fn has_appeared(&self, tenant: &TenantId, number: u64, now: Instant) -> bool {
        let maps = self.maps();
        let read = maps.versions.get(tenant).filter(|read| read.version.number == number);
        read.is_some_and(|read| now.saturating_duration_since(read.known_since) >= COMMIT_TIME)
    }

    /// How many copies of its version a tenant had when that was last read from here, however long ago.
    pub(crate) fn version_copies(&self, tenant: &TenantId) -> u8 {
        self.maps().versions.get(tenant).map_or(0, |read| read.version.copies)
    }

    /// When the read began and when it ended: of two reads, the one that began later stays.
    pub(crate) fn put_version(&self, tenant: &TenantId, read: Range<Instant>, version: Arc<TenantVersion>) {
        let mut maps = self.maps();
        let known = maps.versions.get(tenant);
        if known.is_some_and(|known| known.started_at >= read.start) {
            return;
        }
        let same = known.filter(|known| known.version.number == version.number);
        let known_since = same.map_or(read.end, |known| known.known_since);
        insert(
            &mut maps.versions,
            tenant.clone(),
            ReadVersion { started_at: read.start, known_since, version },
        );
    }

    /// The subscriptions of a tenant, and the version at which they were so.
    pub(crate) fn subscriptions(&self, tenant: &TenantId) -> Option<(u64, SubscriptionList)> {
        self.maps().subscriptions.get(tenant).cloned()
    }

    /// Of two versions the newer one stays.
    pub(crate) fn put_subscriptions(&self, tenant: &TenantId, version: u64, list: SubscriptionList) {
        let mut maps = self.maps();
        if maps.subscriptions.get(tenant).is_none_or(|(known, _)| *known < version) {
            insert(&mut maps.subscriptions, tenant.clone(), (version, list));
        }
    }

    /// A key, and the version of its tenant at which it was valid.
    pub(crate) fn key(&self, hash: KeyHash) -> Option<(u64, Arc<Key>)> {
        self.maps().keys.get(&hash).cloned()
    }

    pub(crate) fn put_key(&self, hash: KeyHash, version: u64, key: Arc<Key>) {
        insert(&mut self.maps().keys, hash, (version, key));
    }

    pub(crate) fn forget_key(&self, hash: KeyHash) {
        self.maps().keys.remove(&hash);
    }

    /// The newest version of a subscription when it was last read, if it is no older than this one.
    pub(crate) fn newest(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        version: u64,
    ) -> Option<Arc<Subscription>> {
        let maps = self.maps();
        maps.newest.get(&(tenant.clone(), id)).filter(|newest| newest.version >= version).cloned()
    }

    pub(crate) fn put_newest(&self, subscription: &Arc<Subscription>) {
        let of = (subscription.tenant.clone(), subscription.id);
        insert(&mut self.maps().newest, of, Arc::clone(subscription));
    }

    pub(crate) fn forget_newest(&self, tenant: &TenantId, id: SubscriptionId) {
        self.maps().newest.remove(&(tenant.clone(), id));
    }

    /// Whether a response body was stored from here less than `ago` ago.
    pub(crate) fn response_was_put(
        &self,
        tenant: &TenantId,
        key: PayloadKey,
        now: Timestamp,
        ago: Duration,
    ) -> bool {
        self.maps().responses.get(&(tenant.clone(), key)).is_some_and(|put| now.since(*put) < ago)
    }

    pub(crate) fn record_response_put(&self, tenant: &TenantId, key: PayloadKey, put: Timestamp) {
        insert(&mut self.maps().responses, (tenant.clone(), key), put);
    }

    /// Records the use of a key; false if one in this hour, or in a later one, was recorded before.
    pub(crate) fn record_key_use(&self, key: KeyId, hour: Timestamp) -> bool {
        let mut maps = self.maps();
        let new = maps.uses.get(&key).is_none_or(|recorded| *recorded < hour);
        if new {
            insert(&mut maps.uses, key, hour);
        }
        new
    }

    /// Records that a request left from an address; false if that was recorded less than `interval` ago.
    pub(crate) fn record_egress(&self, address: IpAddr, now: Timestamp, interval: Duration) -> bool {
        let mut maps = self.maps();
        let recorded = maps.egress.get(&address);
        let due = recorded.is_none_or(|recorded| now.since(*recorded) >= interval);
        if due {
            insert(&mut maps.egress, address, now);
        }
        due
    }

    /// The recorded addresses of this environment, and when each was last recorded.
    pub(crate) fn egress(&self) -> Vec<(IpAddr, Timestamp)> {
        self.maps().egress.iter().map(|(address, recorded)| (*address, *recorded)).collect()
    }

    /// To be called when the settings of a tenant were changed from here.
    pub(crate) fn forget_version(&self, tenant: &TenantId) {
        self.maps().versions.remove(tenant);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_appeared_some_seconds_after_it_was_first_known() {
        let cache = Cache::default();
        let tenant = TenantId::try_from("acme".to_owned()).expect("a name");
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let read = |number, began, ended| {
            let mut version = TenantVersion::default();
            version.number = number;
            cache.put_version(&tenant, at(began)..at(ended), Arc::new(version));
        };
        let appeared = |number, now| cache.has_appeared(&tenant, number, at(now));
        assert!(!appeared(7, 60_000), "it was never read");
        read(7, 0, 300);
        assert_eq!([300, 5299, 5300].map(|now| appeared(7, now)), [false, false, true]);
        assert!(!appeared(6, 60_000) && !appeared(8, 60_000));
        // Since its first read; and each version for itself.
        read(7, 4000, 4001);
        assert!(appeared(7, 5300));
        read(8, 6000, 6100);
        assert_eq!([6000, 11_099, 11_100].map(|now| appeared(8, now)), [false, false, true]);
        assert!(!appeared(7, 60_000));
    }
}
