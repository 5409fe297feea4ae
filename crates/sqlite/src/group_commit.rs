//! Commits of the writer: how a group of operations is committed, and whether commits succeed of late.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tracing::{error, info};

use super::writer::{Answer, Work};

/// How often commits are probed at most.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);
/// How often the log says that commits fail.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
struct FailureLog {
    /// How many commits failed since that was last told, and when it was.
    failures_since_logged: u64,
    logged_at: Option<Instant>,
    probed_at: Option<Instant>,
}

/// How commits went.
#[derive(Debug, Default)]
pub(super) struct CommitHealth {
    failing: AtomicBool,
    failure_log: Mutex<FailureLog>,
}

impl CommitHealth {
    /// A commit failed. The log has one line of it now and then, however many fail.
    pub(super) fn record_failure(&self, failure: &rusqlite::Error) {
        self.failing.store(true, Ordering::Release);
        let mut seen = self.failure_log.lock().unwrap_or_else(PoisonError::into_inner);
        seen.failures_since_logged += 1;
        if seen.logged_at.is_none_or(|told| told.elapsed() >= LOG_INTERVAL) {
            error!(%failure, times = seen.failures_since_logged, "store.commit_failed");
            (seen.failures_since_logged, seen.logged_at) = (0, Some(Instant::now()));
        }
    }

    pub(super) fn are_failing(&self) -> bool {
        self.failing.load(Ordering::Acquire)
    }

    /// A large commit succeeded.
    pub(super) fn record_success(&self) {
        if self.failing.swap(false, Ordering::AcqRel) {
            info!("store.commits_again");
        }
    }

    /// Whether it is time for a probe; then it is the caller's.
    pub(super) fn take_probe(&self, now: Instant) -> bool {
        let mut seen = self.failure_log.lock().unwrap_or_else(PoisonError::into_inner);
        let due = seen.probed_at.is_none_or(|probed| now.saturating_duration_since(probed) >= PROBE_INTERVAL);
        if due {
            seen.probed_at = Some(now);
        }
        due
    }
}

/// Commits operations together and answers each; a savepoint keeps what fails of one from the others.
pub(super) fn commit_group(
    connection: &Connection,
    jobs: impl Iterator<Item = Work>,
    commits: &CommitHealth,
) {
    let mut answers = Vec::new();
    let committed = try_commit(connection, jobs, &mut answers);
    if let Err(failure) = &committed {
        commits.record_failure(failure);
        if !connection.is_autocommit()
            && let Err(failure) = connection.execute_batch("ROLLBACK")
        {
            error!(%failure, "store.rollback_failed");
        }
    }
    let committed = committed.map_err(|error| super::store_error(&error));
    for answer in answers {
        answer(committed.clone());
    }
}

fn try_commit(
    connection: &Connection,
    jobs: impl Iterator<Item = Work>,
    answers: &mut Vec<Answer>,
) -> rusqlite::Result<()> {
    let execute = |sql| connection.prepare_cached(sql)?.execute([]).map(|_| ());
    let mut transaction = execute("BEGIN IMMEDIATE");
    for work in jobs {
        transaction = transaction.and_then(|()| execute("SAVEPOINT operation"));
        let (keep, answer) = work(transaction.is_ok().then_some(connection));
        answers.push(answer);
        transaction = transaction.and_then(|()| {
            if !keep {
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
        let (commits, start) = (CommitHealth::default(), Instant::now());
        let asked =
            [0, 1, 999, 1000, 1001].map(|millis| commits.take_probe(start + Duration::from_millis(millis)));
        assert_eq!(asked, [true, false, false, true, false]);
    }
}
