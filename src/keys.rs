//! API keys: made, found by what a caller shows, ended.

use std::sync::Arc;

use crate::model::id::{KeyId, TenantId};
use crate::model::key::{FIRST_TENANT, Key, KeyHash, Scope, SecretKey};
use crate::model::time::Timestamp;
use crate::ports::{Keys, StoreError, Stored};

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("no randomness for a key: {0}")]
    Randomness(#[from] getrandom::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The key that a caller shows, by its hash, if there is one.
pub async fn authenticate<S: Keys>(store: &S, shown: KeyHash) -> Stored<Option<Arc<Key>>> {
    store.key(shown).await
}

/// Makes a key; it is in clear here and never again.
pub async fn create<S: Keys>(
    store: &S,
    tenant: TenantId,
    name: String,
    scopes: Vec<Scope>,
    now: Timestamp,
) -> Result<(Key, SecretKey), KeyError> {
    let secret = SecretKey::generate()?;
    let key = Key { id: KeyId::at(now), tenant, name, scopes, created_at: now };
    store.add_key(key.clone(), secret.hash()).await?;
    Ok((key, secret))
}

/// Sees to it that a key with every scope exists: the chosen one, or, where its tenant has no key, a
/// new one, which is returned.
pub async fn ensure_admin<S: Keys>(
    store: &S,
    chosen: Option<SecretKey>,
    now: Timestamp,
) -> Result<Option<SecretKey>, KeyError> {
    let tenant =
        TenantId::try_from(FIRST_TENANT.to_owned()).map_err(|fault| StoreError::Failed(fault.into()))?;
    let (secret, made) = match chosen {
        Some(chosen) => match store.key(chosen.hash()).await? {
            Some(key) if key.tenant == tenant && Scope::ALL.iter().all(|scope| key.may(*scope)) => {
                return Ok(None);
            }
            Some(lesser) => {
                store.delete_key(&lesser.tenant, lesser.id).await?;
                (chosen, false)
            }
            None => (chosen, false),
        },
        None if !store.keys(&tenant, None, 1).await?.is_empty() => return Ok(None),
        None => (SecretKey::generate()?, true),
    };
    let key = Key::admin(tenant, now);
    store.add_key(key, secret.hash()).await?;
    Ok(made.then_some(secret))
}
