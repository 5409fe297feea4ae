//! Intake of an event that changes no trigger state, and the deliveries of any event.
//!
//! A delivery is put where there is none. One that is there is from an earlier call, which may have died before it queued
//! the delivery's message.

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, TryStreamExt as _};

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
        let messages = self.put_deliveries(tenant, &deliveries.iter().collect::<Vec<_>>()).await?;
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
    /// come.
    pub(super) async fn put_deliveries(
        &self,
        tenant: &TenantId,
        deliveries: &[&(Delivery, Bytes)],
    ) -> StoreResult<Vec<QueueMessage>> {
        self.put_payloads(tenant, deliveries.iter().copied()).await?;
        let puts: Vec<_> = deliveries.iter().map(|(delivery, _)| self.put_delivery(delivery)).collect();
        let messages: Vec<_> = stream::iter(puts).buffered(MAX_CONCURRENT_CALLS).try_collect().await?;
        Ok(messages.into_iter().flatten().collect())
    }

    /// Puts a delivery, if it is not there yet; returns the message of its first attempt, if that is still to come.
    async fn put_delivery(&self, delivery: &Delivery) -> StoreResult<Option<QueueMessage>> {
        let expires = Timestamp::now() + self.stack().retention;
        let item = delivery_item::new(delivery, expires)?;
        let stored = match self.put(self.put_if_absent(item)).await? {
            WriteOutcome::Done(()) => return Ok(QueueMessage::for_next_attempt(delivery)),
            WriteOutcome::Refused(item) => {
                item.and_then(unexpired).as_ref().map(delivery_item::read).transpose()?
            }
        };
        let unattempted = stored.filter(|stored| stored.history.newest_attempt.is_none());
        Ok(unattempted.and_then(|stored| QueueMessage::for_next_attempt(&stored)))
    }
}
