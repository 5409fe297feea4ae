//! The report of a sweep: what a run did.

use std::sync::atomic::AtomicU64;

use serde::Serialize;

use super::gauges::SweepGauges;

/// What a run did: numbers of deliveries, of recovery jobs, and of subscriptions; and how late it was.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SweepReport {
    /// Put into the queue for the first time.
    pub handed_over: u64,
    /// Looked at after their time.
    pub checked: u64,
    /// Found with nothing under way, and put into the queue again.
    pub woken: u64,
    /// Recovery jobs whose messages were lost, and that were sent one.
    pub woken_jobs: u64,
    /// Subscriptions of which something waits for a limit or a hold, and that were sent a message to look at it again.
    pub woken_subscriptions: u64,
    /// Of the deliveries that were due and had nothing under way, for how long the oldest was due; 0 without one. What waits for
    /// a limit or a hold is not among them.
    pub oldest_due_seconds: u64,
    /// Of the deliveries that were put into the queue after their time, for how long the oldest was due; 0 without one. Such have
    /// waited for a permit of their receiver, which is slow or fails.
    pub slow_due_seconds: u64,
    /// How far the run left the oldest shard behind what it was to hand over; 0 where all was handed over. Retries are late
    /// where it is longer than five minutes.
    pub lag_seconds: u64,
    /// None where another part of the sweep reads them, or there was no time for it.
    #[serde(skip)]
    pub gauges: Option<SweepGauges>,
}

/// The numbers, while the run goes on.
#[derive(Default)]
pub(super) struct Counters {
    pub(super) handed_over: AtomicU64,
    pub(super) checked: AtomicU64,
    pub(super) woken: AtomicU64,
    pub(super) woken_jobs: AtomicU64,
    pub(super) woken_subscriptions: AtomicU64,
    pub(super) oldest_due_seconds: AtomicU64,
    pub(super) slow_due_seconds: AtomicU64,
    pub(super) lag_seconds: AtomicU64,
}

impl Counters {
    pub(super) fn report(self, gauges: Option<SweepGauges>) -> SweepReport {
        SweepReport {
            handed_over: self.handed_over.into_inner(),
            checked: self.checked.into_inner(),
            woken: self.woken.into_inner(),
            woken_jobs: self.woken_jobs.into_inner(),
            woken_subscriptions: self.woken_subscriptions.into_inner(),
            oldest_due_seconds: self.oldest_due_seconds.into_inner(),
            slow_due_seconds: self.slow_due_seconds.into_inner(),
            lag_seconds: self.lag_seconds.into_inner(),
            gauges,
        }
    }
}
