//! Writer: the one thread that changes the file.
//!
//! Whatever waits is committed together (`group_commit`), and an operation is answered only after the commit. What goes
//! on with work that is in the store goes before what brings new work in, and only so much new work may wait. A completion,
//! which nobody waits for, is gathered into the next commit of something else, for a short time.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::error;

use super::counts::CountWriter;
use super::group_commit::{CommitHealth, commit_group};
use super::operation::{Operation, Savepoint};
use super::waiting_operations::{GATHER_TIME, WaitingOperations};
use loanhook_core::ports::{StoreError, StoreResult};

pub(super) use super::waiting_operations::Priority;

/// How long a failed operation that must not be lost waits before it is tried again: first, and at most.
const FIRST_RETRY_DELAY: Duration = Duration::from_millis(50);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(5);

#[derive(Default)]
struct Shared {
    waiting: WaitingOperations,
    health: Arc<CommitHealth>,
}

pub(super) struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread. `counts` writes what operations add to the counts. `first_operation` may put an operation before all
    /// others of a commit. `between_commits` is called after each, once its operations are answered. `lock` is dropped after
    /// the last one.
    pub(super) fn start(
        connection: Connection,
        mut counts: CountWriter,
        lock: impl Send + 'static,
        mut first_operation: impl FnMut() -> Option<Operation> + Send + 'static,
        mut between_commits: impl FnMut(&Connection) + Send + 'static,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("writer".into()).spawn(move || {
            let _close = CloseOnDrop(Arc::clone(&of_thread));
            while let Some(group) = of_thread.waiting.next_commit() {
                let operations = first_operation().into_iter().chain(group);
                commit_group(&connection, &mut counts, operations, &of_thread.health);
                between_commits(&connection);
            }
            counts.close(&connection);
            drop(between_commits);
            drop(connection);
            drop(lock);
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Runs `work` in the next commit and answers after it. `after_commit` runs before the answer, on the writer's thread,
    /// in the order of the operations, if work and commit succeeded.
    ///
    /// # Errors
    ///
    /// Where too much new work waits, where the work or the commit failed, and where the thread has ended.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        priority: Priority,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
        after_commit: impl FnOnce(&mut T) + Send + 'static,
    ) -> StoreResult<T> {
        self.run_as(priority, Savepoint::Needed, work, after_commit).await
    }

    /// As [`Writer::run`], for work that fails before it has changed anything: see [`Savepoint::NotNeeded`].
    ///
    /// # Errors
    ///
    /// As [`Writer::run`].
    pub(super) async fn run_without_savepoint<T: Send + 'static>(
        &self,
        priority: Priority,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
        after_commit: impl FnOnce(&mut T) + Send + 'static,
    ) -> StoreResult<T> {
        self.run_as(priority, Savepoint::NotNeeded, work, after_commit).await
    }

    async fn run_as<T: Send + 'static>(
        &self,
        priority: Priority,
        savepoint: Savepoint,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
        after_commit: impl FnOnce(&mut T) + Send + 'static,
    ) -> StoreResult<T> {
        let (sender, mut receiver) = oneshot::channel();
        // A caller that went away does not want to know.
        let answer = |result| drop(sender.send(result));
        self.shared.waiting.submit(priority, Operation::new(savepoint, work, after_commit, answer))?;
        let stopped = |_| Err(StoreError::Failed("the writer stopped".into()));
        if priority == Priority::Completion {
            if let Ok(answered) = timeout(GATHER_TIME, &mut receiver).await {
                return answered.unwrap_or_else(stopped);
            }
            self.shared.waiting.want_commit();
        }
        receiver.await.unwrap_or_else(stopped)
    }

    /// As [`Writer::run`], for existing work that must not be lost: it is tried until it is committed.
    ///
    /// # Errors
    ///
    /// Where the thread has ended.
    pub(super) async fn run_until_committed<T: Send + 'static>(
        &self,
        work: impl Fn(&Connection) -> rusqlite::Result<T> + Clone + Send + 'static,
        after_commit: impl FnOnce(&mut T) + Clone + Send + 'static,
    ) -> StoreResult<T> {
        self.until_committed(Priority::ExistingWork, Savepoint::Needed, work, after_commit).await
    }

    /// As [`Writer::run_until_committed`], for a completion that needs no savepoint ([`Savepoint::NotNeeded`]). One that
    /// fails has a savepoint from then on, so that it fails no other of its commit again.
    ///
    /// # Errors
    ///
    /// Where the thread has ended.
    pub(super) async fn complete<T: Send + 'static>(
        &self,
        priority: Priority,
        work: impl Fn(&Connection) -> rusqlite::Result<T> + Clone + Send + 'static,
        after_commit: impl FnOnce(&mut T) + Clone + Send + 'static,
    ) -> StoreResult<T> {
        self.until_committed(priority, Savepoint::NotNeeded, work, after_commit).await
    }

    /// `savepoint` is that of the first try.
    async fn until_committed<T: Send + 'static>(
        &self,
        priority: Priority,
        mut savepoint: Savepoint,
        work: impl Fn(&Connection) -> rusqlite::Result<T> + Clone + Send + 'static,
        after_commit: impl FnOnce(&mut T) + Clone + Send + 'static,
    ) -> StoreResult<T> {
        let mut delay = FIRST_RETRY_DELAY;
        loop {
            match self.run_as(priority, savepoint, work.clone(), after_commit.clone()).await {
                Ok(value) => return Ok(value),
                Err(failure @ StoreError::Failed(_)) if self.is_open() => {
                    error!(%failure, "store.not_recorded_yet");
                    tokio::time::sleep(delay).await;
                    delay = (delay * 2).min(MAX_RETRY_DELAY);
                    savepoint = Savepoint::Needed;
                }
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) fn commit_health(&self) -> &Arc<CommitHealth> {
        &self.shared.health
    }

    /// How many operations wait for a commit: of existing work, and of new work.
    pub(super) fn waiting_counts(&self) -> (usize, usize) {
        self.shared.waiting.counts()
    }

    /// Whether it takes operations: false once its thread has ended.
    pub(super) fn is_open(&self) -> bool {
        self.shared.waiting.is_open()
    }
}

/// Closes the writer when its thread ends, even by a panic, so that nobody waits for it.
struct CloseOnDrop(Arc<Shared>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.waiting.close_and_drop();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.waiting.close();
        // Where the writer's own thread drops the last of what it worked for, it cannot wait for itself.
        let other = |thread: &JoinHandle<()>| thread.thread().id() != std::thread::current().id();
        if let Some(thread) = self.thread.take().filter(other) {
            // What panics in an operation is caught; a panic elsewhere is in the log already.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
#[path = "writer_tests/mod.rs"]
mod tests;
