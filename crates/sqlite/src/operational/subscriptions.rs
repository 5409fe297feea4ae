//! Changes of subscriptions: what becomes of operational states.

use rusqlite::{Connection, params};

use super::{OperationalStates, Recorded, rows};
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::operational::OperationalState;
use loanhook_core::model::subscription::Subscription;

/// A document has this text only where its criteria are operational: in a text of it the quotes are escaped.
const OBSERVERS: &str = r#"SELECT 1 FROM subscriptions WHERE tenant = ?1 AND current = 1 AND doc LIKE '%"criteria":{"operational":%'"#;

/// A subscription was replaced, in this transaction.
pub(crate) fn record_replaced(
    connection: &Connection,
    before: &Subscription,
    after: &Subscription,
) -> rusqlite::Result<()> {
    match (before.is_operational(), after.is_operational()) {
        // It tells nothing of itself any more.
        (false, true) => forget_receiver(connection, (&after.tenant, after.id)),
        (true, false) => delete_unobserved(connection, &after.tenant),
        _ => Ok(()),
    }
}

/// A subscription was deleted, in this transaction.
pub(crate) fn record_deleted(
    connection: &Connection,
    (tenant, id): (&TenantId, SubscriptionId),
) -> rusqlite::Result<()> {
    forget_receiver(connection, (tenant, id))?;
    delete_unobserved(connection, tenant)
}

fn forget_receiver(connection: &Connection, of: rows::Of<'_>) -> rusqlite::Result<()> {
    rows::change(connection, of, OperationalState::forget_receiver).map(|_| ())
}

/// Deletes the states of a tenant that has no subscription to operational events any more.
fn delete_unobserved(connection: &Connection, tenant: &TenantId) -> rusqlite::Result<()> {
    let has_states = connection
        .prepare_cached("SELECT 1 FROM operational_states WHERE tenant = ?1 LIMIT 1")?
        .exists([tenant.as_str()])?;
    if !has_states || connection.prepare_cached(OBSERVERS)?.exists([tenant.as_str()])? {
        return Ok(());
    }
    connection
        .prepare_cached("DELETE FROM operational_states WHERE tenant = ?1")?
        .execute(params![tenant.as_str()])
        .map(|_| ())
}

impl OperationalStates {
    /// Follows, after the commit, a change of a subscription: it may be told of others from now on, or has another certificate.
    pub(crate) fn follow_subscription(&self) {
        self.follow(&Recorded { failing: None, wakes: true });
    }
}
