//! The transaction that enqueues a resend: the idempotency record, the row, and the count on its delivery.

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use uuid::Uuid;

use crate::engine::Aws;
use crate::items::delivery_item;
use crate::items::item::{Item, document, get_text, json, number, text};
use crate::items::key_schema::{
    self, CLAIM, IdempotencyScope, NEWEST_AUTO, NEWEST_MANUAL, PK, RESENDS, TOKEN,
};
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
    /// The row that the resend names is gone.
    NamedAttemptReleased,
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
        let named = self.named_row(row, &delivery).await?;
        if let NamedRow::Gone = named {
            let known = match key {
                Some(key) => self.recorded_resend(row, key, now).await?,
                None => None,
            };
            return Ok(known
                .map_or(PutOutcome::NamedAttemptReleased, |(trace, id)| PutOutcome::Duplicate(trace, id)));
        }
        let mut parts = Vec::with_capacity(3);
        if let Some(key) = key {
            let doc = json(&(row.trace_id, row.id))?;
            let put = self.put_idempotency_item(&row.tenant, IdempotencyScope::Resend, key, doc, now);
            parts.push(put.part()?);
        }
        parts.push(self.put_if_absent(row_item::new(row, &delivery)?).part()?);
        parts.push(self.count_resend(row, is_newest, named).part()?);
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
            Some(Refusal::Condition(Some(item))) if is_newest && has_newer_resend(&item, row.id) => {
                Ok(PutOutcome::NotNewest)
            }
            Some(Refusal::Condition(Some(_))) => Ok(PutOutcome::Refused),
            Some(Refusal::Condition(None)) => Err(no_delivery()),
            _ => Ok(PutOutcome::Refused),
        }
    }

    /// Counts a resend on its delivery, as the newest one if it is, and only while the named row cannot be deleted.
    fn count_resend(&self, row: &Attempt, is_newest: bool, named: NamedRow) -> UpdateBuilder {
        let mut condition = "attribute_exists(#pk)".to_owned();
        let mut update = self
            .update_part(key_schema::delivery(&row.tenant, row.trace_id))
            .expression_attribute_names("#resends", RESENDS)
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(":one", number(1))
            .return_values_on_condition_check_failure(AllOld);
        if is_newest {
            condition.push_str(" AND (attribute_not_exists(#newest) OR #newest < :id)");
            update = update
                .update_expression("SET #newest = :id ADD #resends :one")
                .expression_attribute_names("#newest", NEWEST_MANUAL)
                .expression_attribute_values(":id", text(row.id.to_string()));
        } else {
            update = update.update_expression("ADD #resends :one");
        }
        if let NamedRow::Claimed { token } = named {
            condition.push_str(" AND #flight.#token = :token");
            update = update
                .expression_attribute_names("#flight", CLAIM)
                .expression_attribute_names("#token", TOKEN)
                .expression_attribute_values(":token", text(token.to_string()));
        }
        update.condition_expression(condition)
    }

    /// The state of the row that a resend names, by its delivery as it was read. Only a row that is claimed can be deleted,
    /// and every claim is recorded on the delivery before its row.
    async fn named_row(&self, row: &Attempt, delivery: &Item) -> StoreResult<NamedRow> {
        let Some(named) = row.resend_of else { return Ok(NamedRow::Stored) };
        if let Some(claim) = delivery_item::claim(delivery)?
            && claim.attempt_id == named
        {
            return Ok(NamedRow::Claimed { token: claim.token });
        }
        let id = named.to_string();
        if [NEWEST_AUTO, NEWEST_MANUAL].into_iter().any(|name| get_text(delivery, name) == Some(&id)) {
            return Ok(NamedRow::Stored);
        }
        let found = self.get(key_schema::row(&row.tenant, &row.loan_id, named)).await?;
        Ok(if found.is_some() { NamedRow::Stored } else { NamedRow::Gone })
    }

    /// The delivery and the attempt of the resend that was enqueued with this key before.
    pub(super) async fn recorded_resend(
        &self,
        row: &Attempt,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> StoreResult<Option<(TraceId, AttemptId)>> {
        let found = self.idempotency_item(&row.tenant, IdempotencyScope::Resend, key, now).await?;
        found.as_ref().map(document).transpose()
    }
}

/// The row that a resend names.
#[derive(Debug, Clone, Copy)]
enum NamedRow {
    /// It stays.
    Stored,
    /// It is claimed under this token; a release would delete it.
    Claimed { token: Uuid },
    /// Its claim was released.
    Gone,
}

fn has_newer_resend(delivery: &Item, id: AttemptId) -> bool {
    get_text(delivery, NEWEST_MANUAL).is_some_and(|newest| newest >= id.to_string().as_str())
}

fn no_delivery() -> StoreError {
    StoreError::Failed("there is no such delivery".into())
}
