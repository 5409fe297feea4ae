//! Releases: claims that are given back because no request could leave.

use loanhook_core::model::attempt::{Attempt, AttemptState};
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{QueueMessage, ReleaseOutcome, StoreResult};
use uuid::Uuid;

use super::step::{Operation, StepKind};
use super::{Memory, State};

impl Memory {
    pub(super) async fn release_attempt(
        &self,
        claimed: &Delivery,
        token: Uuid,
        row: &Attempt,
        due: Timestamp,
    ) -> StoreResult<ReleaseOutcome> {
        let mut call = self.call(Operation::Release);
        let resends = claimed.history.resends;
        let released =
            call.step(StepKind::RowAndDelivery, |state| release(state, (token, resends), row, due)).await?;
        if released != ReleaseOutcome::ReferencedByResend {
            // A call that is repeated, since its answer was lost, queues the message again.
            let message = call.step(StepKind::Message, |state| {
                let delivery = state.delivery(&row.tenant, row.trace_id);
                let message = delivery.and_then(QueueMessage::for_next_attempt);
                state.messages.extend(message);
                state.wake_behind(&row.tenant, row.trace_id);
            });
            message.await?;
        }
        call.answer(released).await
    }

    pub(super) async fn release_queued(
        &self,
        token: Uuid,
        mut row: Attempt,
        due: Timestamp,
    ) -> StoreResult<bool> {
        let mut call = self.call(Operation::ReleaseResend);
        row.release(due);
        let released = call.step(StepKind::Row, |state| {
            let stored = state.row(&row.tenant, &row.loan_id, row.id);
            let stored = stored.map(|stored| stored.read().cloned()).transpose()?;
            let claimed = stored.as_ref().is_some_and(|row| row.state == AttemptState::Sending { token });
            if claimed {
                state.put_row(row.clone());
            }
            // A call that is repeated, since its answer was lost, finds what it wrote.
            Ok(claimed || stored.as_ref() == Some(&row))
        });
        let released = released.await??;
        if released {
            let message = QueueMessage::for_resend(&row, due);
            call.step(StepKind::Message, |state| state.messages.push(message)).await?;
        }
        call.answer(released).await
    }
}

/// Takes the row away, and makes its number due again. `resends` is how often the delivery was resent when it was
/// claimed: a resend since then may name the row.
fn release(
    state: &mut State,
    (token, resends): (Uuid, u32),
    row: &Attempt,
    due: Timestamp,
) -> ReleaseOutcome {
    let of_delivery = |other: &&Attempt| other.trace_id == row.trace_id && other.id != row.id;
    // Somebody found its lease over, and has ended the attempt: that stands, and the attempt counts.
    let stored = state.row(&row.tenant, &row.loan_id, row.id).and_then(|stored| stored.readable());
    let has_ended = stored.is_some_and(|stored| stored.completion().is_some());
    let newest = state.rows_of(&row.tenant).filter(of_delivery).map(|other| other.id).max();
    let released = state.change_delivery((&row.tenant, row.trace_id), |delivery| {
        if delivery.progress.in_flight_under(token).is_none() {
            return ReleaseOutcome::Superseded;
        }
        if delivery.history.resends != resends || has_ended {
            return ReleaseOutcome::ReferencedByResend;
        }
        match delivery.release(token, due, newest) {
            Ok(()) => ReleaseOutcome::Released,
            Err(_) => ReleaseOutcome::Superseded,
        }
    });
    let released = released.unwrap_or(ReleaseOutcome::Superseded);
    if released == ReleaseOutcome::Released {
        state.delete_row(row);
    }
    released
}
