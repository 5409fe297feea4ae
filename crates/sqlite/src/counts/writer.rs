//! Writer of counts: with each commit it stores what that adds, and once in a while it folds what is stored.

use std::sync::Arc;
use std::time::Instant;

use rusqlite::Connection;
use tracing::error;

use super::log::{CountLog, Mark, Uncommitted};
use super::rows::RowSums;
use super::unfolded::Unfolded;
use super::{changes, rows};
use loanhook_core::model::report::CountChange;

/// Writes what the log of a commit adds, on the writer's thread.
pub(crate) struct CountWriter {
    log: Arc<CountLog>,
    unfolded: Unfolded,
    rows_of_last_fold: usize,
    /// What the commit that is under way adds to metrics.
    uncommitted: Uncommitted,
}

impl CountWriter {
    pub(crate) fn new(log: Arc<CountLog>) -> Self {
        Self { log, unfolded: Unfolded::Unknown, rows_of_last_fold: 0, uncommitted: Uncommitted::default() }
    }

    /// The time of a beginning commit, where metrics have it.
    pub(crate) fn began(&self) -> Option<Instant> {
        self.log.metrics().map(|_| Instant::now())
    }

    /// How much the operations of the commit have added so far.
    pub(crate) fn mark(&self) -> Mark {
        self.log.mark()
    }

    /// Drops what was added after a mark: its operation is rolled back.
    pub(crate) fn roll_back_to(&self, mark: Mark) {
        self.log.roll_back_to(mark);
    }

    /// Writes what was added, in the transaction that is about to be committed.
    pub(crate) fn flush(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let added = by_group(self.take());
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
        let added = self.take();
        self.fold(connection, added)
    }

    /// Takes what the commit adds out of the log, and keeps it for metrics until the commit has succeeded.
    fn take(&mut self) -> Vec<CountChange> {
        let taken = self.log.take();
        if self.log.metrics().is_none() {
            return taken.changes;
        }
        self.uncommitted = taken;
        self.uncommitted.changes.clone()
    }

    /// The commit has succeeded, and began then: adds it to metrics.
    pub(crate) fn committed(&mut self, began: Option<Instant>) {
        let Uncommitted { changes, facts } = std::mem::take(&mut self.uncommitted);
        if let Some(metrics) = self.log.metrics() {
            metrics.add(&changes, &facts, began.map(|began| began.elapsed()));
        }
    }

    /// Forgets what belongs to a commit that failed.
    pub(crate) fn discard(&mut self) {
        self.log.take();
        self.uncommitted = Uncommitted::default();
        self.unfolded = Unfolded::Unknown;
        if let Some(metrics) = self.log.metrics() {
            metrics.add_failed_commit();
        }
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
