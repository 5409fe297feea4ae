//! The transaction that enqueues a resend: the idempotency record, the row, and the count on its delivery.

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;

use crate::engine::Aws;
use crate::items::item::{document, expiry, json, number, text};
use crate::items::key_schema::{self, IdempotencyScope, NEWEST_MANUAL, PK, RESENDS};
use crate::items::row_item;
use crate::items::transaction::{Refusal, TransactionOutcome, TransactionPart as _};
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::id::{AttemptId, TraceId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{IdempotencyKey, StoreError, StoreResult};

/// The outcome of the transaction.
pub(super) enum PutOutcome {
    Done,
    /// The key was used before, for this attempt of this delivery.
    Duplicate(TraceId, AttemptId),
    /// The delivery has a newer resend.
    NotNewest,
    /// Refused for a reason that has gone since.
    Refused,
}

impl Aws {
    /// Puts the record and the row, and counts the resend; `is_newest` says that no newer resend is known.
    pub(super) async fn put_resend(
        &self,
        row: &Attempt,
        key: Option<&IdempotencyKey>,
        is_newest: bool,
        now: Timestamp,
    ) -> StoreResult<PutOutcome> {
        let Some(delivery) = self.delivery_item(&row.tenant, row.trace_id).await? else {
            return Err(no_delivery());
        };
        let mut parts = Vec::with_capacity(3);
        if let Some(key) = key {
            let doc = json(&(row.trace_id, row.id))?;
            let put = self.put_idempotency_item(&row.tenant, IdempotencyScope::Resend, key, doc, now);
            parts.push(put.part()?);
        }
        parts.push(self.put_if_absent(row_item::new(row, expiry(&delivery)?)?).part()?);
        parts.push(self.count_resend(row, is_newest).part()?);
        let TransactionOutcome::Refused(refusals) = self.transact(parts).await? else {
            return Ok(PutOutcome::Done);
        };
        let mut refusals = refusals.into_iter();
        if key.is_some()
            && let Some(Refusal::Condition(Some(item))) = refusals.next()
        {
            let (trace, id): (TraceId, AttemptId) = document(&item)?;
            return Ok(PutOutcome::Duplicate(trace, id));
        }
        if refusals.next().is_some_and(|row| row.is_condition()) {
            return Err(StoreError::Failed("there is a row with this ID already".into()));
        }
        match refusals.next() {
            Some(Refusal::Condition(Some(_))) => Ok(PutOutcome::NotNewest),
            Some(Refusal::Condition(None)) => Err(no_delivery()),
            _ => Ok(PutOutcome::Refused),
        }
    }

    /// Counts a resend on its delivery, as the newest one if it is.
    fn count_resend(&self, row: &Attempt, is_newest: bool) -> UpdateBuilder {
        let update = self
            .update_part(key_schema::delivery(&row.tenant, row.trace_id))
            .expression_attribute_names("#resends", RESENDS)
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(":one", number(1))
            .return_values_on_condition_check_failure(AllOld);
        if is_newest {
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
}

fn no_delivery() -> StoreError {
    StoreError::Failed("there is no such delivery".into())
}
