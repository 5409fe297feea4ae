//! The one thread that writes.
//!
//! Whatever waits is committed together, a savepoint each, so that one operation that fails takes no
//! other down; an operation is answered only after the commit. What ends an attempt goes before what
//! brings new work in, and only so much new work may wait.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::oneshot;
use tracing::error;

use crate::group_commit::{CommitHealth, commit_group};
use loanhook_core::ports::{StoreError, StoreResult};

/// How many operations share a commit at most.
const MAX_OPERATIONS_PER_COMMIT: usize = 512;
/// How many of them may bring new work in, where others go on with work that is there.
const MAX_NEW_WORK_BESIDE_EXISTING: usize = 32;
/// How many operations, and bytes of them, may wait to bring new work in.
const MAX_WAITING_NEW_WORK: usize = 8192;
const MAX_WAITING_NEW_WORK_BYTES: usize = 64 << 20;

/// What an operation is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Priority {
    /// It goes on with work that is there.
    ExistingWork,
    /// It brings new work in, of about so many bytes; refused where too much waits.
    NewWork(usize),
}

pub(super) type Answer = Box<dyn FnOnce(StoreResult<()>) + Send>;
/// Without a connection there is no transaction to work in, and the answer is a failure.
pub(super) type Work = Box<dyn FnOnce(Option<&Connection>) -> (bool, Answer) + Send>;

/// An operation that waits for a commit.
pub(super) struct Job {
    bytes: usize,
    work: Work,
}

impl Job {
    /// An operation that nobody waits for: it counts as done if its commit does, and `then` runs after that.
    pub(super) fn unasked<T: Send + 'static>(
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
        then: impl FnOnce(&mut T) + Send + 'static,
    ) -> Self {
        Self { bytes: 0, work: operation(work, then, drop) }
    }
}

#[derive(Default)]
struct Waiting {
    progress: VecDeque<Job>,
    intake: VecDeque<Job>,
    intake_bytes: usize,
    /// The thread waits for something to do.
    idle: bool,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    commits: Arc<CommitHealth>,
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
    /// Starts the thread; `guard` is let go of after its last commit. `first` may put an operation before all others of
    /// a commit.
    pub(super) fn start(
        connection: Connection,
        guard: impl Send + 'static,
        mut first: impl FnMut() -> Option<Job> + Send + 'static,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let work = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("writer".into()).spawn(move || {
            let _closing = Closing(Arc::clone(&work));
            while let Some(jobs) = next_group(&work) {
                let first = first().map(|job| job.work);
                commit_group(&connection, first.into_iter().chain(jobs), &work.commits);
            }
            drop(connection);
            drop(guard);
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Runs `work` in the next commit and answers after it. `then` runs first, on the writer's thread,
    /// in the order of the commits, if all went well.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        class: Priority,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
        then: impl FnOnce(&mut T) + Send + 'static,
    ) -> StoreResult<T> {
        let (sender, receiver) = oneshot::channel();
        // A caller that went away does not want to know.
        let answer = |result| drop(sender.send(result));
        self.submit(class, operation(work, then, answer))?;
        receiver.await.unwrap_or_else(|_| Err(StoreError::Failed("the writer stopped".into())))
    }

    /// As [`Writer::run`], for what must not be lost: it is tried until it is committed.
    pub(super) async fn run_until_committed<T: Send + 'static>(
        &self,
        work: impl Fn(&Connection) -> rusqlite::Result<T> + Clone + Send + 'static,
        then: impl FnOnce(&mut T) + Clone + Send + 'static,
    ) -> StoreResult<T> {
        let mut pause = Duration::from_millis(50);
        loop {
            match self.run(Priority::ExistingWork, work.clone(), then.clone()).await {
                Ok(value) => return Ok(value),
                Err(failure @ StoreError::Failed(_)) if !self.shared.waiting().closed => {
                    error!(%failure, "store.not_recorded_yet");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(5));
                }
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) fn commit_health(&self) -> &Arc<CommitHealth> {
        &self.shared.commits
    }

    /// Whether it takes operations: false once its thread has ended.
    pub(super) fn is_open(&self) -> bool {
        !self.shared.waiting().closed
    }

    fn submit(&self, class: Priority, work: Work) -> StoreResult<()> {
        let mut waiting = self.shared.waiting();
        if waiting.closed {
            return Err(StoreError::Failed("the store is closed".into()));
        }
        match class {
            Priority::ExistingWork => waiting.progress.push_back(Job { bytes: 0, work }),
            Priority::NewWork(bytes) => {
                let full = waiting.intake.len() >= MAX_WAITING_NEW_WORK
                    || waiting.intake_bytes + bytes > MAX_WAITING_NEW_WORK_BYTES;
                if full && !waiting.intake.is_empty() {
                    return Err(StoreError::Busy);
                }
                waiting.intake_bytes += bytes;
                waiting.intake.push_back(Job { bytes, work });
            }
        }
        // A call to the system that a busy writer needs not.
        let idle = waiting.idle;
        drop(waiting);
        if idle {
            self.shared.arrived.notify_one();
        }
        Ok(())
    }
}

/// `work` as a part of a commit: after that `then` runs if all went well, and `answer` is told how it went.
fn operation<T: Send + 'static>(
    work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    then: impl FnOnce(&mut T) + Send + 'static,
    answer: impl FnOnce(StoreResult<T>) + Send + 'static,
) -> Work {
    Box::new(move |connection| {
        let result = connection.map(|connection| catch_unwind(AssertUnwindSafe(|| work(connection))));
        let result: StoreResult<T> = match result {
            Some(Ok(result)) => result.map_err(|error| super::store_error(&error)),
            Some(Err(_)) => Err(StoreError::Failed("an operation panicked".into())),
            None => Err(StoreError::Failed("the transaction failed".into())),
        };
        let keep = result.is_ok();
        let answer: Answer = Box::new(move |committed| {
            let mut result = result.and_then(|value| committed.map(|()| value));
            if let Ok(value) = &mut result {
                then(value);
            }
            answer(result);
        });
        (keep, answer)
    })
}

/// However the thread ends, nobody waits for it any more.
struct Closing(Arc<Shared>);

impl Drop for Closing {
    fn drop(&mut self) {
        let mut waiting = self.0.waiting();
        waiting.closed = true;
        waiting.progress.clear();
        waiting.intake.clear();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.waiting().closed = true;
        self.shared.arrived.notify_one();
        // It may be the writer's own thread that lets go of the last of what it worked for.
        let other = |thread: &JoinHandle<()>| thread.thread().id() != std::thread::current().id();
        if let Some(thread) = self.thread.take().filter(other) {
            // What panics in an operation is caught: a panic here has nothing left to say.
            let _ = thread.join();
        }
    }
}

/// Waits for work; none once the writer is closed and nothing waits.
fn next_group(shared: &Shared) -> Option<Vec<Work>> {
    let mut waiting = shared.waiting();
    while waiting.progress.is_empty() && waiting.intake.is_empty() {
        if waiting.closed {
            return None;
        }
        waiting.idle = true;
        waiting = shared.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        waiting.idle = false;
    }
    let going_on = waiting.progress.len().min(MAX_OPERATIONS_PER_COMMIT);
    let mut jobs: Vec<_> = waiting.progress.drain(..going_on).map(|job| job.work).collect();
    // What goes on waits for no more than a few of those that come in.
    let most = if going_on > 0 { MAX_NEW_WORK_BESIDE_EXISTING } else { MAX_OPERATIONS_PER_COMMIT };
    let coming_in = waiting.intake.len().min(most);
    for job in waiting.intake.drain(..coming_in).collect::<Vec<_>>() {
        waiting.intake_bytes -= job.bytes;
        jobs.push(job.work);
    }
    Some(jobs)
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
