//! Ledger: events as intake stores them, and as they are read.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::SqliteEngine;
use super::payloads;
use super::rows::{from_json, to_json};
use super::stored_progress::StoredProgress;
use super::unreadable::{none_if_unreadable, read_up_to};
use loanhook_core::model::id::{EventId, LoanId, TenantId, TraceId};
use loanhook_core::model::ledger::LedgerEvent;
use loanhook_core::model::payload::Payload;
use loanhook_core::model::progress::Status;
use loanhook_core::ports::{Ledger, NewLedgerEvent, StoreResult};

// Without a LIMIT: events are read one by one until enough of them could be read.
pub(super) const EVENTS: &str = "SELECT events.id, doc FROM events
     WHERE tenant = ?1 AND loan = ?2 AND events.id >= ?3 AND events.id < ?4 ORDER BY events.id DESC";
const EVENT: &str = "SELECT doc FROM events WHERE id = ?1 AND tenant = ?2";
const PROGRESS: &str = "SELECT progress FROM deliveries WHERE trace = ?1 AND tenant = ?2";

/// Stores an event and the payload of which its context is a part; one that is stored already stays as it is.
pub(super) fn put(connection: &Connection, new: &NewLedgerEvent) -> rusqlite::Result<()> {
    let NewLedgerEvent { event, envelope } = new;
    let stored = connection
        .prepare_cached(
            "INSERT INTO events (id, tenant, loan, doc) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            event.id.uuid().as_bytes(),
            event.tenant.as_str(),
            event.loan_id.as_str(),
            to_json(event)?,
        ])?;
    if stored == 0 {
        return Ok(());
    }
    let payload = Payload { key: Some(event.context.payload), bytes: envelope.len() as u64 };
    payloads::put(connection, &event.tenant, payload, envelope)
}

impl Ledger for SqliteEngine {
    async fn events(
        &self,
        tenant: &TenantId,
        loan: &LoanId,
        oldest: Option<EventId>,
        before: Option<EventId>,
        limit: usize,
    ) -> StoreResult<Vec<LedgerEvent>> {
        let (tenant, loan) = (tenant.clone(), loan.clone());
        let oldest = oldest.map_or([0; 16], |id| id.uuid().into_bytes());
        let before = before.map_or([0xff; 16], |id| id.uuid().into_bytes());
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(EVENTS)?;
            let rows = statement.query(params![tenant.as_str(), loan.as_str(), oldest, before])?;
            let of = format_args!("events of loan {loan} of {tenant}").to_string();
            read_up_to(rows, limit, &of, |row| from_json(row, 1))
        })
        .await
    }

    async fn event(&self, tenant: &TenantId, id: EventId) -> StoreResult<Option<LedgerEvent>> {
        let tenant = tenant.clone();
        self.read(move |connection| {
            connection
                .prepare_cached(EVENT)?
                .query_row(params![id.uuid().as_bytes(), tenant.as_str()], |row| from_json(row, 0))
                .optional()
        })
        .await
    }

    async fn delivery_statuses(
        &self,
        tenant: &TenantId,
        traces: &[TraceId],
    ) -> StoreResult<Vec<Option<Status>>> {
        let (tenant, traces) = (tenant.clone(), traces.to_vec());
        self.read(move |connection| {
            let mut progress = connection.prepare_cached(PROGRESS)?;
            let status = |trace: TraceId| {
                let uuid = trace.uuid();
                let of = params![uuid.as_bytes(), tenant.as_str()];
                let found = progress.query_row(of, |row| from_json(row, 0)).optional();
                let found: Option<StoredProgress> =
                    none_if_unreadable(found, &format_args!("delivery {trace} of {tenant}"))?;
                Ok(found.map(|progress| progress.status()))
            };
            traces.into_iter().map(status).collect()
        })
        .await
    }
}
