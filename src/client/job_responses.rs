//! Responses of recovery jobs, as far as the commands show them.

use serde::Deserialize;

use super::responses::ListedDelivery;

/// A recovery job, and how far it has come.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    pub(crate) total: u64,
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
    pub(crate) superseded: u64,
    pub(crate) left: u64,
    pub(crate) list_complete: bool,
    pub(crate) per_second: f64,
    pub(crate) requested_by: String,
    pub(crate) created_at: String,
    pub(crate) ended_at: Option<String>,
}

impl Job {
    /// How many deliveries have an outcome.
    pub(crate) fn ended_items(&self) -> u64 {
        self.total - self.left
    }

    /// Whether nothing of it is left to do.
    pub(crate) fn is_over(&self) -> bool {
        self.ended_at.is_some()
    }
}

/// What a job would do.
#[derive(Debug, Deserialize)]
pub(crate) struct JobPlan {
    pub(crate) count: u64,
    pub(crate) more: bool,
    pub(crate) superseded: u64,
    pub(crate) loans: u64,
    pub(crate) deliveries: Vec<ListedDelivery>,
    pub(crate) seconds: f64,
}
