//! Claim of a first attempt: whether the order lets it begin.

use rusqlite::Connection;

use super::{FIRST_ATTEMPT_NUMBER, Numbered};
use loanhook_core::model::delivery::DeliverySnapshot;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::QueueMessage;

/// Whether the attempt of this number may begin. It may, wherever no order is kept. Where a first attempt may begin that waited until
/// now, it waits no more.
pub(crate) fn may_begin(
    connection: &Connection,
    snapshot: &DeliverySnapshot,
    number: u32,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let Some(numbered) = Numbered::of(snapshot).filter(|_| number == FIRST_ATTEMPT_NUMBER) else {
        return Ok(true);
    };
    let may_begin = numbered.may_begin(connection, now)?;
    if may_begin {
        numbered.set_waits(connection, false)?;
    }
    Ok(may_begin)
}

/// Lets a delivery wait whose message is deleted. Gives the message for when it may begin, which is in the queue then, where
/// that is known.
pub(crate) fn hold_back(
    connection: &Connection,
    snapshot: &DeliverySnapshot,
    now: Timestamp,
) -> rusqlite::Result<Option<QueueMessage>> {
    let Some(numbered) = Numbered::of(snapshot) else { return Ok(None) };
    numbered.set_waits(connection, true)?;
    numbered.loan.advance(connection, now)
}
