//! Writer: the one thread that changes the file.
//!
//! Whatever waits is committed together (`group_commit`), and an operation is answered only after the commit. What goes
//! on with work that is in the store goes before what brings new work in, and only so much new work may wait.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::oneshot;
use tracing::error;

use super::group_commit::{CommitHealth, commit_group};
use super::operation::Operation;
use loanhook_core::ports::{StoreError, StoreResult};

/// How many operations share a commit at most.
const MAX_OPERATIONS_PER_COMMIT: usize = 512;
/// How many of them may bring new work in, where others go on with existing work.
const MAX_NEW_WORK_BESIDE_EXISTING: usize = 32;
/// How many operations that bring new work in may wait.
const MAX_WAITING_NEW_WORK: usize = 8192;
/// How many bytes they may have; one that waits alone may have more.
const MAX_WAITING_NEW_WORK_BYTES: usize = 64 << 20;
/// How long a failed operation that must not be lost waits before it is tried again: first, and at most.
const FIRST_RETRY_DELAY: Duration = Duration::from_millis(50);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(5);

/// Which operations go first, and which are bounded.
#[derive(Debug, Clone, Copy)]
pub(super) enum Priority {
    /// It goes on with work that is in the store: first, and unbounded.
    ExistingWork,
    /// It brings new work in, of about so many bytes; refused where too much waits.
    NewWork { bytes: usize },
}

#[derive(Default)]
struct Waiting {
    existing_work: VecDeque<Operation>,
    /// With their bytes.
    new_work: VecDeque<(usize, Operation)>,
    new_work_bytes: usize,
    /// The thread waits for something to do.
    idle: bool,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    health: Arc<CommitHealth>,
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread. `lock` is dropped after its last commit. `first_operation` may put an operation before all
    /// others of a commit.
    pub(super) fn start(
        connection: Connection,
        lock: impl Send + 'static,
        mut first_operation: impl FnMut() -> Option<Operation> + Send + 'static,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("writer".into()).spawn(move || {
            let _close = CloseOnDrop(Arc::clone(&of_thread));
            while let Some(group) = next_group(&of_thread) {
                commit_group(&connection, first_operation().into_iter().chain(group), &of_thread.health);
            }
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
        let (sender, receiver) = oneshot::channel();
        // A caller that went away does not want to know.
        let answer = |result| drop(sender.send(result));
        self.submit(priority, Operation::new(work, after_commit, answer))?;
        receiver.await.unwrap_or_else(|_| Err(StoreError::Failed("the writer stopped".into())))
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
        let mut delay = FIRST_RETRY_DELAY;
        loop {
            match self.run(Priority::ExistingWork, work.clone(), after_commit.clone()).await {
                Ok(value) => return Ok(value),
                Err(failure @ StoreError::Failed(_)) if self.is_open() => {
                    error!(%failure, "store.not_recorded_yet");
                    tokio::time::sleep(delay).await;
                    delay = (delay * 2).min(MAX_RETRY_DELAY);
                }
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) fn commit_health(&self) -> &Arc<CommitHealth> {
        &self.shared.health
    }

    /// Whether it takes operations: false once its thread has ended.
    pub(super) fn is_open(&self) -> bool {
        !self.shared.waiting().closed
    }

    fn submit(&self, priority: Priority, operation: Operation) -> StoreResult<()> {
        let mut waiting = self.shared.waiting();
        if waiting.closed {
            return Err(StoreError::Failed("the store is closed".into()));
        }
        match priority {
            Priority::ExistingWork => waiting.existing_work.push_back(operation),
            Priority::NewWork { bytes } => {
                let full = waiting.new_work.len() >= MAX_WAITING_NEW_WORK
                    || waiting.new_work_bytes + bytes > MAX_WAITING_NEW_WORK_BYTES;
                if full && !waiting.new_work.is_empty() {
                    return Err(StoreError::Busy);
                }
                waiting.new_work_bytes += bytes;
                waiting.new_work.push_back((bytes, operation));
            }
        }
        // A busy writer needs no wake-up, which is a system call.
        let idle = waiting.idle;
        drop(waiting);
        if idle {
            self.shared.arrived.notify_one();
        }
        Ok(())
    }
}

/// Closes the writer when its thread ends, even by a panic, so that nobody waits for it.
struct CloseOnDrop(Arc<Shared>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        let mut waiting = self.0.waiting();
        waiting.closed = true;
        waiting.existing_work.clear();
        waiting.new_work.clear();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.waiting().closed = true;
        self.shared.arrived.notify_one();
        // Where the writer's own thread drops the last of what it worked for, it cannot wait for itself.
        let other = |thread: &JoinHandle<()>| thread.thread().id() != std::thread::current().id();
        if let Some(thread) = self.thread.take().filter(other) {
            // What panics in an operation is caught; a panic elsewhere is in the log already.
            let _ = thread.join();
        }
    }
}

/// Waits for operations and takes those of the next commit. None once the writer is closed and nothing waits.
fn next_group(shared: &Shared) -> Option<Vec<Operation>> {
    let mut waiting = shared.waiting();
    while waiting.existing_work.is_empty() && waiting.new_work.is_empty() {
        if waiting.closed {
            return None;
        }
        waiting.idle = true;
        waiting = shared.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        waiting.idle = false;
    }
    let existing = waiting.existing_work.len().min(MAX_OPERATIONS_PER_COMMIT);
    let mut group: Vec<_> = waiting.existing_work.drain(..existing).collect();
    // Existing work waits for no more than a few that bring new work in.
    let most = if existing > 0 { MAX_NEW_WORK_BESIDE_EXISTING } else { MAX_OPERATIONS_PER_COMMIT };
    let new = waiting.new_work.len().min(most);
    for (bytes, operation) in waiting.new_work.drain(..new).collect::<Vec<_>>() {
        waiting.new_work_bytes -= bytes;
        group.push(operation);
    }
    Some(group)
}

#[cfg(test)]
#[path = "writer_tests/mod.rs"]
mod tests;
