//! Recovery: attempts whose sender died are interrupted.
//!
//! In one process a sender dies only with the process, or by a panic of its own. Its row is completed as interrupted, and
//! the next attempt is due at once; an interrupted resend is not repeated.

use rusqlite::{Connection, Row};
use tracing::error;

use super::completion::{CompletionOutcome, complete_stored};
use crate::counts::{CountLog, CountWriter};
use crate::operational::{Ended, OperationalStates, Recorded};
use crate::resends;
use crate::rows::{find_delivery, from_json, text_column, uuid_column};
use crate::unreadable::{describe, is_content_error, read_all};
use loanhook_core::log;
use loanhook_core::model::attempt::{Attempt, AttemptState, Completion, SENDER_DIED};
use loanhook_core::model::id::TraceId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DueWork, QueueMessage};
use loanhook_core::spans;

/// Interrupts whatever was in flight when the process before this one ended, in a transaction of its own. What cannot
/// be read is left as it is, and logged. No changes of counts are left unfolded.
pub(crate) fn interrupt_all(
    connection: &Connection,
    (counts, count_writer): (&CountLog, &mut CountWriter),
    operational: &OperationalStates,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    for row in sending(&transaction, None)? {
        let (trace_id, attempt_id) = (row.trace_id, row.id);
        match interrupt(&transaction, counts, operational, row, now) {
            Err(fault) if is_content_error(&fault) => {
                error!(%trace_id, %attempt_id, why = describe(&fault), "store.unreadable_not_interrupted");
            }
            interrupted => drop(interrupted?),
        }
    }
    count_writer.flush_and_fold(&transaction)?;
    transaction.commit()?;
    count_writer.committed(None);
    Ok(())
}

/// Interrupts what the handler of a message had in flight, and gives the messages that were put into the queue.
pub(super) fn interrupt_handled(
    connection: &Connection,
    (counts, operational): (&CountLog, &OperationalStates),
    message: &QueueMessage,
    now: Timestamp,
) -> rusqlite::Result<(Vec<QueueMessage>, Recorded)> {
    let handled = |row: &Attempt| match &message.work {
        DueWork::Attempt(_) => !row.is_manual(),
        DueWork::Resend { attempt_id, .. } => row.id == *attempt_id,
    };
    let (mut queued, mut all) = (Vec::new(), Recorded::default());
    for row in sending(connection, Some(message.trace_id))?.into_iter().filter(handled) {
        let (messages, recorded) = interrupt(connection, counts, operational, row, now)?;
        queued.extend(messages);
        all.wakes |= recorded.wakes;
    }
    Ok((queued, all))
}

/// The rows that are stored as `sending`, of one delivery or of all.
fn sending(connection: &Connection, trace: Option<TraceId>) -> rusqlite::Result<Vec<Attempt>> {
    let mut statement = connection.prepare(
        "SELECT id, tenant, trace, doc FROM attempts WHERE sending = 1 AND (?1 IS NULL OR trace = ?1)",
    )?;
    let rows = statement.query([trace.map(|trace| trace.uuid().into_bytes())])?;
    read_all(rows, &"attempts in flight", |row| match from_json(row, 3) {
        Err(fault) if is_content_error(&fault) => row_of_claim(connection, row)?.ok_or(fault),
        read => read,
    })
}

/// The row of an automatic attempt, made from its delivery's claim, in the place of one that cannot be read: without it
/// the delivery would wait for the end of that attempt for ever.
fn row_of_claim(connection: &Connection, row: &Row<'_>) -> rusqlite::Result<Option<Attempt>> {
    let (id, tenant, trace) =
        (uuid_column(row, 0)?, text_column(row, 1)?, TraceId::from_uuid(uuid_column(row, 2)?));
    let Some(delivery) = find_delivery(connection, &tenant, trace)? else { return Ok(None) };
    let claim = delivery.progress.in_flight().filter(|claim| claim.attempt_id.uuid() == id);
    let row = claim.map(|claim| delivery.attempt_row(claim));
    if row.is_some() {
        error!(trace_id = %trace, attempt_id = %id, "store.unreadable_made_anew");
    }
    Ok(row)
}

/// Completes a row as interrupted, and gives the messages that were put into the queue.
fn interrupt(
    connection: &Connection,
    counts: &CountLog,
    operational: &OperationalStates,
    mut row: Attempt,
    now: Timestamp,
) -> rusqlite::Result<(Vec<QueueMessage>, Recorded)> {
    let AttemptState::Sending { token } = row.state else { return Ok((Vec::new(), Recorded::default())) };
    row.state = AttemptState::Complete(Completion::interrupted(now, SENDER_DIED));
    log::attempt(&row);
    if spans::are_recorded() {
        // One that cannot be read has no spans, and is told of below.
        if let Ok(Some(delivery)) = find_delivery(connection, &row.tenant, row.trace_id) {
            spans::record_interrupted(&delivery.snapshot, &row);
        }
    }
    if row.is_manual() {
        resends::complete_stored(connection, counts, token, &row, None)?;
        return Ok((Vec::new(), Recorded::default()));
    }
    match complete_stored(connection, counts, token, &row, None)? {
        CompletionOutcome::Completed { queued, exhausted } => {
            let recorded = operational.record_end(connection, Ended { row: &row, exhausted, flow: None })?;
            Ok((queued, recorded))
        }
        CompletionOutcome::Superseded => Ok((Vec::new(), Recorded::default())),
    }
}
