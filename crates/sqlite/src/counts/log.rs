//! Log of count changes: what the operations of the commit that is under way add to the counts, and to metrics.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use crate::metrics::MetricTotals;
use loanhook_core::model::ledger::LedgerEvent;
use loanhook_core::model::metrics::HistoryFact;
use loanhook_core::model::report::{CountChange, Counting};
use loanhook_core::model::time::Timestamp;

/// What is added to the counts by the commit that is under way. Only operations of the writer add to it, one after another.
#[derive(Debug)]
pub(crate) struct CountLog {
    counting: Counting,
    /// None where nobody reads metrics.
    metrics: Option<Arc<MetricTotals>>,
    uncommitted: Mutex<Uncommitted>,
}

/// What the operations of a commit added so far.
#[derive(Debug, Default)]
pub(super) struct Uncommitted {
    pub(super) changes: Vec<CountChange>,
    /// For metrics alone.
    pub(super) facts: Vec<HistoryFact>,
}

/// How much there was at a moment.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mark {
    changes: usize,
    facts: usize,
}

impl CountLog {
    /// The log of a file, which says since when is counted.
    pub(crate) fn of(connection: &Connection, metrics: Option<Arc<MetricTotals>>) -> rusqlite::Result<Self> {
        let since: Option<i64> = connection.query_row("SELECT since FROM counting", [], |row| row.get(0))?;
        let counting = since.map_or(Counting::ALL, |since| Counting::since(Timestamp::from_millis(since)));
        Ok(Self { metrics, ..Self::new(counting) })
    }

    pub(crate) fn new(counting: Counting) -> Self {
        Self { counting, metrics: None, uncommitted: Mutex::default() }
    }

    /// What makes changes of the history into changes of the counts.
    pub(crate) const fn counting(&self) -> Counting {
        self.counting
    }

    /// What counts for metrics, where somebody reads them.
    pub(crate) const fn metrics(&self) -> Option<&Arc<MetricTotals>> {
        self.metrics.as_ref()
    }

    fn uncommitted(&self) -> MutexGuard<'_, Uncommitted> {
        self.uncommitted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds changes to the commit that is under way.
    pub(crate) fn add(&self, changes: impl IntoIterator<Item = CountChange>) {
        self.uncommitted().changes.extend(changes);
    }

    /// Adds what no report counts, where somebody reads metrics.
    pub(crate) fn add_facts(&self, facts: impl IntoIterator<Item = HistoryFact>) {
        if self.metrics.is_some() {
            self.uncommitted().facts.extend(facts);
        }
    }

    /// Adds an event that is new, with its verdicts.
    pub(crate) fn add_event(&self, event: &LedgerEvent) {
        if let Some(change) = self.counting.event(event) {
            self.add([change]);
            self.add_facts(HistoryFact::verdicts(event));
        }
    }

    /// How much there is so far.
    pub(super) fn mark(&self) -> Mark {
        let uncommitted = self.uncommitted();
        Mark { changes: uncommitted.changes.len(), facts: uncommitted.facts.len() }
    }

    /// Drops all that came after a mark.
    pub(super) fn roll_back_to(&self, mark: Mark) {
        let mut uncommitted = self.uncommitted();
        uncommitted.changes.truncate(mark.changes);
        uncommitted.facts.truncate(mark.facts);
    }

    /// Takes all out.
    pub(super) fn take(&self) -> Uncommitted {
        std::mem::take(&mut *self.uncommitted())
    }
}
