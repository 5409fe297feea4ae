//! Cancel of a delivery: ends its automatic attempts.

use aws_sdk_dynamodb::types::ReturnValue::AllNew;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use uuid::Uuid;

use crate::engine::Aws;
use crate::items::delivery_item::{self, NUMBER};
use crate::items::item::{get_text, number, text, unexpired};
use crate::items::key_schema::{self, FAILED_PK, FAILED_SK, NEXT, STATUS, WRITER};
use crate::items::write_outcome::{WriteOutcome, write_outcome};
use crate::order::{has_ended, has_number};
use loanhook_core::model::id::{TenantId, TraceId};
use loanhook_core::model::progress::Status;
use loanhook_core::ports::{CancelOutcome, StoreResult};

impl Aws {
    /// Ends the automatic attempts of a delivery that is pending and, where a number is given, whose next attempt, which may be in
    /// flight, is that one. Its document need not be readable.
    pub(crate) async fn cancel_delivery(
        &self,
        tenant: &TenantId,
        trace: TraceId,
        attempt: Option<u32>,
    ) -> StoreResult<CancelOutcome> {
        let writer = Uuid::new_v4().to_string();
        let mut update = self
            .update(key_schema::delivery(tenant, trace))
            .update_expression("SET #status = :canceled, #writer = :writer REMOVE #failed, #at")
            .condition_expression("#status = :pending")
            .expression_attribute_names("#failed", FAILED_PK)
            .expression_attribute_names("#at", FAILED_SK)
            .expression_attribute_names("#status", STATUS)
            .expression_attribute_names("#writer", WRITER)
            .expression_attribute_values(":writer", text(&writer))
            .expression_attribute_values(":canceled", delivery_item::status(Status::Canceled))
            .expression_attribute_values(":pending", delivery_item::status(Status::Pending))
            .return_values(AllNew)
            .return_values_on_condition_check_failure(AllOld);
        if let Some(attempt) = attempt {
            update = update
                .condition_expression("#status = :pending AND #next.#number = :number")
                .expression_attribute_names("#next", NEXT)
                .expression_attribute_names("#number", NUMBER)
                .expression_attribute_values(":number", number(attempt));
        }
        let outcome = write_outcome(update.send().await)?.map(|written| written.attributes);
        let outcome = outcome.or_own_write(|item| Ok(get_text(item, WRITER) == Some(&writer)), Some)?;
        let (item, outcome) = match outcome {
            WriteOutcome::Done(item) => (item, CancelOutcome::Canceled),
            WriteOutcome::Refused(item) => match item.and_then(unexpired) {
                // A call before may have died before it woke what waits behind.
                Some(item) => (Some(item), CancelOutcome::NotPending),
                None => (None, CancelOutcome::NotFound),
            },
        };
        let numbered = item.filter(has_number).and_then(|item| delivery_item::read(&item).ok());
        if let Some(ended) = numbered.filter(|delivery| has_ended(&delivery.progress)) {
            self.follow_end(&ended).await?;
        }
        Ok(outcome)
    }
}
