//! Health of the store: whether the writer takes operations, and commits succeed. After a failed commit a probe finds out
//! when they succeed again. Who asks whether the store is ready has a small probe made in any case.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, params};
use tokio::time::timeout;

use super::SqliteEngine;
use super::group_commit::CommitHealth;
use super::writer::Priority;
use loanhook_core::ports::{Health, NotReady};
use loanhook_core::readiness::LastReadiness;

/// How long a probe may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);
/// How much a probe writes after a failed commit: as much as the largest event. On a full disk less may fit all the same.
const PROBE_BYTES: i32 = 256 << 10;
/// How much a probe writes while commits succeed: more than a page.
const SMALL_PROBE_BYTES: i32 = 8 << 10;

/// The last answer to whether the store is ready.
#[derive(Default)]
pub(super) struct Readiness {
    last: LastReadiness,
    /// A probe waits for the writer.
    is_probing: Arc<AtomicBool>,
}

/// A probe that waits for the writer. It waits no longer when this is dropped: where it begins, and where an operation before it
/// ended the transaction, so that it never does.
struct WaitingProbe(Arc<AtomicBool>);

impl Drop for WaitingProbe {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Health for SqliteEngine {
    /// After a failed commit, only a probe as large as the largest event counts as a success.
    async fn is_healthy(&self) -> bool {
        let commits = self.0.writer.commit_health();
        if commits.are_failing() && commits.take_probe(Instant::now()) {
            let (noted, probed) = (Arc::clone(commits), Arc::clone(commits));
            let probe = self.0.writer.run(
                Priority::ExistingWork,
                move |connection| put_probe(connection, PROBE_BYTES, &noted),
                move |()| probed.record_success(),
            );
            if let Ok(Ok(())) = timeout(PROBE_TIMEOUT, probe).await {
                self.delete_probe().await;
            }
        }
        self.0.writer.is_open() && !commits.are_failing()
    }

    async fn readiness(&self) -> Result<(), NotReady> {
        self.0.readiness.last.or_try(self.probe()).await
    }
}

impl SqliteEngine {
    /// Whether a commit succeeds.
    async fn probe(&self) -> Result<(), NotReady> {
        let (commits, is_probing) = (self.0.writer.commit_health(), &self.0.readiness.is_probing);
        if !self.is_healthy().await {
            return Err(match self.0.writer.is_open() {
                true => commits.last_failure().unwrap_or(NotReady::Failed),
                false => NotReady::Stopped,
            });
        }
        // Where a disk hangs, probes do not pile up.
        if is_probing.swap(true, Ordering::AcqRel) {
            return Err(NotReady::TooSlow);
        }
        let (noted, waiting) = (Arc::clone(commits), WaitingProbe(Arc::clone(is_probing)));
        let work = move |connection: &Connection| {
            drop(waiting);
            put_probe(connection, SMALL_PROBE_BYTES, &noted)
        };
        match timeout(PROBE_TIMEOUT, self.0.writer.run(Priority::ExistingWork, work, |()| ())).await {
            Ok(Ok(())) => {
                commits.record_success();
                self.delete_probe().await;
                Ok(())
            }
            Ok(Err(_)) => Err(commits.last_failure().unwrap_or(NotReady::Failed)),
            Err(_) => Err(NotReady::TooSlow),
        }
    }

    /// Where this fails, the next probe replaces what was left.
    async fn delete_probe(&self) {
        let _ =
            timeout(PROBE_TIMEOUT, self.0.writer.run(Priority::ExistingWork, delete_probe, |()| ())).await;
    }
}

/// Why nothing can be stored, by an error of SQLite.
pub(super) fn not_ready(failure: &rusqlite::Error) -> NotReady {
    match failure.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => NotReady::DiskFull,
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => NotReady::ReadOnly,
        _ => NotReady::Failed,
    }
}

/// Stores a payload of no tenant. Notes why that fails.
fn put_probe(connection: &Connection, bytes: i32, commits: &CommitHealth) -> rusqlite::Result<()> {
    let stored = connection
        .prepare_cached("INSERT OR REPLACE INTO payloads (tenant, key, bytes) VALUES ('', x'', zeroblob(?1))")
        .and_then(|mut statement| statement.execute(params![bytes]));
    stored.map(|_| ()).inspect_err(|failure| commits.note_failure(failure))
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
    async fn a_store_is_ready_where_a_commit_succeeds_and_says_why_it_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = SqliteEngine::open(folder.path()).expect("an engine");
        // As on a full disk: the file is not to become larger than it is.
        let fills = |connection: &Connection| connection.execute_batch("PRAGMA max_page_count = 1");
        engine.0.writer.run(Priority::ExistingWork, fills, |()| ()).await.expect("done");
        assert_eq!(engine.probe().await, Err(NotReady::DiskFull));
        assert_eq!(engine.readiness().await, Err(NotReady::DiskFull));
        let makes_room = |connection: &Connection| connection.execute_batch("PRAGMA max_page_count = 100000");
        engine.0.writer.run(Priority::ExistingWork, makes_room, |()| ()).await.expect("done");
        assert_eq!(engine.readiness().await, Err(NotReady::DiskFull), "the answer of a moment ago");
        engine.0.writer.commit_health().record_success();
        assert_eq!(engine.probe().await, Ok(()));
        let left = |connection: &Connection| {
            connection.query_row("SELECT count(*) FROM payloads", [], |row| row.get::<_, i64>(0))
        };
        assert_eq!(engine.read(left).await.expect("read"), 0, "nothing is left of it");
    }

    #[tokio::test]
    async fn a_writer_that_hangs_is_too_slow_and_is_probed_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = SqliteEngine::open(folder.path()).expect("an engine");
        let (ends, ended) = std::sync::mpsc::channel::<()>();
        let (began, begins) = tokio::sync::oneshot::channel();
        let hangs = {
            let engine = engine.clone();
            let work = move |_: &Connection| {
                let _ = began.send(());
                let _ = ended.recv();
                Ok(())
            };
            tokio::spawn(async move { engine.0.writer.run(Priority::ExistingWork, work, |()| ()).await })
        };
        begins.await.expect("it hangs");
        // Its time is over as soon as nothing else is to be done.
        tokio::time::pause();
        for _ in 0..2 {
            assert_eq!(engine.probe().await, Err(NotReady::TooSlow));
        }
        assert_eq!(engine.0.writer.waiting_counts().0, 1, "of two probes one waits");
        tokio::time::resume();
        drop(ends);
        hangs.await.expect("it ends").expect("done");
        // What waited has had its turn by then.
        engine.0.writer.run(Priority::ExistingWork, |_| Ok(()), |()| ()).await.expect("done");
        assert_eq!(engine.probe().await, Ok(()));
    }

    #[test]
    fn errors_of_sqlite_by_table() {
        use rusqlite::ffi;
        for (code, reason) in [
            (ffi::SQLITE_FULL, NotReady::DiskFull),
            (ffi::SQLITE_READONLY, NotReady::ReadOnly),
            (ffi::SQLITE_READONLY_DBMOVED, NotReady::ReadOnly),
            (ffi::SQLITE_CANTOPEN, NotReady::ReadOnly),
            (ffi::SQLITE_IOERR_WRITE, NotReady::Failed),
            (ffi::SQLITE_CORRUPT, NotReady::Failed),
        ] {
            let failure = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            assert_eq!(not_ready(&failure), reason, "{code}");
        }
        assert_eq!(not_ready(&rusqlite::Error::InvalidQuery), NotReady::Failed);
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
        assert_eq!(engine.readiness().await, Err(NotReady::Stopped));
    }
}
