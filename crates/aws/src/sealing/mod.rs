//! Sealing: secrets are encrypted before they are stored in the table, with a data key that KMS protects
//! ([ADR 45](../../../../docs/adr/0045-sealing-on-aws.md)).
//!
//! The table holds the data keys, encrypted by KMS ([`data_keys`]). An instance of a function has each decrypted once, when it
//! first meets a secret that was sealed with it ([`known_keys`]); one that meets none never calls KMS ([`kms`]).
//!
//! Before each value that is sealed the item with the data keys is read. So what is sealed by an invocation that began after a
//! rotation is sealed with the new key, and what earlier ones seal is stored before the longest of them ends: then everything
//! can be sealed anew ([`anew`]) and the former key go ([`rotation`]). The operator's command for both is
//! `infra/seal_secrets.py`, which sends [`command`]s.

mod anew;
mod command;
mod data_keys;
mod kms;
mod known_keys;
mod rotation;

use loanhook_seal::{Keyring, OpenError, key_of};

pub use command::{
    NamedSecrets, Refused, RotationState, SealedAnew, SecretsAnswer, SecretsCommand, SeenKeys,
};
pub(crate) use known_keys::{KnownKeys, NoKeyring};

use crate::engine::Aws;
use loanhook_core::ports::StoreResult;

impl Aws {
    /// A secret, sealed for its place.
    ///
    /// # Errors
    ///
    /// When the table or KMS fails.
    pub async fn seal_text(&self, plain: &str, place: &str) -> StoreResult<String> {
        Ok(self.sealing_keyring().await?.seal(plain, place))
    }

    /// As [`seal_text`](Self::seal_text), without a call where this instance has sealed before, or was about to
    /// ([`sealing_keyring`](Self::sealing_keyring)) in the same invocation.
    pub(crate) async fn seal_prepared_text(&self, plain: &str, place: &str) -> StoreResult<String> {
        match self.known_keys().keyring() {
            Some(keyring) => Ok(keyring.seal(plain, place)),
            None => self.seal_text(plain, place).await,
        }
    }

    /// The secret that was sealed for this place by [`seal_text`](Self::seal_text), or why it cannot be opened: it was sealed for
    /// another place, or with a data key that is not there any more.
    ///
    /// # Errors
    ///
    /// When the table or KMS fails.
    pub async fn open_text(&self, sealed: &str, place: &str) -> StoreResult<Result<String, OpenError>> {
        match self.keyring_of(key_of(sealed).into_iter().collect()).await {
            Ok(Some(keyring)) => Ok(keyring.open(sealed, place)),
            Ok(None) => Ok(Err(OpenError::NotSealed)),
            Err(NoKeyring::UnknownKey(id)) => Ok(Err(OpenError::UnknownKey(id))),
            Err(NoKeyring::Store(failure)) => Err(failure),
        }
    }

    /// The keyring that seals with the current data key. Where the table had no data key yet, one is made.
    pub(crate) async fn sealing_keyring(&self) -> StoreResult<Keyring> {
        let keys = self.made_data_keys().await?;
        let current = keys.current.clone();
        let keyring = self.keyring_with([current.clone()].into(), Some(keys)).await;
        let keyring = keyring.map_err(NoKeyring::into_store_error)?;
        // It is there, as the call before says.
        let _ = keyring.select(&current);
        Ok(keyring)
    }

    /// Has the current data key decrypted, beside whatever else is done. A failure of it is met again where the key is needed.
    pub fn prepare_to_open(&self) {
        let engine = self.clone();
        self.spawn_background(async move {
            if let Ok(Some(keys)) = engine.data_keys().await {
                let _ = engine.keyring_with([keys.current.clone()].into(), Some(keys)).await;
            }
        });
    }
}
