//! Health of the store: whether the writer takes anything. Where a commit failed, a probe says when commits succeed
//! again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use tokio::time::timeout;

use super::SqliteEngine;
use super::writer::Priority;
use loanhook_core::ports::Health;

/// A commit that takes longer is none that anybody should wait for.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);
/// What a probe writes, in bytes: as much as the largest event. Where a disk is full, less may fit all the same.
const PROBE_BYTES: i32 = 256 << 10;

impl Health for SqliteEngine {
    /// After a commit failed, only one as large as the largest event says that all is well again.
    async fn is_healthy(&self) -> bool {
        let commits = self.0.writer.commit_health();
        if commits.are_failing() && commits.take_probe(Instant::now()) {
            let healed = Arc::clone(commits);
            let probe =
                self.0.writer.run(Priority::ExistingWork, put_probe, move |()| healed.record_success());
            if let Ok(Ok(())) = timeout(PROBE_TIMEOUT, probe).await {
                // What stays behind where this fails is written over by the next probe.
                let _ =
                    timeout(PROBE_TIMEOUT, self.0.writer.run(Priority::ExistingWork, delete_probe, |()| ()))
                        .await;
            }
        }
        self.0.writer.is_open() && !commits.are_failing()
    }
}

/// Writes a payload of no tenant.
fn put_probe(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO payloads (tenant, key, bytes) VALUES ('', x'', zeroblob(?1))",
        )?
        .execute(params![PROBE_BYTES])
        .map(|_| ())
}

fn delete_probe(connection: &Connection) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM payloads WHERE tenant = '' AND key = x''")?.execute([]).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> rusqlite::Error {
        rusqlite::Error::InvalidQuery
    }

    #[tokio::test]
    async fn after_a_commit_failed_a_probe_says_when_commits_succeed_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = SqliteEngine::open(folder.path()).expect("an engine");
        assert!(engine.is_healthy().await);
        engine.0.writer.commit_health().record_failure(&full());
        assert!(engine.is_healthy().await, "the probe was stored");
        let left = |connection: &Connection| {
            connection.query_row("SELECT count(*) FROM payloads", [], |row| row.get::<_, i64>(0))
        };
        assert_eq!(engine.read(left).await.expect("read"), 0, "and taken away again");
        engine.0.writer.commit_health().record_failure(&full());
        assert!(!engine.is_healthy().await, "a probe was a moment ago");
    }

    #[tokio::test]
    async fn without_the_thread_that_writes_nothing_can_be_stored() {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = SqliteEngine::open(folder.path()).expect("an engine");
        let ends = engine.0.writer.run(Priority::ExistingWork, |_| Ok(()), |()| panic!("the thread ends"));
        assert!(ends.await.is_err());
        // This one waits for the end of the thread, or finds it.
        assert!(engine.0.writer.run(Priority::ExistingWork, |_| Ok(()), |()| ()).await.is_err());
        assert!(!engine.is_healthy().await);
    }
}
