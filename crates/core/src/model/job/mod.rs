//! Recovery job: a bulk resend, or a bulk cancel, of a fixed list of deliveries, worked off at a set pace.
//!
//! [`Job`] is what was asked and how far it has come; its list stands in [`JobChunk`]s beside it. Whoever changes a job
//! stores it as a whole with the chunks that it changed, if nobody else did meanwhile: see
//! [`Jobs`](crate::ports::Jobs). So a job says only what is decided, and every step begins with what is stored.

mod item;
mod pace;
mod status;

use super::attempt::ResendTo;
use super::delivery::DeliveryPosition;
use super::id::{JobId, TenantId};
use super::time::Timestamp;
use crate::delivery_list::DeliveryFilterInput;

pub use item::{ITEMS_PER_CHUNK, ItemOutcome, ItemState, JobChunk, JobItem, SkipReason};
pub use pace::Pace;
pub use status::JobStatus;

/// How many deliveries the list of a job has at most.
pub const MAX_ITEMS: u32 = 1_000_000;

/// What a job does with each delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobKind {
    Resend,
    /// Ends the automatic attempts.
    Cancel,
}

impl JobKind {
    pub const ALL: [Self; 2] = [Self::Resend, Self::Cancel];

    /// Its word in metrics and in stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resend => "resend",
            Self::Cancel => "cancel",
        }
    }
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRequest {
    pub kind: JobKind,
    pub selection: Selection,
    pub to: ResendTo,
    /// How many deliveries a second are taken at most.
    pub per_second: f64,
    /// Of each loan and subscription only the newest delivery of the list is resent.
    pub newest_per_loan: bool,
    /// After so many failures in a row the job stops.
    pub stop_after_failures: Option<u32>,
    /// Resends also what succeeded since it was listed.
    pub force: bool,
}

/// Which deliveries are on the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Those that pass a filter of the list across loans, accepted up to when the job was made. The texts were checked.
    Filter(Box<DeliveryFilterInput>),
    /// Those that were named; they are listed when the job is made.
    Traces,
}

/// A recovery job as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    pub id: JobId,
    pub tenant: TenantId,
    pub request: JobRequest,
    /// The name of the key that asked: `requestedBy` of its resends.
    pub requested_by: String,
    pub created_at: Timestamp,
    /// Counts the changes of what is stored, from 1: only the next one is stored.
    pub version: u64,
    /// Since when nothing of it is left to do.
    pub ended_at: Option<Timestamp>,
    /// Why nothing more is sent, if that is so before the list ended.
    pub stopped: Option<StopReason>,
    pub counts: JobCounts,
    pub progress: JobProgress,
}

/// How many deliveries of the list there are, and what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JobCounts {
    /// All that are listed so far.
    pub total: u32,
    pub succeeded: u32,
    pub failed: u32,
    pub skipped: u32,
    pub superseded: u32,
}

impl JobCounts {
    /// Those without an outcome: of a job that was stopped, what it left alone.
    pub const fn left(&self) -> u32 {
        self.total - self.succeeded - self.failed - self.skipped - self.superseded
    }

    /// How many have an outcome.
    pub const fn ended(&self) -> u32 {
        self.total - self.left()
    }

    /// Those with this outcome.
    pub const fn of(&self, outcome: ItemOutcome) -> u32 {
        match outcome {
            ItemOutcome::Waiting => self.left(),
            ItemOutcome::Succeeded => self.succeeded,
            ItemOutcome::Failed => self.failed,
            ItemOutcome::Skipped => self.skipped,
            ItemOutcome::Superseded => self.superseded,
        }
    }
}

/// Why a job sends nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// Somebody stopped it.
    Requested,
    /// So many resends in a row failed as were allowed.
    Failures,
    /// Its list would have more than [`MAX_ITEMS`] deliveries.
    TooManyDeliveries,
}

/// How far a job has come. Items of its list are named by their number: 0 is the newest delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobProgress {
    /// The position before which the list is still to be read; none when it is complete.
    pub listing: Option<DeliveryPosition>,
    /// Items with a number from this on were looked at: the list is worked off from its end, which is the oldest.
    pub next: u32,
    /// Items that were taken and have no outcome yet, in the order in which they were taken.
    pub open: Vec<u32>,
    /// Items that wait for the end of a resend of their loan, or for resends of their subscription to be sent; the oldest first.
    pub put_off: Vec<u32>,
    /// How many failures there were since the last success, by the ends of resends.
    pub failures_in_a_row: u32,
    pub pace: Pace,
}

impl Job {
    /// A job whose list is still to be read: from what was accepted when it was made back to the oldest.
    pub fn new(
        id: JobId,
        tenant: TenantId,
        request: JobRequest,
        requested_by: String,
        now: Timestamp,
    ) -> Self {
        let listing = match request.selection {
            Selection::Filter(_) => Some(DeliveryPosition::first_at(now.plus_millis(1))),
            Selection::Traces => None,
        };
        let progress = JobProgress {
            listing,
            next: 0,
            open: Vec::new(),
            put_off: Vec::new(),
            failures_in_a_row: 0,
            pace: Pace::from(now),
        };
        let (version, counts) = (1, JobCounts::default());
        Self {
            id,
            tenant,
            request,
            requested_by,
            created_at: now,
            version,
            ended_at: None,
            stopped: None,
            counts,
            progress,
        }
    }

    pub const fn status(&self) -> JobStatus {
        match (self.stopped, self.ended_at) {
            (Some(_), _) => JobStatus::Stopped,
            (None, Some(_)) => JobStatus::Done,
            (None, None) => JobStatus::Running,
        }
    }

    /// Whether nothing is left to do: all that was sent has its outcome, and nothing more is sent.
    pub const fn is_over(&self) -> bool {
        self.ended_at.is_some()
    }

    /// Sends nothing more. What was sent gets its outcome. The first reason stays.
    pub fn stop(&mut self, reason: StopReason, now: Timestamp) {
        self.stopped.get_or_insert(reason);
        self.end_if_over(now);
    }

    /// The list is complete: it is worked off from its end.
    pub fn end_listing(&mut self) {
        self.progress.listing = None;
        self.progress.next = self.counts.total;
    }

    /// Ends the job where nothing is left to do.
    pub fn end_if_over(&mut self, now: Timestamp) {
        let JobProgress { listing, next, open, put_off, .. } = &self.progress;
        let worked_off = listing.is_none() && *next == 0 && put_off.is_empty();
        if open.is_empty() && (worked_off || self.stopped.is_some()) {
            self.ended_at.get_or_insert(now);
        }
    }

    /// Counts the outcome of an item. Failures in a row stop the job where that was asked for.
    pub fn record_outcome(&mut self, state: ItemState) {
        let (counts, progress) = (&mut self.counts, &mut self.progress);
        match state.outcome() {
            ItemOutcome::Waiting => {}
            ItemOutcome::Succeeded => {
                counts.succeeded += 1;
                progress.failures_in_a_row = 0;
            }
            ItemOutcome::Failed => {
                counts.failed += 1;
                progress.failures_in_a_row += 1;
                if self.request.stop_after_failures.is_some_and(|most| progress.failures_in_a_row >= most) {
                    self.stopped.get_or_insert(StopReason::Failures);
                }
            }
            ItemOutcome::Skipped => counts.skipped += 1,
            ItemOutcome::Superseded => counts.superseded += 1,
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
