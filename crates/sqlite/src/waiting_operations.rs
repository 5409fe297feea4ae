//! Waiting operations: what is submitted to the writer's thread, and which of it the next commit takes.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::operation::Operation;
use loanhook_core::ports::{StoreError, StoreResult};

/// How many operations share a commit at most.
const MAX_OPERATIONS_PER_COMMIT: usize = 512;
/// How many of them may bring new work in, where others go on with existing work.
const MAX_NEW_WORK_BESIDE_EXISTING: usize = 128;
/// How many operations that bring new work in may wait.
pub(super) const MAX_WAITING_NEW_WORK: usize = 8192;
/// How many bytes they may have; one that waits alone may have more.
pub(super) const MAX_WAITING_NEW_WORK_BYTES: usize = 64 << 20;
/// How long a completion waits for a commit of something else, and how many wait at most before they are committed
/// without one.
pub(super) const GATHER_TIME: Duration = Duration::from_millis(10);
const MAX_GATHERED: usize = 16;

/// Which operations go first, which are bounded, and which can wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Priority {
    /// It goes on with work that is in the store: first, and unbounded.
    ExistingWork,
    /// It ends work that is in the store, and nothing waits for it: as existing work, but it is gathered into the next commit
    /// of something else, or of enough of them. The caller asks for a commit ([`WaitingOperations::want_commit`]) once [`GATHER_TIME`] has passed.
    Completion,
    /// It brings new work in, of about so many bytes; refused where too much waits.
    NewWork { bytes: usize },
}

/// The operations that wait for a commit.
#[derive(Default)]
pub(super) struct WaitingOperations {
    waiting: Mutex<Waiting>,
    wanted: Condvar,
}

#[derive(Default)]
struct Waiting {
    existing_work: VecDeque<Operation>,
    /// With their bytes.
    new_work: VecDeque<(usize, Operation)>,
    new_work_bytes: usize,
    /// How many completions came since the last commit was taken.
    gathered: usize,
    /// A commit of what waits is to begin.
    commit_wanted: bool,
    /// The thread waits for that.
    idle: bool,
    closed: bool,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.existing_work.is_empty() && self.new_work.is_empty()
    }
}

impl WaitingOperations {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether operations are taken: false once this is closed.
    pub(super) fn is_open(&self) -> bool {
        !self.waiting().closed
    }

    /// How many operations wait: of existing work, and of new work.
    pub(super) fn counts(&self) -> (usize, usize) {
        let waiting = self.waiting();
        (waiting.existing_work.len(), waiting.new_work.len())
    }

    /// Takes an operation in.
    ///
    /// # Errors
    ///
    /// Where too much new work waits, and where this is closed.
    pub(super) fn submit(&self, priority: Priority, operation: Operation) -> StoreResult<()> {
        let mut waiting = self.waiting();
        if waiting.closed {
            return Err(StoreError::Failed("the store is closed".into()));
        }
        match priority {
            Priority::ExistingWork => waiting.existing_work.push_back(operation),
            Priority::Completion => {
                waiting.existing_work.push_back(operation);
                waiting.gathered += 1;
                if waiting.gathered < MAX_GATHERED {
                    return Ok(());
                }
            }
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
        self.wake(waiting);
        Ok(())
    }

    /// Lets a commit of what waits begin.
    pub(super) fn want_commit(&self) {
        self.wake(self.waiting());
    }

    fn wake(&self, mut waiting: MutexGuard<'_, Waiting>) {
        waiting.commit_wanted = true;
        // A busy writer needs no wake-up, which is a system call.
        let idle = std::mem::take(&mut waiting.idle);
        drop(waiting);
        if idle {
            self.wanted.notify_one();
        }
    }

    /// Takes no more operations; what waits is still committed.
    pub(super) fn close(&self) {
        let mut waiting = self.waiting();
        waiting.closed = true;
        self.wake(waiting);
    }

    /// Takes no more operations, and drops those that wait.
    pub(super) fn close_and_drop(&self) {
        let mut waiting = self.waiting();
        waiting.closed = true;
        waiting.existing_work.clear();
        waiting.new_work.clear();
    }

    /// Waits until a commit is wanted, and takes its operations. None once this is closed and nothing waits.
    pub(super) fn next_commit(&self) -> Option<Vec<Operation>> {
        let mut waiting = self.waiting();
        while !waiting.commit_wanted || waiting.is_empty() {
            if waiting.closed {
                return None;
            }
            // What a completion wanted may be committed already.
            waiting.commit_wanted = false;
            waiting.idle = true;
            waiting = self.wanted.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        let existing = waiting.existing_work.len().min(MAX_OPERATIONS_PER_COMMIT);
        let mut commit: Vec<_> = waiting.existing_work.drain(..existing).collect();
        // Existing work waits for no more than a few that bring new work in.
        let most = if existing > 0 { MAX_NEW_WORK_BESIDE_EXISTING } else { MAX_OPERATIONS_PER_COMMIT };
        let new = waiting.new_work.len().min(most);
        for (bytes, operation) in waiting.new_work.drain(..new).collect::<Vec<_>>() {
            waiting.new_work_bytes -= bytes;
            commit.push(operation);
        }
        waiting.gathered = 0;
        waiting.commit_wanted = waiting.closed || !waiting.is_empty();
        Some(commit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::Savepoint;

    fn submit(operations: &WaitingOperations, priority: Priority) {
        let nothing = Operation::new(Savepoint::NotNeeded, |_| Ok(()), |()| (), drop);
        operations.submit(priority, nothing).expect("taken");
    }

    fn is_commit_wanted(operations: &WaitingOperations) -> bool {
        operations.waiting().commit_wanted
    }

    #[test]
    fn completions_wait_for_something_else_or_for_enough_of_them() {
        let operations = WaitingOperations::default();
        for _ in 1..MAX_GATHERED {
            submit(&operations, Priority::Completion);
        }
        assert!(!is_commit_wanted(&operations));
        submit(&operations, Priority::Completion);
        assert!(is_commit_wanted(&operations), "there are enough");
        assert_eq!(operations.next_commit().expect("a commit").len(), MAX_GATHERED);

        for other in [Priority::ExistingWork, Priority::NewWork { bytes: 1 }] {
            submit(&operations, Priority::Completion);
            assert!(!is_commit_wanted(&operations));
            submit(&operations, other);
            assert!(is_commit_wanted(&operations), "{other:?}");
            assert_eq!(operations.next_commit().expect("a commit").len(), 2);
        }
    }

    #[test]
    fn what_waits_is_committed_after_the_close() {
        let operations = WaitingOperations::default();
        submit(&operations, Priority::Completion);
        operations.close();
        assert_eq!(operations.next_commit().expect("a commit").len(), 1);
        assert!(operations.next_commit().is_none());
    }
}
