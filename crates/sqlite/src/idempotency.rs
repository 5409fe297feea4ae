//! Idempotency records: what is stored under an idempotency key until it expires.

use rusqlite::{Connection, OptionalExtension, params};

use super::rows::{from_json, to_json};
use loanhook_core::model::id::TenantId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::IdempotencyKey;
use loanhook_stored::Document;

/// What a key is for: the same key may stand for an event and for a resend.
#[derive(Debug, Clone, Copy)]
pub(super) enum KeyScope {
    Event,
    Resend,
}

impl KeyScope {
    /// The column `kind`.
    const fn stored(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Resend => "resend",
        }
    }
}

/// Puts the record of a key, unless one is stored that has not expired at `now`: then that is given, and nothing changes.
pub(super) fn put_unless_present<T: Document>(
    connection: &Connection,
    tenant: &TenantId,
    scope: KeyScope,
    key: &IdempotencyKey,
    record: &T,
    now: Timestamp,
) -> rusqlite::Result<Option<T>> {
    let stored = find(connection, tenant, scope, key, now)?;
    if stored.is_none() {
        put(connection, tenant, scope, key, record, now)?;
    }
    Ok(stored)
}

/// The record of a key that has not expired at `now`.
pub(super) fn find<T: Document>(
    connection: &Connection,
    tenant: &TenantId,
    scope: KeyScope,
    key: &IdempotencyKey,
    now: Timestamp,
) -> rusqlite::Result<Option<T>> {
    connection
        .prepare_cached(
            "SELECT doc FROM idempotency WHERE tenant = ?1 AND kind = ?2 AND key = ?3 AND until > ?4",
        )?
        .query_row(params![tenant.as_str(), scope.stored(), key.key, now.millis()], |row| from_json(row, 0))
        .optional()
}

/// Puts the record of a key, in the place of one that has expired.
pub(super) fn put<T: Document>(
    connection: &Connection,
    tenant: &TenantId,
    scope: KeyScope,
    key: &IdempotencyKey,
    record: &T,
    now: Timestamp,
) -> rusqlite::Result<()> {
    delete_some_expired(connection, now)?;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO idempotency (tenant, kind, key, until, doc) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![tenant.as_str(), scope.stored(), key.key, key.until.millis(), to_json(record)?])
        .map(|_| ())
}

/// Deletes records that have expired, a few at a time so that no call pays for all.
fn delete_some_expired(connection: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM idempotency WHERE (tenant, kind, key) IN
             (SELECT tenant, kind, key FROM idempotency WHERE until <= ?1 LIMIT 16)",
        )?
        .execute([now.millis()])
        .map(|_| ())
}
