//! Ledger: events as intake stores them, and as they are read.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::SqliteEngine;
use super::payloads;
use super::rows::{find_progress, from_json, to_json};
use loanhook_core::model::id::{EventId, LoanId, TenantId, TraceId};
use loanhook_core::model::ledger::LedgerEvent;
use loanhook_core::model::payload::Payload;
use loanhook_core::model::progress::Status;
use loanhook_core::ports::{Ledger, NewLedgerEvent, StoreResult};

const EVENTS: &str = "SELECT id, doc FROM events
     WHERE tenant = ?1 AND loan = ?2 AND id >= ?3 AND id < ?4 ORDER BY id DESC";
const EVENT: &str = "SELECT doc FROM events WHERE id = ?1 AND tenant = ?2";

/// Stores an event and the payload of which its context is a part. False, and it stays as it is, if it is stored already.
pub(super) fn put(connection: &Connection, new: &NewLedgerEvent) -> rusqlite::Result<bool> {
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
        return Ok(false);
    }
    let payload = Payload { key: Some(event.context.payload), bytes: envelope.len() as u64 };
    payloads::put(connection, &event.tenant, payload, envelope)?;
    Ok(true)
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
        let range = (oldest.map(EventId::uuid), before.map(EventId::uuid));
        self.newest_first((EVENTS, "events"), (tenant, loan), range, limit).await
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

    async fn has_event(&self, tenant: &TenantId, loan: &LoanId, id: EventId) -> StoreResult<bool> {
        let (tenant, loan) = (tenant.clone(), loan.clone());
        self.read(move |connection| {
            connection
                .prepare_cached("SELECT 1 FROM events WHERE id = ?1 AND tenant = ?2 AND loan = ?3")?
                .exists(params![id.uuid().as_bytes(), tenant.as_str(), loan.as_str()])
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
            let status =
                |trace| Ok(find_progress(connection, &tenant, trace)?.map(|progress| progress.status()));
            traces.into_iter().map(status).collect()
        })
        .await
    }
}
