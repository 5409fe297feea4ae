//! Deliveries: claimed, completed, released, canceled.
//!
//! A claim is one conditional update of the delivery; the row of its attempt is put after it. How an attempt ends is in
//! [`completion`], how a claim is undone in [`release`], and how the schedule is ended by hand in [`cancel`]. Where a subscription
//! keeps an order, [`order`](crate::order) decides about the claim of a first attempt, and follows the end of a delivery.

mod cancel;
mod completion;
mod frozen_headers;
mod put_aside;
mod release;
mod resend_success;

use std::time::Duration;

use aws_sdk_dynamodb::types::ReturnValue::AllNew;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use bytes::Bytes;
use uuid::Uuid;

pub(crate) use self::put_aside::PutAside;
use crate::engine::Aws;
use crate::items::item::{Item, get_text, missing_attribute, text, unexpired};
use crate::items::key_schema::{self, CLAIM, FIRST_AUTO, NEWEST_AUTO, TOKEN};
use crate::items::write_outcome::{WriteOutcome, write_outcome};
use crate::items::{delivery_item, row_item};
use crate::order::{FIRST_ATTEMPT, has_number};
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::{AttemptId, TenantId, TraceId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    Attempts as _, CancelOutcome, ClaimOutcome, Deliveries, QueueMessage, ReleaseOutcome, StoreResult,
};

/// A first attempt this soon after intake takes the cached credentials; any other reads them again.
const CREDENTIALS_MAX_AGE: Duration = Duration::from_secs(10);

impl Deliveries for Aws {
    async fn claim(
        &self,
        message: &QueueMessage,
        attempt: u32,
        token: Uuid,
        now: Timestamp,
    ) -> StoreResult<ClaimOutcome> {
        let item = match self.write_claim_in_order(message, attempt, token, now).await? {
            WriteOutcome::Done(item) => item,
            WriteOutcome::Refused(item) => {
                let delivery = item.as_ref().map(delivery_item::read).transpose()?;
                if let Some((delivery, item)) = delivery.as_ref().zip(item.as_ref()) {
                    self.repeat_end(delivery, item, attempt).await?;
                }
                return Ok(ClaimOutcome::NotClaimed(delivery.map(Box::new)));
            }
        };
        let delivery = delivery_item::read(&item)?;
        let claim = delivery.progress.in_flight().ok_or_else(|| missing_attribute(CLAIM))?;
        let row = delivery.attempt_row(claim);
        if !self.put_claimed_row(&row, token, &item).await? {
            // This took so long that the attempt has been interrupted.
            let delivery = self.delivery(&message.tenant, message.trace_id).await?;
            return Ok(ClaimOutcome::NotClaimed(delivery.map(Box::new)));
        }
        if attempt > 1 || now.since(delivery.snapshot.accepted_at) > CREDENTIALS_MAX_AGE {
            self.cache().forget_newest(&message.tenant, message.subscription_id);
        }
        Ok(ClaimOutcome::Claimed(Box::new((delivery, row))))
    }

    async fn complete(
        &self,
        claimed: &Delivery,
        token: Uuid,
        row: Attempt,
        response: Option<Bytes>,
    ) -> StoreResult<bool> {
        self.complete_attempt(claimed, token, row, response).await
    }

    async fn release(
        &self,
        claimed: &Delivery,
        token: Uuid,
        row: &Attempt,
        due: Timestamp,
    ) -> StoreResult<ReleaseOutcome> {
        self.release_attempt(claimed, token, row, due).await
    }

    async fn replace_frozen_headers(&self, delivery: &Delivery) -> StoreResult<()> {
        self.write_snapshot(&delivery.snapshot).await
    }

    async fn cancel(&self, tenant: &TenantId, trace: TraceId) -> StoreResult<CancelOutcome> {
        self.cancel_delivery(tenant, trace, None).await
    }
}

impl Aws {
    /// Writes a claim, if the order lets the attempt begin. That a delivery has a number is seen by the refusal of its first claim, so
    /// one without a number has one call.
    async fn write_claim_in_order(
        &self,
        message: &QueueMessage,
        attempt: u32,
        token: Uuid,
        now: Timestamp,
    ) -> StoreResult<WriteOutcome<Item>> {
        let item = match self.write_claim(message, attempt, token, now, attempt == FIRST_ATTEMPT).await? {
            WriteOutcome::Refused(Some(item)) if attempt == FIRST_ATTEMPT && has_number(&item) => item,
            outcome => return Ok(outcome),
        };
        if !self.may_begin(&delivery_item::read(&item)?, &item, message, now).await? {
            return Ok(WriteOutcome::Refused(Some(item)));
        }
        self.write_claim(message, attempt, token, now, false).await
    }

    /// Writes a claim, if the attempt is next, nothing is in flight and, where `unnumbered` is set, the delivery has no number; returns
    /// the item as it then is.
    async fn write_claim(
        &self,
        message: &QueueMessage,
        attempt: u32,
        token: Uuid,
        now: Timestamp,
        unnumbered: bool,
    ) -> StoreResult<WriteOutcome<Item>> {
        let id = AttemptId::at(now);
        let update = self
            .update(key_schema::delivery(&message.tenant, message.trace_id))
            .expression_attribute_names("#newest", NEWEST_AUTO)
            .expression_attribute_values(":flight", delivery_item::claim_value(id, token, now))
            .expression_attribute_values(":id", text(id.to_string()))
            .return_values(AllNew)
            .return_values_on_condition_check_failure(AllOld);
        let update = match attempt {
            1 => update
                .update_expression("SET #flight = :flight, #newest = :id, #first = :id")
                .expression_attribute_names("#first", FIRST_AUTO),
            _ => update.update_expression("SET #flight = :flight, #newest = :id"),
        };
        let update = delivery_item::if_waiting_for(attempt, update);
        let update = if unnumbered { delivery_item::and_unnumbered(update) } else { update };
        let outcome = match write_outcome(update.send().await)? {
            WriteOutcome::Done(claimed) => {
                WriteOutcome::Done(claimed.attributes.ok_or_else(|| missing_attribute(CLAIM))?)
            }
            WriteOutcome::Refused(item) => WriteOutcome::Refused(item.and_then(unexpired)),
        };
        let is_own = |item: &Item| Ok(delivery_item::read(item)?.progress.in_flight_under(token).is_some());
        outcome.or_own_write(is_own, |item| item)
    }

    /// Puts the row of a claimed attempt. False if there is one that has not its token.
    async fn put_claimed_row(&self, row: &Attempt, token: Uuid, delivery: &Item) -> StoreResult<bool> {
        let outcome = self.put(self.put_if_absent(row_item::new(row, delivery)?)).await?;
        let token = token.to_string();
        let outcome = outcome.or_own_write(|item| Ok(get_text(item, TOKEN) == Some(&token)), drop)?;
        Ok(outcome.is_done())
    }
}
