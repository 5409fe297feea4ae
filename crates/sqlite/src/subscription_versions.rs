//! Versions of subscriptions as rows: found, put, and stored again without secrets.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::rows::{from_json, to_json};
use super::unreadable::none_if_unreadable;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::subscription::{Origin, Subscription};

/// The newest version of a subscription, and whether it is current: the last one of a deleted one is not.
pub(super) fn newest(
    connection: &Connection,
    tenant: &TenantId,
    id: SubscriptionId,
) -> rusqlite::Result<Option<(Subscription, bool)>> {
    connection
        .prepare_cached(
            "SELECT doc, current FROM subscriptions WHERE tenant = ?1 AND id = ?2
             ORDER BY version DESC LIMIT 1",
        )?
        .query_row(params![tenant.as_str(), id.uuid().as_bytes()], |row| {
            Ok((from_json(row, 0)?, row.get(1)?))
        })
        .optional()
}

/// A version of a subscription.
pub(super) fn find_version(
    connection: &Connection,
    (tenant, id): (&TenantId, SubscriptionId),
    version: u64,
) -> rusqlite::Result<Option<Subscription>> {
    connection
        .prepare_cached("SELECT doc FROM subscriptions WHERE tenant = ?1 AND id = ?2 AND version = ?3")?
        .query_row(params![tenant.as_str(), id.uuid().as_bytes(), version], |row| from_json(row, 0))
        .optional()
}

/// The newest version of a subscription that can be read and whose requests go there.
pub(super) fn newest_to(
    connection: &Connection,
    (tenant, id): (&TenantId, SubscriptionId),
    origin: &Origin,
) -> rusqlite::Result<Option<Arc<Subscription>>> {
    let mut statement = connection.prepare_cached(
        "SELECT version, doc FROM subscriptions WHERE tenant = ?1 AND id = ?2 ORDER BY version DESC",
    )?;
    let mut rows = statement.query(params![tenant.as_str(), id.uuid().as_bytes()])?;
    while let Some(row) = rows.next()? {
        let version: Option<u64> = row.get(0)?;
        let of = format_args!("version {version:?} of webhook {id} of {tenant}").to_string();
        let read: Option<Subscription> = none_if_unreadable(from_json(row, 1).map(Some), &of)?;
        if let Some(found) = read.filter(|read| read.settings.origin() == Some(origin)) {
            return Ok(Some(Arc::new(found)));
        }
    }
    Ok(None)
}

pub(super) fn put(connection: &Connection, subscription: &Subscription) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO subscriptions (tenant, id, version, current, doc) VALUES (?1, ?2, ?3, 1, ?4)",
        )?
        .execute(params![
            subscription.tenant.as_str(),
            subscription.id.uuid().as_bytes(),
            subscription.version,
            to_json(subscription)?,
        ])
        .map(|_| ())
}

/// Stores a version again that is not current any more.
pub(super) fn retire(connection: &Connection, subscription: &Subscription) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE subscriptions SET current = 0, doc = ?4 WHERE tenant = ?1 AND id = ?2 AND version = ?3",
        )?
        .execute(params![
            subscription.tenant.as_str(),
            subscription.id.uuid().as_bytes(),
            subscription.version,
            to_json(subscription)?,
        ])
        .map(|_| ())
}
