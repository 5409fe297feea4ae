//! Schema: which version of it a file has, the migration to the newest, and how a connection is configured.

use rusqlite::Connection;
use tracing::info;

use super::migrations::MIGRATIONS;
use loanhook_core::model::time::Timestamp;

/// The schema of a file, as this program sees it.
pub(super) enum SchemaVersion {
    /// Ours, with so many migrations applied.
    Known {
        applied: usize,
    },
    Newer(i64),
    /// It has tables, and they are not ours.
    Foreign,
}

/// The mark of a file that is ours (SQLite's `application_id`): "lhdb".
const APPLICATION_ID: i64 = 0x6c68_6462;

/// How long a connection waits for another that has the file locked.
pub(super) const BUSY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

/// How many migrations the newest schema has.
pub(super) const NEWEST: usize = MIGRATIONS.len();

/// Sets how a connection reads and writes, and how many KiB of pages it keeps in memory at most.
pub(super) fn configure(connection: &Connection, cache_kib: i64) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Or a commit would wait for a checkpoint: see `checkpoints`.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // What is deleted is overwritten where that costs no write. Where secrets go, all of it is: see `sealing`.
    connection.pragma_update(None, "secure_delete", "FAST")?;
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Reads the schema of a file, changing nothing in it.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<SchemaVersion> {
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let application: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if tables > 0 && application != APPLICATION_ID {
        return Ok(SchemaVersion::Foreign);
    }
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match usize::try_from(version) {
        Ok(applied) if applied <= MIGRATIONS.len() => Ok(SchemaVersion::Known { applied }),
        _ => Ok(SchemaVersion::Newer(version)),
    }
}

/// Since when the trace of each delivery of this file begins with the time of its acceptance, but for those that say their time
/// apart; none where it always did.
pub(super) fn timed_traces_since(connection: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    let since: Option<i64> = connection.query_row("SELECT since FROM timed_traces", [], |row| row.get(0))?;
    Ok(since.map(Timestamp::from_millis))
}

/// Applies the first so many migrations, as an earlier version did.
#[cfg(test)]
pub(super) fn migrate_to(connection: &Connection, count: usize) {
    for migration in &MIGRATIONS[..count] {
        connection.execute_batch(migration).expect("a migration");
    }
}

/// Applies the migrations to a file that come after so many.
///
/// It is one transaction: where it is cut off, the next start begins it anew. A file is sorted for new indexes in temporary
/// files, as it may be larger than the memory.
pub(super) fn migrate(connection: &Connection, applied: usize) -> rusqlite::Result<()> {
    if applied == MIGRATIONS.len() {
        return Ok(());
    }
    if applied > 0 {
        info!(
            advice =
                "it may take minutes for a large file, and as much free space as the file has; let it end",
            from = applied,
            to = MIGRATIONS.len(),
            "schema.update_begins"
        );
    }
    connection.pragma_update(None, "temp_store", "FILE")?;
    let transaction = connection.unchecked_transaction()?;
    for migration in &MIGRATIONS[applied..] {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", MIGRATIONS.len() as i64)?;
    transaction.commit()?;
    if applied > 0 {
        info!("schema.update_ended");
    }
    connection.pragma_update(None, "temp_store", "MEMORY")
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
