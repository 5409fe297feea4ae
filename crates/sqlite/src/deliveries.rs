//! Deliveries: accepted, claimed, moved on, canceled. Each is one transaction.

use std::sync::Arc;

use bytes::Bytes;
use rusqlite::Connection;
use uuid::Uuid;

use super::settling::Ready;
use super::tables::{attempt, delete_message, delivery, put_attempt, put_message, put_progress};
use super::unreadable::or_none;
use super::writer::Class;
use super::{Embedded, payloads};
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::{TenantId, TraceId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    CancelOutcome, ClaimOutcome, Deliveries, Queue, QueueMessage, ReleaseOutcome, StoreResult,
};

impl Deliveries for Embedded {
    async fn claim(
        &self,
        message: &QueueMessage,
        number: u32,
        token: Uuid,
        now: Timestamp,
    ) -> StoreResult<ClaimOutcome> {
        let message = message.clone();
        let work = move |connection: &Connection| {
            delete_message(connection, &message)?;
            let Some(mut delivery) = delivery(connection, &message.tenant, message.trace_id)? else {
                return Ok(ClaimOutcome::NotClaimed(None));
            };
            let Ok(row) = delivery.claim(number, token, now) else {
                return Ok(ClaimOutcome::NotClaimed(Some(Box::new(delivery))));
            };
            put_progress(connection, &delivery)?;
            put_attempt(connection, &row)?;
            Ok(ClaimOutcome::Claimed(Box::new((delivery, row))))
        };
        self.0.writer.run(Class::Progress, work, |_| ()).await
    }

    async fn complete(
        &self,
        claimed: &Delivery,
        token: Uuid,
        row: Attempt,
        response: Option<Bytes>,
    ) -> StoreResult<bool> {
        let lanes = Arc::clone(&self.0.lanes);
        let end = Arc::new((Ready::new(claimed, token, &row), row, response));
        let work = move |connection: &Connection| {
            let (ready, row, response) = &*end;
            let ready = ready.as_ref().map(|ready| ready.apply(connection, response.as_deref()));
            match ready.transpose()?.flatten() {
                Some(settled) => Ok(Some(settled)),
                None => settle(connection, token, row, response.as_deref()),
            }
        };
        let settled = self.0.writer.run_until_done(work, move |settled| {
            if let Some(message) = settled.as_ref().and_then(Option::as_ref) {
                lanes.add(std::slice::from_ref(message));
            }
        });
        Ok(settled.await?.is_some())
    }

    async fn release(
        &self,
        claimed: &Delivery,
        token: Uuid,
        row: &Attempt,
        due: Timestamp,
    ) -> StoreResult<ReleaseOutcome> {
        self.release_attempt(claimed.history.resends, token, row, due).await
    }

    async fn cancel(&self, tenant: &TenantId, trace: TraceId) -> StoreResult<CancelOutcome> {
        let tenant = tenant.clone();
        let work = move |connection: &Connection| {
            let Some(mut delivery) = delivery(connection, &tenant, trace)? else {
                return Ok(CancelOutcome::NotFound);
            };
            let next = QueueMessage::for_next_attempt(&delivery);
            if delivery.cancel().is_err() {
                return Ok(CancelOutcome::NotPending);
            }
            put_progress(connection, &delivery)?;
            if let Some(next) = next {
                delete_message(connection, &next)?;
            }
            Ok(CancelOutcome::Canceled)
        };
        self.0.writer.run(Class::Progress, work, |_| ()).await
    }
}

/// Ends an automatic attempt. None if its delivery is not in flight under the token; else the message
/// that was queued for the next attempt, if there is one.
pub(super) fn settle(
    connection: &Connection,
    token: Uuid,
    row: &Attempt,
    response: Option<&[u8]>,
) -> rusqlite::Result<Option<Option<QueueMessage>>> {
    let Some(mut delivery) = delivery(connection, &row.tenant, row.trace_id)? else { return Ok(None) };
    // One that cannot be read is replaced.
    let stored = attempt(connection, &row.tenant, &row.loan_id, row.id);
    let stored = or_none(stored, &format_args!("attempt {} of {}", row.id, row.tenant))?;
    let stands = stored.filter(|stored| stored.completion().is_some());
    let response = response.filter(|_| stands.is_none());
    let mut row = stands.unwrap_or_else(|| row.clone());
    let Some(completion) = row.completion() else { return Ok(None) };
    let payload = completion.response.as_ref().map(|response| response.payload);
    let Ok(next_attempt_at) = delivery.complete(token, completion) else { return Ok(None) };
    row.next_attempt_at = next_attempt_at;
    if let (Some(payload), Some(bytes)) = (payload, response) {
        payloads::put(connection, &row.tenant, payload, bytes)?;
    }
    put_attempt(connection, &row)?;
    put_progress(connection, &delivery)?;
    let message = QueueMessage::for_next_attempt(&delivery);
    if let Some(message) = &message {
        put_message(connection, message)?;
    }
    Ok(Some(message))
}

impl Queue for Embedded {
    async fn enqueue(&self, message: QueueMessage) -> StoreResult<()> {
        let lanes = Arc::clone(&self.0.lanes);
        let added = [message.clone()];
        self.0
            .writer
            .run(
                Class::Progress,
                move |connection| put_message(connection, &message),
                move |()| lanes.add(&added),
            )
            .await
    }
}
