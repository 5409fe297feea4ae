//! Payloads: the bytes that were sent and received. Equal bytes of one tenant are stored once.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, params};

use super::SqliteEngine;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::payload::{Payload, PayloadKey};
use loanhook_core::ports::{Payloads, StoreResult};

impl Payloads for SqliteEngine {
    async fn payload(&self, tenant: &TenantId, key: PayloadKey) -> StoreResult<Option<Bytes>> {
        let tenant = tenant.clone();
        self.read(move |connection| get(connection, &tenant, key)).await
    }
}

/// The bytes of a payload; none where they are not stored.
pub(super) fn get(
    connection: &Connection,
    tenant: &TenantId,
    key: PayloadKey,
) -> rusqlite::Result<Option<Bytes>> {
    connection
        .prepare_cached("SELECT bytes FROM payloads WHERE tenant = ?1 AND key = ?2")?
        .query_row(params![tenant.as_str(), key.as_bytes()], |row| row.get::<_, Vec<u8>>(0).map(Bytes::from))
        .optional()
}

/// Stores the bytes of a payload, if it has any and they are not stored yet.
pub(super) fn put(
    connection: &Connection,
    tenant: &TenantId,
    payload: Payload,
    bytes: &[u8],
) -> rusqlite::Result<()> {
    let Some(key) = payload.key else { return Ok(()) };
    connection
        .prepare_cached(
            "INSERT INTO payloads (tenant, key, bytes) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?
        .execute(params![tenant.as_str(), key.as_bytes(), bytes])
        .map(|_| ())
}
