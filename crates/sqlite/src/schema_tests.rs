use loanhook_core::ports::DeliverySpan;
use rusqlite::{StatementStatus, params};

use super::*;

/// A new file, as far as these tests need one.
fn new_file() -> Connection {
    let connection = Connection::open_in_memory().expect("a database");
    migrate(&connection, 0).expect("migrated");
    connection
}

/// The steps of a query's plan.
fn plan(connection: &Connection, sql: &str) -> Vec<String> {
    let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a plan");
    let steps = plan.raw_query().mapped(|row| row.get(3)).collect::<rusqlite::Result<_>>();
    steps.expect("steps")
}

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
    let connection = new_file();
    for (sql, range) in [(LATER_OLDEST_FIRST, "id>?"), (LATER_NEWEST_FIRST, "id<?")] {
        let steps = plan(&connection, sql);
        let whole = format!("SEARCH attempts USING INDEX attempts_by_trace (trace=? AND {range})");
        assert_eq!(steps, [whole], "{sql}");
    }
}

/// A receiver that says when it is back makes everything due at that very moment.
#[test]
fn a_message_is_found_by_an_index_however_many_are_due_with_it() {
    let connection = new_file();
    for sql in [crate::queue::messages::FIND_MESSAGE, crate::queue::messages::DELETE_MESSAGE] {
        let steps = plan(&connection, sql);
        let whole = "queue_by_lane (subscription=? AND <expr>=? AND due=? AND trace=?)";
        assert!(steps.iter().any(|step| step.contains(whole)), "{sql}");
    }
}

/// It reads no message, only their places in the index.
#[test]
fn what_waits_is_counted_in_a_range_of_an_index() {
    let connection = new_file();
    let whole = "SEARCH queue USING COVERING INDEX queue_by_lane (subscription=? AND <expr>=? AND due<?)";
    assert_eq!(plan(&connection, crate::flow_states::COUNT_WAITING), [whole]);
}

/// Of a loan of which much waits, the nearest is found at once.
#[test]
fn what_blocks_a_delivery_is_found_in_a_range_in_its_order() {
    let connection = new_file();
    let whole = "SEARCH ordered USING PRIMARY KEY (tenant=? AND subscription=? AND loan=?";
    for sql in [crate::order::FIND_BLOCKING, crate::order::IN_ORDER] {
        let steps = plan(&connection, sql);
        assert!(steps.iter().any(|step| step.starts_with(whole)), "{steps:?}");
        assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{steps:?}");
    }
}

/// A list has the same price however many deliveries there are, of this tenant and of others.
#[test]
fn a_list_across_loans_is_a_range_of_an_index_in_its_order() {
    use crate::delivery_list::{BY_TRACE, OF_RANDOM_TRACES, THAT_FAILED};
    let connection = new_file();
    for (sql, index, range) in [
        (BY_TRACE, "deliveries_by_trace", "trace>? AND trace<?"),
        (OF_RANDOM_TRACES, "deliveries_of_random_traces", "accepted>? AND (accepted,trace)<(?,?)"),
        (THAT_FAILED, "deliveries_that_failed", "failed>? AND (failed,trace)<(?,?)"),
    ] {
        let whole = format!("SEARCH deliveries USING INDEX {index} (tenant=? AND {range})");
        assert_eq!(plan(&connection, sql), [whole], "{sql}");
    }
}

#[test]
fn a_list_of_jobs_is_a_range_of_an_index_in_its_order() {
    let steps = plan(&new_file(), crate::jobs::NEWEST_FIRST);
    assert_eq!(steps, ["SEARCH jobs USING INDEX jobs_by_kind (tenant=? AND kind=? AND id<?)"]);
}

#[test]
fn deliveries_of_an_older_file_say_when_they_were_accepted_and_which_failed() {
    const ACCEPTED: i64 = 1_795_428_000_123;
    const FROZEN: &str = r#"{"accepted_at":"2026-11-23T10:00:00.123Z"}"#;
    let connection = Connection::open_in_memory().expect("a database");
    for migration in &MIGRATIONS[..6] {
        connection.execute_batch(migration).expect("a migration");
    }
    let progress = |status: &str, number: u32| {
        format!(r#"{{"status":"{status}","next":{{"number":{number},"slot":0,"due":""}},"in_flight":null}}"#)
    };
    // The same time, as the version 8 of a UUID has it, and at random.
    let (timed, random) = ("01a207d9217b8000800000000000000", "78e763c300005000800000000000000");
    let mut expected = Vec::new();
    for (last, begins, frozen, progress, accepted, failed) in [
        (1, timed, FROZEN, progress("pending", 1), Some(ACCEPTED), None),
        (2, timed, FROZEN, progress("pending", 2), Some(ACCEPTED), None),
        (3, timed, FROZEN, progress("succeeded", 1), Some(ACCEPTED), None),
        (4, timed, FROZEN, r#"{"status":"failed","next":null}"#.to_owned(), Some(ACCEPTED), Some(ACCEPTED)),
        (5, timed, FROZEN, progress("canceled", 2), Some(ACCEPTED), None),
        (6, random, FROZEN, progress("pending", 1), Some(ACCEPTED), None),
        (7, random, FROZEN, progress("failed", 2), Some(ACCEPTED), Some(ACCEPTED)),
        (8, random, "{", progress("failed", 2), None, None),
        (9, random, FROZEN, "{".to_owned(), Some(ACCEPTED), None),
    ] {
        let sql = format!(
            "INSERT INTO deliveries (tenant, trace, frozen, progress) VALUES ('acme', x'{begins}{last}', ?1, ?2)"
        );
        connection.execute(&sql, [frozen, &progress]).expect("a delivery");
        expected.push((last, accepted, failed));
    }
    migrate(&connection, 6).expect("migrated");
    let mut statement = connection
        .prepare(
            "SELECT CAST(substr(hex(trace), 32) AS INTEGER), accepted, failed FROM deliveries ORDER BY 1",
        )
        .expect("a query");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("rows");
    let found: Vec<(i64, Option<i64>, Option<i64>)> = rows.collect::<rusqlite::Result<_>>().expect("values");
    assert_eq!(found, expected);
}

/// The traces of a file's older deliveries are random, and so between those of new ones.
#[test]
fn a_list_steps_over_few_of_the_older_deliveries_of_a_file() {
    use crate::delivery_list::{BY_TRACE, trace_range};
    const OLDER: u32 = 20_000;
    const MAX_STEPS: i32 = 2_000;
    let connection = Connection::open_in_memory().expect("a database");
    migrate_to(&connection, 6);
    let insert =
        "INSERT INTO deliveries (tenant, trace, frozen, progress) VALUES ('acme', randomblob(16), ?1, '{}')";
    for _ in 0..OLDER {
        connection.execute(insert, [r#"{"accepted_at":"2026-11-23T10:00:00Z"}"#]).expect("a delivery");
    }
    migrate(&connection, 6).expect("migrated");
    let since = timed_traces_since(&connection).expect("read").expect("it has deliveries");
    let (oldest, before) = trace_range(&DeliverySpan::default(), Some(since), since);
    let mut statement = connection.prepare(BY_TRACE).expect("a query");
    let found = statement.query_map(params!["acme", oldest, before], |_| Ok(())).expect("rows").count();
    assert_eq!(found, 0, "none is new");
    let steps = statement.get_status(StatementStatus::VmStep);
    assert!(steps < MAX_STEPS, "{steps} steps");
}
