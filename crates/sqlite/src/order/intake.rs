//! Intake of a delivery whose subscription keeps an order: its number, and whether it waits.

use rusqlite::{Connection, params};

use super::{Numbered, settings};
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::QueueMessage;

/// What becomes of a new delivery.
pub(crate) enum NewInOrder {
    /// It is stored already, and stays as it is.
    StoredBefore,
    /// Its first attempt may begin.
    MayBegin,
    /// It waits. The message for when it may begin, where that is known, is in the queue.
    Waits(Option<QueueMessage>),
}

/// Numbers a delivery that is about to be stored, if its subscription keeps an order now.
pub(crate) fn number_new(
    connection: &Connection,
    delivery: &mut Delivery,
    now: Timestamp,
) -> rusqlite::Result<NewInOrder> {
    let snapshot = &mut delivery.snapshot;
    let (tenant, subscription, trace) =
        (snapshot.tenant.as_str(), snapshot.subscription_id.uuid(), snapshot.trace_id.uuid());
    if snapshot.test
        || settings::step_aside(connection, &snapshot.tenant, snapshot.subscription_id)?.is_none()
    {
        return Ok(NewInOrder::MayBegin);
    }
    let is_stored = connection
        .prepare_cached("SELECT 1 FROM deliveries WHERE tenant = ?1 AND trace = ?2")?
        .exists(params![tenant, trace.as_bytes()])?;
    if is_stored {
        return Ok(NewInOrder::StoredBefore);
    }
    let sequence = connection
        .prepare_cached(
            "INSERT INTO sequences (tenant, subscription, loan, last) VALUES (?1, ?2, ?3, 1)
             ON CONFLICT DO UPDATE SET last = last + 1 RETURNING last",
        )?
        .query_row(params![tenant, subscription.as_bytes(), snapshot.loan_id.as_str()], |row| row.get(0))?;
    snapshot.sequence = Some(sequence);
    let due = delivery.progress.next_due().unwrap_or(now);
    let numbered = Numbered::new(
        &delivery.snapshot.tenant,
        delivery.snapshot.subscription_id,
        &delivery.snapshot.loan_id,
        sequence,
    );
    let waits = !numbered.may_begin(connection, now)?;
    connection
        .prepare_cached(
            "INSERT INTO ordered (tenant, subscription, loan, sequence, trace, due, waits)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            delivery.snapshot.tenant.as_str(),
            subscription.as_bytes(),
            delivery.snapshot.loan_id.as_str(),
            sequence,
            trace.as_bytes(),
            due.millis(),
            waits,
        ])?;
    match waits {
        true => numbered.loan.advance(connection, now).map(NewInOrder::Waits),
        false => Ok(NewInOrder::MayBegin),
    }
}
