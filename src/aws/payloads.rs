//! Bytes that were sent or came back, in S3.

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;

use super::Aws;
use super::failure::failed;
use super::table::object;
use crate::model::id::TenantId;
use crate::model::payload::PayloadKey;
use crate::ports::{Payloads, StoreError, Stored};

impl Aws {
    /// Puts bytes under their hash. They are put even where they are already, so that the bucket's
    /// lifecycle counts from their last use.
    pub(super) async fn put_payload(&self, tenant: &TenantId, key: PayloadKey, bytes: Bytes) -> Stored<()> {
        self.0
            .s3
            .put_object()
            .bucket(&self.0.stack.bucket)
            .key(object(tenant, key))
            .body(ByteStream::from(bytes))
            .send()
            .await
            .map(|_| ())
            .map_err(failed)
    }
}

impl Payloads for Aws {
    async fn payload(&self, tenant: &TenantId, key: PayloadKey) -> Stored<Option<Bytes>> {
        let got = self.0.s3.get_object().bucket(&self.0.stack.bucket).key(object(tenant, key)).send().await;
        match got {
            Ok(object) => {
                let bytes = object.body.collect().await;
                let bytes = bytes.map_err(|error| StoreError::Failed(error.to_string().into()))?;
                Ok(Some(bytes.into_bytes()))
            }
            Err(SdkError::ServiceError(error)) if matches!(error.err(), GetObjectError::NoSuchKey(_)) => {
                Ok(None)
            }
            Err(error) => Err(failed(error)),
        }
    }
}
