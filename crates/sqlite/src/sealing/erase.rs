//! Erasing: what a file held before its secrets were sealed, or under an older key, stands in freed pages and in the write-ahead log
//! until something overwrites it. So the file is written anew once (`VACUUM`), and the log is emptied.
//!
//! A file is written anew by the writer's thread, between two commits: what is to be committed waits. So a large file is only
//! written anew while it is not used. Whether it was done is noted after it: what a crash cuts off is done again.

use std::sync::atomic::Ordering;

use loanhook_core::ports::{StoreError, StoreResult};
use rusqlite::Connection;
use tracing::{error, info, warn};

use crate::SqliteEngine;
use crate::writer::Priority;

use super::state::SealingState;

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

impl SqliteEngine {
    /// Erases what the file no longer stores, unless copies of credentials are yet to be taken out of it. Where that fails, it is done
    /// after the next start: each try would fill a disk that is full.
    pub(super) async fn erase(&self, limit: EraseLimit) -> StoreResult<()> {
        let has_copies = |connection: &Connection| {
            connection.prepare_cached("SELECT 1 FROM stored_credentials")?.exists([])
        };
        let sealing = &self.0.sealing;
        if self.read(has_copies).await? || sealing.is_erasing_given_up.load(Ordering::Relaxed) {
            return Ok(());
        }
        let was_written_anew = sealing.is_written_anew.load(Ordering::Relaxed);
        let erased = self.between_commits(move |connection| erase_once(connection, limit, was_written_anew));
        let (is_written_anew, is_log_empty) = erased.await?;
        sealing.is_written_anew.store(is_written_anew, Ordering::Relaxed);
        sealing.is_erasing_given_up.store(!is_written_anew, Ordering::Relaxed);
        if !is_log_empty {
            return Err(StoreError::Failed("the write-ahead log could not be emptied".into()));
        }
        if sealing.is_written_anew.swap(false, Ordering::Relaxed) {
            self.0.writer.run(Priority::ExistingWork, SealingState::put_erased, |()| ()).await?;
            info!("secrets.erased");
        }
        Ok(())
    }
}

/// Writes the file anew, unless it was, and empties the log: whether each was done. Both between the same two commits: what is written
/// anew is in the log, and a checkpoint would soon begin to copy it.
fn erase_once(
    connection: &Connection,
    limit: EraseLimit,
    was_written_anew: bool,
) -> rusqlite::Result<(bool, bool)> {
    let is_written_anew = was_written_anew
        || write_anew(connection, limit).unwrap_or_else(|failure| {
            error!(%failure, advice = "the next start tries again", "secrets.not_erased");
            false
        });
    Ok((is_written_anew, empty_log(connection)?))
}

/// Writes the file anew, if it may. False where it is too large.
fn write_anew(connection: &Connection, limit: EraseLimit) -> rusqlite::Result<bool> {
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let bytes = pragma("page_count")? * pragma("page_size")?;
    if matches!(limit, EraseLimit::Bytes(most) if bytes > most) {
        warn!(
            bytes,
            advice = "pages of the database that are free may hold older copies of secrets: stop loanhook and run `loanhook \
                      master-key rotate`, which writes the file anew, when there are minutes for it",
            "secrets.not_erased"
        );
        return Ok(false);
    }
    // The copy may be larger than the memory.
    connection.pragma_update(None, "temp_store", "FILE")?;
    let written = overwriting(connection, || connection.execute_batch("VACUUM"));
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    written.map(|()| true)
}

/// Copies the write-ahead log into the file and empties it. False where a reader or a checkpoint keeps it.
fn empty_log(connection: &Connection) -> rusqlite::Result<bool> {
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .map(|is_busy: bool| !is_busy)
}
