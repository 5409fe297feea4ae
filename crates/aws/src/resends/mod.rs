//! Resends: queued, claimed, completed, released. None of them changes a schedule.
//!
//! The idempotency record, the row and the count on the delivery are one transaction, so a crash can only come between
//! them and the queue message. A repeated call with the key queues the message of a row that is still queued.

mod claimed_row;
mod enqueued_row;

use bytes::Bytes;
use uuid::Uuid;

use crate::engine::Aws;
use crate::items::item::unexpired;
use crate::items::key_schema;
use crate::items::row_item;
use crate::items::write_outcome::WriteOutcome;
use enqueued_row::PutOutcome;
use loanhook_core::log;
use loanhook_core::model::attempt::{Attempt, AttemptState};
use loanhook_core::model::id::{AttemptId, LoanId, TraceId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    Attempts, EarlierResend, EnqueueOutcome, IdempotencyKey, Queue, QueueMessage, ResendClaimOutcome,
    Resends, StoreError, StoreResult,
};

/// How often the transaction is tried that another resend of the delivery may refuse.
const MAX_TRIES: u32 = 8;

impl Resends for Aws {
    async fn enqueue_resend(
        &self,
        row: Attempt,
        key: Option<IdempotencyKey>,
        now: Timestamp,
    ) -> StoreResult<EnqueueOutcome> {
        let mut is_newest = true;
        for _ in 0..MAX_TRIES {
            match self.put_resend(&row, key.as_ref(), is_newest, now).await? {
                PutOutcome::Done => {
                    self.enqueue(QueueMessage::for_resend(&row, now)).await?;
                    return Ok(EnqueueOutcome::Enqueued);
                }
                PutOutcome::Duplicate(trace, id) => {
                    let earlier = self.enqueue_earlier(&row, trace, id).await?;
                    return Ok(EnqueueOutcome::Duplicate(earlier));
                }
                PutOutcome::NamedAttemptReleased => return Ok(EnqueueOutcome::NamedAttemptReleased),
                PutOutcome::NotNewest => is_newest = false,
                PutOutcome::Refused => {}
            }
        }
        Err(StoreError::Busy)
    }

    async fn earlier_resend(
        &self,
        asked: &Attempt,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> StoreResult<Option<EarlierResend>> {
        match self.recorded_resend(asked, key, now).await? {
            Some((trace, id)) => self.enqueue_earlier(asked, trace, id).await.map(Some),
            None => Ok(None),
        }
    }

    async fn claim_resend(
        &self,
        message: &QueueMessage,
        loan: &LoanId,
        id: AttemptId,
        token: Uuid,
        now: Timestamp,
    ) -> StoreResult<ResendClaimOutcome> {
        let row = self.resend_row(message, loan, id).await?;
        let (Some(row), Some(delivery)) = (row, self.delivery(&message.tenant, message.trace_id).await?)
        else {
            return Ok(ResendClaimOutcome::NotClaimed(None));
        };
        if row.state != AttemptState::Queued {
            if row.completion().is_some_and(|end| end.succeeded()) {
                // Its sender may have died before it recorded the success on the delivery.
                self.record_resend_success(&row).await?;
            }
            return Ok(ResendClaimOutcome::NotClaimed(Some(Box::new(row))));
        }
        let mut row = row;
        let claimed = row.claim(token, now);
        if let WriteOutcome::Refused(item) = self.write_claimed_row(&row).await? {
            let row = item.and_then(unexpired).as_ref().map(row_item::read).transpose()?;
            return Ok(ResendClaimOutcome::NotClaimed(row.map(Box::new)));
        }
        if !claimed {
            log::attempt(&row);
            return Ok(ResendClaimOutcome::NotClaimed(Some(Box::new(row))));
        }
        self.cache().forget_newest(&message.tenant, message.subscription_id);
        Ok(ResendClaimOutcome::Claimed(Box::new((delivery, row))))
    }

    async fn complete_resend(&self, token: Uuid, row: Attempt, response: Option<Bytes>) -> StoreResult<bool> {
        let Some(completion) = row.completion() else { return Ok(false) };
        let succeeded = completion.succeeded();
        self.store_response(&row, response).await?;
        let outcome = self.write_completion(&row, Some(token)).await?;
        let completed = outcome.or_own_write(|item| Ok(row_item::read(item)? == row), drop)?.is_done();
        if completed {
            self.record_flow_end(&row).await;
        }
        if completed && succeeded {
            self.record_resend_success(&row).await?;
        }
        Ok(completed)
    }

    async fn release_resend(&self, token: Uuid, mut row: Attempt, due: Timestamp) -> StoreResult<bool> {
        row.release(due);
        let released = self.write_released_row(token, &row).await?.is_done();
        if released {
            self.enqueue(QueueMessage::for_resend(&row, due)).await?;
        }
        Ok(released)
    }
}

impl Aws {
    /// Queues the message of a resend that was enqueued before, if its row is still queued and of the same delivery as the
    /// row that is asked for.
    async fn enqueue_earlier(
        &self,
        asked: &Attempt,
        trace_id: TraceId,
        attempt: AttemptId,
    ) -> StoreResult<EarlierResend> {
        if trace_id != asked.trace_id {
            return Ok(EarlierResend { trace_id, attempt, to: None });
        }
        let known = self.row(&asked.tenant, &asked.loan_id, attempt).await?.map(|row| row.attempt);
        if let Some(known) = &known
            && known.state == AttemptState::Queued
        {
            self.enqueue(QueueMessage::for_resend(known, known.sent_at)).await?;
        }
        Ok(EarlierResend { trace_id, attempt, to: known.map(|known| known.resend_to()) })
    }

    async fn resend_row(
        &self,
        message: &QueueMessage,
        loan: &LoanId,
        id: AttemptId,
    ) -> StoreResult<Option<Attempt>> {
        let item = self.get(key_schema::row(&message.tenant, loan, id)).await?;
        let row = item.as_ref().map(row_item::read).transpose()?;
        Ok(row.filter(|row| row.trace_id == message.trace_id))
    }
}
