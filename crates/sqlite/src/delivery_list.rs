//! Deliveries across loans, as they are read: ranges of indexes, the newest first.
//!
//! A trace begins with the time of acceptance, so the index of deliveries by tenant and trace has them in the order of the list.
//! Deliveries that were in a file before that index have the time in the column `accepted`, by which a partial index has
//! only them; a list is merged of both. Their traces are random, so they stand between the others in the index by trace: there
//! only the range of traces is read that new deliveries have. One that is accepted while the clock is more than a day behind the
//! update of such a file is not listed, and one that is accepted while it is more than a day ahead is listed when that time comes.
//! Those that failed have the time of acceptance in the column `failed`, and a partial index of their own.

use std::cmp::Reverse;

use rusqlite::{Connection, Row, params};

use super::SqliteEngine;
use super::rows::{delivery_columns, find_attempt, find_delivery};
use super::unreadable::{none_if_unreadable, read_up_to};
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::{Delivery, DeliveryPosition};
use loanhook_core::model::id::{TenantId, TraceId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DeliveryList, DeliveryPart, DeliverySet, DeliverySpan, StoreResult};

pub(super) const BY_TRACE: &str = "SELECT trace, frozen, progress FROM deliveries
     WHERE tenant = ?1 AND trace >= ?2 AND trace < ?3 AND accepted IS NULL ORDER BY trace DESC";
pub(super) const OF_RANDOM_TRACES: &str = "SELECT trace, frozen, progress FROM deliveries
     WHERE tenant = ?1 AND accepted >= ?2 AND (accepted, trace) < (?3, ?4) ORDER BY accepted DESC, trace DESC";
pub(super) const THAT_FAILED: &str = "SELECT trace, frozen, progress FROM deliveries
     WHERE tenant = ?1 AND failed >= ?2 AND (failed, trace) < (?3, ?4) ORDER BY failed DESC, trace DESC";

/// How far a clock that is set may have been off.
const CLOCK_STEP_MILLIS: i64 = 24 * 3600 * 1000;

/// After every position.
const LAST: DeliveryPosition = DeliveryPosition {
    accepted_at: Timestamp::from_millis(i64::MAX),
    trace: TraceId::from_uuid(uuid::Uuid::max()),
};

impl DeliveryList for SqliteEngine {
    async fn deliveries(
        &self,
        tenant: &TenantId,
        set: DeliverySet,
        span: DeliverySpan,
        limit: usize,
    ) -> StoreResult<DeliveryPart> {
        let tenant = tenant.clone();
        let since = self.0.timed_traces_since;
        self.read(move |connection| {
            // One transaction, so that the parts that are merged are of one moment.
            let snapshot = connection.unchecked_transaction()?;
            let mut deliveries = match set {
                DeliverySet::Failed => by_time(&snapshot, THAT_FAILED, &tenant, &span, limit)?,
                DeliverySet::All => {
                    let mut all =
                        by_trace(&snapshot, &tenant, trace_range(&span, since, Timestamp::now()), limit)?;
                    all.extend(by_time(&snapshot, OF_RANDOM_TRACES, &tenant, &span, limit)?);
                    all.sort_by_key(|delivery| Reverse(delivery.position()));
                    all
                }
            };
            deliveries.truncate(limit);
            let goes_on = deliveries.last().filter(|_| deliveries.len() == limit).map(Delivery::position);
            Ok(DeliveryPart { examined: deliveries.len(), deliveries, goes_on })
        })
        .await
    }

    async fn deliveries_of_traces(
        &self,
        tenant: &TenantId,
        traces: &[TraceId],
    ) -> StoreResult<Vec<Delivery>> {
        let (tenant, traces) = (tenant.clone(), traces.to_vec());
        self.read(move |connection| {
            let mut found = Vec::with_capacity(traces.len());
            for trace in traces {
                let delivery = find_delivery(connection, &tenant, trace);
                found.extend(none_if_unreadable(delivery, &format_args!("delivery {trace} of {tenant}"))?);
            }
            Ok(found)
        })
        .await
    }

    async fn newest_attempts(
        &self,
        tenant: &TenantId,
        deliveries: &[Delivery],
    ) -> StoreResult<Vec<Option<Attempt>>> {
        let tenant = tenant.clone();
        let of = |delivery: &Delivery| (delivery.snapshot.loan_id.clone(), delivery.history.newest_attempt);
        let newest: Vec<_> = deliveries.iter().map(of).collect();
        self.read(move |connection| {
            let read = |(loan, id)| {
                let Some(id) = id else { return Ok(None) };
                let row = find_attempt(connection, &tenant, &loan, id);
                none_if_unreadable(row, &format_args!("attempt {id} of {tenant}"))
            };
            newest.into_iter().map(read).collect()
        })
        .await
    }
}

/// Deliveries whose trace begins with the time of their acceptance.
fn by_trace(
    connection: &Connection,
    tenant: &TenantId,
    (oldest, before): ([u8; 16], [u8; 16]),
    limit: usize,
) -> rusqlite::Result<Vec<Delivery>> {
    let mut statement = connection.prepare_cached(BY_TRACE)?;
    let rows = statement.query(params![tenant.as_str(), oldest, before])?;
    read_up_to(rows, limit, &format_args!("deliveries of {tenant}"), listed)
}

/// From which trace to before which the deliveries of a span stand whose traces begin with their time. `since` is when a file got
/// the first of them, where it had others before.
pub(super) fn trace_range(
    span: &DeliverySpan,
    since: Option<Timestamp>,
    now: Timestamp,
) -> ([u8; 16], [u8; 16]) {
    let earliest = since.map(|since| since.plus_millis(-CLOCK_STEP_MILLIS)).max(span.from);
    let oldest = earliest.map_or([0; 16], |from| TraceId::first_at(from).uuid().into_bytes());
    let latest = since.map(|_| TraceId::first_at(now.plus_millis(CLOCK_STEP_MILLIS)));
    let before = span.before.map(|DeliveryPosition { accepted_at, trace }| {
        // The position may be that of another kind of trace.
        let (first, last) = (TraceId::first_at(accepted_at), TraceId::first_at(accepted_at.plus_millis(1)));
        trace.max(first).min(last)
    });
    let before = [latest, before].into_iter().flatten().min();
    (oldest, before.map_or([0xff; 16], |before| before.uuid().into_bytes()))
}

/// Deliveries that an index has by the time of their acceptance.
fn by_time(
    connection: &Connection,
    sql: &str,
    tenant: &TenantId,
    span: &DeliverySpan,
    limit: usize,
) -> rusqlite::Result<Vec<Delivery>> {
    let oldest = span.from.map_or(i64::MIN, Timestamp::millis);
    let before = span.before.unwrap_or(LAST);
    let (time, trace) = (before.accepted_at.millis(), before.trace.uuid().into_bytes());
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query(params![tenant.as_str(), oldest, time, trace])?;
    read_up_to(rows, limit, &format_args!("deliveries of {tenant}"), listed)
}

fn listed(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    delivery_columns(row, 1, 2)
}
