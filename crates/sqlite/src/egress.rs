//! Source addresses: those that requests left from, as the API lists them.

use std::net::IpAddr;
use std::time::Duration;

use rusqlite::{Connection, params};
use tracing::warn;

use super::SqliteEngine;
use super::writer::Priority;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Egress, EgressAddresses, StoreResult};

/// How long ago a request must have left from an address for it to be listed.
const MAX_LISTED_AGE: Duration = Duration::from_secs(7 * 24 * 3600);
/// How much time is between two records of an address at least.
const RECORD_INTERVAL: Duration = Duration::from_secs(3600);

impl EgressAddresses for SqliteEngine {
    async fn egress(&self, now: Timestamp) -> StoreResult<Egress> {
        let mut addresses: Vec<IpAddr> = self
            .0
            .cache
            .source_addresses()
            .iter()
            .filter(|(_, seen)| now.since(**seen) < MAX_LISTED_AGE)
            .map(|(address, _)| *address)
            .collect();
        addresses.sort_unstable();
        Ok(Egress { addresses, fixed: false })
    }

    fn record_source_address(&self, address: IpAddr, now: Timestamp) {
        let recorded_at = self.0.cache.source_addresses().get(&address).copied();
        if recorded_at.is_some_and(|recorded_at| now.since(recorded_at) < RECORD_INTERVAL) {
            return;
        }
        self.0.cache.source_addresses().insert(address, now);
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
            if let Err(error) = store.0.writer.run(Priority::ExistingWork, work, |()| ()).await {
                warn!(%error, "egress.not_noted");
            }
        });
    }
}
