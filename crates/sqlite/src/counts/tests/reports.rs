//! Reports beside a writer, and in files of the version before changes were stored apart.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use super::*;
use crate::schema::configure;

/// How many migrations a file has whose commits wrote rows of counts and no changes.
const MIGRATIONS_BEFORE_CHANGES: usize = 8;

#[test]
fn counts_of_a_file_of_the_version_before_are_reported_and_added_to() {
    let connection = Connection::open_in_memory().expect("a database");
    migrate_to(&connection, MIGRATIONS_BEFORE_CHANGES);
    let doc = loanhook_stored::write_counts(&Counts { resends: 2, ..Counts::default() });
    let insert = "INSERT INTO counts (tenant, period, start, subscription, event, doc)
         VALUES ('acme', ?1, ?2, x'', 'Posted', ?3)";
    for (period, start) in [(0, 30 * HOUR_MILLIS), (1, 24 * HOUR_MILLIS)] {
        connection.execute(insert, rusqlite::params![period, start, doc]).expect("a row");
    }
    migrate(&connection, MIGRATIONS_BEFORE_CHANGES).expect("migrated");
    assert_eq!(reported(&connection), [(0, 30, 2), (1, 24, 2)]);
    let log = Arc::new(CountLog::new(Counting::ALL));
    let writer = CountWriter::new(Arc::clone(&log));
    let mut file = File { connection, log, writer, health: CommitHealth::default() };
    for added in 1..=3 {
        file.count(&[30]);
        assert_eq!(file.reported(), [(0, 30, 2 + added), (1, 24, 2 + added)]);
    }
}

#[test]
fn unfolded_changes_of_another_tenant_are_not_reported() {
    let mut file = File::new();
    let log = Arc::clone(&file.log);
    let work = move |_: &Connection| {
        let group = CountGroup {
            tenant: TenantId::try_from("birch".to_owned()).expect("a tenant"),
            hour: Timestamp::from_millis(0),
            subscription: None,
            event_name: "Posted".into(),
        };
        log.add([CountChange { group, counts: Counts { resends: 1, ..Counts::default() } }]);
        Ok(())
    };
    let of_other = Operation::new(Savepoint::Needed, work, |()| (), drop);
    let ours = file.operation(1, Savepoint::Needed, NOTHING);
    file.commit(vec![of_other, ours]);
    assert_eq!(file.reported(), [(0, 1, 1), (1, 0, 1)]);
}

/// A report that read rows and changes at two moments would miss what is folded between them, or count it twice.
#[test]
fn a_report_beside_folds_counts_each_commit_once() {
    const COMMITS: i64 = 400;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("test.db");
    let connect = || {
        let connection = Connection::open(&path).expect("a database");
        configure(&connection, 2048).expect("configured");
        connection.pragma_update(None, "synchronous", "OFF").expect("set");
        connection
    };
    let mut file = File::of(connect());
    let (begun, committed, ended) = (AtomicI64::new(0), AtomicI64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let reader = connect();
            while !ended.load(Ordering::SeqCst) {
                let least = committed.load(Ordering::SeqCst);
                let report = reported(&reader);
                let most = begun.load(Ordering::SeqCst);
                for (period, _, count) in report {
                    assert!((least..=most).contains(&count), "{period}: {least} <= {count} <= {most}");
                }
            }
        });
        for number in 1..=COMMITS {
            begun.store(number, Ordering::SeqCst);
            if number % 2 == 0 {
                file.fold_next();
            }
            file.count(&[0]);
            committed.store(number, Ordering::SeqCst);
        }
        ended.store(true, Ordering::SeqCst);
    });
    assert_eq!(file.reported(), [(0, 0, COMMITS), (1, 0, COMMITS)]);
}
