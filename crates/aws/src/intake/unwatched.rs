//! Intake of an event that changes no trigger state, and the deliveries of any event.
//!
//! A delivery is put where there is none. One that is there is from an earlier call, which may have died before it queued
//! the delivery's message.

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, TryStreamExt as _};

use crate::due_index::{Bucket, is_deferred};
use crate::engine::Aws;
use crate::items::delivery_item;
use crate::items::item::{document, json, unexpired};
use crate::items::key_schema::IdempotencyScope;
use crate::items::write_outcome::WriteOutcome;
use crate::sdk::MAX_CONCURRENT_CALLS;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{IdempotencyKey, IdempotencyRecord, QueueMessage, StoreError, StoreResult};

/// How often the put of an idempotency record is tried that is refused without an item: the one there was is gone.
const MAX_TRIES: u32 = 3;

impl Aws {
    /// Stores the deliveries of an event and queues their messages; returns the idempotency record of an earlier event
    /// with this key, and stores nothing then.
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
        let deliveries: Vec<_> = deliveries.iter().collect();
        let messages = self.put_deliveries(tenant, &deliveries, InDueIndex::AtOnce).await?;
        self.enqueue_all(messages).await?;
        Ok(None)
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
    /// come and, where they stand in the index of what is due, as far as they are due soon.
    pub(super) async fn put_deliveries(
        &self,
        tenant: &TenantId,
        deliveries: &[&(Delivery, Bytes)],
        in_due_index: InDueIndex,
    ) -> StoreResult<Vec<QueueMessage>> {
        self.put_payloads(tenant, deliveries.iter().copied()).await?;
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
        let stored = match self.put(self.put_if_absent(item)).await? {
            WriteOutcome::Done(()) => Some(delivery.clone()),
            WriteOutcome::Refused(item) => {
                let stored = item.and_then(unexpired).as_ref().map(delivery_item::read).transpose()?;
                stored.filter(|stored| stored.history.newest_attempt.is_none())
            }
        };
        let message = stored.as_ref().and_then(QueueMessage::for_next_attempt);
        Ok(message.filter(|message| in_due_index == InDueIndex::Later || !is_deferred(message.due, now)))
    }
}

/// When deliveries are put into the index of what is due. Those that stand in it are sent though nobody may have queued
/// their messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InDueIndex {
    AtOnce,
    /// Once it is decided that they are sent at all.
    Later,
}
