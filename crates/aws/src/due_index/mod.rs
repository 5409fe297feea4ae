//! The index of what is due: every pending delivery stands in it, by the time at which its next attempt is due.
//!
//! SQS delays a message by 15 minutes at most. A delivery whose next attempt is due later has no message yet: it is
//! *deferred*, and the [sweep](sweep::Sweep) hands it to the queue shortly before its time. A delivery whose message is in
//! the queue stands in the index too, and the sweep looks at each once after it was due: one whose message was lost is
//! woken.
//!
//! The write that moves a delivery on sets its bucket. A delivery that ends keeps its bucket, since a bucket is read only
//! while it is due: to leave it there costs less than to remove it.

mod bucket;
mod bucket_access;
mod cursor;
mod overdue;
pub mod sweep;

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;

use crate::engine::Aws;
use crate::items::delivery_item;
use crate::items::item::{number, text};
use crate::items::key_schema::{self, CLAIM, DUE_BUCKET, NEXT, STATUS};
use crate::items::write_outcome::write_outcome;
use crate::queue::MAX_DELAY;
use loanhook_core::model::progress::Status;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{QueueMessage, StoreResult};

pub(crate) use bucket::Bucket;

/// Whether what is due then has to wait in the index, as no message can be delayed by so much.
pub(crate) fn is_deferred(due: Timestamp, now: Timestamp) -> bool {
    due.since(now) > MAX_DELAY
}

impl Aws {
    /// Puts a delivery into the bucket of its next attempt, if the message's attempt is the next and is not in flight.
    pub(crate) async fn put_in_due_index(
        &self,
        message: &QueueMessage,
        attempt: u32,
        now: Timestamp,
    ) -> StoreResult<()> {
        let bucket = Bucket::of(message.due, now, message.trace_id);
        let update = self
            .update(key_schema::delivery(&message.tenant, message.trace_id))
            .update_expression("SET #bucket = :bucket")
            .condition_expression(
                "#status = :pending AND #next.#number = :number AND attribute_not_exists(#flight)",
            )
            .expression_attribute_names("#bucket", DUE_BUCKET)
            .expression_attribute_names("#status", STATUS)
            .expression_attribute_names("#next", NEXT)
            .expression_attribute_names("#number", delivery_item::NUMBER)
            .expression_attribute_names("#flight", CLAIM)
            .expression_attribute_values(":bucket", text(bucket.to_string()))
            .expression_attribute_values(":pending", delivery_item::status(Status::Pending))
            .expression_attribute_values(":number", number(attempt))
            .return_values_on_condition_check_failure(AllOld);
        write_outcome(update.send().await).map(|_| ())
    }
}
