//! The completion of an automatic attempt. The order of effects: response body, row, delivery, queue message, and where an order is
//! kept, what waits behind the delivery.
//!
//! The delivery was read when it was claimed, so it is advanced without another read, on condition that what decides has
//! not changed since: the claim's token, the status (a cancel), and whether a resend has succeeded. Where something has
//! changed, the refusal returns the delivery as it is, and the completion is tried on that.
//!
//! Several callers may hold the token of one claim, as each of them found its sender dead. So every write leaves an ID of
//! its own, by which a writer whose response was lost tells its write from another's. How the row is completed is in
//! `history::row_completion`.

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use bytes::Bytes;
use uuid::Uuid;

use crate::due_index::{Bucket, is_deferred};
use crate::engine::Aws;
use crate::items::delivery_item;
use crate::items::item::{Item, get_text, number, text};
use crate::items::key_schema::{
    self, CLAIM, DELIVERED_BY_RESEND, DUE_BUCKET, FAILED_PK, FAILED_SK, INTERRUPTIONS, NEXT, RESENT, STATUS,
    TOKEN, WRITER,
};
use crate::items::write_outcome::{WriteOutcome, write_outcome};
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::progress::Status;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Queue as _, QueueMessage, StoreError, StoreResult};

/// How often the delivery may change before the completion is given up; each change is a cancel or a resend.
const MAX_TRIES: u32 = 8;

impl Aws {
    /// Completes an attempt. False if its claim is not under this token any more.
    pub(super) async fn complete_attempt(
        &self,
        claimed: &Delivery,
        token: Uuid,
        mut row: Attempt,
        response: Option<Bytes>,
    ) -> StoreResult<bool> {
        let Some(completion) = row.completion() else { return Ok(false) };
        let mut after = claimed.clone();
        let Ok(next) = after.complete(token, completion) else { return Ok(false) };
        row.next_attempt_at = next;
        self.store_response(&row, response).await?;
        let Some(row) = self.complete_row(token, row).await? else { return Ok(false) };
        self.advance_delivery(claimed.clone(), token, row).await
    }

    /// Advances the delivery of an attempt whose row is complete, and queues its next attempt.
    async fn advance_delivery(
        &self,
        mut delivery: Delivery,
        token: Uuid,
        mut row: Attempt,
    ) -> StoreResult<bool> {
        for _ in 0..MAX_TRIES {
            let Some(completion) = row.completion() else { return Ok(false) };
            let mut after = delivery.clone();
            let Ok(next) = after.complete(token, completion) else {
                // It may be queued already, or a crash may have prevented it: a second message does no harm.
                if let Some(message) = QueueMessage::for_next_attempt(&delivery) {
                    self.enqueue(message).await?;
                }
                self.follow_attempt(&row, &delivery).await?;
                return Ok(false);
            };
            let now = (self.stack().clock)();
            match self.write_progress(&delivery, &after, token, now).await? {
                WriteOutcome::Done(()) => {
                    if row.next_attempt_at != next {
                        row.next_attempt_at = next;
                        self.write_completion(&row, None).await?;
                    }
                    self.record_flow_end(&row).await;
                    // One that is due later stands in the index of what is due.
                    if let Some(message) = QueueMessage::for_next_attempt(&after)
                        && !is_deferred(message.due, now)
                    {
                        self.enqueue(message).await?;
                    }
                    self.follow_attempt(&row, &after).await?;
                    return Ok(true);
                }
                WriteOutcome::Refused(Some(item)) => delivery = delivery_item::read(&item)?,
                WriteOutcome::Refused(None) => return Ok(false),
            }
        }
        Err(StoreError::Busy)
    }

    async fn write_progress(
        &self,
        before: &Delivery,
        after: &Delivery,
        token: Uuid,
        now: Timestamp,
    ) -> StoreResult<WriteOutcome<()>> {
        let Delivery { snapshot, progress, history } = after;
        let writer = Uuid::new_v4().to_string();
        let mut set = vec!["#status = :status", "#interruptions = :interruptions", "#writer = :writer"];
        let mut remove = vec!["#flight"];
        let mut values = Item::from([
            (":status".into(), delivery_item::status(progress.status())),
            (":interruptions".into(), number(history.interruptions)),
            (":token".into(), text(token.to_string())),
            (":writer".into(), text(&writer)),
            (":before".into(), delivery_item::status(before.progress.status())),
        ]);
        let mut names = vec![
            ("#status", STATUS),
            ("#interruptions", INTERRUPTIONS),
            ("#flight", CLAIM),
            ("#token", TOKEN),
            ("#next", NEXT),
            ("#resent", RESENT),
            ("#writer", WRITER),
        ];
        match progress.waiting() {
            Some(next) => {
                set.extend(["#next = :next", "#bucket = :bucket"]);
                names.push(("#bucket", DUE_BUCKET));
                values.insert(":next".into(), delivery_item::next_value(next));
                let bucket = Bucket::of(next.due, now, snapshot.trace_id);
                values.insert(":bucket".into(), text(bucket.to_string()));
            }
            None => remove.push("#next"),
        }
        names.extend([("#failed", FAILED_PK), ("#at", FAILED_SK)]);
        if progress.status() == Status::Failed {
            set.extend(["#failed = :failed", "#at = :at"]);
            let partition = key_schema::failed_pk(&snapshot.tenant, snapshot.trace_id);
            values.insert(":failed".into(), text(partition));
            values.insert(":at".into(), text(key_schema::failed_sk(after.position())));
        } else {
            remove.extend(["#failed", "#at"]);
        }
        if history.delivered_by_resend {
            set.push("#by_resend = :true");
            names.push(("#by_resend", DELIVERED_BY_RESEND));
            values.insert(":true".into(), AttributeValue::Bool(true));
        }
        let resent = if before.history.resend_succeeded {
            "attribute_exists(#resent)"
        } else {
            "attribute_not_exists(#resent)"
        };
        let update = self
            .update(key_schema::delivery(&snapshot.tenant, snapshot.trace_id))
            .update_expression(format!("SET {} REMOVE {}", set.join(", "), remove.join(", ")))
            .condition_expression(format!("#flight.#token = :token AND #status = :before AND {resent}"))
            .set_expression_attribute_names(Some(
                names.into_iter().map(|(alias, name)| (alias.into(), name.into())).collect(),
            ))
            .set_expression_attribute_values(Some(values))
            .return_values_on_condition_check_failure(AllOld);
        let outcome = write_outcome(update.send().await)?.map(|_| ());
        outcome.or_own_write(|item| Ok(get_text(item, WRITER) == Some(&writer)), drop)
    }
}
