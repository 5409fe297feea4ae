//! Metrics: totals of what was committed since the start, and the values of now.
//!
//! The writer adds what a commit changed to the totals once the commit has succeeded ([`MetricTotals::add`]), so they agree with
//! the history through crashes: what was not committed is not counted, and what a restart finds was counted by the process
//! that committed it. Attempts that a start completes as interrupted count for that start. All else is read when somebody asks
//! ([`SqliteEngine::samples`](crate::SqliteEngine::samples)). Where nobody reads metrics there are no totals.

mod files;
mod samples;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use loanhook_core::model::metrics::names::COMMIT_BOUNDS;
use loanhook_core::model::metrics::{HistoryFact, HistoryMetrics, TimeHistogram};
use loanhook_core::model::report::CountChange;

/// What was counted since the start.
#[derive(Debug)]
pub(crate) struct MetricTotals {
    totals: Mutex<Totals>,
    /// The file of the database.
    database: PathBuf,
}

#[derive(Debug, Clone)]
struct Totals {
    history: HistoryMetrics,
    failed_commits: u64,
    commits: TimeHistogram,
}

impl MetricTotals {
    /// Nothing was counted yet.
    pub(crate) fn new(database: &Path) -> Self {
        let totals = Totals {
            history: HistoryMetrics::default(),
            failed_commits: 0,
            commits: TimeHistogram::new(COMMIT_BOUNDS),
        };
        Self { totals: Mutex::new(totals), database: database.into() }
    }

    fn totals(&self) -> MutexGuard<'_, Totals> {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what a commit changed. Its time is none where it is none of the writer's.
    pub(crate) fn add(&self, changes: &[CountChange], facts: &[HistoryFact], took: Option<Duration>) {
        let mut totals = self.totals();
        changes.iter().for_each(|change| totals.history.add_change(change));
        facts.iter().for_each(|fact| totals.history.add_fact(fact));
        if let Some(took) = took {
            totals.commits.record(took.as_secs_f64(), 1);
        }
    }

    /// Counts a commit that failed.
    pub(crate) fn add_failed_commit(&self) {
        self.totals().failed_commits += 1;
    }
}
