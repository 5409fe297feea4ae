//! What the database says of its sealing: one row.

use std::path::PathBuf;

use loanhook_seal::{Keyring, OpenError, SealingKey};
use rusqlite::{Connection, OptionalExtension, params};

use super::key_file;

/// What the old key is sealed for, during a rotation.
const PLACE_OF_OLD_KEY: &str = "the master key before a rotation";

#[derive(Debug)]
pub(super) struct SealingState {
    /// The ID of the key that everything is sealed with, or was before the rotation.
    pub(super) key: String,
    pub(super) rotation: Option<RotationState>,
    /// The file that has the newest key, where a rotation named it; relative to the data folder.
    pub(super) file: Option<PathBuf>,
    /// A document may not be sealed with the newest key.
    pub(super) is_unsealed: bool,
    /// The file may hold what it no longer stores.
    pub(super) is_unerased: bool,
}

/// A rotation that has begun.
#[derive(Debug)]
pub(super) struct RotationState {
    /// The ID of the new key.
    pub(super) next: String,
    old_sealed: String,
}

impl SealingState {
    /// None before the first start with a key.
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Option<Self>> {
        connection
            .prepare_cached("SELECT key, next, file, old_sealed, unsealed, unerased FROM sealing")?
            .query_row([], |row| {
                let next: Option<String> = row.get(1)?;
                let file: Option<String> = row.get(2)?;
                let old_sealed: Option<String> = row.get(3)?;
                Ok(Self {
                    key: row.get(0)?,
                    rotation: next
                        .zip(old_sealed)
                        .map(|(next, old_sealed)| RotationState { next, old_sealed }),
                    file: file.map(PathBuf::from),
                    is_unsealed: row.get(4)?,
                    is_unerased: row.get(5)?,
                })
            })
            .optional()
    }

    /// Notes the key of a database that had none. What it holds already is in clear.
    pub(super) fn put_first(connection: &Connection, key: &SealingKey) -> rusqlite::Result<()> {
        connection
            .execute(
                "INSERT INTO sealing (key, unsealed, unerased)
                 SELECT ?1, found, found FROM (SELECT EXISTS (SELECT 1 FROM subscriptions) AS found)",
                [key.id().as_str()],
            )
            .map(|_| ())
    }

    /// Notes that everything is to be sealed anew.
    pub(super) fn begin_rotation(
        connection: &Connection,
        (old, new): (&SealingKey, &SealingKey),
        file: Option<&str>,
    ) -> rusqlite::Result<()> {
        let old_sealed = Keyring::new(new).seal(&old.expose(), PLACE_OF_OLD_KEY);
        connection
            .execute(
                "UPDATE sealing SET next = ?1, file = ?2, old_sealed = ?3, unsealed = 1, unerased = 1",
                params![new.id().as_str(), file, old_sealed],
            )
            .map(|_| ())
    }

    /// Notes that all is sealed with the newest key, and what was there before is to be erased.
    pub(super) fn end_sealing(connection: &Connection) -> rusqlite::Result<()> {
        connection
            .execute(
                "UPDATE sealing SET key = coalesce(next, key), next = NULL, file = nullif(file, ?1), old_sealed = NULL,
                 unsealed = 0, unerased = 1",
                [key_file::NEXT_OWN],
            )
            .map(|_| ())
    }

    pub(super) fn put_erased(connection: &Connection) -> rusqlite::Result<()> {
        connection.execute("UPDATE sealing SET unerased = 0", []).map(|_| ())
    }
}

impl RotationState {
    /// The key before, by the new one. None where the row is damaged.
    pub(super) fn old_key(&self, new: &SealingKey) -> Option<SealingKey> {
        let opened: Result<String, OpenError> = Keyring::new(new).open(&self.old_sealed, PLACE_OF_OLD_KEY);
        opened.ok()?.parse().ok()
    }
}
