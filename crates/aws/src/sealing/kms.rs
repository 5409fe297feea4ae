//! Calls of KMS: a data key made, and a data key decrypted.
//!
//! Both name the table in their encryption context, on which the template lets the roles depend: what was encrypted for another
//! stack is not decrypted, even where both have one KMS key.

use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::DataKeySpec;
use loanhook_seal::{KeyId, SealingKey};
use tracing::error;

use crate::engine::Aws;
use crate::items::call_errors::store_error;
use loanhook_core::ports::{StoreError, StoreResult};

/// The name of the table in the encryption context. The template has it too.
const CONTEXT: &str = "loanhook-table";

/// A data key that KMS has just made.
pub(super) struct NewDataKey {
    pub(super) key: SealingKey,
    /// As KMS encrypted it.
    pub(super) encrypted: Vec<u8>,
}

impl Aws {
    /// A new data key, which is stored nowhere yet.
    pub(super) async fn generate_data_key(&self) -> StoreResult<NewDataKey> {
        let Some(kms_key) = &self.stack().kms_key else {
            let sentence = "the table has no data key yet, and LOANHOOK_KMS_KEY is not set, so this function makes none: \
                            infra/seal_secrets.py STACK seal has one made";
            return Err(StoreError::Failed(sentence.into()));
        };
        let call = self.kms().generate_data_key().key_id(kms_key).key_spec(DataKeySpec::Aes256);
        let made = call.encryption_context(CONTEXT, self.table()).send().await;
        let made = made.map_err(|failure| kms_failed("GenerateDataKey", None, failure))?;
        let (Some(plain), Some(encrypted)) = (made.plaintext, made.ciphertext_blob) else {
            return Err(StoreError::Failed("KMS answered without a data key".into()));
        };
        Ok(NewDataKey { key: data_key(&plain)?, encrypted: encrypted.into_inner() })
    }

    /// A data key that KMS encrypted. Which key of KMS that was is in the bytes, and which may be used is said by the role.
    pub(super) async fn decrypt_data_key(&self, id: &KeyId, encrypted: &[u8]) -> StoreResult<SealingKey> {
        let call = self.kms().decrypt().ciphertext_blob(Blob::new(encrypted));
        let decrypted = call.encryption_context(CONTEXT, self.table()).send().await;
        let decrypted = decrypted.map_err(|failure| kms_failed("Decrypt", Some(id), failure))?;
        let plain = decrypted.plaintext;
        let key =
            data_key(&plain.ok_or_else(|| StoreError::Failed("KMS answered without a data key".into()))?)?;
        if key.id() == *id {
            Ok(key)
        } else {
            Err(StoreError::Failed(
                format!("what stands in the table as the data key {id} is another").into(),
            ))
        }
    }
}

fn data_key(plain: &Blob) -> StoreResult<SealingKey> {
    let bytes = <[u8; 32]>::try_from(plain.as_ref());
    bytes
        .map(SealingKey::from_bytes)
        .map_err(|_| StoreError::Failed("a data key of KMS has not 32 bytes".into()))
}

/// The error of a call of KMS. It is logged here: what asked for the secret may only say that the store failed.
fn kms_failed<E, R>(call: &str, data_key: Option<&KeyId>, failure: SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug + 'static,
{
    let code = failure.code().unwrap_or("none").to_owned();
    let failure = store_error(failure);
    error!(call, data_key = data_key.map(tracing::field::display), code, %failure, "secrets.kms_failed");
    match failure {
        StoreError::Busy => StoreError::Busy,
        StoreError::Failed(why) => StoreError::Failed(format!("KMS failed ({call}): {why}").into()),
    }
}
