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

use super::failure::failed;
use super::intake::{AT_ONCE, record};
use super::item::{document, get_number, json, number};
use super::table::{self, DOC, Kind, NEWEST_AUTO, PK, UNTIL, VERSION};
use super::transaction::{Committed, Part as _, Refusal, put};
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
const DECISIONS: u32 = 16;
/// From here on, waiting longer before the next makes nothing better: a caller waits for all of them.
const LONGEST_WAIT: u32 = 3;

/// What became of a decision about triggers.
enum Decision {
    Made,
    /// The event's key was used before.
    Known(IdempotencyRecord),
    /// Another event of the loan came first.
    Overtaken,
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
        for tries in 0..DECISIONS {
            let (before, version) = self.memory(tenant, loan).await?;
            if tries == 0 {
                self.wake_lately(tenant, &before, &watched, now).await?;
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
            let messages = self.put_risen(tenant, &rose).await?;
            let memory = self.memory_part(tenant, loan, &after, version)?;
            let record = remember.as_ref().map(|(key, remembered)| {
                (key, remembered.clone().with_fired(rose.iter().map(|(delivery, _)| delivery)))
            });
            match self.decide(tenant, memory, record, now).await? {
                Decision::Made => {
                    self.accept_unwatched(tenant, None, deliveries, now).await?;
                    self.enqueue_all(messages).await?;
                    let fired = rose.iter().map(|(delivery, _)| delivery.snapshot.subscription_id).collect();
                    return Ok(AcceptOutcome::Stored { fired });
                }
                Decision::Known(known) => {
                    self.take_back(tenant, &rose).await?;
                    return Ok(AcceptOutcome::Duplicate(known));
                }
                Decision::Overtaken => {
                    self.take_back(tenant, &rose).await?;
                    back_off(tries.min(LONGEST_WAIT)).await;
                }
            }
        }
        Err(StoreError::Busy)
    }

    /// What is remembered of a loan, and its version; 0 where nothing ever was.
    async fn memory(&self, tenant: &TenantId, loan: &LoanId) -> StoreResult<(TriggerState, u64)> {
        let Some(item) = self.get(table::memory(tenant, loan)).await? else {
            return Ok((TriggerState::default(), 0));
        };
        // Where it cannot be read, what its triggers were is unknown, as before the loan's first event.
        let memory = readable(std::slice::from_ref(&item), document).pop().unwrap_or_default();
        Ok((memory, get_number(&item, VERSION).unwrap_or(0)))
    }

    /// Puts what is remembered, if it still is at this version.
    fn memory_part(
        &self,
        tenant: &TenantId,
        loan: &LoanId,
        memory: &TriggerState,
        version: u64,
    ) -> StoreResult<TransactWriteItem> {
        let mut item = table::memory(tenant, loan).key();
        item.insert(DOC.into(), json(memory)?);
        item.insert(VERSION.into(), number(version + 1));
        let condition = if version == 0 { "attribute_not_exists(#version)" } else { "#version = :before" };
        let put = put(self.table(), item, condition).expression_attribute_names("#version", VERSION);
        if version == 0 {
            put.part()
        } else {
            put.expression_attribute_values(":before", number(version)).part()
        }
    }

    async fn decide(
        &self,
        tenant: &TenantId,
        memory: TransactWriteItem,
        remember: Option<(&IdempotencyKey, IdempotencyRecord)>,
        now: Timestamp,
    ) -> StoreResult<Decision> {
        let mut parts = vec![memory];
        if let Some((key, remembered)) = &remember {
            let item = record(tenant, Kind::Event, key, json(remembered)?, now);
            let put = put(self.table(), item, "attribute_not_exists(#pk) OR #until <= :now")
                .expression_attribute_names("#pk", PK)
                .expression_attribute_names("#until", UNTIL)
                .expression_attribute_values(":now", number(now.millis()));
            parts.push(put.part()?);
        }
        match self.transact(parts).await? {
            Committed::Done => Ok(Decision::Made),
            Committed::Refused(refusals) => match refusals.into_iter().nth(1) {
                Some(Refusal::Condition(Some(item))) => Ok(Decision::Known(document(&item)?)),
                _ => Ok(Decision::Overtaken),
            },
        }
    }

    /// Puts the deliveries of triggers that rise, with their payloads; gives their messages.
    async fn put_risen(
        &self,
        tenant: &TenantId,
        rose: &[&(Delivery, Bytes)],
    ) -> StoreResult<Vec<QueueMessage>> {
        self.put_payloads(tenant, rose.iter().copied()).await?;
        let puts: Vec<_> = rose.iter().map(|(delivery, _)| self.put_delivery(delivery.clone())).collect();
        let messages: Vec<_> = stream::iter(puts).buffered(AT_ONCE).try_collect().await?;
        Ok(messages.into_iter().flatten().collect())
    }

    /// Takes deliveries away again that nobody has heard of.
    async fn take_back(&self, tenant: &TenantId, rose: &[&(Delivery, Bytes)]) -> StoreResult<()> {
        let deletes: Vec<_> = rose
            .iter()
            .map(|(delivery, _)| {
                self.dynamodb()
                    .delete_item()
                    .table_name(self.table())
                    .set_key(Some(table::delivery(tenant, delivery.snapshot.trace_id).key()))
                    .condition_expression("attribute_not_exists(#newest)")
                    .expression_attribute_names("#newest", NEWEST_AUTO)
                    .send()
            })
            .collect();
        let deleted = stream::iter(deletes).buffer_unordered(AT_ONCE).map(|deleted| deleted.map_err(failed));
        deleted.try_collect::<Vec<_>>().await.map(|_| ())
    }

    /// Sends again the messages of triggers that rose a short while ago and were never attempted: who stored
    /// them may have died before their messages.
    async fn wake_lately(
        &self,
        tenant: &TenantId,
        memory: &TriggerState,
        watched: &[WatchedTrigger],
        now: Timestamp,
    ) -> StoreResult<()> {
        let fired =
            watched.iter().filter_map(|watched| memory.fired_recently(watched.watch.subscription, now));
        let reads: Vec<_> = fired.map(|trace| self.delivery(tenant, trace)).collect();
        let read: Vec<_> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
        let untouched = read.iter().flatten().filter(|delivery| delivery.history.newest_attempt.is_none());
        let messages: Vec<_> = untouched.filter_map(QueueMessage::for_next_attempt).collect();
        if messages.is_empty() { Ok(()) } else { self.enqueue_all(messages).await }
    }
}
