//! Release: a claim is given back, because no request could leave. Its row is deleted, and the same number is due again.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::order::{self, Numbered};
use crate::queue::messages::put_message;
use crate::rows::{find_delivery, put_progress, uuid_column};
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::AttemptId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{QueueMessage, ReleaseOutcome};

/// The newest row of a delivery.
const NEWEST: &str = "SELECT max(id) FROM (
         SELECT max(id) AS id FROM attempts WHERE trace = ?2 AND later = 1
         UNION ALL
         SELECT first AS id FROM deliveries WHERE tenant = ?1 AND trace = ?2
     )";

/// Gives the claim of an automatic attempt back, and the message that was put into the queue, if there is one: for the same
/// number, or of the delivery that waited behind one that was canceled. `resends`
/// is how often the delivery had been resent when it was claimed.
pub(crate) fn release_claim(
    connection: &Connection,
    (token, resends): (Uuid, u32),
    row: &Attempt,
    due: Timestamp,
) -> rusqlite::Result<(ReleaseOutcome, Option<QueueMessage>)> {
    let in_flight = |delivery: &Delivery| delivery.progress.in_flight_under(token).is_some();
    let found = find_delivery(connection, &row.tenant, row.trace_id)?;
    let Some(mut delivery) = found.filter(in_flight) else { return Ok((ReleaseOutcome::Superseded, None)) };
    if delivery.history.resends != resends {
        return Ok((ReleaseOutcome::ReferencedByResend, None));
    }
    let (id, trace) = (row.id.uuid(), row.trace_id.uuid());
    connection
        .prepare_cached("DELETE FROM attempts WHERE tenant = ?1 AND loan = ?2 AND id = ?3")?
        .execute(params![row.tenant.as_str(), row.loan_id.as_str(), id.as_bytes()])?;
    connection
        .prepare_cached("UPDATE deliveries SET first = NULL WHERE tenant = ?1 AND trace = ?2 AND first = ?3")?
        .execute(params![row.tenant.as_str(), trace.as_bytes(), id.as_bytes()])?;
    let of = params![row.tenant.as_str(), trace.as_bytes()];
    let newest = connection.prepare_cached(NEWEST)?.query_row(of, |row| {
        Ok(if row.get_ref(0)? == ValueRef::Null { None } else { Some(uuid_column(row, 0)?) })
    })?;
    if delivery.release(token, due, newest.map(AttemptId::from_uuid)).is_err() {
        return Ok((ReleaseOutcome::Superseded, None));
    }
    put_progress(connection, &delivery)?;
    let message = QueueMessage::for_next_attempt(&delivery);
    let message = match (message, Numbered::of(&delivery.snapshot)) {
        (Some(message), _) => {
            put_message(connection, &message)?;
            Some(message)
        }
        // It was canceled meanwhile, and has ended by that.
        (None, Some(numbered)) => order::end(connection, numbered, Timestamp::now())?,
        (None, None) => None,
    };
    Ok((ReleaseOutcome::Released, message))
}
