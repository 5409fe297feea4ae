//! Group commit: operations that are committed together, those that need it in a savepoint each; and whether commits succeed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tracing::{error, info};

use super::counts::CountWriter;
use super::errors::store_error;
use super::health::not_ready;
use super::operation::{Executed, Operation, Savepoint};
use loanhook_core::ports::NotReady;

/// How much time is between two probes at least.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);
/// How much time is between two lines of the log about failed commits at least.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Whether commits succeed.
#[derive(Debug, Default)]
pub(super) struct CommitHealth {
    failing: AtomicBool,
    failure_log: Mutex<FailureLog>,
}

#[derive(Debug, Default)]
struct FailureLog {
    failures_since_logged: u64,
    logged_at: Option<Instant>,
    probed_at: Option<Instant>,
    /// Why nothing could be stored when that failed last; none since a probe succeeded.
    reason: Option<NotReady>,
}

impl FailureLog {
    /// Keeps why something failed. A statement that finds the disk full ends its transaction, and what then fails for want of one
    /// says nothing: the reason that was known stays.
    fn note(&mut self, failure: &rusqlite::Error) {
        match not_ready(failure) {
            NotReady::Failed => {
                self.reason.get_or_insert(NotReady::Failed);
            }
            known => self.reason = Some(known),
        }
    }
}

impl CommitHealth {
    /// Takes in that a commit failed. The log has a line of it each [`LOG_INTERVAL`] at most, however many fail.
    pub(super) fn record_failure(&self, failure: &rusqlite::Error) {
        self.failing.store(true, Ordering::Release);
        let mut log = self.failure_log();
        log.failures_since_logged += 1;
        log.note(failure);
        if log.logged_at.is_none_or(|logged_at| logged_at.elapsed() >= LOG_INTERVAL) {
            error!(%failure, times = log.failures_since_logged, "store.commit_failed");
            (log.failures_since_logged, log.logged_at) = (0, Some(Instant::now()));
        }
    }

    /// Takes in why a probe failed, which is no failed commit where only that operation is rolled back.
    pub(super) fn note_failure(&self, failure: &rusqlite::Error) {
        self.failure_log().note(failure);
    }

    /// Why nothing could be stored when that failed last.
    pub(super) fn last_failure(&self) -> Option<NotReady> {
        self.failure_log().reason
    }

    fn failure_log(&self) -> MutexGuard<'_, FailureLog> {
        self.failure_log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a commit failed, and no probe succeeded since.
    pub(super) fn are_failing(&self) -> bool {
        self.failing.load(Ordering::Acquire)
    }

    /// Takes in that a probe succeeded.
    pub(super) fn record_success(&self) {
        self.failure_log().reason = None;
        if self.failing.swap(false, Ordering::AcqRel) {
            info!("store.commits_again");
        }
    }

    /// Whether the caller is to probe: false where somebody did so less than [`PROBE_INTERVAL`] ago.
    pub(super) fn take_probe(&self, now: Instant) -> bool {
        let mut log = self.failure_log();
        let due =
            log.probed_at.is_none_or(|probed_at| now.saturating_duration_since(probed_at) >= PROBE_INTERVAL);
        if due {
            log.probed_at = Some(now);
        }
        due
    }
}

/// Commits operations together, with what they add to the counts, and answers each. One that fails fails no other, but where
/// it ran without a savepoint and had changed something ([`Savepoint::NotNeeded`]).
pub(super) fn commit_group(
    connection: &Connection,
    counts: &mut CountWriter,
    operations: impl Iterator<Item = Operation>,
    health: &CommitHealth,
) {
    let (mut executed, began) = (Vec::new(), counts.began());
    let committed = try_commit(connection, counts, operations, &mut executed);
    if let Err(failure) = &committed {
        health.record_failure(failure);
        counts.discard();
        if !connection.is_autocommit()
            && let Err(failure) = connection.execute_batch("ROLLBACK")
        {
            error!(%failure, "store.rollback_failed");
        }
    } else {
        counts.committed(began);
    }
    let committed = committed.map_err(|error| store_error(&error));
    for Executed { answer, .. } in executed {
        answer(committed.clone());
    }
}

fn try_commit(
    connection: &Connection,
    counts: &mut CountWriter,
    operations: impl Iterator<Item = Operation>,
    all: &mut Vec<Executed>,
) -> rusqlite::Result<()> {
    let mut transaction = execute(connection, "BEGIN IMMEDIATE");
    for operation in operations {
        let savepoint = operation.savepoint() == Savepoint::Needed;
        if savepoint {
            transaction = transaction.and_then(|()| execute(connection, "SAVEPOINT operation"));
        }
        let (changes, counted) = (connection.total_changes(), counts.mark());
        let executed = operation.execute(transaction.is_ok().then_some(connection));
        let succeeded = executed.succeeded;
        all.push(executed);
        if !succeeded {
            counts.roll_back_to(counted);
        }
        transaction = transaction.and_then(|()| match (savepoint, succeeded) {
            (true, true) => execute(connection, "RELEASE operation"),
            (true, false) => {
                execute(connection, "ROLLBACK TO operation")?;
                execute(connection, "RELEASE operation")
            }
            // SQLite rolls a transaction back by itself where the disk is full.
            _ if connection.is_autocommit() => Err(aborted("an operation ended the transaction")),
            (false, false) if connection.total_changes() != changes => {
                Err(aborted("an operation failed after it had changed something"))
            }
            (false, _) => Ok(()),
        });
    }
    transaction?;
    counts.flush(connection)?;
    execute(connection, "COMMIT")
}

fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(|_| ())
}

/// The error of a commit that is given up.
fn aborted(why: &str) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT), Some(why.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_probe_a_second_however_many_ask() {
        let (health, start) = (CommitHealth::default(), Instant::now());
        let taken =
            [0, 1, 999, 1000, 1001].map(|millis| health.take_probe(start + Duration::from_millis(millis)));
        assert_eq!(taken, [true, false, false, true, false]);
    }
}
