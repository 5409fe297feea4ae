//! Changes of subscriptions: what becomes of operational states.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{OperationalStates, Recorded, rows};
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::operational::{OperationalState, Subject};
use loanhook_core::model::subscription::Subscription;

/// A document has this text only where its criteria are operational: in a text of it the quotes are escaped.
const OBSERVERS: &str = r#"SELECT 1 FROM subscriptions WHERE tenant = ?1 AND current = 1 AND doc LIKE '%"criteria":{"operational":%'"#;
/// Whether the criteria of a current subscription are operational.
const IS_OBSERVER: &str = r#"SELECT doc LIKE '%"criteria":{"operational":%' FROM subscriptions WHERE tenant = ?1 AND id = ?2 AND current = 1"#;

/// The subject that the cache knows as it is in this transaction: an operation before this one in the same commit may have deleted
/// it, or the last subscription to operational events, or may have changed criteria, and the cache follows commits. None where
/// nobody is told.
pub(super) fn subject_now(
    connection: &Connection,
    subscriptions: &[Arc<Subscription>],
    subject: Subject,
) -> rusqlite::Result<Option<Subject>> {
    let tenant = &subject.tenant;
    let is_observer = |id: SubscriptionId| {
        connection
            .prepare_cached(IS_OBSERVER)?
            .query_row(params![tenant.as_str(), id.uuid().as_bytes()], |row| row.get(0))
            .optional()
    };
    let known = subscriptions.iter().find(|one| one.is_operational()).map(|one| is_observer(one.id));
    let is_observed = match known.transpose()?.flatten() {
        Some(true) => true,
        _ => connection.prepare_cached(OBSERVERS)?.exists([tenant.as_str()])?,
    };
    Ok(match is_observer(subject.subscription)? {
        _ if !is_observed => None,
        Some(true) => None,
        found => Some(Subject { is_current: found.is_some(), ..subject }),
    })
}

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
