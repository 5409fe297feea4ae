//! Deliveries: accepted, claimed, moved on, canceled. Each is one transaction.

use std::sync::Arc;

use bytes::Bytes;
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::idempotency::{self, Kind};
use super::tables::{attempt, delete_wake, delivery, put_attempt, put_progress, put_wake, to_json};
use super::writer::Class;
use super::{Embedded, payloads};
use crate::model::attempt::Attempt;
use crate::model::delivery::Delivery;
use crate::model::id::{TenantId, TraceId};
use crate::model::time::Timestamp;
use crate::ports::{
    Accepted, Begun, Canceled, Deliveries, Idempotency, Intake, Queue, Remembered, Stored, Wake,
};

impl Intake for Embedded {
    async fn accept(
        &self,
        tenant: &TenantId,
        remember: Option<(Idempotency, Remembered)>,
        deliveries: Vec<(Delivery, Bytes)>,
        now: Timestamp,
    ) -> Stored<Accepted> {
        let tenant = tenant.clone();
        let lanes = Arc::clone(&self.0.lanes);
        let added: Vec<_> = deliveries.iter().filter_map(|(delivery, _)| Wake::next_of(delivery)).collect();
        let bytes = deliveries.iter().map(|(delivery, bytes)| weight(delivery) + bytes.len()).sum();
        let work = move |connection: &Connection| {
            if let Some((key, remembered)) = &remember
                && let Some(known) =
                    idempotency::remember(connection, &tenant, Kind::Event, key, remembered, now)?
            {
                return Ok(Accepted::Known(known));
            }
            for (delivery, bytes) in &deliveries {
                put_new(connection, delivery, bytes)?;
            }
            Ok(Accepted::Stored)
        };
        self.0.writer.run(Class::Intake(bytes), work, move |_| lanes.add(&added)).await
    }
}

/// About how many bytes a delivery is, besides its payload.
pub(super) fn weight(delivery: &Delivery) -> usize {
    let request = &delivery.frozen.request;
    let headers: usize = request.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    1024 + request.url.len() + headers
}

/// Puts a delivery that is not there yet, with its payload and the message for its first attempt.
pub(super) fn put_new(connection: &Connection, delivery: &Delivery, bytes: &[u8]) -> rusqlite::Result<()> {
    let frozen = &delivery.frozen;
    let new = connection
        .prepare_cached(
            "INSERT INTO deliveries (trace, tenant, frozen, progress) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            frozen.trace_id.uuid().as_bytes(),
            frozen.tenant.as_str(),
            to_json(frozen)?,
            to_json(&delivery.progress)?,
        ])?;
    if new > 0 {
        payloads::put(connection, &frozen.tenant, frozen.request.payload, bytes)?;
        if let Some(wake) = Wake::next_of(delivery) {
            put_wake(connection, &wake)?;
        }
    }
    Ok(())
}

impl Deliveries for Embedded {
    async fn begin(&self, wake: &Wake, number: u32, token: Uuid, now: Timestamp) -> Stored<Begun> {
        let wake = wake.clone();
        let work = move |connection: &Connection| {
            delete_wake(connection, &wake)?;
            let Some(mut delivery) = delivery(connection, &wake.tenant, wake.trace_id)? else {
                return Ok(Begun::Lost(None));
            };
            let id = crate::model::id::AttemptId::at(now);
            let Some(flight) = delivery.progress.claim(number, id, token, now) else {
                return Ok(Begun::Lost(Some(Box::new(delivery))));
            };
            let row = delivery.attempt_row(&flight);
            put_progress(connection, wake.trace_id, &delivery.progress)?;
            put_attempt(connection, &row)?;
            Ok(Begun::Won(Box::new((delivery, row))))
        };
        self.0.writer.run(Class::Progress, work, |_| ()).await
    }

    async fn settle(&self, _: &Delivery, token: Uuid, row: Attempt, response: Option<Bytes>) -> Stored<bool> {
        let lanes = Arc::clone(&self.0.lanes);
        let end = Arc::new((row, response));
        let work = move |connection: &Connection| settle(connection, token, &end.0, end.1.as_deref());
        let settled = self.0.writer.run_until_done(work, move |settled| {
            if let Some(wake) = settled.as_ref().and_then(Option::as_ref) {
                lanes.add(std::slice::from_ref(wake));
            }
        });
        Ok(settled.await?.is_some())
    }

    async fn cancel(&self, tenant: &TenantId, trace: TraceId) -> Stored<Canceled> {
        let tenant = tenant.clone();
        let work = move |connection: &Connection| {
            let Some(mut delivery) = delivery(connection, &tenant, trace)? else {
                return Ok(Canceled::Unknown);
            };
            if !delivery.progress.cancel() {
                return Ok(Canceled::NotPending);
            }
            put_progress(connection, trace, &delivery.progress)?;
            connection
                .prepare_cached("DELETE FROM queue WHERE trace = ?1 AND number IS NOT NULL")?
                .execute([trace.uuid().as_bytes()])?;
            Ok(Canceled::Done)
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
) -> rusqlite::Result<Option<Option<Wake>>> {
    let Some(mut delivery) = delivery(connection, &row.tenant, row.trace_id)? else { return Ok(None) };
    let stored = attempt(connection, &row.tenant, &row.loan_id, row.id)?;
    let stands = stored.filter(|stored| stored.completion().is_some());
    let response = response.filter(|_| stands.is_none());
    let mut row = stands.unwrap_or_else(|| row.clone());
    let Some(completion) = row.completion() else { return Ok(None) };
    let payload = completion.response.as_ref().map(|response| response.payload);
    let Some(next_attempt_at) = delivery.settle(token, completion) else { return Ok(None) };
    row.next_attempt_at = next_attempt_at;
    if let (Some(payload), Some(bytes)) = (payload, response) {
        payloads::put(connection, &row.tenant, payload, bytes)?;
    }
    put_attempt(connection, &row)?;
    put_progress(connection, row.trace_id, &delivery.progress)?;
    let wake = Wake::next_of(&delivery);
    if let Some(wake) = &wake {
        put_wake(connection, wake)?;
    }
    Ok(Some(wake))
}

impl Queue for Embedded {
    async fn send_on(&self, wake: Wake) -> Stored<()> {
        let lanes = Arc::clone(&self.0.lanes);
        let added = [wake.clone()];
        self.0
            .writer
            .run(Class::Progress, move |connection| put_wake(connection, &wake), move |()| lanes.add(&added))
            .await
    }
}
