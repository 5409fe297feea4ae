//! Releases: claims that are given back because no request could leave. Each is one transaction.

use std::sync::Arc;

use rusqlite::{Connection, params};
use uuid::Uuid;

use super::Embedded;
use super::tables::{attempt, delivery, put_attempt, put_message, put_progress, uuid};
use loanhook_core::model::attempt::{Attempt, AttemptState};
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::AttemptId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{QueueMessage, ReleaseOutcome, StoreResult};

/// The newest row of a delivery.
const NEWEST: &str = "SELECT max(id) FROM (
         SELECT max(id) AS id FROM attempts WHERE trace = ?1 AND later = 1
         UNION ALL
         SELECT first AS id FROM deliveries WHERE trace = ?1
     )";

impl Embedded {
    /// `resends` is how often the delivery was resent when it was claimed.
    pub(super) async fn release_attempt(
        &self,
        resends: u32,
        token: Uuid,
        row: &Attempt,
        due: Timestamp,
    ) -> StoreResult<ReleaseOutcome> {
        let (row, lanes) = (row.clone(), Arc::clone(&self.0.lanes));
        let work = move |connection: &Connection| release(connection, (token, resends), &row, due);
        let released = self.0.writer.run_until_done(
            work,
            move |(_, message): &mut (ReleaseOutcome, Option<QueueMessage>)| {
                if let Some(message) = message {
                    lanes.add(std::slice::from_ref(message));
                }
            },
        );
        Ok(released.await?.0)
    }

    pub(super) async fn release_queued(
        &self,
        token: Uuid,
        mut row: Attempt,
        due: Timestamp,
    ) -> StoreResult<bool> {
        row.release(due);
        let lanes = Arc::clone(&self.0.lanes);
        let message = QueueMessage::for_resend(&row, due);
        let added = [message.clone()];
        let work = move |connection: &Connection| {
            let stored = attempt(connection, &row.tenant, &row.loan_id, row.id)?;
            if stored.is_none_or(|stored| stored.state != AttemptState::Sending { token }) {
                return Ok(false);
            }
            put_attempt(connection, &row)?;
            put_message(connection, &message)?;
            Ok(true)
        };
        self.0.writer.run_until_done(work, move |_| lanes.add(&added)).await
    }
}

/// What became of the claim, and the message that was queued, if there is one.
fn release(
    connection: &Connection,
    (token, resends): (Uuid, u32),
    row: &Attempt,
    due: Timestamp,
) -> rusqlite::Result<(ReleaseOutcome, Option<QueueMessage>)> {
    let in_flight = |delivery: &Delivery| delivery.progress.in_flight_under(token).is_some();
    let found = delivery(connection, &row.tenant, row.trace_id)?;
    let Some(mut delivery) = found.filter(in_flight) else { return Ok((ReleaseOutcome::Superseded, None)) };
    if delivery.history.resends != resends {
        return Ok((ReleaseOutcome::ReferencedByResend, None));
    }
    let (id, trace) = (row.id.uuid(), row.trace_id.uuid());
    connection
        .prepare_cached("DELETE FROM attempts WHERE tenant = ?1 AND loan = ?2 AND id = ?3")?
        .execute(params![row.tenant.as_str(), row.loan_id.as_str(), id.as_bytes()])?;
    connection
        .prepare_cached("UPDATE deliveries SET first = NULL WHERE trace = ?1 AND first = ?2")?
        .execute(params![trace.as_bytes(), id.as_bytes()])?;
    let newest = connection.prepare_cached(NEWEST)?.query_row([trace.as_bytes()], |row| {
        Ok(if row.get_ref(0)? == rusqlite::types::ValueRef::Null { None } else { Some(uuid(row, 0)?) })
    })?;
    if delivery.release(token, due, newest.map(AttemptId::from_uuid)).is_err() {
        return Ok((ReleaseOutcome::Superseded, None));
    }
    put_progress(connection, &delivery)?;
    let message = QueueMessage::for_next_attempt(&delivery);
    if let Some(message) = &message {
        put_message(connection, message)?;
    }
    Ok((ReleaseOutcome::Released, message))
}
