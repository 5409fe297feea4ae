//! The set of deliveries that failed, by their index.

use uuid::Uuid;

use super::shards::{self, Merged};
use crate::engine::Aws;
use crate::items::item::{parse, text};
use crate::items::key_schema::{
    BY_FAILED, FAILED_PK, FAILED_SHARDS, FAILED_SK, failed_shard_pk, failed_sk, read_failed_sk,
};
use loanhook_core::model::delivery::DeliveryPosition;
use loanhook_core::model::id::{TenantId, TraceId};
use loanhook_core::model::progress::Status;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DeliveryList as _, DeliveryPart, DeliverySpan, StoreError, StoreResult};

/// Before and after every position. Times have 13 digits until the year 2286.
const FIRST: DeliveryPosition = DeliveryPosition::first_at(Timestamp::from_millis(0));
const LAST: DeliveryPosition = DeliveryPosition {
    accepted_at: Timestamp::from_millis(9_999_999_999_999),
    trace: TraceId::from_uuid(Uuid::max()),
};

impl Aws {
    /// At most `limit` deliveries that failed, within a span.
    pub(super) async fn that_failed(
        &self,
        tenant: &TenantId,
        span: &DeliverySpan,
        limit: usize,
    ) -> StoreResult<DeliveryPart> {
        let oldest = span.from.map_or(FIRST, DeliveryPosition::first_at).max(FIRST);
        let newest = span.before.map_or(LAST, just_before).min(LAST);
        if newest < oldest {
            return Ok(DeliveryPart::default());
        }
        let query = |shard| {
            self.dynamodb()
                .query()
                .table_name(self.table())
                .index_name(BY_FAILED)
                .key_condition_expression("#failed = :failed AND #at BETWEEN :oldest AND :newest")
                .expression_attribute_names("#failed", FAILED_PK)
                .expression_attribute_names("#at", FAILED_SK)
                .expression_attribute_values(":failed", text(failed_shard_pk(tenant, shard)))
                .expression_attribute_values(":oldest", text(failed_sk(oldest)))
                .expression_attribute_values(":newest", text(failed_sk(newest)))
        };
        let each = shards::keys_per_shard(limit, FAILED_SHARDS);
        let queries = (0..FAILED_SHARDS).map(query);
        let Merged { mut keys, read_to } = shards::read(queries, each, |item| {
            let sk: String = parse(item, FAILED_SK)?;
            read_failed_sk(&sk).ok_or_else(|| StoreError::Failed("a place in the index is none".into()))
        })
        .await?;
        let goes_on = match keys.get(limit.saturating_sub(1)) {
            Some(last) if keys.len() > limit => Some(*last),
            _ => read_to,
        };
        keys.truncate(limit);
        let traces: Vec<_> = keys.iter().map(|position| position.trace).collect();
        let mut deliveries = self.deliveries_of_traces(tenant, &traces).await?;
        // The index lags behind its table, and has deliveries of earlier versions that are pending after a failure.
        deliveries.retain(|delivery| delivery.progress.status() == Status::Failed);
        Ok(DeliveryPart { deliveries, examined: keys.len(), goes_on })
    }
}

/// The position right before this one.
fn just_before(position: DeliveryPosition) -> DeliveryPosition {
    match position.trace.uuid().as_u128().checked_sub(1) {
        Some(before) => DeliveryPosition { trace: TraceId::from_uuid(Uuid::from_u128(before)), ..position },
        None => DeliveryPosition {
            accepted_at: position.accepted_at.plus_millis(-1),
            trace: TraceId::from_uuid(Uuid::max()),
        },
    }
}
