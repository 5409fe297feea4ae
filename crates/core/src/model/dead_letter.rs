//! Dead letters: messages that could not be handled and were put aside, for an operator to look at.

use super::id::{JobId, SubscriptionId, TenantId, TraceId};
use super::time::Timestamp;

/// How many dead letters one list shows, and one call redrives, at most.
pub const MAX_DEAD_LETTERS: usize = 100;

/// A message that was put aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The engine's name of it.
    pub id: String,
    pub reason: DeadLetterReason,
    pub about: DeadLetterSubject,
    /// When it was put aside; none where the engine does not note it.
    pub since: Option<Timestamp>,
}

/// Why a message was put aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadLetterReason {
    /// It, or the delivery that it names, cannot be read: something else than this loanhook wrote it, or it was damaged.
    Unreadable,
    /// What handles it panicked, several times.
    Panicked,
    /// It was received again and again, and its handling never ended.
    NeverHandled,
}

/// What a message is about, as far as it can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeadLetterSubject {
    /// An attempt of a delivery; no number is that of a resend.
    Delivery { tenant: TenantId, trace: TraceId, attempt: Option<u32> },
    /// The steps of a recovery job.
    Job { tenant: TenantId, job: JobId },
    /// What waits of a subscription for a limit or a hold.
    Waiting { tenant: TenantId, subscription: SubscriptionId },
    /// It is no message of ours.
    Unknown,
}

/// Some dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterList {
    pub letters: Vec<DeadLetter>,
    /// There may be others.
    pub more: bool,
}

/// What became of a dead letter that was to be redriven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedriveOutcome {
    /// It is in its queue again.
    Redriven,
    NotFound,
    /// It is no message of ours, so there is no queue that it belongs to.
    NotOurs,
}
