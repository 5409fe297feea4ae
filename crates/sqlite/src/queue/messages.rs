//! Queue messages in their table: put, found, deleted, quarantined.
//!
//! A message stays in the table until a claim deletes it, in the transaction that stores the row of its attempt. So
//! what was due when the process died is there at the next start.

use rusqlite::{Connection, Row, ToSql, params};
use tracing::error;
use uuid::Uuid;

use super::id::QueueId;
use crate::rows::{loan_column, text_column, uuid_column};
use crate::unreadable::{describe, is_content_error, read_all, read_up_to};
use loanhook_core::model::id::{AttemptId, SubscriptionId, TraceId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DueWork, QueueMessage};

/// The due time of a message that is quarantined, since it or its delivery cannot be read: it stays in the table,
/// behind all others. In milliseconds since 1970.
pub(super) const QUARANTINED_DUE_MILLIS: i64 = i64::MAX;

/// The condition for the message that is bound: at most one of the same delivery, work and due time is stored.
macro_rules! same_message {
    () => {
        "subscription = ?1 AND (number IS NOT NULL) = (?5 IS NOT NULL) AND due = ?2 \
         AND tenant = ?3 AND trace = ?4 AND number IS ?5 AND attempt IS ?7"
    };
}

pub(crate) const FIND_MESSAGE: &str = concat!("SELECT 1 FROM queue WHERE ", same_message!());
const INSERT_MESSAGE: &str = "INSERT INTO queue (subscription, due, tenant, trace, number, loan, attempt)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
pub(crate) const DELETE_MESSAGE: &str = concat!("DELETE FROM queue WHERE ", same_message!());

/// Puts a message, unless the same one is there already. These are two statements: one that inserts into the table that it
/// looks into needs a table in memory each time.
pub(crate) fn put_message(connection: &Connection, message: &QueueMessage) -> rusqlite::Result<()> {
    if with_columns(message, |columns| connection.prepare_cached(FIND_MESSAGE)?.exists(columns))? {
        return Ok(());
    }
    with_columns(message, |columns| connection.prepare_cached(INSERT_MESSAGE)?.execute(columns)).map(|_| ())
}

/// Deletes the message that is equal to this, if it is there.
pub(crate) fn delete_message(connection: &Connection, message: &QueueMessage) -> rusqlite::Result<()> {
    with_columns(message, |columns| connection.prepare_cached(DELETE_MESSAGE)?.execute(columns)).map(|_| ())
}

/// Binds a message to the parameters of the statements above.
fn with_columns<T>(
    message: &QueueMessage,
    run: impl FnOnce(&[&dyn ToSql]) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let (number, loan, attempt) = match &message.work {
        DueWork::Attempt(number) => (Some(*number), None, None),
        DueWork::Resend { loan_id, attempt_id } => {
            (None, Some(loan_id.as_str()), Some(attempt_id.uuid().into_bytes()))
        }
    };
    run(params![
        message.subscription_id.uuid().as_bytes(),
        message.due.millis(),
        message.tenant.as_str(),
        message.trace_id.uuid().as_bytes(),
        number,
        loan,
        attempt,
    ])
}

/// Deletes the message with this ID.
pub(crate) fn delete_message_by_id(connection: &Connection, message_id: i64) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM queue WHERE id = ?1")?.execute([message_id]).map(|_| ())
}

/// The messages of a queue that are due first, at most `limit`, with their IDs. One that cannot be read is quarantined
/// and logged, once.
pub(crate) fn first_messages(
    connection: &Connection,
    queue: &QueueId,
    limit: usize,
) -> rusqlite::Result<Vec<(i64, QueueMessage)>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, tenant, trace, due, number, loan, attempt FROM queue
         WHERE subscription = ?1 AND (number IS NOT NULL) = ?2 AND due < ?3 ORDER BY due, trace",
    )?;
    let mut rows = statement.query(params![
        queue.subscription.uuid().as_bytes(),
        queue.automatic,
        QUARANTINED_DUE_MILLIS
    ])?;
    let (mut found, mut unreadable) = (Vec::new(), Vec::new());
    while found.len() < limit
        && let Some(row) = rows.next()?
    {
        let id: i64 = row.get(0)?;
        match message(row, queue) {
            Ok(message) => found.push((id, message)),
            Err(fault) if is_content_error(&fault) => unreadable.push((id, describe(&fault))),
            Err(fault) => return Err(fault),
        }
    }
    for (message_id, why) in unreadable {
        quarantine_message(connection, queue, message_id, &why)?;
    }
    Ok(found)
}

/// Keeps a message that cannot be acted on from being found again, and logs why.
pub(crate) fn quarantine_message(
    connection: &Connection,
    queue: &QueueId,
    message: i64,
    why: &str,
) -> rusqlite::Result<()> {
    error!(subscription_id = %queue.subscription, message, why, "queue.unreadable_put_aside");
    connection
        .prepare_cached("UPDATE queue SET due = ?2 WHERE id = ?1")?
        .execute(params![message, QUARANTINED_DUE_MILLIS])
        .map(|_| ())
}

fn message(row: &Row<'_>, queue: &QueueId) -> rusqlite::Result<QueueMessage> {
    let work = match row.get(4)? {
        Some(number) => DueWork::Attempt(number),
        None => DueWork::Resend {
            loan_id: loan_column(row, 5)?,
            attempt_id: AttemptId::from_uuid(uuid_column(row, 6)?),
        },
    };
    Ok(QueueMessage {
        tenant: text_column(row, 1)?,
        trace_id: TraceId::from_uuid(uuid_column(row, 2)?),
        subscription_id: queue.subscription,
        due: Timestamp::from_millis(row.get(3)?),
        work,
    })
}

/// The queues that have messages, each with the due time of its first one.
pub(crate) fn first_due_times(connection: &Connection) -> rusqlite::Result<Vec<(QueueId, Timestamp)>> {
    let mut statement =
        connection.prepare("SELECT subscription, number IS NOT NULL, min(due) FROM queue GROUP BY 1, 2")?;
    let queue = |row: &Row<'_>| Ok((uuid_column(row, 0)?, row.get(1)?, row.get(2)?));
    let queues: Vec<(Uuid, bool, i64)> = read_all(statement.query([])?, &"messages by subscription", queue)?;
    // The index has no tenant: it is read from a message of each queue.
    let mut tenant_of = connection
        .prepare("SELECT tenant FROM queue WHERE subscription = ?1 AND (number IS NOT NULL) = ?2")?;
    let mut found = Vec::new();
    for (subscription, automatic, due) in queues {
        let rows = tenant_of.query(params![subscription.as_bytes(), automatic])?;
        let tenants = read_up_to(rows, 1, &"tenant of a message", |row| text_column(row, 0))?;
        let Some(tenant) = tenants.into_iter().next() else { continue };
        let id = QueueId { tenant, subscription: SubscriptionId::from_uuid(subscription), automatic };
        found.push((id, Timestamp::from_millis(due)));
    }
    Ok(found)
}

/// Moves the due times of all messages by so many milliseconds.
pub(crate) fn shift_due_times(connection: &Connection, millis: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE queue SET due = due + ?1 WHERE due < ?2")?
        .execute([millis, QUARANTINED_DUE_MILLIS])
        .map(|_| ())
}
