//! Rules of the tables of counts.

mod commits;
mod folds;
mod reports;

use std::sync::Arc;

use rusqlite::Connection;

use super::report::{SPAN, read};
use super::{CountLog, CountWriter};
use crate::group_commit::{CommitHealth, commit_group};
use crate::operation::{Operation, Savepoint};
use crate::schema::{migrate, migrate_to};
use loanhook_core::model::id::TenantId;
use loanhook_core::model::report::{
    CountChange, CountGroup, Counting, Counts, Grouping, Period, ReportQuery,
};
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
        Self::of(Connection::open_in_memory().expect("a database"))
    }

    fn of(connection: Connection) -> Self {
        migrate(&connection, 0).expect("migrated");
        let fails = "CREATE TABLE parent (id INTEGER PRIMARY KEY);
             CREATE TABLE fails (parent INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED);
             PRAGMA foreign_keys = ON;";
        connection.execute_batch(fails).expect("tables");
        let log = Arc::new(CountLog::new(Counting::ALL));
        let mut file = Self {
            connection,
            writer: CountWriter::new(Arc::clone(&log)),
            log,
            health: CommitHealth::default(),
        };
        file.writer.flush_and_fold(&file.connection).expect("as the start does");
        file
    }

    /// An operation that counts a resend of this hour, and runs a statement.
    fn operation(&self, hour: i64, savepoint: Savepoint, sql: &'static str) -> Operation {
        let log = Arc::clone(&self.log);
        let work = move |connection: &Connection| {
            let group = CountGroup {
                tenant: acme(),
                hour: Timestamp::from_millis(hour * HOUR_MILLIS),
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

    /// A commit of one resend in each of these hours.
    fn count(&mut self, hours: &[i64]) {
        let operations = hours.iter().map(|hour| self.operation(*hour, Savepoint::Needed, NOTHING)).collect();
        self.commit(operations);
    }

    /// Lets the next commit fold: it does so with a writer that does not know what is unfolded.
    fn fold_next(&mut self) {
        self.writer = CountWriter::new(Arc::clone(&self.log));
    }

    /// Period, hour and count of each row.
    fn rows(&self) -> Vec<(u8, i64, i64)> {
        let sql = "SELECT period, start, doc FROM counts ORDER BY period, start";
        let mut statement = self.connection.prepare(sql).expect("a query");
        let rows = statement.query_map([], |row| {
            let doc: Vec<u8> = row.get(2)?;
            let counts = loanhook_stored::read_counts(&doc).expect("counts");
            Ok((row.get(0)?, row.get::<_, i64>(1)? / HOUR_MILLIS, counts.resends))
        });
        rows.expect("rows").collect::<rusqlite::Result<_>>().expect("columns")
    }

    /// How many rows of changes are not folded.
    fn unfolded(&self) -> i64 {
        let count = "SELECT count(*) FROM count_changes";
        self.connection.query_row(count, [], |row| row.get(0)).expect("counted")
    }

    /// What reports say: period, hour and count, as [`File::rows`] once all is folded.
    fn reported(&self) -> Vec<(u8, i64, i64)> {
        reported(&self.connection)
    }
}

fn acme() -> TenantId {
    TenantId::try_from("acme".to_owned()).expect("a tenant")
}

/// What the reports of the first days say.
fn reported(connection: &Connection) -> Vec<(u8, i64, i64)> {
    let of = |(period, by): (u8, Period)| {
        let to = Timestamp::from_millis(DAYS * 24 * HOUR_MILLIS);
        let query = ReportQuery { from: Timestamp::from_millis(0), to, by, group: Grouping::None };
        let report = read(connection, &acme(), query, Counting::ALL).expect("a report");
        let rows =
            report.iter().map(|(start, _, counts)| (period, start.millis() / HOUR_MILLIS, counts.resends));
        rows.collect::<Vec<_>>()
    };
    [(0, Period::Hour), (1, Period::Day)].into_iter().flat_map(of).collect()
}

const HOUR_MILLIS: i64 = 3_600_000;
/// How many days the tests count in.
const DAYS: i64 = 3;
const NOTHING: &str = "SELECT 1";
const WRONG: &str = "INSERT INTO nowhere VALUES (1)";
const FAILS_COMMIT: &str = "INSERT INTO fails VALUES (1)";
