//! Erasing: what a file held before its secrets were sealed, or under an older key, stands in freed pages and in the write-ahead log
//! until something overwrites it. So the file is written anew once (`VACUUM`), and the log is emptied.
//!
//! A file is written anew by the writer's thread, between two commits: what is to be committed waits. So a large file is only
//! written anew while it is not used. Whether it was done is noted after it: what a crash cuts off is done again.

use std::time::Duration;

use loanhook_core::ports::{StoreError, StoreResult};
use rusqlite::Connection;
use tracing::{error, info, warn};

use crate::SqliteEngine;
use crate::errors::store_error;
use crate::schema::BUSY_TIMEOUT;
use crate::writer::Priority;

use super::state::SealingState;

/// How long commits wait for readers of the log, until it is left for another try.
const LOG_WAIT: Duration = Duration::from_millis(100);

/// How large a file may be that is written anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EraseLimit {
    /// So many bytes: commits wait meanwhile.
    Bytes(i64),
    /// Nothing else uses the folder.
    None,
}

impl EraseLimit {
    /// While a process serves: 128 MiB, which takes about two seconds.
    pub const WHILE_USED: Self = Self::Bytes(128 << 20);
}

/// Runs work that may delete secrets: all that it frees is overwritten.
pub(crate) fn overwriting<T>(
    connection: &Connection,
    work: impl FnOnce() -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    connection.pragma_update(None, "secure_delete", "ON")?;
    let result = work();
    connection.pragma_update(None, "secure_delete", "FAST")?;
    result
}

/// How far a start came with erasing.
#[derive(Clone, Default)]
pub(super) enum Erasing {
    #[default]
    NotBegun,
    /// The file was written anew, or why it was not. The log is yet to be emptied.
    LogLeft(Result<(), String>),
    /// The file is not written anew before the next start or rotation: why.
    GivenUp(String),
}

impl SqliteEngine {
    /// Erases what the file no longer stores, unless copies of credentials are yet to be taken out of it. Where the file cannot be
    /// written anew, that is done after the next start: each try would fill a disk that is full.
    pub(super) async fn erase(&self, limit: EraseLimit) -> StoreResult<()> {
        let has_copies = |connection: &Connection| {
            connection.prepare_cached("SELECT 1 FROM stored_credentials")?.exists([])
        };
        if self.read(has_copies).await? {
            return Ok(());
        }
        let sealing = &self.0.sealing;
        let written = match sealing.progress().erasing.clone() {
            Erasing::NotBegun => None,
            Erasing::LogLeft(written) => Some(written),
            Erasing::GivenUp(_) => return Ok(()),
        };
        let erased = move |connection: &Connection| Ok(erase_once(connection, limit, written));
        let (written, log) = self.between_commits(erased).await?;
        let is_written = written.is_ok();
        sealing.progress().erasing = match (&log, written) {
            (Ok(true), Ok(())) => Erasing::NotBegun,
            (Ok(true), Err(why)) => Erasing::GivenUp(why),
            (Ok(false) | Err(_), written) => Erasing::LogLeft(written),
        };
        if !log.map_err(|error| store_error(&error))? {
            return Err(StoreError::Failed("the write-ahead log could not be emptied yet".into()));
        }
        if is_written {
            self.0.writer.run(Priority::ExistingWork, SealingState::put_erased, |()| ()).await?;
            info!("secrets.erased");
        }
        Ok(())
    }
}

/// Writes the file anew, unless that was tried, and empties the log: what became of each. Both between the same two commits: what is
/// written anew is in the log, and a checkpoint would soon begin to copy it.
fn erase_once(
    connection: &Connection,
    limit: EraseLimit,
    written: Option<Result<(), String>>,
) -> (Result<(), String>, rusqlite::Result<bool>) {
    (written.unwrap_or_else(|| write_anew(connection, limit)), empty_log(connection))
}

/// Writes the file anew, if it may; or why it was not, which is logged.
fn write_anew(connection: &Connection, limit: EraseLimit) -> Result<(), String> {
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let vacuum = || -> rusqlite::Result<Option<i64>> {
        let bytes = pragma("page_count")? * pragma("page_size")?;
        if matches!(limit, EraseLimit::Bytes(most) if bytes > most) {
            return Ok(Some(bytes));
        }
        // The copy may be larger than the memory.
        connection.pragma_update(None, "temp_store", "FILE")?;
        let written = overwriting(connection, || connection.execute_batch("VACUUM"));
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        written.map(|()| None)
    };
    match vacuum() {
        Ok(None) => Ok(()),
        Ok(Some(bytes)) => {
            warn!(
                bytes,
                advice = "pages of the database that are free may hold older copies of secrets: stop loanhook and run `loanhook \
                          master-key erase`, which writes the file anew, when there are minutes for it",
                "secrets.not_erased"
            );
            Err(format!("the database has {bytes} bytes, too many to be written anew while loanhook runs"))
        }
        Err(failure) => {
            error!(%failure, advice = "the next start tries again", "secrets.not_erased");
            Err(format!("the database could not be written anew: {failure}"))
        }
    }
}

/// Copies the write-ahead log into the file and empties it. False where a reader or a checkpoint keeps it.
fn empty_log(connection: &Connection) -> rusqlite::Result<bool> {
    connection.busy_timeout(LOG_WAIT)?;
    let emptied = connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .map(|is_busy: bool| !is_busy);
    connection.busy_timeout(BUSY_TIMEOUT)?;
    emptied
}
