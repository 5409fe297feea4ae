//! Copies of credentials in deliveries that an earlier version of loanhook stored, which froze all headers. They are taken out
//! in slices, while the process runs: each slice is read aside, and written in one operation of the writer, which also notes how
//! far it came. So a crash repeats one slice at most.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::SqliteEngine;
use super::rows::{from_json, to_json};
use super::sealing::overwriting;
use super::subscription_versions::{find_version, newest};
use super::unreadable::{none_if_unreadable, read_all};
use super::writer::Priority;
use loanhook_core::model::delivery::DeliverySnapshot;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::subscription::Subscription;
use loanhook_core::ports::StoreResult;
use loanhook_core::stored_credentials::rendered_by;
use loanhook_seal::Keyring;

/// How many deliveries a slice has at most: writing them takes milliseconds.
const DELIVERIES_PER_SLICE: i64 = 256;
/// The time between two slices, in which attempts and events are committed.
const PAUSE: Duration = Duration::from_millis(20);

/// Deliveries that stand together, with what is to be stored of them.
struct Slice {
    /// The row ID of the last of them.
    done: i64,
    /// Whether no other slice follows.
    is_last: bool,
    /// By row ID, those that held credentials, without these.
    snapshots: Vec<(i64, DeliverySnapshot)>,
}

/// The versions of subscriptions that a slice asked for; none where that cannot be read.
type Versions = HashMap<(TenantId, SubscriptionId, u64), Option<Arc<Subscription>>>;

impl SqliteEngine {
    /// Takes the credentials out of all deliveries that an earlier version stored with them; gives how many there were. What is
    /// done already is not done again, and another call goes on where one was cut off.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn take_out_stored_credentials(&self) -> StoreResult<u64> {
        let mut count = 0;
        loop {
            let keyring = self.keyring();
            let slice = self.read(move |connection| next_slice(connection, &keyring)).await?;
            let Some(slice) = slice else { break };
            count += slice.snapshots.len() as u64;
            let work = move |connection: &Connection| overwriting(connection, || slice.write(connection));
            self.0.writer.run(Priority::ExistingWork, work, |()| ()).await?;
            tokio::time::sleep(PAUSE).await;
        }
        Ok(count)
    }
}

/// The next slice; none where all is done.
fn next_slice(connection: &Connection, keyring: &Keyring) -> rusqlite::Result<Option<Slice>> {
    let left: Option<(i64, i64)> = connection
        .prepare_cached("SELECT done, last FROM stored_credentials")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((done, last)) = left else { return Ok(None) };
    let end: Option<i64> = connection
        .prepare_cached(
            "SELECT max(rowid) FROM
             (SELECT rowid FROM deliveries WHERE rowid > ?1 AND rowid <= ?2 ORDER BY rowid LIMIT ?3)",
        )?
        .query_row(params![done, last, DELIVERIES_PER_SLICE], |row| row.get(0))?;
    let end = end.unwrap_or(last);
    let mut statement = connection.prepare_cached(
        "SELECT rowid, frozen FROM deliveries WHERE rowid > ?1 AND rowid <= ?2 ORDER BY rowid",
    )?;
    let rows = statement.query(params![done, end])?;
    let stored: Vec<(i64, DeliverySnapshot)> =
        read_all(rows, &"snapshots of deliveries", |row| Ok((row.get(0)?, from_json(row, 1)?)))?;
    let (mut versions, mut snapshots) = (Versions::new(), Vec::new());
    for (row, mut snapshot) in stored {
        if snapshot.request.headers.may_hold_credentials() {
            let deciding = deciding((connection, keyring), &mut versions, &snapshot)?;
            snapshot.request.headers = rendered_by(&snapshot, deciding.as_ref());
            snapshots.push((row, snapshot));
        }
    }
    Ok(Some(Slice { done: end, is_last: end >= last, snapshots }))
}

/// The version of a subscription that says which headers of a delivery were rendered.
fn deciding(
    (connection, keyring): (&Connection, &Keyring),
    versions: &mut Versions,
    snapshot: &DeliverySnapshot,
) -> rusqlite::Result<Option<Arc<Subscription>>> {
    let (tenant, id, version) = (&snapshot.tenant, snapshot.subscription_id, snapshot.subscription_version);
    let of = (tenant.clone(), id, version);
    if let Some(known) = versions.get(&of) {
        return Ok(known.clone());
    }
    let what = format_args!("version {version} of webhook {id} of {tenant}").to_string();
    let matched = none_if_unreadable(find_version(connection, keyring, (tenant, id), version), &what)?;
    let deciding = match matched {
        Some(matched) => Some(matched),
        None => {
            none_if_unreadable(newest(connection, keyring, (tenant, id)), &what)?.map(|(newest, _)| newest)
        }
    };
    let deciding = deciding.map(Arc::new);
    versions.insert(of, deciding.clone());
    Ok(deciding)
}

impl Slice {
    /// Stores it, and how far it came.
    fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut update = connection.prepare_cached("UPDATE deliveries SET frozen = ?2 WHERE rowid = ?1")?;
        for (row, snapshot) in &self.snapshots {
            update.execute(params![row, to_json(snapshot)?])?;
        }
        match self.is_last {
            true => connection.execute("DELETE FROM stored_credentials", []),
            false => connection.execute("UPDATE stored_credentials SET done = ?1", [self.done]),
        }
        .map(|_| ())
    }
}

#[cfg(test)]
#[path = "stored_credentials_tests.rs"]
mod tests;
