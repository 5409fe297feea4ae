//! Completion: what the end of an automatic attempt does to its delivery.

use std::time::Duration;

use uuid::Uuid;

use super::Delivery;
use crate::model::attempt::Completion;
use crate::model::attempt_result::AttemptResult;
use crate::model::progress::{InvalidTransition, NextAttempt, Progress};
use crate::model::time::Timestamp;

/// The back-off after an interrupted attempt: the next one follows at once.
const INTERRUPTION_BACK_OFF: Duration = Duration::ZERO;
/// So many interruptions in a row count as a failure.
const INTERRUPTIONS_PER_FAILURE: u32 = 3;

impl Delivery {
    /// Ends the attempt that is in flight under the token as its row says, and gives when the next one is due; none at
    /// the end of the schedule.
    ///
    /// # Errors
    ///
    /// Where no attempt is in flight under the token.
    pub fn complete(
        &mut self,
        token: Uuid,
        completion: &Completion,
    ) -> Result<Option<Timestamp>, InvalidTransition> {
        let (retry, trace) = (&self.snapshot.retry, self.snapshot.trace_id);
        let mut interruptions = self.history.interruptions;
        let resend_succeeded = self.history.resend_succeeded;
        let mut ran_out = false;
        self.progress = self.progress.complete(token, |claim| {
            let result = AttemptResult::of(completion);
            let interrupted = result == AttemptResult::Interrupted;
            interruptions = if interrupted { interruptions + 1 } else { 0 };
            let next = match result {
                AttemptResult::Succeeded => return Progress::Succeeded,
                AttemptResult::PermanentFailure => None,
                AttemptResult::Interrupted if interruptions < INTERRUPTIONS_PER_FAILURE => {
                    Some((claim.slot, INTERRUPTION_BACK_OFF))
                }
                AttemptResult::Interrupted => {
                    interruptions = 0;
                    retry.delay(claim.slot, trace, None).map(|delay| (claim.slot + 1, delay))
                }
                AttemptResult::Failed { retry_after } => {
                    retry.delay(claim.slot, trace, retry_after).map(|delay| (claim.slot + 1, delay))
                }
            };
            ran_out = next.is_none();
            match next {
                Some((slot, delay)) => Progress::Waiting(NextAttempt {
                    number: claim.number + 1,
                    slot,
                    due: completion.ended_at + delay,
                }),
                None if resend_succeeded => Progress::Succeeded,
                None => Progress::Failed,
            }
        })?;
        self.history.interruptions = interruptions;
        self.history.delivered_by_resend |= ran_out && resend_succeeded;
        Ok(self.progress.next_due())
    }
}
