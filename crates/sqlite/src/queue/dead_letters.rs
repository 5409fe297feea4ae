//! Dead letters: the messages that are quarantined, since they or their deliveries cannot be read.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::id::QueueId;
use super::messages::{QUARANTINED_DUE_MILLIS, delete_message_by_id};
use crate::SqliteEngine;
use crate::counts::CountLog;
use crate::deliveries::cancel_delivery;
use crate::rows::{cancel_unreadable, text_column, uuid_column};
use crate::unreadable::is_content_error;
use crate::writer::Priority;
use loanhook_core::model::dead_letter::{
    DeadLetter, DeadLetterList, DeadLetterReason, DeadLetterSubject, RedriveOutcome,
};
use loanhook_core::model::id::{SubscriptionId, TraceId};
use loanhook_core::model::progress::Progress;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DeadLetters, QueueMessage, StoreResult};

impl DeadLetters for SqliteEngine {
    /// Reads the whole queue: an operator asks seldom, and no index is worth its writes.
    async fn dead_letters(&self, most: usize) -> StoreResult<DeadLetterList> {
        self.read(move |connection| list(connection, most)).await
    }

    async fn redrive_dead_letter(&self, id: &str) -> StoreResult<RedriveOutcome> {
        let Some(id) = message_id(id) else { return Ok(RedriveOutcome::NotFound) };
        let scheduler = Arc::clone(&self.0.scheduler);
        let now = Timestamp::now();
        let work = move |connection: &Connection| redrive(connection, id, now);
        let after_commit = move |redriven: &mut Result<QueueId, RedriveOutcome>| {
            if let Ok(queue) = redriven {
                scheduler.schedule(queue.clone(), now);
            }
        };
        let redriven = self.0.writer.run(Priority::ExistingWork, work, after_commit).await?;
        Ok(redriven.map_or_else(|outcome| outcome, |_| RedriveOutcome::Redriven))
    }

    async fn drop_dead_letter(&self, id: &str) -> StoreResult<bool> {
        let Some(id) = message_id(id) else { return Ok(false) };
        let (scheduler, counts) = (Arc::clone(&self.0.scheduler), Arc::clone(&self.0.counts));
        let work = move |connection: &Connection| drop_letter(connection, &counts, id);
        let after_commit = move |dropped: &mut Option<Dropped>| {
            if let Some(Dropped { behind }) = dropped {
                scheduler.add_messages(behind.as_slice());
            }
        };
        let dropped = self.0.writer.run(Priority::ExistingWork, work, after_commit).await?;
        Ok(dropped.is_some())
    }
}

/// The ID of a message by the name that a list gave it.
fn message_id(name: &str) -> Option<i64> {
    name.parse().ok()
}

/// What a quarantined message is about; none where there is no such message.
fn find(connection: &Connection, id: i64) -> rusqlite::Result<Option<DeadLetterSubject>> {
    connection
        .prepare_cached("SELECT tenant, trace, number FROM queue WHERE id = ?1 AND due = ?2")?
        .query_row([id, QUARANTINED_DUE_MILLIS], |row| subject(row, 0))
        .optional()
}

/// What a message is about, by the columns from this one on: tenant, trace and number.
fn subject(row: &Row<'_>, first: usize) -> rusqlite::Result<DeadLetterSubject> {
    let read = || {
        let (tenant, trace) = (text_column(row, first)?, TraceId::from_uuid(uuid_column(row, first + 1)?));
        Ok(DeadLetterSubject::Delivery { tenant, trace, attempt: row.get(first + 2)? })
    };
    match read() {
        Err(fault) if is_content_error(&fault) => Ok(DeadLetterSubject::Unknown),
        about => about,
    }
}

/// A dead letter that was deleted.
struct Dropped {
    /// The message of the delivery that waited behind the one that it was about.
    behind: Option<QueueMessage>,
}

/// Deletes a quarantined message, and ends the delivery whose next attempt it is for. None where there is no such message.
fn drop_letter(connection: &Connection, counts: &CountLog, id: i64) -> rusqlite::Result<Option<Dropped>> {
    let Some(about) = find(connection, id)? else { return Ok(None) };
    delete_message_by_id(connection, id)?;
    let DeadLetterSubject::Delivery { tenant, trace, attempt: Some(number) } = about else {
        return Ok(Some(Dropped { behind: None }));
    };
    let is_next = |progress: &Progress| progress.waiting().is_some_and(|next| next.number == number);
    match cancel_delivery(connection, counts, (&tenant, trace), is_next) {
        Err(fault) if is_content_error(&fault) => {
            cancel_unreadable(connection, (&tenant, trace), number)?;
            Ok(Some(Dropped { behind: None }))
        }
        canceled => canceled.map(|(_, behind)| Some(Dropped { behind })),
    }
}

fn list(connection: &Connection, most: usize) -> rusqlite::Result<DeadLetterList> {
    let mut statement = connection
        .prepare_cached("SELECT id, tenant, trace, number FROM queue WHERE due = ?1 ORDER BY id LIMIT ?2")?;
    let limit = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
    let mut rows = statement.query([QUARANTINED_DUE_MILLIS, limit])?;
    let mut letters = Vec::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let about = subject(row, 1)?;
        // When it was put aside is in the log.
        letters.push(DeadLetter {
            id: id.to_string(),
            reason: DeadLetterReason::Unreadable,
            about,
            since: None,
        });
    }
    let more = letters.len() > most;
    letters.truncate(most);
    Ok(DeadLetterList { letters, more })
}

/// Makes a quarantined message due; gives the queue that it is in.
fn redrive(
    connection: &Connection,
    id: i64,
    now: Timestamp,
) -> rusqlite::Result<Result<QueueId, RedriveOutcome>> {
    let queue = connection
        .prepare_cached(
            "SELECT tenant, subscription, number IS NOT NULL FROM queue WHERE id = ?1 AND due = ?2",
        )?
        .query_row([id, QUARANTINED_DUE_MILLIS], |row| {
            let subscription = SubscriptionId::from_uuid(uuid_column(row, 1)?);
            Ok(QueueId { tenant: text_column(row, 0)?, subscription, automatic: row.get(2)? })
        })
        .optional();
    let queue = match queue {
        Err(fault) if is_content_error(&fault) => return Ok(Err(RedriveOutcome::NotOurs)),
        queue => queue?,
    };
    let Some(queue) = queue else { return Ok(Err(RedriveOutcome::NotFound)) };
    connection
        .prepare_cached("UPDATE queue SET due = ?2 WHERE id = ?1")?
        .execute(params![id, now.millis()])?;
    Ok(Ok(queue))
}
