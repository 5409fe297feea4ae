//! Log of count changes: what the operations of the commit that is under way add to the counts.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use loanhook_core::model::report::{CountChange, Counting};
use loanhook_core::model::time::Timestamp;

/// What is added to the counts by the commit that is under way. Only operations of the writer add to it, one after another.
#[derive(Debug)]
pub(crate) struct CountLog {
    counting: Counting,
    changes: Mutex<Vec<CountChange>>,
}

impl CountLog {
    /// The log of a file, which says since when is counted.
    pub(crate) fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let since: Option<i64> = connection.query_row("SELECT since FROM counting", [], |row| row.get(0))?;
        let counting = since.map_or(Counting::ALL, |since| Counting::since(Timestamp::from_millis(since)));
        Ok(Self::new(counting))
    }

    pub(crate) const fn new(counting: Counting) -> Self {
        Self { counting, changes: Mutex::new(Vec::new()) }
    }

    /// What makes changes of the history into changes of the counts.
    pub(crate) const fn counting(&self) -> Counting {
        self.counting
    }

    fn changes(&self) -> MutexGuard<'_, Vec<CountChange>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds changes to the commit that is under way.
    pub(crate) fn add(&self, changes: impl IntoIterator<Item = CountChange>) {
        self.changes().extend(changes);
    }

    /// How many changes there are so far.
    pub(super) fn mark(&self) -> usize {
        self.changes().len()
    }

    /// Drops all changes after so many.
    pub(super) fn roll_back_to(&self, mark: usize) {
        self.changes().truncate(mark);
    }

    /// Takes all changes out.
    pub(super) fn take(&self) -> Vec<CountChange> {
        std::mem::take(&mut *self.changes())
    }
}
