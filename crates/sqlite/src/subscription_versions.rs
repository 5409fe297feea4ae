//! Versions of subscriptions as rows: found, put, and stored again without secrets. Their documents are sealed.

use std::sync::Arc;

use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension, Row, params};

use super::rows::{from_json, text_column, to_json, uuid_column};
use super::unreadable::none_if_unreadable;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::subscription::{Origin, Subscription};
use loanhook_seal::Keyring;
use loanhook_stored::{Sealed, place_of};

/// The subscription whose sealed document a column has, in a row of this tenant and ID.
fn opened(
    (row, column): (&Row<'_>, usize),
    (tenant, id): (&TenantId, SubscriptionId),
    keyring: &Keyring,
) -> rusqlite::Result<Subscription> {
    let sealed: Sealed<Subscription> = from_json(row, column)?;
    sealed
        .open(keyring, &place_of(tenant, id))
        .map_err(|error| Error::FromSqlConversionFailure(column, Type::Text, error.into()))
}

/// The subscription of a row that has its tenant, ID and sealed document in these columns.
pub(super) fn opened_row(
    row: &Row<'_>,
    (tenant, id, document): (usize, usize, usize),
    keyring: &Keyring,
) -> rusqlite::Result<Subscription> {
    let of = (&text_column(row, tenant)?, SubscriptionId::from_uuid(uuid_column(row, id)?));
    opened((row, document), of, keyring)
}

/// The sealed document of a subscription.
fn sealed(subscription: &Subscription, keyring: &Keyring) -> rusqlite::Result<String> {
    let place = place_of(&subscription.tenant, subscription.id);
    to_json(&Sealed::seal(subscription.clone(), keyring, &place))
}

/// The newest version of a subscription, and whether it is current: the last one of a deleted one is not.
pub(super) fn newest(
    connection: &Connection,
    keyring: &Keyring,
    (tenant, id): (&TenantId, SubscriptionId),
) -> rusqlite::Result<Option<(Subscription, bool)>> {
    connection
        .prepare_cached(
            "SELECT doc, current FROM subscriptions WHERE tenant = ?1 AND id = ?2
             ORDER BY version DESC LIMIT 1",
        )?
        .query_row(params![tenant.as_str(), id.uuid().as_bytes()], |row| {
            Ok((opened((row, 0), (tenant, id), keyring)?, row.get(1)?))
        })
        .optional()
}

/// A version of a subscription.
pub(super) fn find_version(
    connection: &Connection,
    keyring: &Keyring,
    (tenant, id): (&TenantId, SubscriptionId),
    version: u64,
) -> rusqlite::Result<Option<Subscription>> {
    connection
        .prepare_cached("SELECT doc FROM subscriptions WHERE tenant = ?1 AND id = ?2 AND version = ?3")?
        .query_row(params![tenant.as_str(), id.uuid().as_bytes(), version], |row| {
            opened((row, 0), (tenant, id), keyring)
        })
        .optional()
}

/// Versions from before `before` that can be read, the newest first: at most `limit`.
pub(super) fn before(
    connection: &Connection,
    keyring: &Keyring,
    (tenant, id): (&TenantId, SubscriptionId),
    before: Option<u64>,
    limit: usize,
) -> rusqlite::Result<Vec<Arc<Subscription>>> {
    let mut statement = connection.prepare_cached(
        "SELECT version, doc FROM subscriptions WHERE tenant = ?1 AND id = ?2 AND version < ?3 ORDER BY version DESC",
    )?;
    let newest = before.and_then(|before| i64::try_from(before).ok()).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![tenant.as_str(), id.uuid().as_bytes(), newest])?;
    let mut found = Vec::new();
    while found.len() < limit
        && let Some(row) = rows.next()?
    {
        found.extend(readable(row, (tenant, id), keyring)?.map(Arc::new));
    }
    Ok(found)
}

/// The version of a row of number and document, if it can be read.
fn readable(
    row: &Row<'_>,
    (tenant, id): (&TenantId, SubscriptionId),
    keyring: &Keyring,
) -> rusqlite::Result<Option<Subscription>> {
    let version: Option<u64> = row.get(0)?;
    let of = format_args!("version {version:?} of webhook {id} of {tenant}").to_string();
    none_if_unreadable(opened((row, 1), (tenant, id), keyring).map(Some), &of)
}

/// The newest version of a subscription that can be read and whose requests go there.
pub(super) fn newest_to(
    connection: &Connection,
    keyring: &Keyring,
    (tenant, id): (&TenantId, SubscriptionId),
    origin: &Origin,
) -> rusqlite::Result<Option<Arc<Subscription>>> {
    let mut statement = connection.prepare_cached(
        "SELECT version, doc FROM subscriptions WHERE tenant = ?1 AND id = ?2 ORDER BY version DESC",
    )?;
    let mut rows = statement.query(params![tenant.as_str(), id.uuid().as_bytes()])?;
    while let Some(row) = rows.next()? {
        let read = readable(row, (tenant, id), keyring)?;
        if let Some(found) = read.filter(|read| read.settings.origin() == Some(origin)) {
            return Ok(Some(Arc::new(found)));
        }
    }
    Ok(None)
}

pub(super) fn put(
    connection: &Connection,
    keyring: &Keyring,
    subscription: &Subscription,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO subscriptions (tenant, id, version, current, doc) VALUES (?1, ?2, ?3, 1, ?4)",
        )?
        .execute(params![
            subscription.tenant.as_str(),
            subscription.id.uuid().as_bytes(),
            subscription.version,
            sealed(subscription, keyring)?,
        ])
        .map(|_| ())
}

/// Stores a version again that is not current any more.
pub(super) fn retire(
    connection: &Connection,
    keyring: &Keyring,
    subscription: &Subscription,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE subscriptions SET current = 0, doc = ?4 WHERE tenant = ?1 AND id = ?2 AND version = ?3",
        )?
        .execute(params![
            subscription.tenant.as_str(),
            subscription.id.uuid().as_bytes(),
            subscription.version,
            sealed(subscription, keyring)?,
        ])
        .map(|_| ())
}
