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

use crate::flow::KnownFlow;
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
    /// The flow settings of subscriptions, as they were read last.
    flows: HashMap<(TenantId, SubscriptionId), KnownFlow>,
    /// How many messages of a subscription are handled for which its newest version was read just before.
    read_ahead: HashMap<(TenantId, SubscriptionId), u32>,
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

    /// The version of a tenant as it was read last, and how long ago that read began; none where that is longer than `most`.
    pub(crate) fn latest_version(
        &self,
        tenant: &TenantId,
        most: Duration,
    ) -> Option<(Arc<TenantVersion>, Duration)> {
        let maps = self.maps();
        let read = maps.versions.get(tenant)?;
        let ago = read.started_at.elapsed();
        (ago <= most).then(|| (Arc::clone(&read.version), ago))
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

    /// Forgets the newest version of a subscription before a request takes its credentials, unless it was read for that.
    pub(crate) fn forget_newest(&self, tenant: &TenantId, id: SubscriptionId) {
        let of = (tenant.clone(), id);
        let mut maps = self.maps();
        if !maps.read_ahead.contains_key(&of) {
            maps.newest.remove(&of);
        }
    }

    /// To be called when a subscription was changed from here.
    pub(crate) fn forget_subscription(&self, tenant: &TenantId, id: SubscriptionId) {
        let of = (tenant.clone(), id);
        let mut maps = self.maps();
        maps.newest.remove(&of);
        maps.flows.remove(&of);
    }

    /// The flow settings of a subscription as they were read last, however long ago.
    pub(crate) fn flow(&self, tenant: &TenantId, id: SubscriptionId) -> Option<KnownFlow> {
        self.maps().flows.get(&(tenant.clone(), id)).copied()
    }

    pub(crate) fn put_flow(&self, tenant: &TenantId, id: SubscriptionId, flow: KnownFlow) {
        insert(&mut self.maps().flows, (tenant.clone(), id), flow);
    }

    /// From now on the newest version of a subscription is the one that was just read, until as many ends are told as beginnings.
    pub(crate) fn begin_read_ahead(&self, tenant: &TenantId, id: SubscriptionId) {
        *self.maps().read_ahead.entry((tenant.clone(), id)).or_default() += 1;
    }

    pub(crate) fn end_read_ahead(&self, tenant: &TenantId, id: SubscriptionId) {
        let of = (tenant.clone(), id);
        let mut maps = self.maps();
        if let Some(count) = maps.read_ahead.get_mut(&of) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                maps.read_ahead.remove(&of);
            }
        }
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
#[path = "cache_tests.rs"]
mod tests;
