//! Rules of the tables of counts.

use std::sync::Arc;

use rusqlite::Connection;

use super::report::SPAN;
use super::{CountLog, CountWriter};
use crate::group_commit::{CommitHealth, commit_group};
use crate::operation::{Operation, Savepoint};
use crate::schema::{migrate, migrate_to};
use loanhook_core::model::id::TenantId;
use loanhook_core::model::report::{CountChange, CountGroup, Counting, Counts};
use loanhook_core::model::time::Timestamp;

/// How many migrations a file has that is older than its counts.
const MIGRATIONS_BEFORE_COUNTS: usize = 7;

/// However many tenants, groups and hours there are, a report reads those of its own span.
#[test]
fn the_counts_of_a_report_are_a_range_of_an_index() {
    let connection = Connection::open_in_memory().expect("a database");
    migrate(&connection, 0).expect("migrated");
    let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {SPAN}")).expect("a plan");
    let steps = plan.raw_query().mapped(|row| row.get(3)).collect::<rusqlite::Result<Vec<String>>>();
    let whole = "SEARCH counts USING INDEX counts_by_start (tenant=? AND period=? AND start>? AND start<?)";
    assert_eq!(steps.expect("steps"), [whole]);
}

#[test]
fn what_is_in_a_file_of_an_earlier_version_is_not_counted() {
    let since = |with: &str| {
        let connection = Connection::open_in_memory().expect("a database");
        migrate_to(&connection, MIGRATIONS_BEFORE_COUNTS);
        connection.execute_batch(with).expect("rows");
        migrate(&connection, MIGRATIONS_BEFORE_COUNTS).expect("migrated");
        let since: Option<i64> =
            connection.query_row("SELECT since FROM counting", [], |row| row.get(0)).expect("one row");
        since
    };
    assert_eq!(since(""), None);
    let delivery = "INSERT INTO deliveries (trace, tenant, frozen, progress) VALUES (x'aa', 'acme', '', '')";
    let event = "INSERT INTO events VALUES (x'aa', 'acme', '727', '')";
    for with in [delivery, event] {
        // 2020-01-01, in milliseconds.
        assert!(since(with).is_some_and(|since| since > 1_577_836_800_000), "{with}");
    }
}

/// A file with a table whose rows make a commit fail: they name a parent that is not there.
struct File {
    connection: Connection,
    log: Arc<CountLog>,
    writer: CountWriter,
    health: CommitHealth,
}

impl File {
    fn new() -> Self {
        let connection = Connection::open_in_memory().expect("a database");
        migrate(&connection, 0).expect("migrated");
        let fails = "CREATE TABLE parent (id INTEGER PRIMARY KEY);
             CREATE TABLE fails (parent INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED);
             PRAGMA foreign_keys = ON;";
        connection.execute_batch(fails).expect("tables");
        let log = Arc::new(CountLog::new(Counting::ALL));
        let writer = CountWriter::new(Arc::clone(&log));
        Self { connection, log, writer, health: CommitHealth::default() }
    }

    /// An operation that counts a resend of this hour, and runs a statement.
    fn operation(&self, hour: i64, savepoint: Savepoint, sql: &'static str) -> Operation {
        let log = Arc::clone(&self.log);
        let work = move |connection: &Connection| {
            let group = CountGroup {
                tenant: TenantId::try_from("acme".to_owned()).expect("a tenant"),
                hour: Timestamp::from_millis(hour * 3_600_000),
                subscription: None,
                event_name: "Posted".into(),
            };
            log.add([CountChange { group, counts: Counts { resends: 1, ..Counts::default() } }]);
            connection.execute_batch(sql)
        };
        Operation::new(savepoint, work, |()| (), drop)
    }

    fn commit(&mut self, operations: Vec<Operation>) {
        commit_group(&self.connection, &mut self.writer, operations.into_iter(), &self.health);
    }

    /// Period, hour and count of each row.
    fn rows(&self) -> Vec<(u8, i64, i64)> {
        let sql = "SELECT period, start, doc FROM counts ORDER BY period, start";
        let mut statement = self.connection.prepare(sql).expect("a query");
        let rows = statement.query_map([], |row| {
            let doc: Vec<u8> = row.get(2)?;
            let counts = loanhook_stored::read_counts(&doc).expect("counts");
            Ok((row.get(0)?, row.get::<_, i64>(1)? / 3_600_000, counts.resends))
        });
        rows.expect("rows").collect::<rusqlite::Result<_>>().expect("columns")
    }
}

const NOTHING: &str = "SELECT 1";
const WRONG: &str = "INSERT INTO nowhere VALUES (1)";
const FAILS_COMMIT: &str = "INSERT INTO fails VALUES (1)";

#[test]
fn what_the_operations_of_a_commit_add_is_one_row_an_hour_and_one_a_day() {
    let mut file = File::new();
    for _ in 0..2 {
        let operations = [0, 0, 1, 24].map(|hour| file.operation(hour, Savepoint::NotNeeded, NOTHING));
        file.commit(operations.into());
    }
    assert_eq!(file.rows(), [(0, 0, 4), (0, 1, 2), (0, 24, 2), (1, 0, 6), (1, 24, 2)]);
    // The writer of a later start keeps nothing in memory.
    file.writer = CountWriter::new(Arc::clone(&file.log));
    let operation = file.operation(1, Savepoint::Needed, NOTHING);
    file.commit(vec![operation]);
    assert_eq!(file.rows(), [(0, 0, 4), (0, 1, 3), (0, 24, 2), (1, 0, 7), (1, 24, 2)]);
}

#[test]
fn what_an_operation_adds_that_is_rolled_back_is_not_counted() {
    let mut file = File::new();
    for savepoint in [Savepoint::Needed, Savepoint::NotNeeded] {
        let operations = vec![
            file.operation(0, Savepoint::Needed, NOTHING),
            file.operation(0, savepoint, WRONG),
            file.operation(0, Savepoint::Needed, NOTHING),
        ];
        file.commit(operations);
    }
    assert_eq!(file.rows(), [(0, 0, 4), (1, 0, 4)]);
}

#[test]
fn what_a_commit_adds_that_fails_is_not_counted() {
    let mut file = File::new();
    let counted = file.operation(0, Savepoint::Needed, NOTHING);
    file.commit(vec![counted]);
    for sql in [FAILS_COMMIT, NOTHING] {
        let operations =
            vec![file.operation(0, Savepoint::Needed, NOTHING), file.operation(5, Savepoint::Needed, sql)];
        file.commit(operations);
        let rows = file.rows();
        if sql == FAILS_COMMIT {
            assert_eq!(rows, [(0, 0, 1), (1, 0, 1)]);
        } else {
            assert_eq!(rows, [(0, 0, 2), (0, 5, 1), (1, 0, 3)]);
        }
    }
}
