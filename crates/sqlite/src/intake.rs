//! Events accepted: record of the key, trigger state, payloads, deliveries and messages, in one transaction.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::Embedded;
use super::claims::Entered;
use super::idempotency::{self, Kind};
use super::tables::{from_json, to_json};
use super::unreadable::or_none;
use super::writer::Class;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::{LoanId, TenantId};
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::trigger_state::TriggerState;
use loanhook_core::ports::{AcceptOutcome, AcceptRequest, Intake, StoreResult, Subscriptions as _};

use super::starts::Door;

impl Intake for Embedded {
    async fn accept(&self, request: AcceptRequest) -> StoreResult<AcceptOutcome> {
        let door = self.door();
        let lanes = Arc::clone(&self.0.lanes);
        // Those that the trigger state of a loan is kept for.
        let known = match request.watched.is_empty() {
            true => Arc::default(),
            false => self.subscriptions(&request.tenant).await?,
        };
        let rising = request.watched.iter().filter_map(|watched| watched.delivery.as_ref());
        let stored = request.deliveries.iter().chain(rising);
        let bytes = stored.map(|(delivery, bytes)| weight(delivery) + bytes.len()).sum();
        let work = move |connection: &Connection| accept(connection, &door, request, &known);
        let then = move |(_, entered): &mut (AcceptOutcome, Entered)| entered.go_on(&lanes);
        self.0.writer.run(Class::Intake(bytes), work, then).await.map(|(accepted, _)| accepted)
    }
}

fn accept(
    connection: &Connection,
    door: &Door,
    request: AcceptRequest,
    known: &[Arc<Subscription>],
) -> rusqlite::Result<(AcceptOutcome, Entered)> {
    let AcceptRequest { tenant, loan_id, idempotency, deliveries, watched, now } = request;
    let before = match watched.is_empty() {
        true => TriggerState::default(),
        false => trigger_state(connection, &tenant, &loan_id)?,
    };
    let mut after = before.clone();
    let rose: Vec<_> = watched
        .into_iter()
        .filter(|watched| after.update(watched.watch, watched.trace_if_fired(), now))
        .filter_map(|watched| watched.delivery)
        .collect();
    if let Some((key, record)) = idempotency {
        let record = record.with_fired(rose.iter().map(|(delivery, _)| delivery));
        if let Some(known) = idempotency::remember(connection, &tenant, Kind::Event, &key, &record, now)? {
            return Ok((AcceptOutcome::Duplicate(known), Entered::default()));
        }
    }
    if after.has_deleted_triggers() {
        after.keep(known);
    }
    if after != before {
        put_trigger_state(connection, &tenant, &loan_id, &after)?;
    }
    let fired = rose.iter().map(|(delivery, _)| delivery.snapshot.subscription_id).collect();
    let mut entered = Entered::default();
    for delivery in deliveries.into_iter().chain(rose) {
        entered.put_new(connection, door, delivery)?;
    }
    Ok((AcceptOutcome::Stored { fired }, entered))
}

/// About how many bytes a delivery is, besides its payload.
fn weight(delivery: &Delivery) -> usize {
    let request = &delivery.snapshot.request;
    let headers: usize = request.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    1024 + request.url.len() + headers
}

fn trigger_state(
    connection: &Connection,
    tenant: &TenantId,
    loan: &LoanId,
) -> rusqlite::Result<TriggerState> {
    let found = connection
        .prepare_cached("SELECT doc FROM memories WHERE tenant = ?1 AND loan = ?2")?
        .query_row(params![tenant.as_str(), loan.as_str()], |row| from_json(row, 0))
        .optional();
    // What its triggers were is unknown then, as before its first event.
    Ok(or_none(found, &format_args!("memory of loan {loan} of {tenant}"))?.unwrap_or_default())
}

fn put_trigger_state(
    connection: &Connection,
    tenant: &TenantId,
    loan: &LoanId,
    state: &TriggerState,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO memories (tenant, loan, doc) VALUES (?1, ?2, ?3)")?
        .execute(params![tenant.as_str(), loan.as_str(), to_json(state)?])
        .map(|_| ())
}
