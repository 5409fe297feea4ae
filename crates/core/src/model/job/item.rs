//! Items of a job's list, and the chunks in which they are stored.

use crate::model::id::{AttemptId, LoanId, SubscriptionId, TraceId};

/// How many items a chunk has; the last one may have fewer.
pub const ITEMS_PER_CHUNK: u32 = 100;

/// A part of a job's list, the newest delivery first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobChunk {
    /// From 0. The first item of it is the item of the list with [`ITEMS_PER_CHUNK`] times this number.
    pub number: u32,
    pub items: Vec<JobItem>,
}

/// A delivery on the list, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobItem {
    pub trace: TraceId,
    pub subscription: SubscriptionId,
    pub loan: LoanId,
    /// It had succeeded when it was listed: that it has is no reason to skip it.
    pub had_succeeded: bool,
    pub state: ItemState,
}

/// How far the job has come with an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemState {
    Waiting,
    /// A newer delivery of its loan and subscription is on the list.
    Superseded,
    /// It is to be resent or canceled, which may have happened.
    Taken,
    /// It was resent; the attempt has not ended.
    Sent(AttemptId),
    /// The attempt; none of a cancel.
    Succeeded(Option<AttemptId>),
    Failed(AttemptId),
    Skipped(SkipReason),
}

/// Why an item was neither resent nor canceled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipReason {
    /// It succeeded since it was listed.
    Succeeded,
    /// It has no automatic attempts to cancel.
    NotPending,
    /// The delivery cannot be read.
    Gone,
    /// It has no request: its template did not render.
    NothingToSend,
    /// It has no attempt: the one that it had was given back.
    NotAttempted,
    /// It is to be sent to the current address of its subscription, and there is none: see
    /// [`NoAddress`](crate::current_address::NoAddress).
    NoCurrentAddress,
}

/// What became of an item, by the words of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ItemOutcome {
    Waiting,
    Succeeded,
    Failed,
    Skipped,
    Superseded,
}

impl ItemState {
    pub const fn outcome(self) -> ItemOutcome {
        match self {
            Self::Waiting | Self::Taken | Self::Sent(_) => ItemOutcome::Waiting,
            Self::Superseded => ItemOutcome::Superseded,
            Self::Succeeded(_) => ItemOutcome::Succeeded,
            Self::Failed(_) => ItemOutcome::Failed,
            Self::Skipped(_) => ItemOutcome::Skipped,
        }
    }

    /// The attempt that resent it.
    pub const fn attempt(self) -> Option<AttemptId> {
        match self {
            Self::Sent(id) | Self::Failed(id) | Self::Succeeded(Some(id)) => Some(id),
            _ => None,
        }
    }

    pub const fn skip_reason(self) -> Option<SkipReason> {
        match self {
            Self::Skipped(reason) => Some(reason),
            _ => None,
        }
    }
}

impl ItemOutcome {
    /// All but [`Self::Waiting`].
    pub const ENDS: [Self; 4] = [Self::Succeeded, Self::Failed, Self::Skipped, Self::Superseded];

    pub const ALL: [Self; 5] =
        [Self::Waiting, Self::Succeeded, Self::Failed, Self::Skipped, Self::Superseded];

    /// Its word in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Superseded => "superseded",
        }
    }
}
