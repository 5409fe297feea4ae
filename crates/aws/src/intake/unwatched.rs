//! Intake of an event that changes no trigger state, and the deliveries of any event.
//!
//! A delivery is put where there is none. One that is there is from an earlier call, which may have died before it queued
//! the delivery's message.

use std::collections::HashSet;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, TryStreamExt as _};

use crate::due_index::{Bucket, is_deferred};
use crate::engine::Aws;
use crate::items::delivery_item;
use crate::items::item::{document, json, unexpired};
use crate::items::key_schema::{DUE_BUCKET, IdempotencyScope};
use crate::items::write_outcome::WriteOutcome;
use crate::sdk::MAX_CONCURRENT_CALLS;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::payload::PayloadKey;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    AcceptOutcome, AcceptRequest, IdempotencyKey, IdempotencyRecord, NewLedgerEvent, QueueMessage,
    StoreError, StoreResult,
};

/// The number of a delivery's first attempt.
pub(super) const FIRST_ATTEMPT: u32 = 1;
/// How often the put of an idempotency record is tried that is refused without an item: the one there was is gone.
const MAX_TRIES: u32 = 3;

impl Aws {
    /// Stores an event and its deliveries and queues their messages; stores nothing where its key was used before.
    pub(super) async fn accept_unwatched(&self, request: AcceptRequest) -> StoreResult<AcceptOutcome> {
        let AcceptRequest { tenant, idempotency, event, deliveries, completes_earlier, now, .. } = request;
        let is_repeated = completes_earlier || idempotency.is_some();
        if let Some((key, record)) = idempotency
            && let Some(known) = self.put_idempotency_record(&tenant, &key, &record, now).await?
        {
            return Ok(AcceptOutcome::Duplicate(known));
        }
        let event = self.kept_event(event);
        let deliveries: Vec<_> = deliveries.iter().collect();
        let stored = self.put_and_enqueue(&tenant, event.as_ref(), &deliveries, &mut HashSet::new()).await;
        if stored.is_err() && !is_repeated {
            // The caller is told that the event was not stored, and sends it again as another one. With a key the repeat
            // is the same event, and finishes what is left. What cannot be deleted either is sent by the sweep, and its event
            // stays.
            let deleted = self.delete_unattempted(&tenant, &deliveries).await;
            if let (Ok(()), Some(new)) = (deleted, event) {
                let _ = self.delete_event(&new.event).await;
            }
        }
        stored.map(|()| AcceptOutcome::Stored { fired: Vec::new() })
    }

    /// Puts an event of the ledger, then deliveries, and queues their messages; puts no payload that is among `stored`.
    pub(super) async fn put_and_enqueue(
        &self,
        tenant: &TenantId,
        event: Option<&NewLedgerEvent>,
        deliveries: &[&(Delivery, Bytes)],
        stored: &mut HashSet<PayloadKey>,
    ) -> StoreResult<()> {
        if let Some(new) = event {
            self.put_event(new, stored).await?;
        }
        let messages = self.put_deliveries(tenant, deliveries, InDueIndex::AtOnce, stored).await?;
        self.enqueue_accepted(tenant, messages).await
    }

    /// Puts an idempotency record; returns another one that is there and not over.
    async fn put_idempotency_record(
        &self,
        tenant: &TenantId,
        key: &IdempotencyKey,
        record: &IdempotencyRecord,
        now: Timestamp,
    ) -> StoreResult<Option<IdempotencyRecord>> {
        let put = self.put_idempotency_item(tenant, IdempotencyScope::Event, key, json(record)?, now);
        for _ in 0..MAX_TRIES {
            let outcome = self.put(put.clone()).await?;
            let outcome =
                outcome.or_own_write(|item| Ok(document::<IdempotencyRecord>(item)? == *record), drop)?;
            match outcome {
                WriteOutcome::Done(()) => return Ok(None),
                WriteOutcome::Refused(Some(item)) => return document(&item).map(Some),
                WriteOutcome::Refused(None) => {}
            }
        }
        Err(StoreError::Busy)
    }

    /// Puts the payloads, then the deliveries; returns the messages of their first attempts, as far as those are still to
    /// come and, where they stand in the index of what is due, as far as they are due soon. Puts no payload that is among
    /// `stored`.
    pub(super) async fn put_deliveries(
        &self,
        tenant: &TenantId,
        deliveries: &[&(Delivery, Bytes)],
        in_due_index: InDueIndex,
        stored: &mut HashSet<PayloadKey>,
    ) -> StoreResult<Vec<QueueMessage>> {
        self.put_payloads(tenant, deliveries.iter().copied(), stored).await?;
        let puts: Vec<_> =
            deliveries.iter().map(|(delivery, _)| self.put_delivery(delivery, in_due_index)).collect();
        let messages: Vec<_> = stream::iter(puts).buffered(MAX_CONCURRENT_CALLS).try_collect().await?;
        Ok(messages.into_iter().flatten().collect())
    }

    /// Puts a delivery, if it is not there yet; returns the message of its first attempt, if that is still to come.
    async fn put_delivery(
        &self,
        delivery: &Delivery,
        in_due_index: InDueIndex,
    ) -> StoreResult<Option<QueueMessage>> {
        let (now, expires) = ((self.stack().clock)(), Timestamp::now() + self.stack().retention);
        let first = QueueMessage::for_next_attempt(delivery);
        let first = first.filter(|_| in_due_index == InDueIndex::AtOnce);
        let bucket = first.map(|first| Bucket::of(first.due, now, first.trace_id));
        let item = delivery_item::new(delivery, expires, bucket)?;
        let message = match self.put(self.put_if_absent(item)).await? {
            WriteOutcome::Done(()) => QueueMessage::for_next_attempt(delivery),
            WriteOutcome::Refused(item) => {
                let Some(item) = item.and_then(unexpired) else { return Ok(None) };
                let stored = Some(delivery_item::read(&item)?);
                let unattempted = stored.filter(|stored| stored.history.newest_attempt.is_none());
                let message = unattempted.as_ref().and_then(QueueMessage::for_next_attempt);
                if let Some(message) = &message
                    && in_due_index == InDueIndex::AtOnce
                    && !item.contains_key(DUE_BUCKET)
                {
                    self.put_in_due_index(message, FIRST_ATTEMPT, now).await?;
                }
                message
            }
        };
        Ok(message
            .filter(|message| in_due_index == InDueIndex::AfterCommit || !is_deferred(message.due, now)))
    }
}

/// When deliveries are put into the index of what is due. Those that stand in it are sent though nobody may have queued
/// their messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InDueIndex {
    AtOnce,
    /// Once it is decided that they are sent at all.
    AfterCommit,
}
