//! Operation: a part of a commit, with what follows the commit and the answer to its caller.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::Connection;

use super::errors::store_error;
use loanhook_core::ports::{StoreError, StoreResult};

/// Work of any type, to be executed once.
pub(super) struct Operation {
    execute: Box<Execute>,
    savepoint: Savepoint,
}

/// Whether an operation runs in a savepoint of its own: a savepoint copies each page that the operation changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Savepoint {
    /// What it changed is rolled back alone if it fails.
    Needed,
    /// It fails before it has changed anything, or because the database fails. If it fails after a change nevertheless, its
    /// whole commit fails.
    NotNeeded,
}

type Execute = dyn FnOnce(Option<&Connection>) -> Executed + Send;

/// An operation that ran in a transaction that is not committed yet.
pub(super) struct Executed {
    /// Whether the work succeeded. What a failed one changed is to be rolled back.
    pub(super) succeeded: bool,
    /// To be called with what became of the commit.
    pub(super) answer: Box<dyn FnOnce(StoreResult<()>) + Send>,
}

impl Operation {
    /// After the commit `after_commit` runs, if the work and the commit succeeded, and then `answer` is told how it went.
    pub(super) fn new<T: Send + 'static>(
        savepoint: Savepoint,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
        after_commit: impl FnOnce(&mut T) + Send + 'static,
        answer: impl FnOnce(StoreResult<T>) + Send + 'static,
    ) -> Self {
        let execute = Box::new(move |connection: Option<&Connection>| {
            let result = connection.map(|connection| catch_unwind(AssertUnwindSafe(|| work(connection))));
            let result: StoreResult<T> = match result {
                Some(Ok(result)) => result.map_err(|error| store_error(&error)),
                Some(Err(_)) => Err(StoreError::Failed("an operation panicked".into())),
                None => Err(StoreError::Failed("the transaction failed".into())),
            };
            let succeeded = result.is_ok();
            let answer = Box::new(move |committed: StoreResult<()>| {
                let mut result = result.and_then(|value| committed.map(|()| value));
                if let Ok(value) = &mut result {
                    after_commit(value);
                }
                answer(result);
            });
            Executed { succeeded, answer }
        });
        Self { execute, savepoint }
    }

    /// An operation that nobody waits for.
    pub(super) fn without_caller<T: Send + 'static>(
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
        after_commit: impl FnOnce(&mut T) + Send + 'static,
    ) -> Self {
        Self::new(Savepoint::Needed, work, after_commit, drop)
    }

    /// Runs the work; a panic in it is a failure. Without a connection there is no transaction to run in, and the answer
    /// is a failure.
    pub(super) fn execute(self, connection: Option<&Connection>) -> Executed {
        (self.execute)(connection)
    }

    pub(super) fn savepoint(&self) -> Savepoint {
        self.savepoint
    }
}
