//! Schema: the tables of the file, the migrations that make them, and how a connection is configured.

use rusqlite::Connection;

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

/// One migration a version; a migration, once released, never changes.
///
/// A message's ID is never given again (`AUTOINCREMENT`): a claim deletes its message while its
/// ID may still be in use, and the next message must not pass for that one.
const MIGRATIONS: [&str; 7] = [
    "CREATE TABLE deliveries (
         trace BLOB PRIMARY KEY,
         tenant TEXT NOT NULL,
         frozen TEXT NOT NULL,
         progress TEXT NOT NULL
     );
     CREATE TABLE attempts (
         tenant TEXT NOT NULL,
         loan TEXT NOT NULL,
         id BLOB NOT NULL,
         trace BLOB NOT NULL,
         sending INTEGER NOT NULL,
         doc TEXT NOT NULL,
         PRIMARY KEY (tenant, loan, id)
     ) WITHOUT ROWID;
     CREATE INDEX attempts_by_trace ON attempts (trace, id);
     CREATE INDEX attempts_sending ON attempts (sending) WHERE sending = 1;
     CREATE TABLE queue (
         id INTEGER PRIMARY KEY AUTOINCREMENT,
         subscription BLOB NOT NULL,
         due INTEGER NOT NULL,
         tenant TEXT NOT NULL,
         trace BLOB NOT NULL,
         number INTEGER,
         loan TEXT,
         attempt BLOB
     );
     CREATE INDEX queue_by_subscription ON queue (subscription, number IS NOT NULL, due, id);
     CREATE INDEX queue_by_trace ON queue (trace);
     CREATE TABLE payloads (
         tenant TEXT NOT NULL,
         key BLOB NOT NULL,
         bytes BLOB NOT NULL,
         PRIMARY KEY (tenant, key)
     );
     CREATE TABLE idempotency (
         tenant TEXT NOT NULL,
         kind TEXT NOT NULL,
         key TEXT NOT NULL,
         until INTEGER NOT NULL,
         doc TEXT NOT NULL,
         PRIMARY KEY (tenant, kind, key)
     ) WITHOUT ROWID;
     CREATE INDEX idempotency_by_end ON idempotency (until);
     CREATE TABLE subscriptions (
         tenant TEXT NOT NULL,
         id BLOB NOT NULL,
         version INTEGER NOT NULL,
         current INTEGER NOT NULL,
         doc TEXT NOT NULL,
         PRIMARY KEY (tenant, id, version)
     ) WITHOUT ROWID;
     CREATE TABLE keys (
         hash BLOB PRIMARY KEY,
         tenant TEXT NOT NULL,
         id BLOB NOT NULL,
         doc TEXT NOT NULL
     ) WITHOUT ROWID;
     CREATE INDEX keys_by_tenant ON keys (tenant, id);
     CREATE TABLE egress (
         address TEXT PRIMARY KEY,
         seen INTEGER NOT NULL
     ) WITHOUT ROWID;",
    "CREATE TABLE grants (
         hash BLOB PRIMARY KEY,
         until INTEGER NOT NULL,
         doc TEXT NOT NULL
     ) WITHOUT ROWID;
     CREATE INDEX grants_by_end ON grants (until);",
    "CREATE TABLE memories (
         tenant TEXT NOT NULL,
         loan TEXT NOT NULL,
         doc TEXT NOT NULL,
         PRIMARY KEY (tenant, loan)
     ) WITHOUT ROWID;
     CREATE TABLE troubles (
         tenant TEXT NOT NULL,
         subscription BLOB NOT NULL,
         count INTEGER NOT NULL,
         doc TEXT NOT NULL,
         PRIMARY KEY (tenant, subscription)
     ) WITHOUT ROWID;",
    // What is written again and again stands together: rows in the order in which they came, and in the indexes
    // only what a look-up needs. A delivery knows its first attempt; a message is found by when it is due.
    "ALTER TABLE deliveries ADD COLUMN first BLOB;
     CREATE TABLE rows (
         tenant TEXT NOT NULL,
         loan TEXT NOT NULL,
         id BLOB NOT NULL,
         trace BLOB NOT NULL,
         later INTEGER NOT NULL,
         sending INTEGER NOT NULL,
         doc TEXT NOT NULL
     );
     INSERT INTO rows SELECT tenant, loan, id, trace, 1, sending, doc FROM attempts;
     DROP TABLE attempts;
     ALTER TABLE rows RENAME TO attempts;
     CREATE UNIQUE INDEX attempts_by_loan ON attempts (tenant, loan, id);
     CREATE INDEX attempts_by_trace ON attempts (trace, id) WHERE later = 1;
     CREATE INDEX attempts_sending ON attempts (sending) WHERE sending = 1;
     DROP INDEX queue_by_trace;
     DROP INDEX queue_by_subscription;
     CREATE INDEX queue_by_lane ON queue (subscription, number IS NOT NULL, due, trace);",
    // The beginning of the hour in which a key was last used, in milliseconds; and the keys that were deleted, which the
    // environment may still name.
    "ALTER TABLE keys ADD COLUMN used INTEGER;
     CREATE TABLE deleted_keys (hash BLOB PRIMARY KEY) WITHOUT ROWID;",
    // The ledger. Events stand in the order of their IDs, which is that of their acceptance.
    "CREATE TABLE events (
         id BLOB PRIMARY KEY,
         tenant TEXT NOT NULL,
         loan TEXT NOT NULL,
         doc TEXT NOT NULL
     ) WITHOUT ROWID;
     CREATE INDEX events_by_loan ON events (tenant, loan, id);",
    // Counts of reports: a row for each group (of tenant, subscription and event name) in each hour (`period` 0) and day (1).
    // The subscription is empty for what belongs to none. What is in a file already was not counted: it is counted from now
    // on, in milliseconds.
    "CREATE TABLE counts (
         id INTEGER PRIMARY KEY,
         tenant TEXT NOT NULL,
         period INTEGER NOT NULL,
         start INTEGER NOT NULL,
         subscription BLOB NOT NULL,
         event TEXT NOT NULL,
         doc BLOB NOT NULL
     );
     CREATE UNIQUE INDEX counts_by_start ON counts (tenant, period, start, subscription, event);
     CREATE TABLE counting (since INTEGER);
     INSERT INTO counting
         SELECT CASE WHEN EXISTS (SELECT 1 FROM deliveries) OR EXISTS (SELECT 1 FROM events)
             THEN CAST(unixepoch('subsec') * 1000 AS INTEGER) END;",
];

/// Sets how a connection reads and writes, and how many KiB of pages it keeps in memory at most.
pub(super) fn configure(connection: &Connection, cache_kib: i64) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Or a commit would wait for a checkpoint: see `checkpoints`.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
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

/// Applies the first so many migrations, as an earlier version did.
#[cfg(test)]
pub(super) fn migrate_to(connection: &Connection, count: usize) {
    for migration in &MIGRATIONS[..count] {
        connection.execute_batch(migration).expect("a migration");
    }
}

/// Applies the migrations to a file that come after so many.
pub(super) fn migrate(connection: &Connection, applied: usize) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    for migration in &MIGRATIONS[applied..] {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", MIGRATIONS.len() as i64)?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of the version before what is written often stood together.
    #[test]
    fn rows_of_an_older_file_are_found_as_before() {
        let connection = Connection::open_in_memory().expect("a database");
        for migration in &MIGRATIONS[..3] {
            connection.execute_batch(migration).expect("a migration");
        }
        connection
            .execute_batch(
                "INSERT INTO attempts VALUES ('acme', '727', x'02', x'aa', 1, 'second');
                 INSERT INTO attempts VALUES ('acme', '727', x'01', x'aa', 0, 'first');",
            )
            .expect("rows");
        migrate(&connection, 3).expect("migrated");
        let docs = |of| {
            let mut statement = connection.prepare(of).expect("a query");
            let docs = statement.query_map([], |row| row.get(0)).expect("rows");
            docs.collect::<rusqlite::Result<Vec<String>>>().expect("texts")
        };
        assert_eq!(
            docs("SELECT doc FROM attempts WHERE trace = x'aa' AND later = 1 ORDER BY id"),
            ["first", "second"]
        );
        assert_eq!(docs("SELECT doc FROM attempts WHERE sending = 1"), ["second"]);
        assert!(
            matches!(version(&connection), Ok(SchemaVersion::Known { applied }) if applied == MIGRATIONS.len())
        );
    }

    /// However often a delivery was resent, a part of its attempts is read from where it begins.
    #[test]
    fn a_part_of_a_deliverys_attempts_is_a_range_of_an_index() {
        use crate::attempts::{LATER_NEWEST_FIRST, LATER_OLDEST_FIRST};
        let connection = Connection::open_in_memory().expect("a database");
        migrate(&connection, 0).expect("migrated");
        for (sql, range) in [(LATER_OLDEST_FIRST, "id>?"), (LATER_NEWEST_FIRST, "id<?")] {
            let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a plan");
            let steps = plan.raw_query().mapped(|row| row.get(3)).collect::<rusqlite::Result<Vec<String>>>();
            let whole = format!("SEARCH attempts USING INDEX attempts_by_trace (trace=? AND {range})");
            assert_eq!(steps.expect("steps"), [whole], "{sql}");
        }
    }

    /// A receiver that says when it is back makes everything due at that very moment.
    #[test]
    fn a_message_is_found_by_an_index_however_many_are_due_with_it() {
        let connection = Connection::open_in_memory().expect("a database");
        migrate(&connection, 0).expect("migrated");
        for sql in [crate::queue::messages::FIND_MESSAGE, crate::queue::messages::DELETE_MESSAGE] {
            let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a plan");
            let steps = plan.raw_query().mapped(|row| row.get(3)).collect::<rusqlite::Result<Vec<String>>>();
            let whole = "queue_by_lane (subscription=? AND <expr>=? AND due=? AND trace=?)";
            assert!(steps.expect("steps").iter().any(|step| step.contains(whole)), "{sql}");
        }
    }
}
