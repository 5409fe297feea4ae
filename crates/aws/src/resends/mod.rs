//! Resends: queued, taken, ended. None moves a schedule.
//!
//! The record of the key, the row and the count are one transaction, so that a crash can only come between
//! them and the message; and a repeated call with the key queues the message of a row that still waits.

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use aws_sdk_dynamodb::types::{AttributeValue, Update};
use bytes::Bytes;
use uuid::Uuid;

use super::call_errors::{WriteOutcome, write_outcome};
use super::deliveries::expires;
use super::intake::idempotency_item;
use super::item::{document, json, number, text};
use super::key_schema::{self, DOC, IdempotencyScope, NEWEST_MANUAL, PK, RESENDS, STATE, TOKEN, UNTIL};
use super::transaction::{Refusal, TransactionOutcome, TransactionWrite as _, put};
use super::{Aws, row_item};
use loanhook_core::log;
use loanhook_core::model::attempt::{Attempt, AttemptState};
use loanhook_core::model::id::{AttemptId, LoanId, TraceId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    Attempts, EnqueueOutcome, IdempotencyKey, Queue, QueueMessage, ResendClaimOutcome, Resends, StoreError,
    StoreResult,
};

const MAX_TRIES: u32 = 8;

impl Resends for Aws {
    async fn enqueue_resend(
        &self,
        row: Attempt,
        key: Option<IdempotencyKey>,
        now: Timestamp,
    ) -> StoreResult<EnqueueOutcome> {
        let mut newest = true;
        for _ in 0..MAX_TRIES {
            let Some(refusals) = self.put_resend(&row, key.as_ref(), newest, now).await? else {
                self.enqueue(QueueMessage::for_resend(&row, now)).await?;
                return Ok(EnqueueOutcome::Enqueued);
            };
            let [record, of_row, of_delivery] = refusals;
            if let Some(Some(item)) = record {
                let (trace, id): (TraceId, AttemptId) = document(&item)?;
                self.enqueue_duplicate(&row, trace, id).await?;
                return Ok(EnqueueOutcome::Duplicate(trace, id));
            }
            if of_row.is_some() {
                return Err(StoreError::Failed("there is a row with this ID already".into()));
            }
            match of_delivery {
                // A newer resend came first.
                Some(Some(_)) if newest => newest = false,
                Some(None) => return Err(StoreError::Failed("there is no such delivery".into())),
                _ => {}
            }
        }
        Err(StoreError::Busy)
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
                // Whoever sent it may have stopped before it told the delivery.
                self.record_resend_success(&row).await?;
            }
            return Ok(ResendClaimOutcome::NotClaimed(Some(Box::new(row))));
        }
        let mut taken = row;
        let won = taken.claim(token, now);
        if !self.write_claimed_row(&taken).await? {
            let row = self.resend_row(message, loan, id).await?;
            // Our own first try, whose answer was lost on its way, is a win.
            let ours = row.as_ref().is_some_and(|row| row.state == AttemptState::Sending { token });
            if !(won && ours) {
                return Ok(ResendClaimOutcome::NotClaimed(row.map(Box::new)));
            }
        }
        if !won {
            log::attempt(&taken);
            return Ok(ResendClaimOutcome::NotClaimed(Some(Box::new(taken))));
        }
        self.0.cache.forget_secrets(&message.tenant, message.subscription_id);
        Ok(ResendClaimOutcome::Claimed(Box::new((delivery, taken))))
    }

    async fn complete_resend(&self, token: Uuid, row: Attempt, response: Option<Bytes>) -> StoreResult<bool> {
        let Some(completion) = row.completion() else { return Ok(false) };
        let succeeded = completion.succeeded();
        self.store_response(&row, response).await?;
        let ours = match self.write_completion(&row, Some(token)).await? {
            WriteOutcome::Done(()) => true,
            // Our own first try, whose answer was lost on its way, is one that says the same.
            WriteOutcome::Refused(item) => {
                item.as_ref().map(row_item::read).transpose()?.as_ref() == Some(&row)
            }
        };
        if ours && succeeded {
            self.record_resend_success(&row).await?;
        }
        Ok(ours)
    }

    async fn release_resend(&self, token: Uuid, row: Attempt, due: Timestamp) -> StoreResult<bool> {
        self.release_resend_row(token, row, due).await
    }
}

type Refusals = [Option<Option<super::item::Item>>; 3];

impl Aws {
    /// Puts record, row and count; gives what was refused: of the record, the row, the delivery.
    async fn put_resend(
        &self,
        row: &Attempt,
        key: Option<&IdempotencyKey>,
        newest: bool,
        now: Timestamp,
    ) -> StoreResult<Option<Refusals>> {
        let Some(delivery) = self.delivery_item(&row.tenant, row.trace_id).await? else {
            return Ok(Some([None, None, Some(None)]));
        };
        let mut parts = Vec::with_capacity(3);
        if let Some(key) = key {
            let doc = json(&(row.trace_id, row.id))?;
            let item = idempotency_item(&row.tenant, IdempotencyScope::Resend, key, doc, now);
            let put = put(self.table(), item, "attribute_not_exists(#pk) OR #until <= :now")
                .expression_attribute_names("#pk", PK)
                .expression_attribute_names("#until", UNTIL)
                .expression_attribute_values(":now", number(now.millis()));
            parts.push(put.write()?);
        }
        let item = row_item::new(row, expires(&delivery)?)?;
        let put = put(self.table(), item, "attribute_not_exists(#pk)").expression_attribute_names("#pk", PK);
        parts.push(put.write()?);
        parts.push(self.count_resend(row, newest).write()?);
        let TransactionOutcome::Refused(refusals) = self.transact(parts).await? else { return Ok(None) };
        let mut refusals = refusals.into_iter().map(|refusal| match refusal {
            Refusal::Condition(item) => Some(item),
            Refusal::None => None,
        });
        let record = if key.is_some() { refusals.next().flatten() } else { None };
        Ok(Some([record, refusals.next().flatten(), refusals.next().flatten()]))
    }

    /// Counts a resend on its delivery; `newest` says that no newer one is known of.
    fn count_resend(&self, row: &Attempt, newest: bool) -> aws_sdk_dynamodb::types::builders::UpdateBuilder {
        let update = Update::builder()
            .table_name(self.table())
            .set_key(Some(key_schema::delivery(&row.tenant, row.trace_id).key()))
            .expression_attribute_names("#resends", RESENDS)
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(":one", number(1))
            .return_values_on_condition_check_failure(AllOld);
        if newest {
            update
                .update_expression("SET #newest = :id ADD #resends :one")
                .condition_expression(
                    "attribute_exists(#pk) AND (attribute_not_exists(#newest) OR #newest < :id)",
                )
                .expression_attribute_names("#newest", NEWEST_MANUAL)
                .expression_attribute_values(":id", text(row.id.to_string()))
        } else {
            update.update_expression("ADD #resends :one").condition_expression("attribute_exists(#pk)")
        }
    }

    /// Queues the message of a resend that was asked for before, if it still waits.
    async fn enqueue_duplicate(&self, row: &Attempt, trace: TraceId, id: AttemptId) -> StoreResult<()> {
        if trace != row.trace_id {
            return Ok(());
        }
        let known = self.row(&row.tenant, &row.loan_id, id).await?.map(|row| row.attempt);
        match known.filter(|known| known.state == AttemptState::Queued) {
            Some(known) => self.enqueue(QueueMessage::for_resend(&known, known.sent_at)).await,
            None => Ok(()),
        }
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

    /// Writes that a queued resend is taken, or waited too long. False if it is not queued any more.
    async fn write_claimed_row(&self, row: &Attempt) -> StoreResult<bool> {
        let update = self
            .dynamodb()
            .update_item()
            .table_name(self.table())
            .set_key(Some(key_schema::row(&row.tenant, &row.loan_id, row.id).key()))
            .condition_expression("#state = :queued")
            .expression_attribute_names("#doc", DOC)
            .expression_attribute_names("#state", STATE)
            .expression_attribute_values(":doc", json(row)?)
            .expression_attribute_values(":state", row_item::state(row))
            .expression_attribute_values(":queued", AttributeValue::S("queued".into()));
        let update = match &row.state {
            AttemptState::Sending { token } => update
                .update_expression("SET #doc = :doc, #state = :state, #token = :token")
                .expression_attribute_names("#token", TOKEN)
                .expression_attribute_values(":token", text(token.to_string())),
            _ => update.update_expression("SET #doc = :doc, #state = :state"),
        };
        Ok(matches!(write_outcome(update.send().await)?, WriteOutcome::Done(_)))
    }
}
