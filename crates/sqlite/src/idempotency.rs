//! Idempotency records: what is stored under an idempotency key until it expires.

use rusqlite::{Connection, OptionalExtension, params};

use super::rows::{from_json, to_json};
use loanhook_core::model::id::TenantId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::IdempotencyKey;
use loanhook_stored::Document;

/// What a key is for: the same key may stand for an event, a resend and a job.
#[derive(Debug, Clone, Copy)]
pub(super) enum KeyScope {
    Event,
    Resend,
    Job,
}

impl KeyScope {
    /// The column `kind`.
    const fn stored(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Resend => "resend",
            Self::Job => "job",
        }
    }
}

/// How many records that have expired a new one removes at most, so that no call pays for all.
const MAX_DELETED: usize = 16;

/// Puts the record of a key, unless one is stored that has not expired at `now`: then that is given, and nothing changes.
pub(super) fn put_unless_present<T: Document>(
    connection: &Connection,
    tenant: &TenantId,
    scope: KeyScope,
    key: &IdempotencyKey,
    record: &T,
    now: Timestamp,
) -> rusqlite::Result<Option<T>> {
    // New keys are the rule: a look at what is stored would cost each of them a statement.
    if put(connection, tenant, scope, key, record, now)? {
        return Ok(None);
    }
    find(connection, tenant, scope, key, now)
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

/// Puts the record of a key, in the place of one that has expired at `now`. False, and nothing changes, where one is stored
/// that has not.
pub(super) fn put<T: Document>(
    connection: &Connection,
    tenant: &TenantId,
    scope: KeyScope,
    key: &IdempotencyKey,
    record: &T,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let put = connection
        .prepare_cached(
            "INSERT INTO idempotency (tenant, kind, key, until, doc) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET until = excluded.until, doc = excluded.doc WHERE until <= ?6",
        )?
        .execute(params![
            tenant.as_str(),
            scope.stored(),
            key.key,
            key.until.millis(),
            to_json(record)?,
            now.millis()
        ])?;
    if put > 0 {
        delete_expired(connection, now)?;
    }
    Ok(put > 0)
}

/// Deletes the records that expired first. They are read one by one: a statement that deletes what another one finds needs a
/// table in memory each time, which costs more than all else that a new record needs.
fn delete_expired(connection: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    let mut find = connection.prepare_cached(
        "SELECT tenant, kind, key FROM idempotency WHERE until <= ?1 ORDER BY until LIMIT ?2",
    )?;
    let mut rows = find.query(params![now.millis(), MAX_DELETED])?;
    let mut expired = Vec::new();
    while let Some(row) = rows.next()? {
        expired.push((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?));
    }
    for (tenant, kind, key) in expired {
        connection
            .prepare_cached("DELETE FROM idempotency WHERE tenant = ?1 AND kind = ?2 AND key = ?3")?
            .execute([tenant, kind, key])?;
    }
    Ok(())
}
