//! Intake: the record of the key, payload and event of the ledger, payloads, deliveries, messages, in this order.

use std::collections::BTreeSet;

use bytes::Bytes;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    AcceptOutcome, AcceptRequest, IdempotencyKey, IdempotencyRecord, Intake, NewLedgerEvent, QueueMessage,
    StoreResult,
};

use super::state::{KeptRecord, Stored};
use super::step::{Call, Operation, StepKind};
use super::{Memory, State};

impl Intake for Memory {
    type Room = ();

    async fn wait_for_room(&self, _: &TenantId, _: BTreeSet<SubscriptionId>, _: usize) -> StoreResult<()> {
        Ok(())
    }

    async fn accept(&self, request: AcceptRequest, (): ()) -> StoreResult<AcceptOutcome> {
        let mut call = self.call(Operation::Accept);
        let accepted = match request.watched.is_empty() {
            true => call.accept_unwatched(request).await?,
            false => call.accept_watched(request).await?,
        };
        call.answer(accepted).await
    }
}

impl Call<'_> {
    /// Stores what is sent in any case.
    pub(super) async fn accept_unwatched(&mut self, request: AcceptRequest) -> StoreResult<AcceptOutcome> {
        let AcceptRequest { tenant, idempotency, event, deliveries, now, .. } = request;
        if let Some((key, record)) = idempotency {
            let known =
                self.step(StepKind::Record, |state| remember(state, &tenant, &key, record, now)).await??;
            if let Some(known) = known {
                return Ok(AcceptOutcome::Duplicate(known));
            }
        }
        if let Some(event) = event {
            self.put_event(event).await?;
        }
        let messages = self.put_deliveries(&tenant, &deliveries, true).await?;
        self.put_messages(messages).await?;
        Ok(AcceptOutcome::Stored { fired: Vec::new() })
    }

    /// Puts an event that is not there yet, after the payload of which its context is a part.
    async fn put_event(&mut self, new: NewLedgerEvent) -> StoreResult<()> {
        self.put_event_payload(&new).await?;
        self.step(StepKind::Event, |state| state.put_event(new.event)).await
    }

    pub(super) async fn put_event_payload(&mut self, new: &NewLedgerEvent) -> StoreResult<()> {
        let NewLedgerEvent { event, envelope } = new;
        let key = Some(event.context.payload);
        self.step(StepKind::Payload, |state| state.put_payload(&event.tenant, key, envelope)).await
    }

    /// Puts deliveries that are not there yet, each after its payload; gives the messages of those that were never
    /// attempted: a first call may have stopped before its message.
    pub(super) async fn put_deliveries(
        &mut self,
        tenant: &TenantId,
        deliveries: &[(Delivery, Bytes)],
        promised: bool,
    ) -> StoreResult<Vec<QueueMessage>> {
        let mut messages = Vec::new();
        for (delivery, bytes) in deliveries {
            let key = delivery.snapshot.request.payload.key;
            self.step(StepKind::Payload, |state| state.put_payload(tenant, key, bytes)).await?;
        }
        for (delivery, _) in deliveries {
            let stored = self.step(StepKind::Delivery, |state| {
                let stored = state.put_delivery(delivery, promised);
                state.first_message(&stored)
            });
            messages.extend(stored.await?);
        }
        Ok(messages)
    }

    pub(super) async fn put_messages(&mut self, messages: Vec<QueueMessage>) -> StoreResult<()> {
        for message in messages {
            self.step(StepKind::Message, |state| state.messages.push(message)).await?;
        }
        Ok(())
    }
}

impl State {
    /// The record of an event's idempotency key, over or not.
    pub fn event_record(&self, tenant: &TenantId, key: &str) -> Option<&IdempotencyRecord> {
        self.event_records.get(&(tenant.clone(), key.to_owned())).and_then(|kept| kept.record.readable())
    }
}

/// Puts the record of a key; gives the one that is there already and is not over.
pub(super) fn remember(
    state: &mut State,
    tenant: &TenantId,
    key: &IdempotencyKey,
    record: IdempotencyRecord,
    now: Timestamp,
) -> StoreResult<Option<IdempotencyRecord>> {
    let of = (tenant.clone(), key.key.clone());
    match state.event_records.get(&of) {
        Some(kept) if now < kept.until => kept.record.read().cloned().map(Some),
        _ => {
            let kept = KeptRecord { record: Stored::new(record), until: key.until };
            state.event_records.insert(of, kept);
            Ok(None)
        }
    }
}
