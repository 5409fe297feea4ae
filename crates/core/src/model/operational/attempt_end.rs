//! End of an attempt, as far as operational events go.

use crate::model::attempt::Attempt;
use crate::model::attempt_result::AttemptResult;
use crate::model::failure::ErrorKind;
use crate::model::id::AttemptId;
use crate::model::time::Timestamp;

/// The end of an attempt that says something of its receiver. Ends sort by their time: who sees them in another order sorts them
/// first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttemptEnd {
    pub ended_at: Timestamp,
    pub attempt: AttemptId,
    pub outcome: EndOutcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EndOutcome {
    Succeeded,
    /// The response code, if there was an answer.
    Answered(u16),
    /// Why there was no answer, by the word of the API.
    Unanswered(&'static str),
}

impl AttemptEnd {
    /// The end that a row says. None where it is not complete, and where it says nothing of a receiver: it was interrupted, or had
    /// nothing to send. None of a test send, or of an operational event, either.
    pub fn of(row: &Attempt) -> Option<Self> {
        let completion = row.completion()?;
        if row.test || row.loan_id.is_operational() {
            return None;
        }
        let outcome = match AttemptResult::of(completion) {
            AttemptResult::Succeeded => EndOutcome::Succeeded,
            AttemptResult::Interrupted => return None,
            AttemptResult::Failed { .. } | AttemptResult::PermanentFailure => match &completion.result {
                Err(failure) if failure.kind == ErrorKind::Template => return None,
                Err(failure) => EndOutcome::Unanswered(failure.kind.as_str()),
                Ok(code) => EndOutcome::Answered(*code),
            },
        };
        Some(Self { ended_at: completion.ended_at, attempt: row.id, outcome })
    }

    pub const fn succeeded(&self) -> bool {
        matches!(self.outcome, EndOutcome::Succeeded)
    }
}
