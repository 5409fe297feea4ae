//! Writer of counts: with each commit it stores what that adds, and once in a while it folds what is stored.

use std::sync::Arc;
use std::time::Instant;

use rusqlite::Connection;
use tracing::error;

use super::log::CountLog;
use super::rows::RowSums;
use super::unfolded::Unfolded;
use super::{changes, rows};
use loanhook_core::model::report::CountChange;

/// Writes what the log of a commit adds, on the writer's thread.
pub(crate) struct CountWriter {
    log: Arc<CountLog>,
    unfolded: Unfolded,
    rows_of_last_fold: usize,
}

impl CountWriter {
    pub(crate) const fn new(log: Arc<CountLog>) -> Self {
        Self { log, unfolded: Unfolded::Unknown, rows_of_last_fold: 0 }
    }

    /// How many changes the operations of the commit have added so far.
    pub(crate) fn mark(&self) -> usize {
        self.log.mark()
    }

    /// Drops what was added after a mark: its operation is rolled back.
    pub(crate) fn roll_back_to(&self, mark: usize) {
        self.log.roll_back_to(mark);
    }

    /// Writes what was added, in the transaction that is about to be committed.
    pub(crate) fn flush(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let added = by_group(self.log.take());
        if added.is_empty() {
            return Ok(());
        }
        let now = Instant::now();
        let unfolded = self.unfolded.and(added.len(), now);
        if unfolded.are_due(now, self.rows_of_last_fold) {
            return self.fold(connection, added);
        }
        changes::store(connection, &added)?;
        self.unfolded = unfolded;
        Ok(())
    }

    /// As [`CountWriter::flush`], and leaves nothing unfolded.
    pub(crate) fn flush_and_fold(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.fold(connection, self.log.take())
    }

    /// Forgets what belongs to a commit that failed.
    pub(crate) fn discard(&mut self) {
        self.log.roll_back_to(0);
        self.unfolded = Unfolded::Unknown;
    }

    /// Folds what the last commits left, in a transaction of its own. Where that fails, the next start does it.
    pub(crate) fn close(&mut self, connection: &Connection) {
        if self.unfolded == Unfolded::None {
            return;
        }
        let folded = connection.unchecked_transaction().and_then(|transaction| {
            self.flush_and_fold(&transaction)?;
            transaction.commit()
        });
        if let Err(failure) = folded {
            error!(%failure, "store.counts_not_folded");
        }
    }

    /// Adds stored changes, and those that are added now, to the rows.
    fn fold(&mut self, connection: &Connection, added: Vec<CountChange>) -> rusqlite::Result<()> {
        let mut sums = RowSums::default();
        changes::for_each(connection, |change| sums.add(change))?;
        added.into_iter().for_each(|change| sums.add(change));
        let rows = rows::add(connection, sums)?;
        changes::delete_all(connection)?;
        (self.unfolded, self.rows_of_last_fold) = (Unfolded::None, rows);
        Ok(())
    }
}

/// Changes with one for each group.
fn by_group(mut changes: Vec<CountChange>) -> Vec<CountChange> {
    changes.sort_unstable_by(|one, other| one.group.cmp(&other.group));
    changes.dedup_by(|next, kept| {
        let same = next.group == kept.group;
        if same {
            kept.counts.add(&next.counts);
        }
        same
    });
    changes
}
