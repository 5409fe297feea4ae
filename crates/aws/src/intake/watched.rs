//! Events that triggers watch.
//!
//! What was true of a loan's triggers is one item. An event that changes it writes it with the record of the
//! event's key, in one transaction, on condition that it still is as it was read; else all is decided anew.
//! Before that go the deliveries of the triggers that rise, of which there may be more than a transaction
//! takes. Without a message they are nothing that anybody has heard of, and where the decision falls otherwise
//! they are taken back.

use aws_sdk_dynamodb::types::TransactWriteItem;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, TryStreamExt as _};

use super::call_errors::store_error;
use super::intake::{CONCURRENT_CALLS, idempotency_item};
use super::item::{document, get_number, json, number};
use super::key_schema::{self, DOC, IdempotencyScope, NEWEST_AUTO, PK, UNTIL, VERSION};
use super::transaction::{Refusal, TransactionOutcome, TransactionWrite as _, put};
use super::unreadable::readable;
use super::{Aws, back_off};
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::{LoanId, TenantId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::model::trigger_state::TriggerState;
use loanhook_core::ports::{
    AcceptOutcome, Attempts as _, IdempotencyKey, IdempotencyRecord, QueueMessage, StoreError, StoreResult,
    Subscriptions as _, WatchedTrigger,
};

/// How often an event is decided anew because another changed what it read.
const MAX_TRIES: u32 = 16;
/// From here on, waiting longer before the next makes nothing better: a caller waits for all of them.
const MAX_BACK_OFF_STEP: u32 = 3;

/// What became of a decision about triggers.
enum CommitOutcome {
    Committed,
    /// The event's key was used before.
    Duplicate(IdempotencyRecord),
    /// Another event of the loan came first.
    Conflict,
}

impl Aws {
    /// Stores an event that triggers watch.
    pub(super) async fn accept_watched(
        &self,
        tenant: &TenantId,
        loan: &LoanId,
        remember: Option<(IdempotencyKey, IdempotencyRecord)>,
        deliveries: Vec<(Delivery, Bytes)>,
        watched: Vec<WatchedTrigger>,
        now: Timestamp,
    ) -> StoreResult<AcceptOutcome> {
        for tries in 0..MAX_TRIES {
            let (before, version) = self.trigger_state(tenant, loan).await?;
            if tries == 0 {
                self.enqueue_recently_fired(tenant, &before, &watched, now).await?;
            }
            let mut after = before.clone();
            let rises =
                |watched: &&WatchedTrigger| after.update(watched.watch, watched.trace_if_fired(), now);
            let rose: Vec<_> =
                watched.iter().filter(rises).filter_map(|watched| watched.delivery.as_ref()).collect();
            if after == before {
                return Ok(match self.accept_unwatched(tenant, remember, deliveries, now).await? {
                    None => AcceptOutcome::Stored { fired: Vec::new() },
                    Some(known) => AcceptOutcome::Duplicate(known),
                });
            }
            if after.has_deleted_triggers() {
                after.keep(&self.subscriptions(tenant).await?);
            }
            let messages = self.put_fired(tenant, &rose).await?;
            let memory = self.trigger_state_write(tenant, loan, &after, version)?;
            let record = remember.as_ref().map(|(key, remembered)| {
                (key, remembered.clone().with_fired(rose.iter().map(|(delivery, _)| delivery)))
            });
            match self.commit_trigger_state(tenant, memory, record, now).await? {
                CommitOutcome::Committed => {
                    self.accept_unwatched(tenant, None, deliveries, now).await?;
                    self.enqueue_all(messages).await?;
                    let fired = rose.iter().map(|(delivery, _)| delivery.snapshot.subscription_id).collect();
                    return Ok(AcceptOutcome::Stored { fired });
                }
                CommitOutcome::Duplicate(known) => {
                    self.delete_unannounced(tenant, &rose).await?;
                    return Ok(AcceptOutcome::Duplicate(known));
                }
                CommitOutcome::Conflict => {
                    self.delete_unannounced(tenant, &rose).await?;
                    back_off(tries.min(MAX_BACK_OFF_STEP)).await;
                }
            }
        }
        Err(StoreError::Busy)
    }

    /// What is remembered of a loan, and its version; 0 where nothing ever was.
    async fn trigger_state(&self, tenant: &TenantId, loan: &LoanId) -> StoreResult<(TriggerState, u64)> {
        let Some(item) = self.get(key_schema::trigger_state(tenant, loan)).await? else {
            return Ok((TriggerState::default(), 0));
        };
        // Where it cannot be read, what its triggers were is unknown, as before the loan's first event.
        let memory = readable(std::slice::from_ref(&item), document).pop().unwrap_or_default();
        Ok((memory, get_number(&item, VERSION).unwrap_or(0)))
    }

    /// Puts what is remembered, if it still is at this version.
    fn trigger_state_write(
        &self,
        tenant: &TenantId,
        loan: &LoanId,
        memory: &TriggerState,
        version: u64,
    ) -> StoreResult<TransactWriteItem> {
        let mut item = key_schema::trigger_state(tenant, loan).key();
        item.insert(DOC.into(), json(memory)?);
        item.insert(VERSION.into(), number(version + 1));
        let condition = if version == 0 { "attribute_not_exists(#version)" } else { "#version = :before" };
        let put = put(self.table(), item, condition).expression_attribute_names("#version", VERSION);
        if version == 0 {
            put.write()
        } else {
            put.expression_attribute_values(":before", number(version)).write()
        }
    }

    async fn commit_trigger_state(
        &self,
        tenant: &TenantId,
        memory: TransactWriteItem,
        remember: Option<(&IdempotencyKey, IdempotencyRecord)>,
        now: Timestamp,
    ) -> StoreResult<CommitOutcome> {
        let mut parts = vec![memory];
        if let Some((key, remembered)) = &remember {
            let item = idempotency_item(tenant, IdempotencyScope::Event, key, json(remembered)?, now);
            let put = put(self.table(), item, "attribute_not_exists(#pk) OR #until <= :now")
                .expression_attribute_names("#pk", PK)
                .expression_attribute_names("#until", UNTIL)
                .expression_attribute_values(":now", number(now.millis()));
            parts.push(put.write()?);
        }
        match self.transact(parts).await? {
            TransactionOutcome::Done => Ok(CommitOutcome::Committed),
            TransactionOutcome::Refused(refusals) => match refusals.into_iter().nth(1) {
                Some(Refusal::Condition(Some(item))) => Ok(CommitOutcome::Duplicate(document(&item)?)),
                _ => Ok(CommitOutcome::Conflict),
            },
        }
    }

    /// Puts the deliveries of triggers that rise, with their payloads; gives their messages.
    async fn put_fired(
        &self,
        tenant: &TenantId,
        rose: &[&(Delivery, Bytes)],
    ) -> StoreResult<Vec<QueueMessage>> {
        self.put_payloads(tenant, rose.iter().copied()).await?;
        let puts: Vec<_> = rose.iter().map(|(delivery, _)| self.put_delivery(delivery.clone())).collect();
        let messages: Vec<_> = stream::iter(puts).buffered(CONCURRENT_CALLS).try_collect().await?;
        Ok(messages.into_iter().flatten().collect())
    }

    /// Takes deliveries away again that nobody has heard of.
    async fn delete_unannounced(&self, tenant: &TenantId, rose: &[&(Delivery, Bytes)]) -> StoreResult<()> {
        let deletes: Vec<_> = rose
            .iter()
            .map(|(delivery, _)| {
                self.dynamodb()
                    .delete_item()
                    .table_name(self.table())
                    .set_key(Some(key_schema::delivery(tenant, delivery.snapshot.trace_id).key()))
                    .condition_expression("attribute_not_exists(#newest)")
                    .expression_attribute_names("#newest", NEWEST_AUTO)
                    .send()
            })
            .collect();
        let deleted = stream::iter(deletes)
            .buffer_unordered(CONCURRENT_CALLS)
            .map(|deleted| deleted.map_err(store_error));
        deleted.try_collect::<Vec<_>>().await.map(|_| ())
    }

    /// Sends again the messages of triggers that rose a short while ago and were never attempted: who stored
    /// them may have died before their messages.
    async fn enqueue_recently_fired(
        &self,
        tenant: &TenantId,
        memory: &TriggerState,
        watched: &[WatchedTrigger],
        now: Timestamp,
    ) -> StoreResult<()> {
        let fired =
            watched.iter().filter_map(|watched| memory.fired_recently(watched.watch.subscription, now));
        let reads: Vec<_> = fired.map(|trace| self.delivery(tenant, trace)).collect();
        let read: Vec<_> = stream::iter(reads).buffered(CONCURRENT_CALLS).try_collect().await?;
        let untouched = read.iter().flatten().filter(|delivery| delivery.history.newest_attempt.is_none());
        let messages: Vec<_> = untouched.filter_map(QueueMessage::for_next_attempt).collect();
        if messages.is_empty() { Ok(()) } else { self.enqueue_all(messages).await }
    }
}
