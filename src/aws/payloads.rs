//! Bytes that were sent or came back, in S3.

use std::collections::HashMap;

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, TryStreamExt as _};

use super::Aws;
use super::failure::failed;
use super::intake::AT_ONCE;
use super::table::object;
use crate::model::delivery::Delivery;
use crate::model::id::TenantId;
use crate::model::payload::PayloadKey;
use crate::ports::{Payloads, StoreError, Stored};

impl Aws {
    /// Puts the payloads of deliveries, equal ones once.
    pub(super) async fn put_payloads<'a>(
        &self,
        tenant: &TenantId,
        deliveries: impl Iterator<Item = &'a (Delivery, Bytes)>,
    ) -> Stored<()> {
        let payloads: HashMap<_, _> = deliveries
            .filter_map(|(delivery, bytes)| Some((delivery.frozen.request.payload.key?, bytes.clone())))
            .collect();
        let puts: Vec<_> =
            payloads.into_iter().map(|(key, bytes)| self.put_payload(tenant, key, bytes)).collect();
        stream::iter(puts).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await.map(|_| ())
    }

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
