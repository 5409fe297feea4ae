//! Progress of a delivery's automatic schedule: a state machine.
//!
//! A *number* counts attempts, a *slot* counts places in the retry schedule. An attempt that was interrupted uses up its
//! number but not its slot, until the third in a row, which counts as a failure.
//!
//! Each transition takes a state and returns the next one, or [`InvalidTransition`] where the state does not allow it.
//! Only [`Delivery`](super::delivery::Delivery) calls them; an engine stores what comes of it in the transaction that
//! read the state before.

use std::time::Duration;

use uuid::Uuid;

use super::id::AttemptId;
pub use super::status::{Status, UnknownStatus};
use super::time::Timestamp;

/// The state of the automatic schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The next attempt waits until it is due.
    Waiting(NextAttempt),
    /// An attempt is in flight. `due` is when it was due.
    Sending {
        claim: Claim,
        due: Timestamp,
    },
    /// The schedule was canceled while this attempt was in flight: it finishes, and is the last.
    Canceling(Claim),
    Succeeded,
    Failed,
    Canceled,
}

/// The number of the first attempt.
const FIRST_NUMBER: u32 = 1;

/// An automatic attempt that is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextAttempt {
    pub number: u32,
    pub slot: u32,
    pub due: Timestamp,
}

/// The automatic attempt that is in flight, and who sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    pub number: u32,
    pub slot: u32,
    pub attempt_id: AttemptId,
    /// The fencing token: only its holder can complete or release the attempt.
    pub token: Uuid,
    pub since: Timestamp,
}

/// What is to be done with a message whose attempt could not be claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnclaimedAction {
    /// Nothing is left to do for it.
    Discard,
    /// Its successor is due then; a crash may have lost the message for it.
    EnqueueSuccessor(NextAttempt),
    /// Another sender has it in flight, and holds its lease until then.
    WaitForLease { until: Timestamp },
    /// The lease of the sender that had it in flight is over.
    LeaseExpired(Claim),
}

/// A transition that the state does not allow. Nothing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a delivery that is {state} cannot be {transition}")]
pub struct InvalidTransition {
    state: &'static str,
    transition: &'static str,
}

impl Progress {
    /// The first attempt is due then.
    pub const fn new(due: Timestamp) -> Self {
        Self::Waiting(NextAttempt { number: FIRST_NUMBER, slot: 0, due })
    }

    pub const fn status(&self) -> Status {
        match self {
            Self::Waiting(_) | Self::Sending { .. } => Status::Pending,
            Self::Succeeded => Status::Succeeded,
            Self::Failed => Status::Failed,
            Self::Canceling(_) | Self::Canceled => Status::Canceled,
        }
    }

    /// The next automatic attempt, while it waits.
    pub const fn waiting(&self) -> Option<NextAttempt> {
        match self {
            Self::Waiting(next) => Some(*next),
            _ => None,
        }
    }

    /// When the next attempt is due; none while one is in flight, and at the end.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.waiting().map(|next| next.due)
    }

    /// The automatic attempt that is in flight.
    pub const fn in_flight(&self) -> Option<&Claim> {
        match self {
            Self::Sending { claim, .. } | Self::Canceling(claim) => Some(claim),
            _ => None,
        }
    }

    /// The attempt that is in flight under this token.
    pub fn in_flight_under(&self, token: Uuid) -> Option<&Claim> {
        self.in_flight().filter(|claim| claim.token == token)
    }

    /// Takes the attempt of this number, if it is the one that waits.
    pub(super) fn claim(
        self,
        number: u32,
        attempt_id: AttemptId,
        token: Uuid,
        since: Timestamp,
    ) -> Result<(Self, Claim), InvalidTransition> {
        match self {
            Self::Waiting(NextAttempt { number: waiting, slot, due }) if waiting == number => {
                let claim = Claim { number, slot, attempt_id, token, since };
                Ok((Self::Sending { claim, due }, claim))
            }
            state => Err(state.cannot_be("claimed under this number")),
        }
    }

    /// Ends the attempt that is in flight under this token; `then` is the state that follows where the schedule was not
    /// canceled meanwhile.
    pub(super) fn complete(
        self,
        token: Uuid,
        then: impl FnOnce(Claim) -> Self,
    ) -> Result<Self, InvalidTransition> {
        match self {
            Self::Sending { claim, .. } if claim.token == token => Ok(then(claim)),
            Self::Canceling(claim) if claim.token == token => Ok(Self::Canceled),
            state => Err(state.cannot_be("completed under this token")),
        }
    }

    /// Gives the attempt that is in flight under this token back: the same number is due again then.
    pub(super) fn release(self, token: Uuid, due: Timestamp) -> Result<Self, InvalidTransition> {
        match self {
            Self::Sending { claim, .. } if claim.token == token => {
                Ok(Self::Waiting(NextAttempt { number: claim.number, slot: claim.slot, due }))
            }
            Self::Canceling(claim) if claim.token == token => Ok(Self::Canceled),
            state => Err(state.cannot_be("released under this token")),
        }
    }

    /// Ends the automatic attempts; one in flight finishes.
    pub(super) fn cancel(self) -> Result<Self, InvalidTransition> {
        match self {
            Self::Waiting(_) => Ok(Self::Canceled),
            Self::Sending { claim, .. } => Ok(Self::Canceling(claim)),
            state => Err(state.cannot_be("canceled")),
        }
    }

    /// What to do with a message for this number that could not be claimed. Without a lease a sender is taken
    /// to be alive for ever.
    pub fn action_without_claim(
        &self,
        number: u32,
        now: Timestamp,
        lease: Option<Duration>,
    ) -> UnclaimedAction {
        match self {
            Self::Sending { claim, .. } | Self::Canceling(claim) if claim.number == number => {
                match lease.map(|lease| claim.since + lease) {
                    Some(until) if now >= until => UnclaimedAction::LeaseExpired(*claim),
                    Some(until) => UnclaimedAction::WaitForLease { until },
                    None => UnclaimedAction::Discard,
                }
            }
            Self::Waiting(next) if next.number == number + 1 => UnclaimedAction::EnqueueSuccessor(*next),
            _ => UnclaimedAction::Discard,
        }
    }

    const fn cannot_be(&self, transition: &'static str) -> InvalidTransition {
        let state = match self {
            Self::Waiting(_) => "waiting",
            Self::Sending { .. } => "sending",
            Self::Canceling(_) => "canceling",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        };
        InvalidTransition { state, transition }
    }
}

#[cfg(test)]
#[path = "progress_tests.rs"]
mod tests;
