//! Folds: changes become part of the rows of hours and days.

use super::*;

#[test]
fn a_fold_moves_changes_into_one_row_an_hour_and_one_a_day() {
    let mut file = File::new();
    file.count(&[0, 1]);
    file.count(&[0, 24]);
    let before = file.reported();
    file.writer.close(&file.connection);
    assert_eq!((file.rows(), file.unfolded()), (before.clone(), 0));
    assert_eq!(before, [(0, 0, 2), (0, 1, 1), (0, 24, 1), (1, 0, 3), (1, 24, 1)]);
    // Later ones are added to the rows that are there.
    file.count(&[1, 25]);
    file.writer.close(&file.connection);
    let all = [(0, 0, 2), (0, 1, 2), (0, 24, 1), (0, 25, 1), (1, 0, 4), (1, 24, 2)];
    assert_eq!((file.rows(), file.reported()), (all.into(), all.into()));
}

#[test]
fn what_a_killed_process_left_unfolded_is_folded_at_the_start_and_by_a_commit() {
    for by_commit in [false, true] {
        let mut file = File::new();
        file.count(&[7]);
        assert_eq!(file.unfolded(), 1);
        file.fold_next();
        if by_commit {
            file.count(&[7]);
        } else {
            file.writer.flush_and_fold(&file.connection).expect("folded");
        }
        let count = 1 + i64::from(by_commit);
        assert_eq!((file.rows(), file.unfolded()), (vec![(0, 7, count), (1, 0, count)], 0));
    }
}

/// A commit with more changes than may stay unfolded is folded at once.
#[test]
fn changes_of_many_groups_do_not_stay_unfolded() {
    const MANY: usize = 1000;
    let mut file = File::new();
    let log = Arc::clone(&file.log);
    let work = move |_: &Connection| {
        log.add((0..MANY).map(|number| CountChange {
            group: CountGroup {
                tenant: acme(),
                hour: Timestamp::from_millis(0),
                subscription: None,
                event_name: format!("Posted {number}"),
            },
            counts: Counts { resends: 1, ..Counts::default() },
        }));
        Ok(())
    };
    file.commit(vec![Operation::new(Savepoint::Needed, work, |()| (), drop)]);
    assert_eq!((file.unfolded(), file.rows().len()), (0, 2 * MANY));
}

#[test]
fn damaged_changes_and_rows_are_left_out_and_everything_else_goes_on() {
    let mut file = File::new();
    file.count(&[0, 5]);
    file.writer.close(&file.connection);
    file.count(&[5]);
    file.count(&[6]);
    let damage = "UPDATE counts SET doc = x'01ff' WHERE period = 0 AND start = 0;
         UPDATE count_changes SET doc = x'01ff' WHERE id = 1;
         INSERT INTO count_changes (doc) VALUES ('a text'), (x'');";
    file.connection.execute_batch(damage).expect("damaged");
    assert_eq!(file.reported(), [(0, 5, 1), (0, 6, 1), (1, 0, 3)]);
    file.fold_next();
    file.count(&[0, 6]);
    let all = [(0, 0, 1), (0, 5, 1), (0, 6, 2), (1, 0, 5)];
    assert_eq!((file.rows(), file.unfolded()), (all.into(), 0));
    assert_eq!(file.reported(), all);
}

/// A fold that fails fails its commit alone: the changes are still there, and the next one folds them.
#[test]
fn a_fold_that_fails_loses_nothing_and_counts_nothing_twice() {
    let mut file = File::new();
    file.count(&[0]);
    file.count(&[3]);
    let refuse = "CREATE TRIGGER refuse BEFORE DELETE ON count_changes BEGIN SELECT raise(ABORT, 'as the test says'); END";
    file.connection.execute_batch(refuse).expect("a trigger");
    file.writer.close(&file.connection);
    file.fold_next();
    file.count(&[0]);
    assert_eq!((file.rows(), file.unfolded()), (vec![], 2));
    file.connection.execute_batch("DROP TRIGGER refuse").expect("dropped");
    file.count(&[0]);
    let all = [(0, 0, 2), (0, 3, 1), (1, 0, 3)];
    assert_eq!((file.rows(), file.unfolded()), (all.into(), 0));
}
