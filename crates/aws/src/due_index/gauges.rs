//! Gauges: how many deliveries wait and for what, and what is left of recovery jobs, at the moment of a sweep. For metrics alone.

use std::sync::atomic::Ordering;
use std::time::Instant;

use tokio::time::timeout_at;
use tracing::warn;

use super::report::Counters;
use super::sweep::Sweep;
use crate::engine::Aws;
use crate::items::item::document;
use crate::items::key_schema;
use crate::items::unreadable::readable;
use crate::jobs::JobTurn;
use loanhook_core::model::flow::WaitingReason;
use loanhook_core::model::job::{Job, JobKind};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{StoreError, StoreResult};

/// What waits, and which jobs are not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SweepGauges {
    pub waiting: WaitingCounts,
    /// One of each kind.
    pub jobs: [OpenJobs; JobKind::ALL.len()],
}

/// Deliveries that are due and do not leave, by the reason.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct WaitingCounts {
    pub limit: u64,
    pub order: u64,
    pub hold: u64,
}

/// The recovery jobs of a kind that are not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenJobs {
    pub kind: JobKind,
    pub jobs: u64,
    /// Items of their lists without an outcome.
    pub items_left: u64,
}

impl WaitingCounts {
    #[must_use]
    pub const fn of(&self, reason: WaitingReason) -> u64 {
        match reason {
            WaitingReason::Limit => self.limit,
            WaitingReason::Order => self.order,
            WaitingReason::Hold => self.hold,
        }
    }
}

impl Sweep {
    /// Reads the gauges, until `end` at the latest. Of several that sweep at once, one does. That they cannot be read fails no sweep.
    pub(super) async fn read_gauges(
        &self,
        now: Timestamp,
        end: Instant,
        counters: &Counters,
    ) -> Option<SweepGauges> {
        // What was put off for lack of time matters more.
        if !self.shards.contains(&0) || counters.lag_seconds.load(Ordering::Relaxed) > 0 {
            return None;
        }
        let read = timeout_at(end.into(), self.engine.gauges(now)).await.unwrap_or(Err(StoreError::Busy));
        read.inspect_err(|failure| warn!(%failure, "sweep.gauges_not_read")).ok()
    }
}

impl Aws {
    async fn gauges(&self, now: Timestamp) -> StoreResult<SweepGauges> {
        let (limit, hold) = self.count_waiting_for_flow(now).await?;
        let order = self.count_behind_others(now).await?;
        Ok(SweepGauges { waiting: WaitingCounts { limit, order, hold }, jobs: self.count_open_jobs().await? })
    }

    async fn count_open_jobs(&self) -> StoreResult<[OpenJobs; JobKind::ALL.len()]> {
        let turns = self.turns::<JobTurn>().await?;
        // Their kinds are not known.
        let keys = turns.iter().flat_map(|(JobTurn { tenant, job, .. }, _)| {
            JobKind::ALL.map(|kind| key_schema::job(tenant, kind, *job))
        });
        let items =
            if turns.is_empty() { Vec::new() } else { self.get_all_eventually(keys.collect()).await? };
        let open: Vec<Job> = readable(&items, document);
        let open = || open.iter().filter(|job| !job.is_over());
        Ok(JobKind::ALL.map(|kind| {
            let of_kind = || open().filter(|job| job.request.kind == kind);
            let items_left = of_kind().map(|job| u64::from(job.counts.left())).sum();
            OpenJobs { kind, jobs: of_kind().count() as u64, items_left }
        }))
    }
}
