//! Documents that are not sealed with the newest key are sealed anew, in slices while the process runs. Each slice is read and
//! sealed aside, and written in one operation of the writer, where the document is still the one that was read: whoever changed it
//! meanwhile sealed it with the newest key. A pass that is cut off begins anew and finds what is left.

use std::time::Duration;

use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::subscription::Subscription;
use loanhook_core::ports::StoreResult;
use loanhook_seal::Keyring;
use loanhook_stored::{Sealed, place_of};
use rusqlite::types::{Type, Value};
use rusqlite::{Connection, Error, Row, params};

use crate::SqliteEngine;
use crate::rows::{from_json, text_column, to_json, uuid_column};
use crate::unreadable::none_if_unreadable;
use crate::writer::Priority;

use super::erase::overwriting;

/// How many versions of subscriptions a slice has at most: reading and sealing them takes milliseconds.
const VERSIONS_PER_SLICE: usize = 64;
/// The time between two slices, in which attempts and events are committed.
const PAUSE: Duration = Duration::from_millis(5);

/// The primary key of a version: tenant, ID and version, as they are stored.
pub(super) type Position = (Value, Value, Value);

/// What is to be stored of versions that stand together.
pub(super) struct Slice {
    /// The last of them; none where there are no more.
    last: Option<Position>,
    /// The document that was read of each, and the one that takes its place.
    anew: Vec<(Position, String, String)>,
    /// How many cannot be read, or opened.
    unreadable: u64,
}

/// What became of all versions of subscriptions.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pass {
    pub(super) sealed: u64,
    /// They stand as they stood: what opens them may still be needed.
    pub(super) unreadable: u64,
}

impl SqliteEngine {
    /// Seals everything with the newest key that is not.
    pub(super) async fn seal_documents_anew(&self) -> StoreResult<Pass> {
        let (mut pass, mut after) = (Pass::default(), first_position());
        loop {
            let slice = self.documents_after(after).await?;
            let Some(last) = slice.last.clone() else { return Ok(pass) };
            pass.unreadable += slice.unreadable;
            if !slice.anew.is_empty() {
                pass.sealed += slice.anew.len() as u64;
                self.write_documents(slice).await?;
                tokio::time::sleep(PAUSE).await;
            }
            after = last;
        }
    }

    pub(super) async fn documents_after(&self, after: Position) -> StoreResult<Slice> {
        let keyring = self.keyring();
        self.read(move |connection| Slice::after(connection, &keyring, &after)).await
    }

    pub(super) async fn write_documents(&self, slice: Slice) -> StoreResult<()> {
        let work = move |connection: &Connection| overwriting(connection, || slice.write(connection));
        self.0.writer.run(Priority::ExistingWork, work, |()| ()).await
    }
}

/// A position before all.
pub(super) fn first_position() -> Position {
    (Value::Text(String::new()), Value::Blob(Vec::new()), Value::Integer(0))
}

impl Slice {
    /// The versions after a position.
    fn after(connection: &Connection, keyring: &Keyring, after: &Position) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare_cached(
            "SELECT tenant, id, version, doc FROM subscriptions WHERE (tenant, id, version) > (?1, ?2, ?3)
             ORDER BY tenant, id, version LIMIT ?4",
        )?;
        let mut rows = statement.query(params![after.0, after.1, after.2, VERSIONS_PER_SLICE])?;
        let mut slice = Self { last: None, anew: Vec::new(), unreadable: 0 };
        while let Some(row) = rows.next()? {
            let position: Position = (row.get(0)?, row.get(1)?, row.get(2)?);
            slice.last = Some(position.clone());
            let sealed = sealed_anew(row, keyring).map(Some);
            match none_if_unreadable(sealed, &format_args!("version {position:?} of a webhook"))? {
                Some(anew) => {
                    slice.anew.extend(anew.map(|(before, after)| (position, before, after)));
                }
                None => slice.unreadable += 1,
            }
        }
        Ok(slice)
    }

    fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut update = connection.prepare_cached(
            "UPDATE subscriptions SET doc = ?5 WHERE tenant = ?1 AND id = ?2 AND version = ?3 AND doc = ?4",
        )?;
        for ((tenant, id, version), before, after) in &self.anew {
            update.execute(params![tenant, id, version, before, after])?;
        }
        Ok(())
    }
}

/// A document and the one that takes its place; none where it is sealed with the newest key.
fn sealed_anew(row: &Row<'_>, keyring: &Keyring) -> rusqlite::Result<Option<(String, String)>> {
    const DOCUMENT: usize = 3;
    let mut sealed: Sealed<Subscription> = from_json(row, DOCUMENT)?;
    if sealed.is_current(keyring) {
        return Ok(None);
    }
    let tenant: TenantId = text_column(row, 0)?;
    let place = place_of(&tenant, SubscriptionId::from_uuid(uuid_column(row, 1)?));
    let opened = sealed
        .open(keyring, &place)
        .map_err(|error| Error::FromSqlConversionFailure(DOCUMENT, Type::Text, error.into()))?;
    Ok(Some((row.get(DOCUMENT)?, to_json(&Sealed::seal(opened, keyring, &place))?)))
}
