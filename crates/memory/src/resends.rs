//! Resends: queued, claimed, completed. None moves a schedule.

use bytes::Bytes;
use loanhook_core::log;
use loanhook_core::model::attempt::{Attempt, AttemptState};
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::{AttemptId, LoanId, TraceId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    EarlierResend, EnqueueOutcome, IdempotencyKey, QueueMessage, ResendClaimOutcome, Resends, StoreError,
    StoreResult,
};
use uuid::Uuid;

use super::deliveries::put_response;
use super::state::{KeptRecord, Stored};
use super::step::{Operation, StepKind};
use super::{Memory, State};

impl Resends for Memory {
    async fn enqueue_resend(
        &self,
        mut row: Attempt,
        key: Option<IdempotencyKey>,
        now: Timestamp,
    ) -> StoreResult<EnqueueOutcome> {
        let mut call = self.call(Operation::EnqueueResend);
        let known = match key {
            Some(key) => call.step(StepKind::Record, |state| remember(state, &row, key, now)).await??,
            None => None,
        };
        if let Some((trace_id, attempt)) = known {
            if trace_id != row.trace_id {
                let earlier = EarlierResend { trace_id, attempt, to: None };
                return call.answer(EnqueueOutcome::Duplicate(earlier)).await;
            }
            row.id = attempt;
        }
        // The count goes with its row: neither can tell whether the other was done before a crash.
        let put = call.step(StepKind::RowAndDelivery, |state| put_resend(state, &row)).await??;
        let PutOutcome::Stored(stored) = put else {
            return call.answer(EnqueueOutcome::NamedAttemptReleased).await;
        };
        if stored.state == AttemptState::Queued {
            let message = QueueMessage::for_resend(&stored, stored.sent_at);
            call.step(StepKind::Message, |state| state.messages.push(message)).await?;
        }
        let duplicate = known.map(|_| EnqueueOutcome::Duplicate(earlier(&stored)));
        call.answer(duplicate.unwrap_or(EnqueueOutcome::Enqueued)).await
    }

    async fn earlier_resend(
        &self,
        asked: &Attempt,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> StoreResult<Option<EarlierResend>> {
        let mut call = self.call(Operation::EnqueueResend);
        let found = call.step(StepKind::Read, |state| find_earlier(state, asked, &key.key, now)).await??;
        let Some((earlier, message)) = found else { return call.answer(None).await };
        if let Some(message) = message {
            call.step(StepKind::Message, |state| state.messages.push(message)).await?;
        }
        call.answer(Some(earlier)).await
    }

    async fn claim_resend(
        &self,
        message: &QueueMessage,
        loan: &LoanId,
        id: AttemptId,
        token: Uuid,
        now: Timestamp,
    ) -> StoreResult<ResendClaimOutcome> {
        let mut call = self.call(Operation::ClaimResend);
        let taken = call.step(StepKind::Row, |state| {
            let delivery = state.delivery(&message.tenant, message.trace_id)?.clone();
            let row = state.row(&message.tenant, loan, id)?.readable()?;
            let mut row = Some(row).filter(|row| row.trace_id == message.trace_id)?.clone();
            let was_queued = row.state == AttemptState::Queued;
            let claimed = row.claim(token, now);
            if was_queued {
                state.put_row(row.clone());
            }
            Some((delivery, row, was_queued, claimed))
        });
        let Some((delivery, row, was_queued, claimed)) = taken.await? else {
            return call.answer(ResendClaimOutcome::NotClaimed(None)).await;
        };
        if claimed {
            return call.answer(ResendClaimOutcome::Claimed(Box::new((delivery, row)))).await;
        }
        match was_queued {
            // It waited too long.
            true => log::attempt(&row),
            // Whoever sent it may have stopped before it told the delivery.
            false if row.completion().is_some_and(|completion| completion.succeeded()) => {
                call.step(StepKind::Delivery, |state| record_success(state, &row)).await?;
            }
            false => {}
        }
        call.answer(ResendClaimOutcome::NotClaimed(Some(Box::new(row)))).await
    }

    async fn complete_resend(&self, token: Uuid, row: Attempt, response: Option<Bytes>) -> StoreResult<bool> {
        let mut call = self.call(Operation::CompleteResend);
        let Some(succeeded) = row.completion().map(|completion| completion.succeeded()) else {
            return Ok(false);
        };
        put_response(&mut call, &row, response.as_ref()).await?;
        let completed = call.step(StepKind::Row, |state| {
            let stored = state.row(&row.tenant, &row.loan_id, row.id).and_then(Stored::readable);
            let claimed = stored.is_some_and(|stored| stored.state == AttemptState::Sending { token });
            // A call that is repeated, since its answer was lost, finds what it wrote.
            let repeated = stored == Some(&row);
            if claimed {
                state.put_row(row.clone());
                state.record_flow(&row);
            }
            claimed || repeated
        });
        let completed = completed.await?;
        if completed && succeeded {
            call.step(StepKind::Delivery, |state| record_success(state, &row)).await?;
        }
        call.answer(completed).await
    }

    async fn release_resend(&self, token: Uuid, row: Attempt, due: Timestamp) -> StoreResult<bool> {
        self.release_queued(token, row, due).await
    }
}

/// Puts the record of a key; gives the one that is there already and is not over.
fn remember(
    state: &mut State,
    row: &Attempt,
    IdempotencyKey { key, until }: IdempotencyKey,
    now: Timestamp,
) -> StoreResult<Option<(TraceId, AttemptId)>> {
    let known = recorded(state, row, &key, now)?;
    if known.is_none() {
        let record = Stored::new((row.trace_id, row.id));
        state.resend_records.insert((row.tenant.clone(), key), KeptRecord { record, until });
    }
    Ok(known)
}

/// The record of a key of the row's tenant that is not over.
fn recorded(
    state: &State,
    row: &Attempt,
    key: &str,
    now: Timestamp,
) -> StoreResult<Option<(TraceId, AttemptId)>> {
    let kept = state.resend_records.get(&(row.tenant.clone(), key.to_owned()));
    kept.filter(|kept| now < kept.until).map(|kept| kept.record.read().copied()).transpose()
}

/// The resend of a key, and its message where it is still queued.
fn find_earlier(
    state: &State,
    asked: &Attempt,
    key: &str,
    now: Timestamp,
) -> StoreResult<Option<(EarlierResend, Option<QueueMessage>)>> {
    let Some((trace_id, attempt)) = recorded(state, asked, key, now)? else { return Ok(None) };
    if trace_id != asked.trace_id {
        return Ok(Some((EarlierResend { trace_id, attempt, to: None }, None)));
    }
    let Some(row) = state.row(&asked.tenant, &asked.loan_id, attempt) else { return Ok(None) };
    let row = row.read()?;
    let queued = row.state == AttemptState::Queued;
    Ok(Some((earlier(row), queued.then(|| QueueMessage::for_resend(row, row.sent_at)))))
}

fn earlier(row: &Attempt) -> EarlierResend {
    EarlierResend { trace_id: row.trace_id, attempt: row.id, to: Some(row.resend_to()) }
}

enum PutOutcome {
    /// The row as it is, whether it was stored before or is stored now.
    Stored(Box<Attempt>),
    NamedAttemptReleased,
}

/// Puts the row of a resend and counts it, if it is not there and the row that it names is.
fn put_resend(state: &mut State, row: &Attempt) -> StoreResult<PutOutcome> {
    if let Some(stored) = state.row(&row.tenant, &row.loan_id, row.id) {
        return Ok(PutOutcome::Stored(Box::new(stored.read()?.clone())));
    }
    if row.resend_of.is_some_and(|of| state.row(&row.tenant, &row.loan_id, of).is_none()) {
        return Ok(PutOutcome::NamedAttemptReleased);
    }
    let recorded =
        state.change_delivery((&row.tenant, row.trace_id), |delivery| delivery.record_resend(row.id));
    recorded.ok_or_else(|| StoreError::Failed("there is no such delivery".into()))?;
    state.put_row(row.clone());
    Ok(PutOutcome::Stored(Box::new(row.clone())))
}

fn record_success(state: &mut State, row: &Attempt) {
    state.change_delivery((&row.tenant, row.trace_id), Delivery::record_resend_success);
}
