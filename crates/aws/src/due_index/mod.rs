//! The index of what is due: pending deliveries stand in it, by the time at which their next attempt is due.
//!
//! SQS delays a message by 15 minutes at most. A delivery whose next attempt is due later has no message yet: it is
//! *deferred*, and the [sweep](sweep::Sweep) hands it to the queue shortly before its time. A delivery whose message is in
//! the queue stands in the index too, and the sweep looks at each once after it was due: one whose message was lost is
//! woken.
//!
//! A delivery that waits for an earlier one of its loan stands in no bucket: the loan does ([`ordered_loans`]).
//!
//! The write that moves a delivery on sets its bucket. A delivery that ends keeps its bucket, since a bucket is read only
//! while it is due: to leave it there costs less than to remove it.

mod bucket;
mod bucket_access;
mod check;
mod cursor;
mod gauges;
mod ordered_loans;
mod overdue;
mod report;
pub mod sweep;

use crate::engine::Aws;
use crate::items::delivery_item;
use crate::items::item::text;
use crate::items::key_schema::{self, DUE_BUCKET};
use crate::items::write_outcome::{WriteOutcome, write_outcome};
use crate::queue::MAX_DELAY;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{QueueMessage, StoreResult};

pub(crate) use bucket::Bucket;
pub(crate) use ordered_loans::bucket_of_waiting_loan;

/// Whether what is due then has to wait in the index, as no message can be delayed by so much.
pub(crate) fn is_deferred(due: Timestamp, now: Timestamp) -> bool {
    due.since(now) > MAX_DELAY
}

impl Aws {
    /// Puts a delivery into the bucket of its next attempt, if the message's attempt is the next and is not in flight; gives
    /// whether it is.
    pub(crate) async fn put_in_due_index(
        &self,
        message: &QueueMessage,
        attempt: u32,
        now: Timestamp,
    ) -> StoreResult<bool> {
        let bucket = Bucket::of(message.due, now, message.trace_id);
        let update = self
            .update(key_schema::delivery(&message.tenant, message.trace_id))
            .update_expression("SET #bucket = :bucket")
            .expression_attribute_names("#bucket", DUE_BUCKET)
            .expression_attribute_values(":bucket", text(bucket.to_string()));
        write_outcome(delivery_item::if_waiting_for(attempt, update).send().await)
            .map(|outcome| matches!(outcome, WriteOutcome::Done(_)))
    }
}
