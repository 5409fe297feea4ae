//! Deliveries: claimed, completed, canceled.

use bytes::Bytes;
use loanhook_core::model::attempt::{Attempt, AttemptState};
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::{TenantId, TraceId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    CancelOutcome, ClaimOutcome, Deliveries, QueueMessage, ReleaseOutcome, StoreResult,
};
use uuid::Uuid;

use super::step::{Call, Operation, StepKind};
use super::{Memory, State};

impl Deliveries for Memory {
    async fn claim(
        &self,
        message: &QueueMessage,
        number: u32,
        token: Uuid,
        now: Timestamp,
    ) -> StoreResult<ClaimOutcome> {
        let mut call = self.call(Operation::Claim);
        let (tenant, trace) = (&message.tenant, message.trace_id);
        let claimed = call.step(StepKind::Delivery, |state| {
            if let Some(delivery) = state.delivery(tenant, trace)
                && state.waits_for_order(delivery, now)
            {
                return Err(Some(Box::new(delivery.clone())));
            }
            let claimed =
                state.change_delivery((tenant, trace), |delivery| match delivery.claim(number, token, now) {
                    Ok(row) => Ok((delivery.clone(), row)),
                    Err(_) => Err(Some(Box::new(delivery.clone()))),
                });
            let claimed = claimed.unwrap_or(Err(None));
            if claimed.is_err() {
                // Whoever ended it may have stopped before it woke the delivery behind.
                state.wake_behind(tenant, trace);
            }
            claimed
        });
        let (delivery, row) = match claimed.await? {
            Ok(claimed) => claimed,
            Err(delivery) => return call.answer(ClaimOutcome::NotClaimed(delivery)).await,
        };
        // Where the caller took so long that another found its lease over, that one has put the row.
        let put = call.step(StepKind::Row, |state| match state.row(tenant, &row.loan_id, row.id) {
            None => {
                state.put_row(row.clone());
                None
            }
            Some(_) => Some(state.delivery(tenant, trace).cloned().map(Box::new)),
        });
        match put.await? {
            None => call.answer(ClaimOutcome::Claimed(Box::new((delivery, row)))).await,
            Some(delivery) => call.answer(ClaimOutcome::NotClaimed(delivery)).await,
        }
    }

    async fn complete(
        &self,
        claimed: &Delivery,
        token: Uuid,
        mut row: Attempt,
        response: Option<Bytes>,
    ) -> StoreResult<bool> {
        let mut call = self.call(Operation::Complete);
        let Some(completion) = row.completion() else { return Ok(false) };
        let Ok(next) = claimed.clone().complete(token, completion) else { return Ok(false) };
        row.next_attempt_at = next;
        put_response(&mut call, &row, response.as_ref()).await?;
        let completed = call.step(StepKind::Row, |state| complete_row(state, token, row)).await?;
        let Some(row) = completed else { return call.answer(false).await };
        let moved = call.step(StepKind::Delivery, |state| complete_delivery(state, token, &row)).await?;
        if let Some(Moved { row_differs: true, after }) = &moved {
            // It was canceled meanwhile: nothing follows the attempt.
            let row = Attempt { next_attempt_at: after.progress.next_due(), ..row.clone() };
            call.step(StepKind::Row, |state| state.put_row(row)).await?;
        }
        // Where another has moved the delivery on, it may have stopped before its message.
        let message = call.step(StepKind::Message, |state| {
            let after = moved.as_ref().map(|moved| &moved.after);
            let after = after.or_else(|| state.delivery(&row.tenant, row.trace_id));
            let message = after.and_then(QueueMessage::for_next_attempt);
            state.messages.extend(message);
            state.wake_behind(&row.tenant, row.trace_id);
        });
        message.await?;
        call.answer(moved.is_some()).await
    }

    async fn release(
        &self,
        claimed: &Delivery,
        token: Uuid,
        row: &Attempt,
        due: Timestamp,
    ) -> StoreResult<ReleaseOutcome> {
        self.release_attempt(claimed, token, row, due).await
    }

    async fn replace_frozen_headers(&self, delivery: &Delivery) -> StoreResult<()> {
        let snapshot = &delivery.snapshot;
        self.once(Operation::Complete, StepKind::Delivery, |state| {
            let headers = snapshot.request.headers.clone();
            state.change_delivery((&snapshot.tenant, snapshot.trace_id), |stored| {
                stored.snapshot.request.headers = headers;
            });
            Ok(())
        })
        .await
    }

    async fn cancel(&self, tenant: &TenantId, trace: TraceId) -> StoreResult<CancelOutcome> {
        self.once(Operation::Cancel, StepKind::Delivery, |state| {
            Ok(match state.change_delivery((tenant, trace), Delivery::cancel) {
                None => CancelOutcome::NotFound,
                Some(Err(_)) => CancelOutcome::NotPending,
                Some(Ok(())) => {
                    state.wake_behind(tenant, trace);
                    CancelOutcome::Canceled
                }
            })
        })
        .await
    }
}

/// Keeps the body of an answer, if there is one.
pub(super) async fn put_response(
    call: &mut Call<'_>,
    row: &Attempt,
    response: Option<&Bytes>,
) -> StoreResult<()> {
    let stored = row.completion().and_then(|completion| completion.response.as_ref());
    match (stored.and_then(|stored| stored.payload.key), response) {
        (Some(key), Some(bytes)) => {
            call.step(StepKind::Payload, |state| state.put_payload(&row.tenant, Some(key), bytes)).await
        }
        _ => Ok(()),
    }
}

/// Completes the row of a claim; gives the row that then stands, which is another's where that came first. None where
/// the row is not the token's.
fn complete_row(state: &mut State, token: Uuid, row: Attempt) -> Option<Attempt> {
    let in_flight = |delivery: &Delivery| delivery.progress.in_flight_under(token).is_some();
    let write = match state.row(&row.tenant, &row.loan_id, row.id).map(|stored| stored.readable()) {
        Some(Some(stands)) if stands.completion().is_some() => return Some(stands.clone()),
        Some(Some(stored)) => stored.state == AttemptState::Sending { token },
        // One that cannot be read is replaced; one that its sender never put is made up for.
        Some(None) | None => state.delivery(&row.tenant, row.trace_id).is_some_and(in_flight),
    };
    write.then(|| {
        state.put_row(row.clone());
        state.record_flow(&row);
        row
    })
}

/// A delivery that was moved on.
struct Moved {
    after: Delivery,
    /// The row says something else of the next attempt.
    row_differs: bool,
}

/// Moves a delivery on from a row that is complete, if it is in flight under the token.
fn complete_delivery(state: &mut State, token: Uuid, row: &Attempt) -> Option<Moved> {
    let completion = row.completion()?;
    state.change_delivery((&row.tenant, row.trace_id), |delivery| {
        let next = delivery.complete(token, completion).ok()?;
        Some(Moved { row_differs: row.next_attempt_at != next, after: delivery.clone() })
    })?
}
