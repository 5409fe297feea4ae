//! The end of an automatic attempt: response, row, delivery, message, in this order.
//!
//! The delivery was read when it was claimed, so its end is written without reading it again, on condition
//! that what decides it has not changed since: whose flight it is, the status (a cancel), whether a resend
//! has succeeded. Where it has, the refusal brings the delivery as it is now, and that decides.

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use bytes::Bytes;
use uuid::Uuid;

use super::deliveries::expires;
use super::failure::{Written, written};
use super::item::{Item, json, number, text};
use super::table::{
    self, DOC, EXHAUSTED, EXHAUSTED_AT, FLIGHT, INTERRUPTIONS, NEXT, PK, RESENT, STATE, STATUS, TOKEN,
};
use super::{Aws, delivery_item, row_item};
use crate::model::attempt::{Attempt, AttemptState};
use crate::model::delivery::Delivery;
use crate::model::progress::Status;
use crate::model::time::Timestamp;
use crate::ports::{StoreError, Stored, Wake};

/// How often a delivery may change under us before we give up; each is a cancel or a resend.
const TRIES: u32 = 8;

impl Aws {
    pub(super) async fn settle_attempt(
        &self,
        claimed: &Delivery,
        token: Uuid,
        mut row: Attempt,
        response: Option<Bytes>,
    ) -> Stored<bool> {
        let Some(completion) = row.completion() else { return Ok(false) };
        let mut after = claimed.clone();
        let Some(next) = after.settle(token, completion) else { return Ok(false) };
        row.next_attempt_at = next;
        self.put_response(&row, response).await?;
        let Some(row) = self.complete_row(token, row).await? else { return Ok(false) };
        self.move_on(claimed.clone(), token, row).await
    }

    pub(super) async fn put_response(&self, row: &Attempt, response: Option<Bytes>) -> Stored<()> {
        let stored = row.completion().and_then(|completion| completion.response.as_ref());
        match (stored.and_then(|stored| stored.payload.key), response) {
            (Some(key), Some(bytes)) => self.put_payload(&row.tenant, key, bytes).await,
            _ => Ok(()),
        }
    }

    /// Completes the row under the token; gives the row that then stands, which is another's if that one
    /// was complete before. None if it is not the token's.
    async fn complete_row(&self, token: Uuid, row: Attempt) -> Stored<Option<Attempt>> {
        match self.write_completion(&row, Some(token)).await? {
            Written::Done(()) => Ok(Some(row)),
            Written::Refused(Some(item)) => {
                let stands = row_item::read(&item)?;
                Ok(matches!(stands.state, AttemptState::Complete(_)).then_some(stands))
            }
            Written::Refused(None) => self.put_complete_row(token, row).await,
        }
    }

    /// Puts a row, complete, whose sender died before it put it.
    async fn put_complete_row(&self, token: Uuid, row: Attempt) -> Stored<Option<Attempt>> {
        let Some(item) = self.delivery_item(&row.tenant, row.trace_id).await? else { return Ok(None) };
        let flight = delivery_item::read(&item)?.progress.in_flight;
        if flight.is_none_or(|flight| flight.token != token) {
            return Ok(None);
        }
        let put = self
            .dynamodb()
            .put_item()
            .table_name(self.table())
            .set_item(Some(row_item::new(&row, expires(&item)?)?))
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", PK)
            .return_values_on_condition_check_failure(AllOld)
            .send()
            .await;
        match written(put)? {
            Written::Done(_) => Ok(Some(row)),
            Written::Refused(Some(item)) => {
                let stands = row_item::read(&item)?;
                Ok(matches!(stands.state, AttemptState::Complete(_)).then_some(stands))
            }
            Written::Refused(None) => Ok(None),
        }
    }

    /// Writes the end of a row that is the token's, or, without one, over what a complete row says.
    pub(super) async fn write_completion(&self, row: &Attempt, token: Option<Uuid>) -> Stored<Written<()>> {
        let update = self
            .dynamodb()
            .update_item()
            .table_name(self.table())
            .set_key(Some(table::row(&row.tenant, &row.loan_id, row.id).key()))
            .update_expression("SET #doc = :doc, #state = :complete REMOVE #token")
            .expression_attribute_names("#doc", DOC)
            .expression_attribute_names("#state", STATE)
            .expression_attribute_names("#token", TOKEN)
            .expression_attribute_values(":doc", json(row)?)
            .expression_attribute_values(":complete", row_item::state(row))
            .return_values_on_condition_check_failure(AllOld);
        let update = match token {
            Some(token) => update
                .condition_expression("#token = :token")
                .expression_attribute_values(":token", text(token.to_string())),
            None => update.condition_expression("#state = :complete"),
        };
        Ok(match written(update.send().await)? {
            Written::Done(_) => Written::Done(()),
            Written::Refused(item) => Written::Refused(item),
        })
    }

    /// Moves the delivery on from an attempt whose row is complete, and queues its successor.
    async fn move_on(&self, mut delivery: Delivery, token: Uuid, mut row: Attempt) -> Stored<bool> {
        for _ in 0..TRIES {
            let Some(completion) = row.completion() else { return Ok(false) };
            let ended = completion.ended_at;
            let mut after = delivery.clone();
            let Some(next) = after.settle(token, completion) else {
                return self.queue_again(&delivery).await.map(|()| false);
            };
            match self.write_progress(&delivery, &after, token, ended).await? {
                Written::Done(()) => {
                    if row.next_attempt_at != next {
                        row.next_attempt_at = next;
                        self.write_completion(&row, None).await?;
                    }
                    self.queue_again(&after).await?;
                    return Ok(true);
                }
                Written::Refused(Some(item)) => delivery = delivery_item::read(&item)?,
                Written::Refused(None) => return Ok(false),
            }
        }
        Err(StoreError::Busy)
    }

    /// Queues what is next. Another may have done so, or a crash have eaten it: one too many does no harm.
    async fn queue_again(&self, delivery: &Delivery) -> Stored<()> {
        match Wake::next_of(delivery) {
            Some(wake) => self.enqueue(vec![wake]).await,
            None => Ok(()),
        }
    }

    async fn write_progress(
        &self,
        before: &Delivery,
        after: &Delivery,
        token: Uuid,
        ended: Timestamp,
    ) -> Stored<Written<()>> {
        let Delivery { frozen, progress } = after;
        let mut set = vec!["#status = :status", "#interruptions = :interruptions"];
        let mut remove = vec!["#flight"];
        let mut values = Item::from([
            (":status".into(), delivery_item::status(progress.status)),
            (":interruptions".into(), number(progress.interruptions)),
            (":token".into(), text(token.to_string())),
            (":was".into(), delivery_item::status(before.progress.status)),
        ]);
        let mut names = vec![
            ("#status", STATUS),
            ("#interruptions", INTERRUPTIONS),
            ("#flight", FLIGHT),
            ("#token", TOKEN),
            ("#next", NEXT),
            ("#resent", RESENT),
        ];
        match progress.next {
            Some(next) => {
                set.push("#next = :next");
                values.insert(":next".into(), delivery_item::next_value(next));
            }
            None => remove.push("#next"),
        }
        if progress.status == Status::Failed {
            set.extend(["#exhausted = :exhausted", "#at = :at"]);
            names.extend([("#exhausted", EXHAUSTED), ("#at", EXHAUSTED_AT)]);
            let partition = table::exhausted_pk(&frozen.tenant, frozen.trace_id);
            values.insert(":exhausted".into(), text(partition));
            values.insert(":at".into(), number(ended.millis()));
        }
        let resent = if before.progress.resend_succeeded {
            "attribute_exists(#resent)"
        } else {
            "attribute_not_exists(#resent)"
        };
        let update = self
            .dynamodb()
            .update_item()
            .table_name(self.table())
            .set_key(Some(table::delivery(&frozen.tenant, frozen.trace_id).key()))
            .update_expression(format!("SET {} REMOVE {}", set.join(", "), remove.join(", ")))
            .condition_expression(format!("#flight.#token = :token AND #status = :was AND {resent}"))
            .set_expression_attribute_names(Some(
                names.into_iter().map(|(alias, name)| (alias.into(), name.into())).collect(),
            ))
            .set_expression_attribute_values(Some(values))
            .return_values_on_condition_check_failure(AllOld)
            .send()
            .await;
        Ok(match written(update)? {
            Written::Done(_) => Written::Done(()),
            Written::Refused(item) => Written::Refused(item),
        })
    }

    /// Tells a delivery that a resend succeeded.
    pub(super) async fn tell_delivered(&self, row: &Attempt) -> Stored<()> {
        for _ in 0..TRIES {
            let Some(before) = self.delivery(&row.tenant, row.trace_id).await? else { return Ok(()) };
            let mut after = before.clone();
            after.progress.resend_delivered();
            if after == before {
                return Ok(());
            }
            let update = self
                .dynamodb()
                .update_item()
                .table_name(self.table())
                .set_key(Some(table::delivery(&row.tenant, row.trace_id).key()))
                .update_expression("SET #status = :status, #resent = :true REMOVE #exhausted, #at")
                .condition_expression("#status = :was")
                .expression_attribute_names("#status", STATUS)
                .expression_attribute_names("#resent", RESENT)
                .expression_attribute_names("#exhausted", EXHAUSTED)
                .expression_attribute_names("#at", EXHAUSTED_AT)
                .expression_attribute_values(":status", delivery_item::status(after.progress.status))
                .expression_attribute_values(":was", delivery_item::status(before.progress.status))
                .expression_attribute_values(":true", AttributeValue::Bool(true))
                .send()
                .await;
            match written(update)? {
                Written::Done(_) => return Ok(()),
                Written::Refused(_) => {}
            }
        }
        Err(StoreError::Busy)
    }
}
