//! The data keys that an instance has decrypted.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::time::Instant;

use loanhook_seal::{KeyId, Keyring, SealingKey};
use tokio::sync::Mutex;

use super::data_keys::DataKeys;
use crate::engine::Aws;
use loanhook_core::ports::StoreError;

/// Why there is no keyring with the keys that are needed.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum NoKeyring {
    /// The table or KMS failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("secrets are sealed with the data key {0}, which the table does not have")]
    UnknownKey(KeyId),
}

impl NoKeyring {
    /// The error where nothing can be done without the keyring.
    pub(crate) fn into_store_error(self) -> StoreError {
        match self {
            Self::Store(failure) => failure,
            Self::UnknownKey(_) => StoreError::Failed(self.to_string().into()),
        }
    }
}

#[derive(Default)]
pub(crate) struct KnownKeys {
    /// None until the first data key is known.
    keyring: OnceLock<Keyring>,
    /// Held while a key is decrypted, so that those who need it at the same time call KMS once. When that last failed, and why.
    decrypting: Mutex<Option<(Instant, NoKeyring)>>,
}

impl KnownKeys {
    pub(super) fn put(&self, key: &SealingKey) {
        self.keyring.get_or_init(|| Keyring::new(key)).add(key);
    }

    /// The keyring, which seals with the key that was current when this instance last sealed or was about to; none where no key
    /// is known.
    pub(super) fn keyring(&self) -> Option<&Keyring> {
        self.keyring.get()
    }

    /// The keyring, if it has all of these keys.
    fn with(&self, needed: &BTreeSet<KeyId>) -> Option<Keyring> {
        self.keyring.get().filter(|keyring| needed.iter().all(|id| keyring.has(id))).cloned()
    }
}

impl Aws {
    /// A keyring that has these keys. None where none is needed.
    pub(crate) async fn keyring_of(&self, needed: BTreeSet<KeyId>) -> Result<Option<Keyring>, NoKeyring> {
        if needed.is_empty() {
            return Ok(None);
        }
        self.keyring_with(needed, None).await.map(Some)
    }

    /// A keyring that has these keys; `read` are the data keys, where they were just read.
    pub(super) async fn keyring_with(
        &self,
        needed: BTreeSet<KeyId>,
        read: Option<DataKeys>,
    ) -> Result<Keyring, NoKeyring> {
        let known = self.known_keys();
        if let Some(keyring) = known.with(&needed) {
            return Ok(keyring);
        }
        let began = Instant::now();
        let mut last_failure = known.decrypting.lock().await;
        if let Some(keyring) = known.with(&needed) {
            return Ok(keyring);
        }
        // Whoever waited for a call that failed does not make it again.
        if let Some((at, failure)) = &*last_failure
            && *at >= began
        {
            return Err(failure.clone());
        }
        let learned = self.learn_keys(&needed, read).await;
        // That one key is unknown says nothing to who needs another.
        let of_store = learned.as_ref().err().filter(|failure| matches!(failure, NoKeyring::Store(_)));
        *last_failure = of_store.map(|failure| (Instant::now(), failure.clone()));
        learned
    }

    /// Has KMS decrypt those of these keys that are not known.
    async fn learn_keys(
        &self,
        needed: &BTreeSet<KeyId>,
        read: Option<DataKeys>,
    ) -> Result<Keyring, NoKeyring> {
        let stored = match read {
            Some(read) => Some(read),
            None => self.data_keys().await?,
        };
        for id in needed.iter().filter(|id| self.known_keys().with(&[(*id).clone()].into()).is_none()) {
            let encrypted = stored.as_ref().and_then(|stored| stored.encrypted.get(id));
            let encrypted = encrypted.ok_or_else(|| NoKeyring::UnknownKey(id.clone()))?;
            self.known_keys().put(&self.decrypt_data_key(id, encrypted).await?);
        }
        let keyring = self.known_keys().with(needed);
        keyring.ok_or_else(|| StoreError::Failed("no data key is known".into()).into())
    }
}
