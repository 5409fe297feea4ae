//! Group commit: operations that are committed together, each in a savepoint; and whether commits succeed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tracing::{error, info};

use super::errors::store_error;
use super::operation::{Executed, Operation};

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
}

impl CommitHealth {
    /// Takes in that a commit failed. The log has a line of it each [`LOG_INTERVAL`] at most, however many fail.
    pub(super) fn record_failure(&self, failure: &rusqlite::Error) {
        self.failing.store(true, Ordering::Release);
        let mut log = self.failure_log.lock().unwrap_or_else(PoisonError::into_inner);
        log.failures_since_logged += 1;
        if log.logged_at.is_none_or(|logged_at| logged_at.elapsed() >= LOG_INTERVAL) {
            error!(%failure, times = log.failures_since_logged, "store.commit_failed");
            (log.failures_since_logged, log.logged_at) = (0, Some(Instant::now()));
        }
    }

    /// Whether a commit failed, and no probe succeeded since.
    pub(super) fn are_failing(&self) -> bool {
        self.failing.load(Ordering::Acquire)
    }

    /// Takes in that a probe succeeded.
    pub(super) fn record_success(&self) {
        if self.failing.swap(false, Ordering::AcqRel) {
            info!("store.commits_again");
        }
    }

    /// Whether the caller is to probe: false where somebody did so less than [`PROBE_INTERVAL`] ago.
    pub(super) fn take_probe(&self, now: Instant) -> bool {
        let mut log = self.failure_log.lock().unwrap_or_else(PoisonError::into_inner);
        let due =
            log.probed_at.is_none_or(|probed_at| now.saturating_duration_since(probed_at) >= PROBE_INTERVAL);
        if due {
            log.probed_at = Some(now);
        }
        due
    }
}

/// Commits operations together and answers each; a savepoint keeps what one that fails has changed from the others.
pub(super) fn commit_group(
    connection: &Connection,
    operations: impl Iterator<Item = Operation>,
    health: &CommitHealth,
) {
    let mut executed = Vec::new();
    let committed = try_commit(connection, operations, &mut executed);
    if let Err(failure) = &committed {
        health.record_failure(failure);
        if !connection.is_autocommit()
            && let Err(failure) = connection.execute_batch("ROLLBACK")
        {
            error!(%failure, "store.rollback_failed");
        }
    }
    let committed = committed.map_err(|error| store_error(&error));
    for Executed { answer, .. } in executed {
        answer(committed.clone());
    }
}

fn try_commit(
    connection: &Connection,
    operations: impl Iterator<Item = Operation>,
    all: &mut Vec<Executed>,
) -> rusqlite::Result<()> {
    let execute = |sql| connection.prepare_cached(sql)?.execute([]).map(|_| ());
    let mut transaction = execute("BEGIN IMMEDIATE");
    for operation in operations {
        transaction = transaction.and_then(|()| execute("SAVEPOINT operation"));
        let executed = operation.execute(transaction.is_ok().then_some(connection));
        let succeeded = executed.succeeded;
        all.push(executed);
        transaction = transaction.and_then(|()| {
            if !succeeded {
                execute("ROLLBACK TO operation")?;
            }
            execute("RELEASE operation")
        });
    }
    transaction.and_then(|()| execute("COMMIT"))
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
