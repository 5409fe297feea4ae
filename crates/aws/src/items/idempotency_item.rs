//! An idempotency record as an item: what the first call with a key did, and until when the key is remembered.
//!
//! DynamoDB deletes it by this machine's clock, a day later than the key says: what reads it compares `until` with the time
//! of the call.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::builders::PutBuilder;

use super::item::{Item, get_number, number};
use super::key_schema::{DOC, EXPIRES, IdempotencyScope, PK, UNTIL, idempotency};
use crate::engine::Aws;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{IdempotencyKey, StoreResult};

const EXTRA_RETENTION: Duration = Duration::from_secs(24 * 3600);

impl Aws {
    /// The record of a key that has not expired at `now`.
    pub(crate) async fn idempotency_item(
        &self,
        tenant: &TenantId,
        scope: IdempotencyScope,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> StoreResult<Option<Item>> {
        let item = self.get(idempotency(tenant, scope, &key.key)).await?;
        let current = |item: &Item| get_number(item, UNTIL).is_some_and(|until: i64| until > now.millis());
        Ok(item.filter(current))
    }

    /// The put of a record, where there is none of its key or the one that is there is over.
    pub(crate) fn put_idempotency_item(
        &self,
        tenant: &TenantId,
        scope: IdempotencyScope,
        key: &IdempotencyKey,
        doc: AttributeValue,
        now: Timestamp,
    ) -> PutBuilder {
        let kept = key.until.since(now) + EXTRA_RETENTION;
        let mut item = idempotency(tenant, scope, &key.key).attributes();
        item.insert(DOC.into(), doc);
        item.insert(UNTIL.into(), number(key.until.millis()));
        item.insert(EXPIRES.into(), number((Timestamp::now() + kept).seconds()));
        self.put_if(item, "attribute_not_exists(#pk) OR #until <= :now")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#until", UNTIL)
            .expression_attribute_values(":now", number(now.millis()))
    }
}
