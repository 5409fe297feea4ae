//! Claim: an attempt is taken under a fencing token. Its row is stored, as `sending`, before its request leaves.
//!
//! A claim comes from one of three places, and [`write_claim`] writes it for all of them: from the intake of its event
//! (`admission`), from a message that is due ([`claim_due_message`]), or from the handler of a message
//! ([`claim_handled_message`]).

use bytes::Bytes;
use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::order;
use crate::payloads;
use crate::queue::messages::{delete_message, delete_message_by_id};
use crate::rows::{
    accepted, failed_accepted, find_delivery, first_attempt_id, progress_json, put_attempt, put_progress,
    to_json,
};
use crate::unreadable::none_if_unreadable;
use loanhook_core::deliver::ClaimedAttempt;
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{ClaimOutcome, DueWork, QueueMessage};

/// What is stored of a delivery before its claim is written.
#[derive(Clone, Copy)]
pub(super) enum ClaimSource {
    /// Nothing: it comes with an event.
    New,
    /// The delivery, and the message with this ID.
    Queued { message_id: i64 },
    /// The delivery; its message is deleted already.
    Stored,
}

/// Writes a claim: the delivery as the claim left it, and the row of its attempt; the message for it is deleted. False,
/// and nothing is written, where a delivery that is to be new is stored already.
pub(super) fn write_claim(
    connection: &Connection,
    delivery: &Delivery,
    row: &Attempt,
    source: ClaimSource,
) -> rusqlite::Result<bool> {
    match source {
        ClaimSource::New => {
            if !insert_delivery(connection, delivery)? {
                return Ok(false);
            }
        }
        ClaimSource::Queued { message_id } => {
            delete_message_by_id(connection, message_id)?;
            put_progress(connection, delivery)?;
        }
        ClaimSource::Stored => put_progress(connection, delivery)?,
    }
    put_attempt(connection, row)?;
    Ok(true)
}

/// What becomes of a due message.
pub(super) enum DueClaim {
    Claimed(Box<ClaimedAttempt>),
    /// Nothing is written: the message is of a resend, the delivery is gone, or that attempt does not wait. The message is for its
    /// handler to look at.
    ForHandler,
    /// The delivery waits for an earlier one of its loan: the message is deleted. The one for later, where it is known when that is.
    WaitsForOrder(Option<QueueMessage>),
}

/// Claims the attempt that a due message is for, and reads its payload.
pub(super) fn claim_due_message(
    connection: &Connection,
    message_id: i64,
    message: &QueueMessage,
    now: Timestamp,
) -> rusqlite::Result<DueClaim> {
    let DueWork::Attempt(number) = message.work else { return Ok(DueClaim::ForHandler) };
    let Some(mut delivery) = find_delivery(connection, &message.tenant, message.trace_id)? else {
        return Ok(DueClaim::ForHandler);
    };
    let token = Uuid::new_v4();
    let Ok(row) = delivery.claim(number, token, now) else { return Ok(DueClaim::ForHandler) };
    if !order::may_begin(connection, &delivery.snapshot, number, now)? {
        delete_message_by_id(connection, message_id)?;
        return order::hold_back(connection, &delivery.snapshot, now).map(DueClaim::WaitsForOrder);
    }
    let payload = match delivery.snapshot.request.payload.key {
        // Whatever else fails here may have ended the transaction: nothing is written after it.
        Some(key) => {
            let read = payloads::get(connection, &message.tenant, key);
            none_if_unreadable(read, &format_args!("payload {key} of {}", message.tenant))?
        }
        None => Some(Bytes::new()),
    };
    write_claim(connection, &delivery, &row, ClaimSource::Queued { message_id })?;
    Ok(DueClaim::Claimed(Box::new(ClaimedAttempt { delivery, row, token, payload })))
}

/// Claims the attempt of this number for the handler of a message. The message is deleted in any case: what is left to
/// do for one that is not claimed, its handler decides. With it comes the message that was put in its place, where the delivery waits
/// for an earlier one of its loan.
pub(crate) fn claim_handled_message(
    connection: &Connection,
    message: &QueueMessage,
    number: u32,
    token: Uuid,
    now: Timestamp,
) -> rusqlite::Result<(ClaimOutcome, Option<QueueMessage>)> {
    delete_message(connection, message)?;
    let Some(found) = find_delivery(connection, &message.tenant, message.trace_id)? else {
        return Ok((ClaimOutcome::NotClaimed(None), None));
    };
    let mut delivery = found.clone();
    let Ok(row) = delivery.claim(number, token, now) else {
        return Ok((ClaimOutcome::NotClaimed(Some(Box::new(found))), None));
    };
    if !order::may_begin(connection, &delivery.snapshot, number, now)? {
        let later = order::hold_back(connection, &delivery.snapshot, now)?;
        return Ok((ClaimOutcome::NotClaimed(Some(Box::new(found))), later));
    }
    write_claim(connection, &delivery, &row, ClaimSource::Stored)?;
    Ok((ClaimOutcome::Claimed(Box::new((delivery, row))), None))
}

/// Stores a delivery. False if it is stored already.
pub(super) fn insert_delivery(connection: &Connection, delivery: &Delivery) -> rusqlite::Result<bool> {
    let snapshot = &delivery.snapshot;
    let new = connection
        .prepare_cached(
            "INSERT INTO deliveries (tenant, trace, frozen, progress, first, accepted, failed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            snapshot.tenant.as_str(),
            snapshot.trace_id.uuid().as_bytes(),
            to_json(snapshot)?,
            progress_json(delivery)?,
            first_attempt_id(&delivery.progress),
            accepted(delivery),
            failed_accepted(delivery),
        ])?;
    Ok(new > 0)
}
