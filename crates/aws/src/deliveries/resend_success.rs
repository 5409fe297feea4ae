//! The success of a resend, as its delivery records it.

use aws_sdk_dynamodb::types::AttributeValue;

use crate::engine::Aws;
use crate::items::delivery_item;
use crate::items::key_schema::{self, DELIVERED_BY_RESEND, FAILED_PK, FAILED_SK, RESENT, STATUS};
use crate::items::write_outcome::write_outcome;
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::progress::Status;
use loanhook_core::ports::{Attempts as _, StoreError, StoreResult};

/// How often the status of a delivery may change between reading and writing it.
const MAX_TRIES: u32 = 8;

impl Aws {
    /// Records on the delivery that this resend succeeded.
    pub(crate) async fn record_resend_success(&self, row: &Attempt) -> StoreResult<()> {
        for _ in 0..MAX_TRIES {
            let Some(before) = self.delivery(&row.tenant, row.trace_id).await? else { return Ok(()) };
            let mut after = before.clone();
            after.record_resend_success();
            if after == before {
                return Ok(());
            }
            let mut set = vec!["#status = :status", "#resent = :true"];
            let by_resend = after.history.delivered_by_resend.then(|| {
                set.push("#by_resend = :true");
                ("#by_resend".to_owned(), DELIVERED_BY_RESEND.to_owned())
            });
            let set = set.join(", ");
            let update = self
                .update(key_schema::delivery(&row.tenant, row.trace_id))
                .set_expression_attribute_names(Some(by_resend.into_iter().collect()));
            // A delivery that is pending is not in the index, unless an earlier version put it there: whoever moves its
            // schedule on, maybe beside this, takes it out.
            let update = match before.progress.status() {
                Status::Failed => update
                    .update_expression(format!("SET {set} REMOVE #failed, #at"))
                    .expression_attribute_names("#failed", FAILED_PK)
                    .expression_attribute_names("#at", FAILED_SK),
                Status::Pending | Status::Succeeded | Status::Canceled => {
                    update.update_expression(format!("SET {set}"))
                }
            };
            let update = update
                .condition_expression("#status = :before")
                .expression_attribute_names("#status", STATUS)
                .expression_attribute_names("#resent", RESENT)
                .expression_attribute_values(":status", delivery_item::status(after.progress.status()))
                .expression_attribute_values(":before", delivery_item::status(before.progress.status()))
                .expression_attribute_values(":true", AttributeValue::Bool(true));
            if write_outcome(update.send().await)?.is_done() {
                return Ok(());
            }
        }
        Err(StoreError::Busy)
    }
}
