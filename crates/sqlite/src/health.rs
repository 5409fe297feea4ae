//! Health of the store: whether the writer takes operations, and commits succeed. After a failed commit a probe finds out
//! when they succeed again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use tokio::time::timeout;

use super::SqliteEngine;
use super::writer::Priority;
use loanhook_core::ports::Health;

/// How long a probe may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);
/// How much a probe writes: as much as the largest event. On a full disk less may fit all the same.
const PROBE_BYTES: i32 = 256 << 10;

impl Health for SqliteEngine {
    /// After a failed commit, only a probe as large as the largest event counts as a success.
    async fn is_healthy(&self) -> bool {
        let commits = self.0.writer.commit_health();
        if commits.are_failing() && commits.take_probe(Instant::now()) {
            let probed = Arc::clone(commits);
            let probe =
                self.0.writer.run(Priority::ExistingWork, put_probe, move |()| probed.record_success());
            if let Ok(Ok(())) = timeout(PROBE_TIMEOUT, probe).await {
                // Where this fails, the next probe replaces what was left.
                let _ =
                    timeout(PROBE_TIMEOUT, self.0.writer.run(Priority::ExistingWork, delete_probe, |()| ()))
                        .await;
            }
        }
        self.0.writer.is_open() && !commits.are_failing()
    }
}

/// Stores a payload of no tenant.
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

    fn failure() -> rusqlite::Error {
        rusqlite::Error::InvalidQuery
    }

    #[tokio::test]
    async fn after_a_failed_commit_the_store_is_healthy_once_a_probe_succeeds() {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = SqliteEngine::open(folder.path()).expect("an engine");
        assert!(engine.is_healthy().await);
        engine.0.writer.commit_health().record_failure(&failure());
        assert!(engine.is_healthy().await, "the probe was stored");
        let left = |connection: &Connection| {
            connection.query_row("SELECT count(*) FROM payloads", [], |row| row.get::<_, i64>(0))
        };
        assert_eq!(engine.read(left).await.expect("read"), 0, "and deleted again");
        engine.0.writer.commit_health().record_failure(&failure());
        assert!(!engine.is_healthy().await, "a probe was a moment ago");
    }

    #[tokio::test]
    async fn without_the_thread_of_the_writer_the_store_is_not_healthy() {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = SqliteEngine::open(folder.path()).expect("an engine");
        let ends = engine.0.writer.run(Priority::ExistingWork, |_| Ok(()), |()| panic!("the thread ends"));
        assert!(ends.await.is_err());
        // This one waits for the end of the thread, or finds it.
        assert!(engine.0.writer.run(Priority::ExistingWork, |_| Ok(()), |()| ()).await.is_err());
        assert!(!engine.is_healthy().await);
    }
}
