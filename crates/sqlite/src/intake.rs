//! Intake of events: idempotency record, trigger state, payloads, deliveries and messages, in one operation of the writer.

use std::collections::BTreeSet;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::SqliteEngine;
use super::counts::CountLog;
use super::dispatch::admission::{AdmissionControl, NewDeliveries};
use super::idempotency::{self, KeyScope};
use super::ledger;
use super::queue::Place;
use super::rows::{from_json, to_json};
use super::unreadable::none_if_unreadable;
use super::writer::Priority;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::{LoanId, SubscriptionId, TenantId};
use loanhook_core::model::ledger::LedgerScope;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::trigger_state::TriggerState;
use loanhook_core::ports::{AcceptOutcome, AcceptRequest, Intake, StoreResult, Subscriptions as _};

/// Places for the new deliveries of an event: see `queue::places`. They are given back after the commit that stores it.
#[derive(Default)]
pub struct Room(Vec<Place>);

impl Intake for SqliteEngine {
    type Room = Room;

    async fn wait_for_room(
        &self,
        tenant: &TenantId,
        subscriptions: BTreeSet<SubscriptionId>,
        bytes: usize,
    ) -> StoreResult<Room> {
        self.0.admission.wait_for_places(tenant, subscriptions, bytes).await.map(Room)
    }

    async fn accept(&self, request: AcceptRequest, Room(places): Room) -> StoreResult<AcceptOutcome> {
        let admission = Arc::clone(&self.0.admission);
        let scheduler = Arc::clone(&self.0.scheduler);
        // Those whose trigger state a loan keeps.
        let known = match request.watched.is_empty() {
            true => Arc::default(),
            false => self.subscriptions(&request.tenant).await?,
        };
        let rising = request.watched.iter().filter_map(|watched| watched.delivery.as_ref());
        let stored = request.deliveries.iter().chain(rising);
        let bytes = stored.map(|(delivery, bytes)| estimated_bytes(delivery) + bytes.len()).sum::<usize>()
            + request.event.as_ref().map_or(0, |new| EVENT_BYTES + new.envelope.len());
        let (scope, counts) = (self.0.ledger_scope, Arc::clone(&self.0.counts));
        let work = move |connection: &Connection| {
            accept(connection, &counts, &admission, places, request, &known, scope)
        };
        let after_commit = move |(_, new): &mut (AcceptOutcome, NewDeliveries)| new.after_commit(&scheduler);
        let priority = Priority::NewWork { bytes };
        let (outcome, _) = self.0.writer.run_without_savepoint(priority, work, after_commit).await?;
        Ok(outcome)
    }
}

fn accept(
    connection: &Connection,
    counts: &CountLog,
    admission: &AdmissionControl,
    places: Vec<Place>,
    mut request: AcceptRequest,
    known: &[Arc<Subscription>],
    ledger_scope: LedgerScope,
) -> rusqlite::Result<(AcceptOutcome, NewDeliveries)> {
    let before = match request.watched.is_empty() {
        true => TriggerState::default(),
        false => trigger_state(connection, &request.tenant, &request.loan_id)?,
    };
    let mut after = before.clone();
    let (mut risen, mut verdicts) = (Vec::new(), Vec::new());
    for watched in std::mem::take(&mut request.watched) {
        let rises = after.update(watched.watch, watched.trace_if_fired(), request.now);
        verdicts.push(watched.verdict(rises));
        risen.extend(watched.delivery.filter(|_| rises));
    }
    let AcceptRequest { tenant, loan_id, idempotency, event, deliveries, completes_earlier, now, .. } =
        request.with_verdicts(&verdicts);
    if let Some((key, record)) = idempotency
        && let Some(known) =
            idempotency::put_unless_present(connection, &tenant, KeyScope::Event, &key, &record, now)?
    {
        return Ok((AcceptOutcome::Duplicate(known), NewDeliveries::new(places)));
    }
    if after.has_deleted_triggers() {
        after.keep(known);
    }
    if after != before {
        put_trigger_state(connection, &tenant, &loan_id, &after)?;
    }
    if let Some(event) = event {
        let stored_before = ledger_scope.keeps(&event.event) && !ledger::put(connection, &event)?;
        // An event that the ledger does not keep is counted too. The first call counted what this one completes.
        if !stored_before && !completes_earlier {
            counts.add_event(&event.event);
        }
    }
    let fired = risen.iter().map(|(delivery, _)| delivery.snapshot.subscription_id).collect();
    let mut new = NewDeliveries::new(places);
    for delivery in deliveries.into_iter().chain(risen) {
        new.put(connection, counts, admission, delivery)?;
    }
    Ok((AcceptOutcome::Stored { fired }, new))
}

/// About how many bytes an event takes in the ledger, besides its payload.
const EVENT_BYTES: usize = 512;

/// About how many bytes a delivery takes, besides its payload.
fn estimated_bytes(delivery: &Delivery) -> usize {
    let request = &delivery.snapshot.request;
    let headers: usize = request.headers.all().iter().map(|(name, value)| name.len() + value.len()).sum();
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
    // Where it cannot be read, what its triggers were is unknown, as before the first event.
    Ok(none_if_unreadable(found, &format_args!("memory of loan {loan} of {tenant}"))?.unwrap_or_default())
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
