//! End of a delivery with a number, and the failure of its first attempt: what they change for the delivery behind it.

use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::{FIRST_ATTEMPT_NUMBER, Numbered};
use crate::queue::messages::delete_message;
use loanhook_core::model::attempt::{Attempt, AttemptNumber};
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::{LoanId, TraceId};
use loanhook_core::model::progress::Status;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DueWork, QueueMessage};

/// What the end of an attempt changes for the deliveries behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrderChange {
    Ended,
    /// The first attempt did not succeed: from then on it is counted for how long the delivery is stuck.
    FirstFailed,
}

impl OrderChange {
    /// The change by an attempt whose end left the delivery so. None where the delivery has no number, or nothing changed.
    pub(crate) fn of(row: &Attempt, after: &Delivery) -> Option<(u64, Self)> {
        let sequence = after.snapshot.sequence?;
        match (after.progress.status(), row.number) {
            (Status::Pending, AttemptNumber::Auto(FIRST_ATTEMPT_NUMBER)) => {
                Some((sequence, Self::FirstFailed))
            }
            (Status::Pending, _) => None,
            _ => Some((sequence, Self::Ended)),
        }
    }
}

/// Takes in what the end of an attempt at `at` changes. Gives the message of the delivery that it lets go or that has its turn later,
/// which is in the queue then.
pub(crate) fn record_change(
    connection: &Connection,
    row: &Attempt,
    (sequence, change): (u64, OrderChange),
    at: Timestamp,
) -> rusqlite::Result<Option<QueueMessage>> {
    let numbered = Numbered::new(&row.tenant, row.subscription_id, &row.loan_id, sequence);
    match change {
        OrderChange::Ended => end(connection, numbered, at),
        OrderChange::FirstFailed => fail(connection, numbered, at),
    }
}

/// Takes in that a delivery has ended. Gives the message of the delivery behind it, if that is put.
pub(crate) fn end(
    connection: &Connection,
    Numbered { loan, sequence }: Numbered<'_>,
    now: Timestamp,
) -> rusqlite::Result<Option<QueueMessage>> {
    let (subscription, of) = (loan.subscription.uuid(), loan.loan.as_str());
    let ended: Option<([u8; 16], Option<i64>)> = connection
        .prepare_cached(
            "DELETE FROM ordered WHERE tenant = ?1 AND subscription = ?2 AND loan = ?3 AND sequence = ?4
             RETURNING trace, wakes",
        )?
        .query_row(params![loan.tenant.as_str(), subscription.as_bytes(), of, sequence], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    if let Some((trace, Some(wakes))) = ended {
        let trace = TraceId::from_uuid(Uuid::from_bytes(trace));
        delete_message(connection, &loan.message(trace, Timestamp::from_millis(wakes)))?;
    }
    loan.advance(connection, now)
}

fn fail(
    connection: &Connection,
    Numbered { loan, sequence }: Numbered<'_>,
    at: Timestamp,
) -> rusqlite::Result<Option<QueueMessage>> {
    connection
        .prepare_cached(
            "UPDATE ordered SET failed = ?5 WHERE tenant = ?1 AND subscription = ?2 AND loan = ?3 AND sequence = ?4",
        )?
        .execute(params![
            loan.tenant.as_str(),
            loan.subscription.uuid().as_bytes(),
            loan.loan.as_str(),
            sequence,
            at.millis()
        ])?;
    loan.advance(connection, at)
}

/// Takes a delivery that cannot be read out of the order: it never leaves, and is a gap that the receiver can see.
pub(crate) fn forget_unreadable(
    connection: &Connection,
    message: &QueueMessage,
    now: Timestamp,
) -> rusqlite::Result<Option<QueueMessage>> {
    if message.work != DueWork::Attempt(FIRST_ATTEMPT_NUMBER) {
        return Ok(None);
    }
    let (subscription, trace) = (message.subscription_id.uuid(), message.trace_id.uuid());
    let of = params![message.tenant.as_str(), subscription.as_bytes(), trace.as_bytes()];
    let found: Option<(String, u64)> = connection
        .prepare_cached(
            "SELECT loan, sequence FROM ordered WHERE tenant = ?1 AND subscription = ?2 AND trace = ?3",
        )?
        .query_row(of, |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((Ok(loan), sequence)) = found.map(|(loan, sequence)| (LoanId::try_from(loan), sequence)) else {
        return Ok(None);
    };
    end(connection, Numbered::new(&message.tenant, message.subscription_id, &loan, sequence), now)
}
