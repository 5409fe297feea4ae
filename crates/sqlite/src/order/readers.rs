//! What readers are told of deliveries that wait for earlier ones.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};

use super::Numbered;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::{SubscriptionId, TenantId, TraceId};
use loanhook_core::model::time::Timestamp;

/// The deliveries of a subscription that wait, and have no message that is due.
pub(crate) const COUNT_WAITING: &str = "SELECT count(*) FROM ordered
     WHERE tenant = ?1 AND subscription = ?2 AND waits = 1 AND due <= ?3 AND (wakes IS NULL OR wakes > ?3)";

/// Those of these deliveries that wait for an earlier one.
pub(crate) fn waiting(
    connection: &Connection,
    deliveries: &[Delivery],
    now: Timestamp,
) -> rusqlite::Result<BTreeSet<TraceId>> {
    let mut statement = connection.prepare_cached(
        "SELECT 1 FROM ordered
         WHERE tenant = ?1 AND subscription = ?2 AND loan = ?3 AND sequence = ?4
             AND waits = 1 AND (wakes IS NULL OR wakes > ?5)",
    )?;
    let mut waiting = BTreeSet::new();
    for Delivery { snapshot, .. } in deliveries {
        let Some(Numbered { loan, sequence }) = Numbered::of(snapshot) else { continue };
        let subscription = loan.subscription.uuid();
        let of = params![
            loan.tenant.as_str(),
            subscription.as_bytes(),
            loan.loan.as_str(),
            sequence,
            now.millis()
        ];
        if statement.exists(of)? {
            waiting.insert(snapshot.trace_id);
        }
    }
    Ok(waiting)
}

/// How many deliveries of a subscription wait for earlier ones.
pub(crate) fn count_waiting(
    connection: &Connection,
    tenant: &TenantId,
    subscription: SubscriptionId,
    now: Timestamp,
) -> rusqlite::Result<u64> {
    connection
        .prepare_cached(COUNT_WAITING)?
        .query_row(params![tenant.as_str(), subscription.uuid().as_bytes(), now.millis()], |row| row.get(0))
}
