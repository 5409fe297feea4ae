//! How far a delivery's automatic schedule has come, and every step it can take.
//!
//! A *number* counts attempts, a *slot* counts places in the retry schedule. An attempt that was
//! interrupted uses up its number but not its slot, until the third in a row, which counts as a failure.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::id::AttemptId;
use super::time::Timestamp;

const INTERRUPTIONS_PER_FAILURE: u32 = 3;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    pub status: Status,
    /// The next automatic attempt; while one is in flight, that one.
    pub next: Option<NextAttempt>,
    pub in_flight: Option<Claim>,
    /// How many attempts in a row were interrupted.
    pub interruptions: u32,
    /// The newest row of the delivery, automatic or manual.
    pub newest_attempt: Option<AttemptId>,
    /// How often it was manually resent.
    pub resends: u32,
    /// A resend reached the receiver.
    pub resend_succeeded: bool,
}

/// The state of the automatic schedule, by the words of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Pending,
    Succeeded,
    Failed,
    Canceled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextAttempt {
    pub number: u32,
    pub slot: u32,
    pub due: Timestamp,
}

/// The automatic attempt that is being sent, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    pub number: u32,
    pub slot: u32,
    pub attempt_id: AttemptId,
    /// Only its holder can end it.
    pub token: Uuid,
    pub since: Timestamp,
}

/// How an attempt ended, as far as the schedule goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptResult {
    Succeeded,
    Failed {
        retry_after: Option<Duration>,
    },
    /// A failure that would only be repeated.
    PermanentFailure,
    Interrupted,
}

/// What a message that woke an attempt it could not claim should do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnclaimedAction {
    /// Nothing is left to do for it.
    Discard,
    /// Its successor is due then; a crash may have eaten the message for it.
    EnqueueSuccessor(NextAttempt),
    /// Another sender is at it, and holds it until then.
    WaitForLease { until: Timestamp },
    /// The sender that was at it is dead.
    LeaseExpired(Claim),
}

impl Progress {
    pub const fn new(due: Timestamp) -> Self {
        Self {
            status: Status::Pending,
            next: Some(NextAttempt { number: 1, slot: 0, due }),
            in_flight: None,
            interruptions: 0,
            newest_attempt: None,
            resends: 0,
            resend_succeeded: false,
        }
    }

    /// When the next attempt is due; none while one is in flight, and at the end.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.next.filter(|_| self.in_flight.is_none()).map(|next| next.due)
    }

    /// Takes the attempt of this number for the holder of the token. None if it is not the next one,
    /// or another holds it.
    pub fn claim(
        &mut self,
        number: u32,
        attempt_id: AttemptId,
        token: Uuid,
        now: Timestamp,
    ) -> Option<Claim> {
        let next = self.next.filter(|next| next.number == number && self.in_flight.is_none())?;
        let claim = Claim { number, slot: next.slot, attempt_id, token, since: now };
        self.in_flight = Some(claim.clone());
        self.record_newest(attempt_id);
        Some(claim)
    }

    /// What to do with a message for this number whose claim failed. Without a lease a sender is taken
    /// to be alive for ever.
    pub fn action_without_claim(
        &self,
        number: u32,
        now: Timestamp,
        lease: Option<Duration>,
    ) -> UnclaimedAction {
        match (&self.in_flight, self.next) {
            (Some(claim), _) if claim.number == number => match lease.map(|lease| claim.since + lease) {
                Some(until) if now >= until => UnclaimedAction::LeaseExpired(claim.clone()),
                Some(until) => UnclaimedAction::WaitForLease { until },
                None => UnclaimedAction::Discard,
            },
            (None, Some(next)) if next.number == number + 1 => UnclaimedAction::EnqueueSuccessor(next),
            _ => UnclaimedAction::Discard,
        }
    }

    /// Ends the attempt in flight, and gives when the next one is due. `delay` says how long after a
    /// failure that is, none at the schedule's end.
    pub fn complete(
        &mut self,
        ending: AttemptResult,
        ended: Timestamp,
        delay: impl FnOnce(Option<Duration>) -> Option<Duration>,
    ) -> Option<Timestamp> {
        let claim = self.in_flight.take()?;
        if self.status != Status::Pending {
            return None;
        }
        let interrupted = ending == AttemptResult::Interrupted;
        self.interruptions = if interrupted { self.interruptions + 1 } else { 0 };
        let again = match ending {
            AttemptResult::Succeeded | AttemptResult::PermanentFailure => None,
            AttemptResult::Interrupted if self.interruptions < INTERRUPTIONS_PER_FAILURE => {
                Some((claim.slot, ended))
            }
            AttemptResult::Interrupted | AttemptResult::Failed { .. } => {
                self.interruptions = 0;
                let retry_after =
                    if let AttemptResult::Failed { retry_after } = ending { retry_after } else { None };
                delay(retry_after).map(|delay| (claim.slot + 1, ended + delay))
            }
        };
        self.next = again.map(|(slot, due)| NextAttempt { number: claim.number + 1, slot, due });
        if self.next.is_none() {
            let reached = ending == AttemptResult::Succeeded || self.resend_succeeded;
            self.status = if reached { Status::Succeeded } else { Status::Failed };
        }
        self.next.map(|next| next.due)
    }

    /// Gives the attempt in flight back, of which nothing was sent: the same number is due again then. `newest` is the
    /// newest row of the delivery without it.
    pub fn release(&mut self, due: Timestamp, newest: Option<AttemptId>) {
        self.in_flight = None;
        self.newest_attempt = newest;
        if let Some(next) = &mut self.next {
            next.due = due;
        }
    }

    /// Ends the automatic attempts; one in flight finishes. False if there was nothing to end.
    pub fn cancel(&mut self) -> bool {
        let pending = self.status == Status::Pending;
        if pending {
            self.status = Status::Canceled;
            self.next = None;
        }
        pending
    }

    /// A resend was asked for: the schedule does not move.
    pub fn record_resend(&mut self, id: AttemptId) {
        self.resends += 1;
        self.record_newest(id);
    }

    /// A resend succeeded: an exhausted delivery has been delivered after all.
    pub fn record_resend_success(&mut self) {
        self.resend_succeeded = true;
        if self.status == Status::Failed {
            self.status = Status::Succeeded;
        }
    }

    fn record_newest(&mut self, id: AttemptId) {
        self.newest_attempt = self.newest_attempt.max(Some(id));
    }
}

#[cfg(test)]
#[path = "progress_tests.rs"]
mod tests;
