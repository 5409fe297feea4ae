//! What a sender that died left behind.
//!
//! In one process a sender dies only with the process, or by a panic of its own. Its row is completed as
//! interrupted, and the next attempt is due at once; an interrupted resend is not repeated.

use rusqlite::{Connection, Row};
use tracing::error;

use super::tables::{delivery, from_json, text, uuid};
use super::unreadable::{is_of_content, read_all, sentence};
use super::{Embedded, deliveries, resends};
use loanhook_core::log;
use loanhook_core::model::attempt::{Attempt, AttemptState, Completion, SENDER_DIED};
use loanhook_core::model::id::TraceId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DueWork, QueueMessage, StoreResult};

/// Interrupts whatever was in flight when the process before this one ended. What cannot be read is left as it is,
/// and said.
pub(super) fn interrupt_all(connection: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    for row in sending(&transaction, None)? {
        let (trace_id, attempt_id) = (row.trace_id, row.id);
        match interrupt(&transaction, row, now) {
            Err(fault) if is_of_content(&fault) => {
                error!(%trace_id, %attempt_id, why = sentence(&fault), "store.unreadable_not_interrupted");
            }
            interrupted => drop(interrupted?),
        }
    }
    transaction.commit()
}

/// The rows that are being sent, of one delivery or of all.
fn sending(connection: &Connection, trace: Option<TraceId>) -> rusqlite::Result<Vec<Attempt>> {
    let mut statement = connection.prepare(
        "SELECT id, tenant, trace, doc FROM attempts WHERE sending = 1 AND (?1 IS NULL OR trace = ?1)",
    )?;
    let rows = statement.query([trace.map(|trace| trace.uuid().into_bytes())])?;
    read_all(rows, &"attempts in flight", |row| match from_json(row, 3) {
        Err(fault) if is_of_content(&fault) => made_anew(connection, row)?.ok_or(fault),
        read => read,
    })
}

/// The row of an automatic attempt, of what its delivery says, in the place of one that cannot be read: without it
/// the delivery would wait for its end for ever.
fn made_anew(connection: &Connection, row: &Row<'_>) -> rusqlite::Result<Option<Attempt>> {
    let (id, tenant, trace) = (uuid(row, 0)?, text(row, 1)?, TraceId::from_uuid(uuid(row, 2)?));
    let Some(delivery) = delivery(connection, &tenant, trace)? else { return Ok(None) };
    let claim = delivery.progress.in_flight().filter(|claim| claim.attempt_id.uuid() == id);
    let row = claim.map(|claim| delivery.attempt_row(claim));
    if row.is_some() {
        error!(trace_id = %trace, attempt_id = %id, "store.unreadable_made_anew");
    }
    Ok(row)
}

fn interrupt(
    connection: &Connection,
    mut row: Attempt,
    now: Timestamp,
) -> rusqlite::Result<Option<QueueMessage>> {
    let AttemptState::Sending { token } = row.state else { return Ok(None) };
    row.state = AttemptState::Complete(Completion::interrupted(now, SENDER_DIED));
    log::attempt(&row);
    if row.is_manual() {
        resends::settle(connection, token, &row, None)?;
        return Ok(None);
    }
    Ok(deliveries::settle(connection, token, &row, None)?.flatten())
}

impl Embedded {
    /// Interrupts what the handler of a message had in flight when it panicked.
    pub(super) async fn interrupt(&self, message: &QueueMessage, now: Timestamp) -> StoreResult<()> {
        let message = message.clone();
        let lanes = std::sync::Arc::clone(&self.0.lanes);
        let work = move |connection: &Connection| {
            let rows = sending(connection, Some(message.trace_id))?;
            let theirs = |row: &Attempt| match &message.work {
                DueWork::Attempt(_) => !row.is_manual(),
                DueWork::Resend { attempt_id, .. } => row.id == *attempt_id,
            };
            let mut next = Vec::new();
            for row in rows.into_iter().filter(theirs) {
                next.extend(interrupt(connection, row, now)?);
            }
            Ok(next)
        };
        self.0
            .writer
            .run_until_done(work, move |next: &mut Vec<QueueMessage>| lanes.add(next))
            .await
            .map(|_| ())
    }
}
