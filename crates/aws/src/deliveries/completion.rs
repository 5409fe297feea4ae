//! The end of an automatic attempt: response, row, delivery, message, in this order.
//!
//! The delivery was read when it was claimed, so its end is written without reading it again, on condition
//! that what decides it has not changed since: whose flight it is, the status (a cancel), whether a resend
//! has succeeded. Where it has, the refusal brings the delivery as it is now, and that decides. Many may hold
//! the token of a flight, who all found its sender dead; so each write leaves a mark of its own, by which a
//! writer whose answer was lost knows its own write from another's. How a row ends is in
//! [`super::completion`].

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use bytes::Bytes;
use uuid::Uuid;

use super::call_errors::{WriteOutcome, write_outcome};
use super::item::{Item, get_text, number, text};
use super::key_schema::{
    self, CLAIM, EXHAUSTED, EXHAUSTED_AT, INTERRUPTIONS, NEXT, RESENT, STATUS, TOKEN, WRITER,
};
use super::{Aws, delivery_item};
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::progress::Progress;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Attempts as _, QueueMessage, StoreError, StoreResult};

/// How often a delivery may change under us before we give up; each is a cancel or a resend.
const MAX_TRIES: u32 = 8;

impl Aws {
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

    /// Moves the delivery on from an attempt whose row is complete, and queues its successor.
    async fn advance_delivery(
        &self,
        mut delivery: Delivery,
        token: Uuid,
        mut row: Attempt,
    ) -> StoreResult<bool> {
        for _ in 0..MAX_TRIES {
            let Some(completion) = row.completion() else { return Ok(false) };
            let ended = completion.ended_at;
            let mut after = delivery.clone();
            let Ok(next) = after.complete(token, completion) else {
                return self.enqueue_successor(&delivery).await.map(|()| false);
            };
            match self.write_progress(&delivery, &after, token, ended).await? {
                WriteOutcome::Done(()) => {
                    if row.next_attempt_at != next {
                        row.next_attempt_at = next;
                        self.write_completion(&row, None).await?;
                    }
                    self.enqueue_successor(&after).await?;
                    return Ok(true);
                }
                WriteOutcome::Refused(Some(item)) => delivery = delivery_item::read(&item)?,
                WriteOutcome::Refused(None) => return Ok(false),
            }
        }
        Err(StoreError::Busy)
    }

    /// Queues what is next. Another may have done so, or a crash have eaten it: one too many does no harm.
    async fn enqueue_successor(&self, delivery: &Delivery) -> StoreResult<()> {
        match QueueMessage::for_next_attempt(delivery) {
            Some(message) => self.enqueue_all(vec![message]).await,
            None => Ok(()),
        }
    }

    async fn write_progress(
        &self,
        before: &Delivery,
        after: &Delivery,
        token: Uuid,
        ended: Timestamp,
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
            (":was".into(), delivery_item::status(before.progress.status())),
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
                set.push("#next = :next");
                values.insert(":next".into(), delivery_item::next_value(next));
            }
            None => remove.push("#next"),
        }
        if *progress == Progress::Failed {
            set.extend(["#exhausted = :exhausted", "#at = :at"]);
            names.extend([("#exhausted", EXHAUSTED), ("#at", EXHAUSTED_AT)]);
            let partition = key_schema::exhausted_pk(&snapshot.tenant, snapshot.trace_id);
            values.insert(":exhausted".into(), text(partition));
            values.insert(":at".into(), number(ended.millis()));
        }
        let resent = if before.history.resend_succeeded {
            "attribute_exists(#resent)"
        } else {
            "attribute_not_exists(#resent)"
        };
        let update = self
            .dynamodb()
            .update_item()
            .table_name(self.table())
            .set_key(Some(key_schema::delivery(&snapshot.tenant, snapshot.trace_id).key()))
            .update_expression(format!("SET {} REMOVE {}", set.join(", "), remove.join(", ")))
            .condition_expression(format!("#flight.#token = :token AND #status = :was AND {resent}"))
            .set_expression_attribute_names(Some(
                names.into_iter().map(|(alias, name)| (alias.into(), name.into())).collect(),
            ))
            .set_expression_attribute_values(Some(values))
            .return_values_on_condition_check_failure(AllOld)
            .send()
            .await;
        Ok(match write_outcome(update)? {
            WriteOutcome::Refused(Some(item)) if get_text(&item, WRITER) == Some(&writer) => {
                WriteOutcome::Done(())
            }
            written => written.map(|_| ()),
        })
    }

    /// Tells a delivery that a resend succeeded.
    pub(super) async fn record_resend_success(&self, row: &Attempt) -> StoreResult<()> {
        for _ in 0..MAX_TRIES {
            let Some(before) = self.delivery(&row.tenant, row.trace_id).await? else { return Ok(()) };
            let mut after = before.clone();
            after.record_resend_success();
            if after == before {
                return Ok(());
            }
            let update = self
                .dynamodb()
                .update_item()
                .table_name(self.table())
                .set_key(Some(key_schema::delivery(&row.tenant, row.trace_id).key()))
                .update_expression("SET #status = :status, #resent = :true REMOVE #exhausted, #at")
                .condition_expression("#status = :was")
                .expression_attribute_names("#status", STATUS)
                .expression_attribute_names("#resent", RESENT)
                .expression_attribute_names("#exhausted", EXHAUSTED)
                .expression_attribute_names("#at", EXHAUSTED_AT)
                .expression_attribute_values(":status", delivery_item::status(after.progress.status()))
                .expression_attribute_values(":was", delivery_item::status(before.progress.status()))
                .expression_attribute_values(":true", AttributeValue::Bool(true))
                .send()
                .await;
            match write_outcome(update)? {
                WriteOutcome::Done(_) => return Ok(()),
                WriteOutcome::Refused(_) => {}
            }
        }
        Err(StoreError::Busy)
    }
}
