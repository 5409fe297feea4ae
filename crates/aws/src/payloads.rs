//! Payloads: the bytes that were sent or received, small ones in a table of their own, others in S3.
//!
//! A PUT to S3 costs as much as six to eight write units of DynamoDB and a GET as much as three reads, while storage is more
//! expensive in DynamoDB: which size is cheaper in the table depends on how long it is kept, and an operator chooses it. A
//! payload has the same name in both places, made of its tenant and hash. A reader looks in both, the likelier one first,
//! so that the choice may change at any time.
//!
//! A response body that was stored from here a while ago is not stored again: most receivers repeat a few short bodies, and
//! one item can only be written so often a second. Payloads are kept a day longer than what names them, so one may be a few
//! hours older.

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

use crate::engine::Aws;
use crate::items::call_errors::{failed, store_error};
use crate::items::item::{Item, missing_attribute, number, text, unexpired};
use crate::items::key_schema::{BYTES, EXPIRES, PK, payload_name};
use crate::sdk::MAX_CONCURRENT_CALLS;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::payload::PayloadKey;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Payloads, StoreResult};

/// How much longer payloads are kept than the deliveries and rows that name them.
const EXTRA_RETENTION: Duration = Duration::from_secs(24 * 3600);
/// How often the same response body is stored again: much less than [`EXTRA_RETENTION`].
const RESPONSE_PUT_INTERVAL: Duration = Duration::from_secs(6 * 3600);

impl Aws {
    /// Stores the payloads of deliveries, equal ones once.
    pub(crate) async fn put_payloads<'a>(
        &self,
        tenant: &TenantId,
        deliveries: impl Iterator<Item = &'a (Delivery, Bytes)>,
    ) -> StoreResult<()> {
        let payloads: HashMap<_, _> = deliveries
            .filter_map(|(delivery, bytes)| Some((delivery.snapshot.request.payload.key?, bytes.clone())))
            .collect();
        let puts: Vec<_> =
            payloads.into_iter().map(|(key, bytes)| self.put_payload(tenant, key, bytes)).collect();
        stream::iter(puts).buffer_unordered(MAX_CONCURRENT_CALLS).try_collect::<Vec<()>>().await.map(|_| ())
    }

    /// Stores bytes under their hash, also where they are stored already, so that they are kept from their last use on.
    async fn put_payload(&self, tenant: &TenantId, key: PayloadKey, bytes: Bytes) -> StoreResult<()> {
        let name = payload_name(tenant, key);
        if bytes.len() <= self.stack().small_payload {
            self.put_in_table(&name, bytes).await
        } else {
            self.put_in_bucket(&name, bytes).await
        }
    }

    /// Stores a response body, unless it was stored from here within the interval.
    pub(crate) async fn put_response_body(
        &self,
        tenant: &TenantId,
        key: PayloadKey,
        bytes: Bytes,
    ) -> StoreResult<()> {
        let now = Timestamp::now();
        if !self.cache().response_was_put(tenant, key, now, RESPONSE_PUT_INTERVAL) {
            self.put_payload(tenant, key, bytes).await?;
            self.cache().record_response_put(tenant, key, now);
        }
        Ok(())
    }

    async fn put_in_table(&self, name: &str, bytes: Bytes) -> StoreResult<()> {
        let expires = Timestamp::now() + self.stack().retention + EXTRA_RETENTION;
        let item = Item::from([
            (PK.into(), text(name)),
            (BYTES.into(), AttributeValue::B(Blob::new(bytes))),
            (EXPIRES.into(), number(expires.seconds())),
        ]);
        let put = self.dynamodb().put_item().table_name(&self.stack().payloads).set_item(Some(item));
        put.send().await.map(|_| ()).map_err(store_error)
    }

    async fn put_in_bucket(&self, name: &str, bytes: Bytes) -> StoreResult<()> {
        let put = self.s3().put_object().bucket(&self.stack().bucket).key(name).body(ByteStream::from(bytes));
        put.send().await.map(|_| ()).map_err(store_error)
    }

    async fn get_from_table(&self, name: &str) -> StoreResult<Option<Bytes>> {
        let get = self.dynamodb().get_item().table_name(&self.stack().payloads).key(PK, text(name));
        let got = get.consistent_read(true).send().await.map_err(store_error)?;
        let Some(mut item) = got.item.and_then(unexpired) else { return Ok(None) };
        match item.remove(BYTES) {
            Some(AttributeValue::B(bytes)) => Ok(Some(bytes.into_inner().into())),
            _ => Err(missing_attribute(BYTES)),
        }
    }

    async fn get_from_bucket(&self, name: &str) -> StoreResult<Option<Bytes>> {
        match self.s3().get_object().bucket(&self.stack().bucket).key(name).send().await {
            Ok(object) => {
                let bytes = object.body.collect().await;
                let bytes = bytes.map_err(failed)?;
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
        if self.stack().small_payload == 0 {
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
