//! Subscriptions that keep an order, and what follows where that setting changes.

use rusqlite::{Connection, OptionalExtension, params};

use super::loan::OrderedLoan;
use crate::rows::text_column;
use crate::unreadable::read_all;
use loanhook_core::model::flow::{DeliveryOrder, FlowSettings};
use loanhook_core::model::id::{LoanId, SubscriptionId, TenantId};
use loanhook_core::model::time::Timestamp;

/// After how many milliseconds from its first failure a delivery of the subscription steps aside: within, none is never. None where
/// the subscription keeps no order. One that was deleted keeps the order that it had.
pub(super) fn step_aside(
    connection: &Connection,
    tenant: &TenantId,
    subscription: SubscriptionId,
) -> rusqlite::Result<Option<Option<i64>>> {
    connection
        .prepare_cached("SELECT step_aside FROM orders WHERE tenant = ?1 AND subscription = ?2")?
        .query_row(params![tenant.as_str(), subscription.uuid().as_bytes()], |row| row.get(0))
        .optional()
}

/// Follows the settings of a subscription that are stored in this transaction, in the place of those before. Gives when the first
/// message is due that it put into the queue of the subscription.
pub(crate) fn follow(
    connection: &Connection,
    (tenant, subscription): (&TenantId, SubscriptionId),
    (before, after): (FlowSettings, FlowSettings),
    now: Timestamp,
) -> rusqlite::Result<Option<Timestamp>> {
    let setting = |flow: FlowSettings| {
        (flow.order == DeliveryOrder::Loan)
            .then(|| flow.step_aside_after_seconds.map(|seconds| i64::from(seconds) * 1000))
    };
    match (setting(before), setting(after)) {
        (before, after) if before == after => Ok(None),
        (_, Some(step_aside)) => {
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO orders (tenant, subscription, step_aside) VALUES (?1, ?2, ?3)",
                )?
                .execute(params![tenant.as_str(), subscription.uuid().as_bytes(), step_aside])?;
            advance_all(connection, (tenant, subscription), now)
        }
        (_, None) => {
            connection
                .prepare_cached("DELETE FROM orders WHERE tenant = ?1 AND subscription = ?2")?
                .execute(params![tenant.as_str(), subscription.uuid().as_bytes()])?;
            let_all_go(connection, (tenant, subscription))
        }
    }
}

/// Looks at each loan of which something waits.
fn advance_all(
    connection: &Connection,
    (tenant, subscription): (&TenantId, SubscriptionId),
    now: Timestamp,
) -> rusqlite::Result<Option<Timestamp>> {
    let mut waiting = connection
        .prepare("SELECT DISTINCT loan FROM ordered WHERE tenant = ?1 AND subscription = ?2 AND waits = 1")?;
    let rows = waiting.query(params![tenant.as_str(), subscription.uuid().as_bytes()])?;
    let loans: Vec<LoanId> = read_all(rows, &"loans with an order", |row| text_column(row, 0))?;
    let mut first_due = None;
    for loan in loans {
        let put = OrderedLoan { tenant, subscription, loan: &loan }.advance(connection, now)?;
        first_due = Timestamp::first_of(first_due, put.map(|message| message.due));
    }
    Ok(first_due)
}

/// Puts messages for all that waits. Those of deliveries that had one already, for later, stay: they will find nothing to do.
fn let_all_go(
    connection: &Connection,
    (tenant, subscription): (&TenantId, SubscriptionId),
) -> rusqlite::Result<Option<Timestamp>> {
    let id = subscription.uuid();
    let of = params![tenant.as_str(), id.as_bytes()];
    connection
        .prepare_cached(
            "INSERT INTO queue (subscription, due, tenant, trace, number)
             SELECT subscription, due, tenant, trace, 1 FROM ordered
             WHERE tenant = ?1 AND subscription = ?2 AND waits = 1",
        )?
        .execute(of)?;
    let first_due: Option<i64> = connection
        .prepare_cached("SELECT min(due) FROM ordered WHERE tenant = ?1 AND subscription = ?2 AND waits = 1")?
        .query_row(of, |row| row.get(0))?;
    connection
        .prepare_cached(
            "UPDATE ordered SET waits = 0, wakes = NULL WHERE tenant = ?1 AND subscription = ?2 AND waits = 1",
        )?
        .execute(of)?;
    Ok(first_due.map(Timestamp::from_millis))
}

/// Moves the times of all that has not ended by so many milliseconds, as those of its messages are.
pub(crate) fn shift(connection: &Connection, millis: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE ordered SET due = due + ?1, failed = failed + ?1, wakes = wakes + ?1")?
        .execute([millis])
        .map(|_| ())
}
