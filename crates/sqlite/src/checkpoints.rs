//! Checkpoints: the write-ahead log is copied back into the database file, on a thread of its own beside the writer.
//!
//! That takes many writes and a sync, and commits go on meanwhile. The thread copies what is in the log until little is
//! left. The rest the writer copies itself, between two commits: only while nothing is added to the log can all of it be
//! copied, and only then does the log begin anew in the same file.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use rusqlite::hooks::Wal;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, DEFAULT_NAME};
use tracing::error;

use super::readers::READER_CACHE_KIB;
use super::schema;

/// From how many pages (of 4 KiB) in the log on it is copied back.
pub(super) const CHECKPOINT_PAGES: usize = 4000;
/// The thread goes on while it has copied more pages than this in a round, but for so many rounds at most.
const FEW_PAGES: i32 = 400;
const MAX_ROUNDS: usize = 4;

/// The writer's side: when a checkpoint begins and ends.
pub(super) struct Checkpoints {
    checkpoint_pages: usize,
    /// How many pages the log has, as of the last commit.
    log_pages: Arc<AtomicUsize>,
    /// From how many on the next checkpoint begins.
    next_at: usize,
    running: bool,
    finished: Arc<AtomicBool>,
    /// None once the thread is to end.
    requests: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    /// Starts the thread for the database at `path`. `connection` is the writer's.
    pub(super) fn start(
        connection: &mut Connection,
        path: &Path,
        checkpoint_pages: usize,
    ) -> rusqlite::Result<Self> {
        let copying = Connection::open(path)?;
        schema::configure(&copying, READER_CACHE_KIB)?;
        let log_pages = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&log_pages);
        connection.wal_hook(Some(move |_: &mut Wal, pages| {
            seen.store(usize::try_from(pages).unwrap_or_default(), Ordering::Relaxed);
            Ok(())
        }))?;
        let finished = Arc::new(AtomicBool::new(false));
        let (requests, requested) = channel();
        let of_thread = Arc::clone(&finished);
        let thread = std::thread::Builder::new()
            .name("checkpoints".into())
            .spawn(move || run(&copying, &requested, &of_thread))
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        let next_at = checkpoint_pages;
        let (requests, thread) = (Some(requests), Some(thread));
        Ok(Self { checkpoint_pages, log_pages, next_at, running: false, finished, requests, thread })
    }

    /// Begins a checkpoint where the log is long enough, or ends the one that the thread has finished. To be called by the
    /// writer between two commits.
    pub(super) fn after_commit(&mut self, connection: &Connection) {
        if self.running {
            if self.finished.swap(false, Ordering::Acquire) {
                self.running = false;
                self.end(connection);
            }
        } else if self.log_pages.load(Ordering::Relaxed) >= self.next_at {
            self.running = self.requests.as_ref().is_some_and(|requests| requests.send(()).is_ok());
        }
    }

    /// Copies what is left. The next commit begins the log anew, if no reader needs what is in it.
    fn end(&mut self, connection: &Connection) {
        self.next_at = self.checkpoint_pages;
        match connection.wal_checkpoint_v2(DEFAULT_NAME, CheckpointMode::PASSIVE) {
            Ok((pages, copied)) if pages > copied => {
                self.next_at += usize::try_from(pages).unwrap_or_default();
            }
            Ok(_) => {}
            Err(failure) => {
                error!(%failure, "store.checkpoint_failed");
                self.next_at += self.log_pages.load(Ordering::Relaxed);
            }
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        drop(self.requests.take());
        if let Some(thread) = self.thread.take() {
            // It ends after its checkpoint; a panic in it is in the log already.
            let _ = thread.join();
        }
    }
}

/// Copies as often as it is requested, until nobody can request it any more.
fn run(connection: &Connection, requests: &Receiver<()>, finished: &AtomicBool) {
    while requests.recv().is_ok() {
        let mut copied_before = 0;
        for _ in 0..MAX_ROUNDS {
            match connection.wal_checkpoint_v2(DEFAULT_NAME, CheckpointMode::PASSIVE) {
                Ok((_, copied)) if copied - copied_before > FEW_PAGES => copied_before = copied,
                Ok(_) => break,
                Err(failure) => {
                    error!(%failure, "store.checkpoint_failed");
                    break;
                }
            }
        }
        finished.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEW: usize = 20;

    fn database(folder: &tempfile::TempDir) -> (std::path::PathBuf, Connection) {
        let path = folder.path().join("test.db");
        let connection = Connection::open(&path).expect("a database");
        schema::configure(&connection, READER_CACHE_KIB).expect("configured");
        connection.execute_batch("CREATE TABLE kept (bytes BLOB NOT NULL)").expect("a table");
        (path, connection)
    }

    /// Commits until the log begins anew, and gives how many commits that took.
    fn commit_until_log_begins_anew(connection: &Connection, checkpoints: &mut Checkpoints) -> usize {
        let mut before = 0;
        for commits in 1..100_000 {
            connection.execute("INSERT INTO kept VALUES (zeroblob(4096))", []).expect("a row");
            checkpoints.after_commit(connection);
            let pages = checkpoints.log_pages.load(Ordering::Relaxed);
            if pages < before {
                return commits;
            }
            before = pages;
        }
        panic!("the log only grows")
    }

    #[test]
    fn the_log_begins_anew_while_commits_go_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, mut connection) = database(&folder);
        let mut checkpoints = Checkpoints::start(&mut connection, &path, FEW).expect("a thread");
        let mut rows = 0;
        for _ in 0..3 {
            rows += commit_until_log_begins_anew(&connection, &mut checkpoints);
        }
        let count = connection.query_row("SELECT count(*) FROM kept", [], |row| row.get::<_, usize>(0));
        assert_eq!(count.expect("a count"), rows);
    }

    #[test]
    fn a_reader_that_stays_keeps_the_log_and_once_it_has_gone_the_log_begins_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, mut connection) = database(&folder);
        let mut checkpoints = Checkpoints::start(&mut connection, &path, FEW).expect("a thread");
        let reader = Connection::open(&path).expect("a reader");
        reader.execute_batch("BEGIN; SELECT count(*) FROM kept").expect("a snapshot");
        for _ in 0..10 * FEW {
            connection.execute("INSERT INTO kept VALUES (zeroblob(4096))", []).expect("a row");
            checkpoints.after_commit(&connection);
        }
        assert!(checkpoints.log_pages.load(Ordering::Relaxed) > 10 * FEW);
        reader.execute_batch("COMMIT").expect("it ends");
        commit_until_log_begins_anew(&connection, &mut checkpoints);
    }
}
