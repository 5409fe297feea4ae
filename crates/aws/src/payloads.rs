//! Bytes that were sent or came back: small ones in a table of their own, others in S3.
//!
//! A PUT of S3 costs as much as six to eight write units of DynamoDB, and a GET as three reads, while
//! DynamoDB's storage is the dearer one: what is small is kept in the table, and how small that is, an
//! operator chooses by how long it is kept. Either place has them under the same name, made of tenant and hash.
//! A reader looks in both, the likelier first, so that the choice may change at any time.
//!
//! An answer that equals one put from here a while ago is not put again: receivers say the same few words most of
//! the time, and one item can only be written so often a second. What is kept outlives what names it by a day, so
//! it may be a few hours older.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, TryStreamExt as _};

use super::Aws;
use super::call_errors::store_error;
use super::intake::CONCURRENT_CALLS;
use super::item::{Item, missing_attribute, number, text, unexpired};
use super::key_schema::{BYTES, EXPIRES, PK, payload_name};
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::payload::PayloadKey;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Payloads, StoreError, StoreResult};

/// How much longer payloads are kept than the deliveries and rows that name them.
const EXTRA_RETENTION: Duration = Duration::from_secs(24 * 3600);
/// An answer that was put so long ago is put again: much less than [`OUTLIVES`].
const RESPONSE_PUT_INTERVAL: Duration = Duration::from_secs(6 * 3600);

impl Aws {
    /// Puts the payloads of deliveries, equal ones once.
    pub(super) async fn put_payloads<'a>(
        &self,
        tenant: &TenantId,
        deliveries: impl Iterator<Item = &'a (Delivery, Bytes)>,
    ) -> StoreResult<()> {
        let payloads: HashMap<_, _> = deliveries
            .filter_map(|(delivery, bytes)| Some((delivery.snapshot.request.payload.key?, bytes.clone())))
            .collect();
        let puts: Vec<_> =
            payloads.into_iter().map(|(key, bytes)| self.put_payload(tenant, key, bytes)).collect();
        stream::iter(puts).buffer_unordered(CONCURRENT_CALLS).try_collect::<Vec<()>>().await.map(|_| ())
    }

    /// Puts bytes under their hash. They are put even where they are already, so that their life counts from
    /// their last use.
    pub(super) async fn put_payload(
        &self,
        tenant: &TenantId,
        key: PayloadKey,
        bytes: Bytes,
    ) -> StoreResult<()> {
        let name = payload_name(tenant, key);
        if bytes.len() <= self.0.stack.small_payload {
            self.put_in_table(&name, bytes).await
        } else {
            self.put_in_bucket(&name, bytes).await
        }
    }

    /// Puts the body of an answer, if it was not put from here of late.
    pub(super) async fn put_response_body(
        &self,
        tenant: &TenantId,
        key: PayloadKey,
        bytes: Bytes,
    ) -> StoreResult<()> {
        let now = Timestamp::now();
        if !self.0.cache.response_was_put(tenant, key, now, RESPONSE_PUT_INTERVAL) {
            self.put_payload(tenant, key, bytes).await?;
            self.0.cache.record_response_put(tenant, key, now);
        }
        Ok(())
    }

    async fn put_in_table(&self, name: &str, bytes: Bytes) -> StoreResult<()> {
        let expires = Timestamp::now() + self.0.stack.retention + EXTRA_RETENTION;
        let item = Item::from([
            (PK.into(), text(name)),
            (BYTES.into(), AttributeValue::B(Blob::new(bytes))),
            (EXPIRES.into(), number(expires.seconds())),
        ]);
        let put = self.dynamodb().put_item().table_name(&self.0.stack.payloads).set_item(Some(item));
        put.send().await.map(|_| ()).map_err(store_error)
    }

    async fn put_in_bucket(&self, name: &str, bytes: Bytes) -> StoreResult<()> {
        let put = self.0.s3.put_object().bucket(&self.0.stack.bucket).key(name).body(ByteStream::from(bytes));
        put.send().await.map(|_| ()).map_err(store_error)
    }

    async fn get_from_table(&self, name: &str) -> StoreResult<Option<Bytes>> {
        let get = self.dynamodb().get_item().table_name(&self.0.stack.payloads).key(PK, text(name));
        let got = get.consistent_read(true).send().await.map_err(store_error)?;
        let Some(mut item) = got.item.and_then(unexpired) else { return Ok(None) };
        match item.remove(BYTES) {
            Some(AttributeValue::B(bytes)) => Ok(Some(bytes.into_inner().into())),
            _ => Err(missing_attribute(BYTES)),
        }
    }

    async fn get_from_bucket(&self, name: &str) -> StoreResult<Option<Bytes>> {
        match self.0.s3.get_object().bucket(&self.0.stack.bucket).key(name).send().await {
            Ok(object) => {
                let bytes = object.body.collect().await;
                let bytes = bytes.map_err(|error| StoreError::Failed(error.to_string().into()))?;
                Ok(Some(bytes.into_bytes()))
            }
            Err(SdkError::ServiceError(error)) if matches!(error.err(), GetObjectError::NoSuchKey(_)) => {
                Ok(None)
            }
            Err(error) => Err(store_error(error)),
        }
    }
}

impl Payloads for Aws {
    async fn payload(&self, tenant: &TenantId, key: PayloadKey) -> StoreResult<Option<Bytes>> {
        let name = payload_name(tenant, key);
        if self.0.stack.small_payload == 0 {
            return match self.get_from_bucket(&name).await? {
                None => self.get_from_table(&name).await,
                found => Ok(found),
            };
        }
        match self.get_from_table(&name).await? {
            None => self.get_from_bucket(&name).await,
            found => Ok(found),
        }
    }
}
