//! API keys, by the hash of what a caller shows.

use std::sync::Arc;

use loanhook_core::model::id::{KeyId, TenantId};
use loanhook_core::model::key::{Key, KeyHash, KeySource};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{EnvironmentKeyOutcome, Keys, ListedKey, StoreError, StoreResult};

use super::state::Stored;
use super::step::{Operation, StepKind};
use super::{Memory, State};

/// A key, and what it is found by where it cannot be read.
#[derive(Debug)]
pub(super) struct KeyEntry {
    pub(super) key: Stored<Key>,
    tenant: TenantId,
    id: KeyId,
    last_used_at: Option<Timestamp>,
}

impl KeyEntry {
    fn new(key: Key) -> Self {
        Self { tenant: key.tenant.clone(), id: key.id, key: Stored::new(key), last_used_at: None }
    }
}

impl Memory {
    async fn keys<T: Send>(&self, make: impl FnOnce(&mut State) -> StoreResult<T> + Send) -> StoreResult<T> {
        self.once(Operation::Keys, StepKind::Settings, make).await
    }
}

impl Keys for Memory {
    async fn key(&self, hash: KeyHash) -> StoreResult<Option<Arc<Key>>> {
        self.keys(|state| {
            let key = state.keys.get(&hash.0).map(|entry| entry.key.read().cloned()).transpose()?;
            Ok(key.map(Arc::new))
        })
        .await
    }

    async fn add_key(&self, key: Key, hash: KeyHash) -> StoreResult<()> {
        self.keys(|state| {
            if state.keys.values().any(|entry| entry.tenant == key.tenant && entry.id == key.id) {
                return Err(StoreError::Failed("there is a key with this ID".into()));
            }
            state.keys.insert(hash.0, KeyEntry::new(key));
            Ok(())
        })
        .await
    }

    async fn keys(
        &self,
        tenant: &TenantId,
        after: Option<KeyId>,
        limit: usize,
    ) -> StoreResult<Vec<ListedKey>> {
        self.keys(|state| {
            let of_tenant = state.keys.values().filter(|entry| entry.tenant == *tenant);
            let mut entries: Vec<_> =
                of_tenant.filter(|entry| after.is_none_or(|after| after < entry.id)).collect();
            entries.sort_by_key(|entry| entry.id);
            let listed = |entry: &KeyEntry| {
                Some(ListedKey { key: entry.key.readable()?.clone(), last_used_at: entry.last_used_at })
            };
            Ok(entries.into_iter().filter_map(listed).take(limit).collect())
        })
        .await
    }

    async fn listed_key(&self, tenant: &TenantId, id: KeyId) -> StoreResult<Option<Key>> {
        self.keys(|state| {
            let found = state.keys.values().find(|entry| entry.tenant == *tenant && entry.id == id);
            found.map(|entry| entry.key.read().cloned()).transpose()
        })
        .await
    }

    async fn ensure_environment_key(&self, key: Key, hash: KeyHash) -> StoreResult<EnvironmentKeyOutcome> {
        self.keys(|state| Ok(ensure(state, key, hash))).await
    }

    fn record_use(&self, _: &Key, hash: KeyHash, now: Timestamp) {
        if let Some(entry) = self.state().keys.get_mut(&hash.0) {
            entry.last_used_at = entry.last_used_at.max(Some(now.to_the_hour()));
        }
    }

    async fn delete_key(&self, tenant: &TenantId, id: KeyId) -> StoreResult<bool> {
        self.keys(|state| {
            let mut keys = state.keys.iter();
            let found =
                keys.find(|(_, entry)| entry.tenant == *tenant && entry.id == id).map(|(hash, _)| *hash);
            if let Some(hash) = found {
                state.keys.remove(&hash);
                state.deleted_keys.push(KeyHash(hash));
            }
            Ok(found.is_some())
        })
        .await
    }
}

fn ensure(state: &mut State, key: Key, hash: KeyHash) -> EnvironmentKeyOutcome {
    // One that cannot be read is replaced.
    let there = state.keys.get(&hash.0).and_then(|entry| entry.key.readable().cloned());
    if there.is_none() && state.deleted_keys.contains(&hash) {
        return EnvironmentKeyOutcome::Deleted;
    }
    let mut ended = Vec::new();
    state.keys.retain(|other, entry| {
        let named_before = entry.tenant == key.tenant
            && KeyHash(*other) != hash
            && entry.key.readable().is_some_and(|key| key.source == KeySource::Environment);
        if named_before {
            ended.extend(entry.key.readable().cloned());
        }
        !named_before
    });
    let stands = there.as_ref().is_some_and(|there| there.is_environment_key(&key.tenant));
    if stands && ended.is_empty() {
        return EnvironmentKeyOutcome::Unchanged;
    }
    state.keys.insert(hash.0, KeyEntry::new(key.with_identity_of(there)));
    EnvironmentKeyOutcome::Added { ended }
}
