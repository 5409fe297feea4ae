//! Grants: portal links and sessions, by the hash of their token.

use rusqlite::{Connection, OptionalExtension, params};

use super::SqliteEngine;
use super::rows::{from_json, to_json};
use super::writer::Priority;
use loanhook_core::model::grant::Grant;
use loanhook_core::model::key::KeyHash;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Grants, StoreResult};

impl Grants for SqliteEngine {
    async fn add_grant(&self, hash: KeyHash, grant: Grant, now: Timestamp) -> StoreResult<()> {
        let work = move |connection: &Connection| {
            // A few of those that have expired, so that no call pays for all.
            connection
                .prepare_cached(
                    "DELETE FROM grants WHERE hash IN (SELECT hash FROM grants WHERE until <= ?1 LIMIT 16)",
                )?
                .execute([now.millis()])?;
            connection
                .prepare_cached("INSERT INTO grants (hash, until, doc) VALUES (?1, ?2, ?3)")?
                .execute(params![hash.0, grant.until.millis(), to_json(&grant)?])
                .map(|_| ())
        };
        self.0.writer.run(Priority::ExistingWork, work, |()| ()).await
    }

    async fn grant(&self, hash: KeyHash, now: Timestamp) -> StoreResult<Option<Grant>> {
        self.read(move |connection| {
            connection
                .prepare_cached("SELECT doc FROM grants WHERE hash = ?1 AND until > ?2")?
                .query_row(params![hash.0, now.millis()], |row| from_json(row, 0))
                .optional()
        })
        .await
    }

    async fn end_grant(&self, hash: KeyHash) -> StoreResult<()> {
        let work = move |connection: &Connection| {
            let mut delete = connection.prepare_cached("DELETE FROM grants WHERE hash = ?1")?;
            delete.execute([hash.0]).map(|_| ())
        };
        self.0.writer.run(Priority::ExistingWork, work, |()| ()).await
    }
}
