//! Commits and what they add to reports.

use std::collections::BTreeMap;

use super::*;

#[test]
fn what_the_operations_of_a_commit_add_is_one_row_of_changes() {
    let mut file = File::new();
    for commits in 1..=2 {
        let operations = [0, 0, 1, 24].map(|hour| file.operation(hour, Savepoint::NotNeeded, NOTHING));
        file.commit(operations.into());
        assert_eq!((file.unfolded(), file.rows()), (commits, vec![]));
    }
    assert_eq!(file.reported(), [(0, 0, 4), (0, 1, 2), (0, 24, 2), (1, 0, 6), (1, 24, 2)]);
}

#[test]
fn a_commit_that_counts_nothing_adds_no_row() {
    let mut file = File::new();
    let nothing = Operation::new(Savepoint::Needed, |_| Ok(()), |()| (), drop);
    file.commit(vec![nothing]);
    assert_eq!(file.unfolded(), 0);
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
    assert_eq!(file.reported(), [(0, 0, 4), (1, 0, 4)]);
}

#[test]
fn what_a_commit_adds_that_fails_is_not_counted() {
    for folds in [false, true] {
        let mut file = File::new();
        file.count(&[0]);
        for sql in [FAILS_COMMIT, NOTHING] {
            if folds {
                file.fold_next();
            }
            let operations = vec![
                file.operation(0, Savepoint::Needed, NOTHING),
                file.operation(5, Savepoint::Needed, sql),
            ];
            file.commit(operations);
            if sql == FAILS_COMMIT {
                assert_eq!((file.rows(), file.unfolded()), (vec![], 1), "as it was");
                assert_eq!(file.reported(), [(0, 0, 1), (1, 0, 1)]);
            } else {
                assert_eq!(file.reported(), [(0, 0, 2), (0, 5, 1), (1, 0, 3)]);
            }
        }
        // After the failure the writer does not know what is stored, so it folded.
        assert_eq!((file.rows(), file.unfolded()), (file.reported(), 0));
    }
}

/// After each of many steps, chosen by a fixed sequence, reports say what was committed until then.
#[test]
fn reports_are_exact_after_commits_failures_folds_and_restarts_in_any_order() {
    let mut file = File::new();
    let (mut hours, mut days) = (BTreeMap::new(), BTreeMap::new());
    // The generator of Knuth's MMIX.
    let mut state = 1_u64;
    let mut choose = |among: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % among
    };
    for step in 0..400 {
        match choose(8) {
            0 => file.fold_next(),
            1 => {
                file.writer.close(&file.connection);
                assert_eq!((file.rows(), file.unfolded()), (file.reported(), 0), "step {step}");
            }
            chosen => {
                let (mut operations, mut counted) = (Vec::new(), Vec::new());
                for _ in 0..=choose(4) {
                    let hour = choose(24 * DAYS.unsigned_abs()).cast_signed();
                    let sql = if choose(5) == 0 { WRONG } else { NOTHING };
                    if sql == NOTHING {
                        counted.push(hour);
                    }
                    operations.push(file.operation(hour, Savepoint::Needed, sql));
                }
                if chosen == 2 {
                    operations.push(file.operation(0, Savepoint::Needed, FAILS_COMMIT));
                    counted.clear();
                }
                file.commit(operations);
                for hour in counted {
                    *hours.entry(hour).or_insert(0) += 1;
                    *days.entry(hour / 24 * 24).or_insert(0) += 1;
                }
            }
        }
        let of = |period: u8, counts: &BTreeMap<i64, i64>| {
            counts.iter().map(|(start, count)| (period, *start, *count)).collect::<Vec<_>>()
        };
        assert_eq!(file.reported(), [of(0, &hours), of(1, &days)].concat(), "step {step}");
    }
}
