//! API keys as a use case: created, authenticated, deleted, and the administrator's key at a start.

use std::sync::Arc;

use tracing::{info, warn};

use crate::model::id::{KeyId, TenantId};
use crate::model::key::{FIRST_TENANT, Key, KeyHash, KeySource, Scope, SecretKey, may_manage};
use crate::model::time::Timestamp;
use crate::ports::{EnvironmentKeyOutcome, Keys, StoreError, StoreResult};

/// How many keys are looked at for those that an older version made.
const MAX_LISTED_KEYS: usize = 1000;

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("no randomness for a key: {0}")]
    Randomness(#[from] getrandom::Error),
    #[error("there is no such key")]
    Unknown,
    #[error("the key has scopes that the caller may not manage")]
    Above,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The key that a caller shows, by its hash, if there is one that is not over. Its use is noted.
pub async fn authenticate<S: Keys>(
    store: &S,
    shown: KeyHash,
    now: Timestamp,
) -> StoreResult<Option<Arc<Key>>> {
    let key = store.key(shown).await?.filter(|key| key.is_valid_at(now));
    if let Some(key) = &key {
        store.record_use(key, shown, now);
    }
    Ok(key)
}

/// Makes a key; it is in clear here and never again.
pub async fn create<S: Keys>(store: &S, key: Key) -> Result<(Key, SecretKey), KeyError> {
    let secret = SecretKey::generate()?;
    store.add_key(key.clone(), secret.hash()).await?;
    Ok((key, secret))
}

/// Deletes a key of a tenant, if a caller with the scopes `own` may manage keys of its scopes.
pub async fn delete<S: Keys>(store: &S, own: &[Scope], tenant: &TenantId, id: KeyId) -> Result<(), KeyError> {
    let key = store.listed_key(tenant, id).await?.ok_or(KeyError::Unknown)?;
    if !may_manage(own, &key.scopes) {
        return Err(KeyError::Above);
    }
    if store.delete_key(tenant, id).await? { Ok(()) } else { Err(KeyError::Unknown) }
}

/// What became of the key of an operator at a start.
#[derive(Debug)]
pub enum AdminKey {
    /// There is one: the chosen one, or any of its tenant.
    Ready,
    /// There was no key and none was chosen: this one was made.
    Made(SecretKey),
    /// The chosen one was deleted, and stays so.
    Deleted,
}

/// Sees to it that a key with every scope exists: the chosen one, or, where none is chosen and its tenant has no key,
/// a new one.
///
/// A chosen key ends the one that was chosen before it. One that was deleted stays so.
pub async fn ensure_admin<S: Keys>(
    store: &S,
    chosen: Option<SecretKey>,
    now: Timestamp,
) -> Result<AdminKey, KeyError> {
    let tenant =
        TenantId::try_from(FIRST_TENANT.to_owned()).map_err(|fault| StoreError::Failed(fault.into()))?;
    let Some(chosen) = chosen else {
        if !store.keys(&tenant, None, 1).await?.is_empty() {
            return Ok(AdminKey::Ready);
        }
        let secret = SecretKey::generate()?;
        store.add_key(Key::admin(tenant, KeySource::FirstStart, now), secret.hash()).await?;
        return Ok(AdminKey::Made(secret));
    };
    let key = Key::admin(tenant.clone(), KeySource::Environment, now);
    match store.ensure_environment_key(key, chosen.hash()).await? {
        EnvironmentKeyOutcome::Unchanged => Ok(AdminKey::Ready),
        EnvironmentKeyOutcome::Deleted => Ok(AdminKey::Deleted),
        EnvironmentKeyOutcome::Added { ended } => {
            for key in ended {
                info!(key_id = %key.id, name = key.name, "key.ended_by_another_admin_key");
            }
            log_earlier_keys(store, &tenant).await?;
            Ok(AdminKey::Ready)
        }
    }
}

/// Tells of keys that may once have been chosen: versions before sources were kept called them and the key of a first
/// start alike, so none of them ends by itself.
async fn log_earlier_keys<S: Keys>(store: &S, tenant: &TenantId) -> StoreResult<()> {
    let earlier = |key: &Key| key.source == KeySource::Api && key.name == "admin" && key.has_every_scope();
    for listed in store.keys(tenant, None, MAX_LISTED_KEYS).await? {
        let key = listed.key;
        if earlier(&key) {
            warn!(
                key_id = %key.id,
                created_at = %key.created_at,
                advice = "this key may be an earlier LOANHOOK_ADMIN_KEY: delete it if nobody needs it",
                "key.perhaps_an_earlier_admin_key"
            );
        }
    }
    Ok(())
}
