//! What an idempotency key stands for, until it is over.

use rusqlite::{Connection, OptionalExtension, params};

use super::tables::{from_json, to_json};
use loanhook_core::model::id::TenantId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::IdempotencyKey;
use loanhook_stored::Document;

/// Keys of events and of resends are apart.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Event,
    Resend,
}

/// Puts the record of a key, unless one is there that is not over: then gives that.
pub(super) fn remember<T: Document>(
    connection: &Connection,
    tenant: &TenantId,
    kind: Kind,
    key: &IdempotencyKey,
    record: &T,
    now: Timestamp,
) -> rusqlite::Result<Option<T>> {
    let kind = match kind {
        Kind::Event => "event",
        Kind::Resend => "resend",
    };
    let known = connection
        .prepare_cached(
            "SELECT doc FROM idempotency WHERE tenant = ?1 AND kind = ?2 AND key = ?3 AND until > ?4",
        )?
        .query_row(params![tenant.as_str(), kind, key.key, now.millis()], |row| from_json(row, 0))
        .optional()?;
    if known.is_none() {
        forget_some(connection, now)?;
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO idempotency (tenant, kind, key, until, doc) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![tenant.as_str(), kind, key.key, key.until.millis(), to_json(record)?])?;
    }
    Ok(known)
}

/// Deletes records that are over, a few at a time so that no call pays for all.
fn forget_some(connection: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM idempotency WHERE (tenant, kind, key) IN
             (SELECT tenant, kind, key FROM idempotency WHERE until <= ?1 LIMIT 16)",
        )?
        .execute([now.millis()])
        .map(|_| ())
}
