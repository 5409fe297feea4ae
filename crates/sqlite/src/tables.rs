//! Rows of the tables as values of the model, and back.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};
use tracing::error;
use uuid::Uuid;

use super::lane::LaneId;
use super::stored_progress::StoredProgress;
use super::unreadable::{is_of_content, sentence};
use loanhook_core::model::attempt::{Attempt, AttemptNumber, AttemptState};
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::{AttemptId, LoanId, TenantId, TraceId};
use loanhook_core::model::progress::Progress;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DueWork, QueueMessage};
use loanhook_stored::Document;

/// The number of the first attempt.
const FIRST: u32 = 1;

pub(super) fn to_json(value: &impl Document) -> rusqlite::Result<String> {
    loanhook_stored::write(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// What is stored as JSON in a column.
pub(super) fn from_json<T: Document>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    loanhook_stored::read(row.get_ref(column)?.as_str()?)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into()))
}

/// The UUID in a column.
pub(super) fn uuid(row: &Row<'_>, column: usize) -> rusqlite::Result<Uuid> {
    row.get(column).map(Uuid::from_bytes)
}

pub(super) fn text<T: TryFrom<String, Error = String>>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    T::try_from(row.get(column)?)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into()))
}

pub(super) fn delivery(
    connection: &Connection,
    tenant: &TenantId,
    trace: TraceId,
) -> rusqlite::Result<Option<Delivery>> {
    connection
        .prepare_cached("SELECT frozen, progress FROM deliveries WHERE trace = ?1 AND tenant = ?2")?
        .query_row(params![trace.uuid().as_bytes(), tenant.as_str()], |row| {
            let stored: StoredProgress = from_json(row, 1)?;
            let (progress, history) = stored
                .read()
                .map_err(|fault| rusqlite::Error::FromSqlConversionFailure(1, Type::Text, fault.into()))?;
            Ok(Delivery { snapshot: from_json(row, 0)?, progress, history })
        })
        .optional()
}

/// What changes of a delivery, as it is stored.
pub(super) fn progress_json(delivery: &Delivery) -> rusqlite::Result<String> {
    to_json(&StoredProgress::new(&delivery.progress, &delivery.history))
}

pub(super) fn put_progress(connection: &Connection, delivery: &Delivery) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE deliveries SET progress = ?2, first = coalesce(?3, first) WHERE trace = ?1")?
        .execute(params![
            delivery.snapshot.trace_id.uuid().as_bytes(),
            progress_json(delivery)?,
            first_attempt(&delivery.progress),
        ])
        .map(|_| ())
}

/// The first attempt, while it is in flight.
pub(super) fn first_attempt(progress: &Progress) -> Option<[u8; 16]> {
    let claim = progress.in_flight().filter(|claim| claim.number == FIRST)?;
    Some(claim.attempt_id.uuid().into_bytes())
}

pub(super) fn attempt(
    connection: &Connection,
    tenant: &TenantId,
    loan: &LoanId,
    id: AttemptId,
) -> rusqlite::Result<Option<Attempt>> {
    connection
        .prepare_cached("SELECT doc FROM attempts WHERE tenant = ?1 AND loan = ?2 AND id = ?3")?
        .query_row(params![tenant.as_str(), loan.as_str(), id.uuid().as_bytes()], |row| from_json(row, 0))
        .optional()
}

/// Puts a row, in the place of the one with its ID.
pub(super) fn put_attempt(connection: &Connection, attempt: &Attempt) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO attempts (tenant, loan, id, trace, later, sending, doc)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT DO UPDATE SET sending = excluded.sending, doc = excluded.doc",
        )?
        .execute(params![
            attempt.tenant.as_str(),
            attempt.loan_id.as_str(),
            attempt.id.uuid().as_bytes(),
            attempt.trace_id.uuid().as_bytes(),
            attempt.number != AttemptNumber::Auto(FIRST),
            matches!(attempt.state, AttemptState::Sending { .. }),
            to_json(attempt)?,
        ])
        .map(|_| ())
}

/// The message for the same as the one that is bound.
macro_rules! same_message {
    () => {
        "subscription = ?1 AND (number IS NOT NULL) = (?5 IS NOT NULL) AND due = ?2 \
         AND tenant = ?3 AND trace = ?4 AND number IS ?5 AND attempt IS ?7"
    };
}

pub(super) const PUT_MESSAGE: &str = concat!(
    "INSERT INTO queue (subscription, due, tenant, trace, number, loan, attempt)
     SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE NOT EXISTS (SELECT 1 FROM queue WHERE ",
    same_message!(),
    ")"
);
pub(super) const DELETE_MESSAGE: &str = concat!("DELETE FROM queue WHERE ", same_message!());

/// Puts a message, unless there is one for the same already.
pub(super) fn put_message(connection: &Connection, message: &QueueMessage) -> rusqlite::Result<()> {
    execute_for(connection, PUT_MESSAGE, message)
}

/// Takes away the message for this.
pub(super) fn delete_message(connection: &Connection, message: &QueueMessage) -> rusqlite::Result<()> {
    execute_for(connection, DELETE_MESSAGE, message)
}

fn execute_for(connection: &Connection, sql: &str, message: &QueueMessage) -> rusqlite::Result<()> {
    let (number, loan, attempt) = match &message.work {
        DueWork::Attempt(number) => (Some(*number), None, None),
        DueWork::Resend { loan_id, attempt_id } => {
            (None, Some(loan_id.as_str()), Some(attempt_id.uuid().into_bytes()))
        }
    };
    connection
        .prepare_cached(sql)?
        .execute(params![
            message.subscription_id.uuid().as_bytes(),
            message.due.millis(),
            message.tenant.as_str(),
            message.trace_id.uuid().as_bytes(),
            number,
            loan,
            attempt,
        ])
        .map(|_| ())
}

/// When a message is due that cannot be read, or whose delivery cannot: it stays, behind all others. In milliseconds
/// since 1970.
pub(super) const ASIDE: i64 = i64::MAX;

/// The messages of a lane that are due first, with the IDs of their rows. One that cannot be read is put aside and
/// said in the log, once.
pub(super) fn messages(
    connection: &Connection,
    lane: &LaneId,
    limit: usize,
) -> rusqlite::Result<Vec<(i64, QueueMessage)>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, tenant, trace, due, number, loan, attempt FROM queue
         WHERE subscription = ?1 AND (number IS NOT NULL) = ?2 AND due < ?3 ORDER BY due, trace",
    )?;
    let mut rows = statement.query(params![lane.subscription.uuid().as_bytes(), lane.automatic, ASIDE])?;
    let (mut found, mut unreadable) = (Vec::new(), Vec::new());
    while found.len() < limit
        && let Some(row) = rows.next()?
    {
        let id: i64 = row.get(0)?;
        match message(row, lane) {
            Ok(message) => found.push((id, message)),
            Err(fault) if is_of_content(&fault) => unreadable.push((id, sentence(&fault))),
            Err(fault) => return Err(fault),
        }
    }
    for (message, why) in unreadable {
        put_aside(connection, lane, message, &why)?;
    }
    Ok(found)
}

/// Keeps a message that cannot be acted on from coming again, and says so.
pub(super) fn put_aside(
    connection: &Connection,
    lane: &LaneId,
    message: i64,
    why: &str,
) -> rusqlite::Result<()> {
    error!(subscription_id = %lane.subscription, message, why, "queue.unreadable_put_aside");
    connection
        .prepare_cached("UPDATE queue SET due = ?2 WHERE id = ?1")?
        .execute(params![message, ASIDE])
        .map(|_| ())
}

fn message(row: &Row<'_>, lane: &LaneId) -> rusqlite::Result<QueueMessage> {
    let what = match row.get(4)? {
        Some(number) => DueWork::Attempt(number),
        None => DueWork::Resend { loan_id: text(row, 5)?, attempt_id: AttemptId::from_uuid(uuid(row, 6)?) },
    };
    Ok(QueueMessage {
        tenant: text(row, 1)?,
        trace_id: TraceId::from_uuid(uuid(row, 2)?),
        subscription_id: lane.subscription,
        due: Timestamp::from_millis(row.get(3)?),
        work: what,
    })
}
