//! Payloads: the bytes that were sent or received, small ones in a table of their own, others in S3.
//!
//! A PUT to S3 costs as much as six to eight write units of DynamoDB and a GET as much as three reads, while storage is more
//! expensive in DynamoDB: which size is cheaper in the table depends on how long it is kept, and an operator chooses it. A
//! payload has the same name in both places, made of its tenant and hash. A reader looks in both, the likelier one first,
//! so that the choice may change at any time. It asks the table with eventual consistency at first, for half a read unit: a
//! payload never changes, and one that was put a moment ago is found by the last read, which is strongly consistent.
//!
//! In the table a payload is packed where that saves a write unit, or where it is small enough only so; in the bucket it
//! is as it was sent or received. Its hash, by which what was packed is checked, is always that of the bytes themselves.
//!
//! A response body that was stored from here a while ago is not stored again: most receivers repeat a few short bodies, and
//! one item can only be written so often a second. Payloads are kept a day longer than what names them, so one may be a few
//! hours older.

use std::collections::HashSet;
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
use crate::items::item::{Item, missing_attribute, number, text, unexpired, unreadable};
use crate::items::item_size::bytes_of;
use crate::items::key_schema::{BYTES, EXPIRES, PACKED, PK, payload_name};
use crate::items::packed::{self, UnpackError};
use crate::sdk::MAX_CONCURRENT_CALLS;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::payload::PayloadKey;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Payloads, StoreResult};

/// How much longer payloads are kept than the deliveries and rows that name them.
const EXTRA_RETENTION: Duration = Duration::from_secs(24 * 3600);
/// How many times as large as a small payload one may be that is packed to see whether it becomes small: few texts of a
/// few KiB become shorter than this part of them.
const MAX_PACKED_RATIO: usize = 4;
/// How often the same response body is stored again: much less than [`EXTRA_RETENTION`].
const RESPONSE_PUT_INTERVAL: Duration = Duration::from_secs(6 * 3600);

impl Aws {
    /// Stores the payloads of deliveries, equal ones once, and none that is among `stored`; they are then.
    pub(crate) async fn put_payloads<'a>(
        &self,
        tenant: &TenantId,
        deliveries: impl Iterator<Item = &'a (Delivery, Bytes)>,
        stored: &mut HashSet<PayloadKey>,
    ) -> StoreResult<()> {
        let payloads =
            deliveries.filter_map(|(delivery, bytes)| Some((delivery.snapshot.request.payload.key?, bytes)));
        let new = payloads.filter(|(key, _)| stored.insert(*key));
        let puts: Vec<_> = new.map(|(key, bytes)| self.put_payload(tenant, key, bytes.clone())).collect();
        stream::iter(puts).buffer_unordered(MAX_CONCURRENT_CALLS).try_collect::<Vec<()>>().await.map(|_| ())
    }

    /// Stores bytes under their hash, also where they are stored already, so that they are kept from their last use on.
    pub(crate) async fn put_payload(
        &self,
        tenant: &TenantId,
        key: PayloadKey,
        bytes: Bytes,
    ) -> StoreResult<()> {
        let name = payload_name(tenant, key);
        let expires = Timestamp::now() + self.stack().retention + EXTRA_RETENTION;
        match table_item(&name, &bytes, expires, self.stack().small_payload) {
            Some(item) => self.put_in_table(item).await,
            None => self.put_in_bucket(&name, bytes).await,
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

    async fn put_in_table(&self, item: Item) -> StoreResult<()> {
        let put = self.dynamodb().put_item().table_name(&self.stack().payloads).set_item(Some(item));
        put.send().await.map(|_| ()).map_err(store_error)
    }

    async fn put_in_bucket(&self, name: &str, bytes: Bytes) -> StoreResult<()> {
        let put = self.s3().put_object().bucket(&self.stack().bucket).key(name).body(ByteStream::from(bytes));
        put.send().await.map(|_| ()).map_err(store_error)
    }

    async fn get_from_table(
        &self,
        name: &str,
        key: PayloadKey,
        consistent: bool,
    ) -> StoreResult<Option<Bytes>> {
        let get = self.dynamodb().get_item().table_name(&self.stack().payloads).key(PK, text(name));
        let got = get.consistent_read(consistent).send().await.map_err(store_error)?;
        got.item.and_then(unexpired).map(|item| table_bytes(item, key)).transpose()
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

/// The item of a payload in the table; none where it takes more than `limit` bytes there.
fn table_item(name: &str, bytes: &Bytes, expires: Timestamp, limit: usize) -> Option<Item> {
    let mut item = Item::from([(PK.into(), text(name)), (EXPIRES.into(), number(expires.seconds()))]);
    let packed = if bytes.len() <= limit {
        packed::pack_if_cheaper(bytes, bytes_of(&item) + PACKED.len())
    } else if bytes.len() <= limit.saturating_mul(MAX_PACKED_RATIO) {
        Some(packed::pack(bytes).filter(|packed| packed.len() <= limit)?)
    } else {
        return None;
    };
    let (attribute, stored) = match packed {
        Some(packed) => (PACKED, Blob::new(packed)),
        None => (BYTES, Blob::new(bytes.clone())),
    };
    item.insert(attribute.into(), AttributeValue::B(stored));
    Some(item)
}

/// The payload that an item of the table holds.
fn table_bytes(mut item: Item, key: PayloadKey) -> StoreResult<Bytes> {
    if let Some(AttributeValue::B(packed)) = item.get(PACKED) {
        let bytes = packed::unpack(packed.as_ref()).map_err(|error| unreadable(&error))?;
        if PayloadKey::of(&bytes) != key {
            return Err(unreadable(&UnpackError::Damaged));
        }
        return Ok(bytes.into());
    }
    match item.remove(BYTES) {
        Some(AttributeValue::B(bytes)) => Ok(bytes.into_inner().into()),
        _ => Err(missing_attribute(BYTES)),
    }
}

impl Payloads for Aws {
    async fn payload(&self, tenant: &TenantId, key: PayloadKey) -> StoreResult<Option<Bytes>> {
        let name = payload_name(tenant, key);
        if self.stack().small_payload > 0
            && let Some(bytes) = self.get_from_table(&name, key, false).await?
        {
            return Ok(Some(bytes));
        }
        match self.get_from_bucket(&name).await? {
            None => self.get_from_table(&name, key, true).await,
            found => Ok(found),
        }
    }
}

#[cfg(test)]
#[path = "payloads_tests.rs"]
mod tests;
