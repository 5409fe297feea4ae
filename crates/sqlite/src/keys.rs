//! API keys, by the hash of the key itself.
//!
//! The hash of a deleted key is kept, so that the key stays deleted even where the environment names it.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};
use tracing::warn;

use super::SqliteEngine;
use super::rows::{from_json, to_json};
use super::unreadable::{none_if_unreadable, read_all, read_up_to};
use super::writer::Priority;
use loanhook_core::model::id::{KeyId, TenantId};
use loanhook_core::model::key::{Key, KeyHash, KeySource};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{EnvironmentKeyOutcome, Keys, ListedKey, StoreError, StoreResult};

impl Keys for SqliteEngine {
    async fn key(&self, hash: KeyHash) -> StoreResult<Option<Arc<Key>>> {
        Ok(self.0.cache.key(hash))
    }

    async fn add_key(&self, key: Key, hash: KeyHash) -> StoreResult<()> {
        let cache = Arc::clone(&self.0.cache);
        let new = key.clone();
        let work = move |connection: &Connection| {
            connection
                .prepare_cached(
                    "INSERT INTO keys (hash, tenant, id, doc) SELECT ?1, ?2, ?3, ?4
                     WHERE NOT EXISTS (SELECT 1 FROM keys WHERE tenant = ?2 AND id = ?3)",
                )?
                .execute(params![hash.0, new.tenant.as_str(), new.id.uuid().as_bytes(), to_json(&new)?])
        };
        let after_commit = move |added: &mut usize| {
            if *added > 0 {
                cache.put_key(hash, key);
            }
        };
        match self.0.writer.run(Priority::ExistingWork, work, after_commit).await? {
            0 => Err(StoreError::Failed("there is a key with this ID".into())),
            _ => Ok(()),
        }
    }

    async fn keys(
        &self,
        tenant: &TenantId,
        after: Option<KeyId>,
        limit: usize,
    ) -> StoreResult<Vec<ListedKey>> {
        let tenant = tenant.clone();
        let after = after.map_or([0; 16], |id| id.uuid().into_bytes());
        let found: Vec<(KeyHash, Key)> = self
            .read(move |connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT id, hash, doc FROM keys WHERE tenant = ?1 AND id > ?2 ORDER BY id",
                )?;
                let rows = statement.query(params![tenant.as_str(), after])?;
                let key = |row: &Row<'_>| Ok((KeyHash(row.get(1)?), from_json(row, 2)?));
                read_up_to(rows, limit, &format_args!("keys of {tenant}"), key)
            })
            .await?;
        let listed = found
            .into_iter()
            .map(|(hash, key)| ListedKey { last_used_at: self.0.cache.last_used_hour(hash), key });
        Ok(listed.collect())
    }

    async fn listed_key(&self, tenant: &TenantId, id: KeyId) -> StoreResult<Option<Key>> {
        let tenant = tenant.clone();
        self.read(move |connection| {
            connection
                .prepare_cached("SELECT doc FROM keys WHERE tenant = ?1 AND id = ?2")?
                .query_row(params![tenant.as_str(), id.uuid().as_bytes()], |row| from_json(row, 0))
                .optional()
        })
        .await
    }

    async fn ensure_environment_key(&self, key: Key, hash: KeyHash) -> StoreResult<EnvironmentKeyOutcome> {
        let cache = Arc::clone(&self.0.cache);
        let work = move |connection: &Connection| ensure_environment_key(connection, key, hash);
        let after_commit = move |(_, ended, put): &mut (EnvironmentKeyOutcome, Vec<KeyHash>, Option<Key>)| {
            ended.iter().for_each(|hash| cache.remove_key(*hash));
            if let Some(key) = put.take() {
                cache.put_key(hash, key);
            }
        };
        self.0.writer.run(Priority::ExistingWork, work, after_commit).await.map(|(ensured, ..)| ensured)
    }

    fn record_use(&self, key: &Key, hash: KeyHash, now: Timestamp) {
        let hour = now.to_the_hour();
        if !self.0.cache.record_use(hash, hour) {
            return;
        }
        let (store, id) = (self.clone(), key.id);
        tokio::spawn(async move {
            let work = move |connection: &Connection| {
                connection
                    .prepare_cached("UPDATE keys SET used = ?2 WHERE hash = ?1")?
                    .execute(params![hash.0, hour.millis()])
                    .map(|_| ())
            };
            if let Err(error) = store.0.writer.run(Priority::ExistingWork, work, |()| ()).await {
                warn!(key_id = %id, %error, "key.use_not_noted");
            }
        });
    }

    async fn delete_key(&self, tenant: &TenantId, id: KeyId) -> StoreResult<bool> {
        let cache = Arc::clone(&self.0.cache);
        let tenant = tenant.clone();
        let work = move |connection: &Connection| {
            let hash = connection
                .prepare_cached("DELETE FROM keys WHERE tenant = ?1 AND id = ?2 RETURNING hash")?
                .query_row(params![tenant.as_str(), id.uuid().as_bytes()], |row| row.get(0).map(KeyHash))
                .optional()?;
            if let Some(hash) = hash {
                connection
                    .prepare_cached("INSERT OR IGNORE INTO deleted_keys (hash) VALUES (?1)")?
                    .execute([hash.0])?;
            }
            Ok(hash)
        };
        let after_commit = move |deleted: &mut Option<KeyHash>| {
            if let Some(hash) = deleted {
                cache.remove_key(*hash);
            }
        };
        Ok(self.0.writer.run(Priority::ExistingWork, work, after_commit).await?.is_some())
    }
}

/// Ensures the key of the environment, and ends the keys that the environment named before. Gives the outcome, the hashes
/// of the keys that ended, and the key that was put.
fn ensure_environment_key(
    connection: &Connection,
    key: Key,
    hash: KeyHash,
) -> rusqlite::Result<(EnvironmentKeyOutcome, Vec<KeyHash>, Option<Key>)> {
    // A key that cannot be read is replaced.
    let stored = connection
        .prepare("SELECT doc FROM keys WHERE hash = ?1")?
        .query_row([hash.0], |row| from_json(row, 0))
        .optional();
    let stored: Option<Key> = none_if_unreadable(stored, &"the environment's key")?;
    let deleted = connection.prepare("SELECT 1 FROM deleted_keys WHERE hash = ?1")?.exists([hash.0])?;
    if stored.is_none() && deleted {
        return Ok((EnvironmentKeyOutcome::Deleted, Vec::new(), None));
    }
    let mut others = connection.prepare("SELECT id, hash, doc FROM keys WHERE tenant = ?1 AND hash <> ?2")?;
    let others = others.query(params![key.tenant.as_str(), hash.0])?;
    let others: Vec<(KeyHash, Key)> = read_all(others, &format_args!("keys of {}", key.tenant), |row| {
        Ok((KeyHash(row.get(1)?), from_json(row, 2)?))
    })?;
    let mut end = connection.prepare("DELETE FROM keys WHERE hash = ?1")?;
    let (mut hashes, mut ended) = (Vec::new(), Vec::new());
    for (other, named) in others.into_iter().filter(|(_, other)| other.source == KeySource::Environment) {
        end.execute([other.0])?;
        hashes.push(other);
        ended.push(named);
    }
    let unchanged = stored.as_ref().is_some_and(|stored| stored.is_environment_key(&key.tenant));
    if unchanged && ended.is_empty() {
        return Ok((EnvironmentKeyOutcome::Unchanged, hashes, None));
    }
    let put = key.with_identity_of(stored);
    connection
        .prepare("INSERT OR REPLACE INTO keys (hash, tenant, id, doc) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![hash.0, put.tenant.as_str(), put.id.uuid().as_bytes(), to_json(&put)?])?;
    Ok((EnvironmentKeyOutcome::Added { ended }, hashes, Some(put)))
}
