//! The data keys that an instance has decrypted.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::time::Instant;

use loanhook_seal::{KeyId, Keyring, SealingKey};
use tokio::sync::Mutex;

use super::data_keys::DataKeys;
use crate::engine::Aws;
use loanhook_core::ports::{StoreError, StoreResult};

#[derive(Default)]
pub(crate) struct KnownKeys {
    /// None until the first data key is known.
    keyring: OnceLock<Keyring>,
    /// Held while a key is decrypted, so that those who need it at the same time call KMS once. When that last failed, and why.
    decrypting: Mutex<Option<(Instant, StoreError)>>,
}

impl KnownKeys {
    pub(super) fn put(&self, key: &SealingKey) {
        self.keyring.get_or_init(|| Keyring::new(key)).add(key);
    }

    /// The keyring, if it has all of these keys.
    fn with(&self, needed: &BTreeSet<KeyId>) -> Option<Keyring> {
        self.keyring.get().filter(|keyring| needed.iter().all(|id| keyring.has(id))).cloned()
    }
}

impl Aws {
    /// A keyring that has these keys. None where none is needed.
    pub(crate) async fn keyring_of(&self, needed: BTreeSet<KeyId>) -> StoreResult<Option<Keyring>> {
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
    ) -> StoreResult<Keyring> {
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
        *last_failure = learned.as_ref().err().map(|failure| (Instant::now(), failure.clone()));
        learned
    }

    /// Has KMS decrypt those of these keys that are not known.
    async fn learn_keys(&self, needed: &BTreeSet<KeyId>, read: Option<DataKeys>) -> StoreResult<Keyring> {
        let stored = match read {
            Some(read) => Some(read),
            None => self.data_keys().await?,
        };
        let unknown = |id: &KeyId| {
            let sentence =
                format!("secrets are sealed with the data key {id}, which the table does not have");
            StoreError::Failed(sentence.into())
        };
        for id in needed.iter().filter(|id| self.known_keys().with(&[(*id).clone()].into()).is_none()) {
            let encrypted = stored.as_ref().and_then(|stored| stored.encrypted.get(id));
            let key = self.decrypt_data_key(id, encrypted.ok_or_else(|| unknown(id))?).await?;
            self.known_keys().put(&key);
        }
        self.known_keys().with(needed).ok_or_else(|| StoreError::Failed("no data key is known".into()))
    }
}
