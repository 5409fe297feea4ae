//! Events accepted: the record of their key, payloads, deliveries, messages, in this order.

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, TryStreamExt as _};

use super::call_errors::{WriteOutcome, write_outcome};
use super::item::{Item, document, json, number, unexpired};
use super::key_schema::{DOC, EXPIRES, IdempotencyScope, PK, UNTIL, idempotency};
use super::{Aws, delivery_item};
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    AcceptOutcome, AcceptRequest, IdempotencyKey, IdempotencyRecord, Intake, QueueMessage, StoreError,
    StoreResult,
};

/// How many calls of one event are under way at once.
pub(super) const CONCURRENT_CALLS: usize = 16;
/// How many times a record of a key is put anew where the one before it was over.
pub(super) const MAX_TRIES: u32 = 3;

impl Intake for Aws {
    async fn accept(&self, request: AcceptRequest) -> StoreResult<AcceptOutcome> {
        let AcceptRequest { tenant, loan_id, idempotency, deliveries, watched, now } = request;
        if !watched.is_empty() {
            return self.accept_watched(&tenant, &loan_id, idempotency, deliveries, watched, now).await;
        }
        match self.accept_unwatched(&tenant, idempotency, deliveries, now).await? {
            None => Ok(AcceptOutcome::Stored { fired: Vec::new() }),
            Some(known) => Ok(AcceptOutcome::Duplicate(known)),
        }
    }
}

impl Aws {
    /// Stores what is sent in any case; gives the record of the key where that was used before.
    pub(super) async fn accept_unwatched(
        &self,
        tenant: &TenantId,
        idempotency: Option<(IdempotencyKey, IdempotencyRecord)>,
        deliveries: Vec<(Delivery, Bytes)>,
        now: Timestamp,
    ) -> StoreResult<Option<IdempotencyRecord>> {
        if let Some((key, record)) = idempotency
            && let Some(known) = self.put_idempotency_record(tenant, &key, &record, now).await?
        {
            return Ok(Some(known));
        }
        self.put_payloads(tenant, deliveries.iter()).await?;
        let puts: Vec<_> = deliveries.into_iter().map(|(delivery, _)| self.put_delivery(delivery)).collect();
        let messages: Vec<_> = stream::iter(puts).buffered(CONCURRENT_CALLS).try_collect().await?;
        self.enqueue_all(messages.into_iter().flatten().collect()).await?;
        Ok(None)
    }

    /// Puts the record of a key; gives the one that is there already and is not over.
    pub(super) async fn put_idempotency_record(
        &self,
        tenant: &TenantId,
        key: &IdempotencyKey,
        remembered: &IdempotencyRecord,
        now: Timestamp,
    ) -> StoreResult<Option<IdempotencyRecord>> {
        let item = idempotency_item(tenant, IdempotencyScope::Event, key, json(remembered)?, now);
        for _ in 0..MAX_TRIES {
            let put = self
                .dynamodb()
                .put_item()
                .table_name(self.table())
                .set_item(Some(item.clone()))
                .condition_expression("attribute_not_exists(#pk) OR #until <= :now")
                .expression_attribute_names("#pk", PK)
                .expression_attribute_names("#until", UNTIL)
                .expression_attribute_values(":now", number(now.millis()))
                .return_values_on_condition_check_failure(AllOld)
                .send()
                .await;
            match write_outcome(put)? {
                WriteOutcome::Done(_) => return Ok(None),
                WriteOutcome::Refused(Some(item)) => {
                    let known: IdempotencyRecord = document(&item)?;
                    // Our own first try, whose answer was lost on its way.
                    return Ok((known != *remembered).then_some(known));
                }
                WriteOutcome::Refused(None) => {}
            }
        }
        Err(StoreError::Busy)
    }

    /// Puts a delivery that is not there yet; gives the message of its first attempt, if that is still to
    /// come.
    pub(super) async fn put_delivery(&self, delivery: Delivery) -> StoreResult<Option<QueueMessage>> {
        let expires = Timestamp::now() + self.0.stack.retention;
        let there = match self.put_new(delivery_item::new(&delivery, expires)?).await? {
            WriteOutcome::Done(()) => return Ok(QueueMessage::for_next_attempt(&delivery)),
            WriteOutcome::Refused(there) => {
                there.and_then(unexpired).as_ref().map(delivery_item::read).transpose()?
            }
        };
        // A first call may have stopped before its message.
        let untouched = there.filter(|there| there.history.newest_attempt.is_none());
        Ok(untouched.and_then(|there| QueueMessage::for_next_attempt(&there)))
    }
}

/// The record of an idempotency key. DynamoDB deletes it by the clock of this machine, a day after it is
/// over: what reads it checks `until`.
pub(super) fn idempotency_item(
    tenant: &TenantId,
    kind: IdempotencyScope,
    key: &IdempotencyKey,
    doc: aws_sdk_dynamodb::types::AttributeValue,
    now: Timestamp,
) -> Item {
    let kept = key.until.since(now) + std::time::Duration::from_secs(24 * 3600);
    let mut item = idempotency(tenant, kind, &key.key).key();
    item.insert(DOC.into(), doc);
    item.insert(UNTIL.into(), number(key.until.millis()));
    item.insert(EXPIRES.into(), number((Timestamp::now() + kept).seconds()));
    item
}
