//! Intake of an event that changes no trigger state, and the deliveries of any event.
//!
//! A delivery is put where there is none. One that is there is from an earlier call, which may have died before it queued
//! the delivery's message. Only one whose subscription keeps an order is put in another way.

use std::collections::{BTreeSet, HashSet};

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, TryStreamExt as _};

use crate::due_index::{Bucket, is_deferred};
use crate::engine::Aws;
use crate::items::delivery_item;
use crate::items::item::{Item, document, get_number, json, unexpired};
use crate::items::key_schema::{DUE_BUCKET, IdempotencyScope, OrderedLoan, SEQUENCE};
use crate::items::write_outcome::WriteOutcome;
use crate::order::{FIRST_ATTEMPT, Numbering};
use crate::sdk::MAX_CONCURRENT_CALLS;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::payload::PayloadKey;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    AcceptOutcome, AcceptRequest, IdempotencyKey, IdempotencyRecord, NewLedgerEvent, QueueMessage,
    StoreError, StoreResult,
};

/// How often the put of an idempotency record is tried that is refused without an item: the one there was is gone.
const MAX_TRIES: u32 = 3;

impl Aws {
    /// Stores an event and its deliveries and queues their messages; stores nothing where its key was used before.
    pub(super) async fn accept_unwatched(&self, request: AcceptRequest) -> StoreResult<AcceptOutcome> {
        let AcceptRequest {
            tenant, idempotency, event, deliveries, in_order, completes_earlier, now, ..
        } = request;
        let is_repeated = completes_earlier || idempotency.is_some();
        if let Some((key, record)) = idempotency
            && let Some(known) = self.put_idempotency_record(&tenant, &key, &record, now).await?
        {
            return Ok(AcceptOutcome::Duplicate(known));
        }
        let event = self.kept_event(event);
        let deliveries: Vec<_> = deliveries.iter().collect();
        let stored =
            self.put_and_enqueue(&tenant, event.as_ref(), &deliveries, &in_order, &mut HashSet::new()).await;
        if stored.is_err() && !is_repeated {
            // The caller is told that the event was not stored, and sends it again as another one. With a key the repeat
            // is the same event, and finishes what is left. What cannot be deleted either is sent by the sweep, and its event
            // stays.
            let deleted = self.delete_unattempted(&tenant, &deliveries, &in_order).await;
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
        in_order: &BTreeSet<SubscriptionId>,
        stored: &mut HashSet<PayloadKey>,
    ) -> StoreResult<()> {
        if let Some(new) = event {
            self.put_event(new, stored).await?;
        }
        let messages = self.put_deliveries(tenant, deliveries, PutKind::Promised(in_order), stored).await?;
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
        kind: PutKind<'_>,
        stored: &mut HashSet<PayloadKey>,
    ) -> StoreResult<Vec<QueueMessage>> {
        self.put_payloads(tenant, deliveries.iter().copied(), stored).await?;
        // Those with a number come last: where another cannot be put, no number is taken back.
        let (numbered, others): (Vec<_>, Vec<_>) =
            deliveries.iter().map(|(delivery, _)| delivery).partition(|delivery| kind.is_numbered(delivery));
        let puts: Vec<_> = others.into_iter().map(|delivery| self.put_delivery(delivery, kind)).collect();
        let messages: Vec<_> = stream::iter(puts).buffered(MAX_CONCURRENT_CALLS).try_collect().await?;
        let puts: Vec<_> = numbered.into_iter().map(|delivery| self.put_in_order(delivery)).collect();
        let in_order: Vec<_> = stream::iter(puts).buffered(MAX_CONCURRENT_CALLS).try_collect().await?;
        Ok(messages.into_iter().chain(in_order).flatten().collect())
    }

    /// Puts a delivery, if it is not there yet; returns the message of its first attempt, if that is still to come.
    async fn put_delivery(
        &self,
        delivery: &Delivery,
        kind: PutKind<'_>,
    ) -> StoreResult<Option<QueueMessage>> {
        let (now, expires) = ((self.stack().clock)(), Timestamp::now() + self.stack().retention);
        let first = QueueMessage::for_next_attempt(delivery);
        let first = first.filter(|_| kind.is_promised());
        let bucket = first.map(|first| Bucket::of(first.due, now, first.trace_id));
        let item = delivery_item::new(delivery, expires, bucket)?;
        let message = match self.put(self.put_if_absent(item)).await? {
            WriteOutcome::Done(()) => QueueMessage::for_next_attempt(delivery),
            WriteOutcome::Refused(item) => {
                let Some(item) = item.and_then(unexpired) else { return Ok(None) };
                let message = unattempted_message(&item)?;
                if let Some(message) = &message
                    && kind.is_promised()
                    && !item.contains_key(DUE_BUCKET)
                {
                    self.put_in_due_index(message, FIRST_ATTEMPT, now).await?;
                }
                message
            }
        };
        Ok(message.filter(|message| !kind.is_promised() || !is_deferred(message.due, now)))
    }

    /// Puts a delivery whose subscription keeps an order, with the next number, if it is not there yet; returns the message of its
    /// first attempt, if that is still to come and its turn is known.
    async fn put_in_order(&self, delivery: &Delivery) -> StoreResult<Option<QueueMessage>> {
        let Some(first) = QueueMessage::for_next_attempt(delivery) else { return Ok(None) };
        let loan = OrderedLoan::of(&delivery.snapshot);
        let item = delivery_item::new(delivery, Timestamp::now() + self.stack().retention, None)?;
        let message = match self.put_numbered(&loan, &first, &item).await? {
            Numbering::Numbered(message) => message,
            Numbering::Refused(Some(item))
                if item.contains_key(SEQUENCE) || item.contains_key(DUE_BUCKET) =>
            {
                self.message_of_stored(&loan, item).await?
            }
            // An earlier call may have died before it was decided that it is sent.
            Numbering::Refused(_) => return self.promise_in_order(&loan, &first).await,
        };
        let now = (self.stack().clock)();
        Ok(message.filter(|message| !is_deferred(message.due, now)))
    }

    /// Numbers a delivery that is stored already, and of which it is decided now that it is sent; returns the message of its first
    /// attempt, if that is still to come and its turn is known.
    pub(super) async fn promise_in_order(
        &self,
        loan: &OrderedLoan,
        first: &QueueMessage,
    ) -> StoreResult<Option<QueueMessage>> {
        let message = match self.number_stored(loan, first).await? {
            Numbering::Numbered(message) => message,
            Numbering::Refused(Some(item)) => self.message_of_stored(loan, item).await?,
            Numbering::Refused(None) => None,
        };
        let now = (self.stack().clock)();
        Ok(message.filter(|message| !is_deferred(message.due, now)))
    }

    /// The message of a delivery that an earlier call stored.
    async fn message_of_stored(&self, loan: &OrderedLoan, item: Item) -> StoreResult<Option<QueueMessage>> {
        let Some(item) = unexpired(item) else { return Ok(None) };
        match (unattempted_message(&item)?, get_number(&item, SEQUENCE)) {
            (Some(first), Some(sequence)) => self.message_in_turn(loan, sequence, &first).await,
            (first, _) => Ok(first),
        }
    }
}

/// The message of the first attempt of a stored delivery, if that is still to come.
fn unattempted_message(item: &Item) -> StoreResult<Option<QueueMessage>> {
    let stored = delivery_item::read(item)?;
    let unattempted = stored.history.newest_attempt.is_none();
    Ok(QueueMessage::for_next_attempt(&stored).filter(|_| unattempted))
}

/// How deliveries are put.
#[derive(Debug, Clone, Copy)]
pub(super) enum PutKind<'a> {
    /// They are sent, so they stand in the index of what is due though nobody may have queued their messages; those of
    /// subscriptions that keep an order, which are these, are numbered.
    Promised(&'a BTreeSet<SubscriptionId>),
    /// It is not decided yet whether they are sent at all.
    Undecided,
}

impl PutKind<'_> {
    const fn is_promised(self) -> bool {
        matches!(self, Self::Promised(_))
    }

    fn is_numbered(self, delivery: &Delivery) -> bool {
        let snapshot = &delivery.snapshot;
        let is_in_order = |in_order: &BTreeSet<_>| in_order.contains(&snapshot.subscription_id);
        match self {
            Self::Promised(in_order) => is_in_order(in_order) && !snapshot.test,
            Self::Undecided => false,
        }
    }
}
