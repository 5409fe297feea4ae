//! API keys, by the hash of what a caller shows; and the addresses that requests left from.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, params};
use tracing::warn;

use super::Embedded;
use super::tables::{from_json, to_json};
use super::unreadable::read_some;
use super::writer::Class;
use crate::model::id::{KeyId, TenantId};
use crate::model::key::{Key, KeyHash};
use crate::model::time::Timestamp;
use crate::ports::{Egress, EgressAddresses, Keys, Stored};

/// An address counts as seen of late for this long.
const OF_LATE: Duration = Duration::from_secs(7 * 24 * 3600);
/// How often an address that stays the same is noted.
const NOTED_EVERY: Duration = Duration::from_secs(3600);

impl Keys for Embedded {
    async fn key(&self, hash: KeyHash) -> Stored<Option<Arc<Key>>> {
        Ok(self.0.cache.key(hash))
    }

    async fn add_key(&self, key: Key, hash: KeyHash) -> Stored<()> {
        let cache = Arc::clone(&self.0.cache);
        let new = key.clone();
        let work = move |connection: &Connection| {
            connection
                .prepare_cached("INSERT INTO keys (hash, tenant, id, doc) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![hash.0, new.tenant.as_str(), new.id.uuid().as_bytes(), to_json(&new)?])
                .map(|_| ())
        };
        self.0.writer.run(Class::Progress, work, move |()| cache.put_key(hash, key)).await
    }

    async fn keys(&self, tenant: &TenantId, after: Option<KeyId>, limit: usize) -> Stored<Vec<Key>> {
        let tenant = tenant.clone();
        let after = after.map_or([0; 16], |id| id.uuid().into_bytes());
        self.read(move |connection| {
            let mut statement = connection
                .prepare_cached("SELECT id, doc FROM keys WHERE tenant = ?1 AND id > ?2 ORDER BY id")?;
            let rows = statement.query(params![tenant.as_str(), after])?;
            read_some(rows, limit, &format_args!("keys of {tenant}"), |row| from_json(row, 1))
        })
        .await
    }

    async fn delete_key(&self, tenant: &TenantId, id: KeyId) -> Stored<bool> {
        let cache = Arc::clone(&self.0.cache);
        let (tenant, of) = (tenant.clone(), tenant.clone());
        let work = move |connection: &Connection| {
            connection
                .prepare_cached("DELETE FROM keys WHERE tenant = ?1 AND id = ?2")?
                .execute(params![of.as_str(), id.uuid().as_bytes()])
                .map(|deleted| deleted > 0)
        };
        self.0.writer.run(Class::Progress, work, move |_| cache.remove_key(&tenant, id)).await
    }
}

impl EgressAddresses for Embedded {
    async fn egress(&self, now: Timestamp) -> Stored<Egress> {
        let mut addresses: Vec<IpAddr> = self
            .0
            .cache
            .egress()
            .iter()
            .filter(|(_, seen)| now.since(**seen) < OF_LATE)
            .map(|(address, _)| *address)
            .collect();
        addresses.sort_unstable();
        Ok(Egress { addresses, fixed: false })
    }

    fn left_from(&self, address: IpAddr, now: Timestamp) {
        let noted = self.0.cache.egress().get(&address).copied();
        if noted.is_some_and(|noted| now.since(noted) < NOTED_EVERY) {
            return;
        }
        self.0.cache.egress().insert(address, now);
        let store = self.clone();
        tokio::spawn(async move {
            let work = move |connection: &Connection| {
                connection
                    .prepare_cached(
                        "INSERT INTO egress (address, seen) VALUES (?1, ?2)
                         ON CONFLICT DO UPDATE SET seen = excluded.seen",
                    )?
                    .execute(params![address.to_string(), now.millis()])
                    .map(|_| ())
            };
            if let Err(error) = store.0.writer.run(Class::Progress, work, |()| ()).await {
                warn!(%error, "egress.not_noted");
            }
        });
    }
}
