//! Deliveries: read, claimed, canceled. How an attempt ends is in [`super::settle`].

use std::time::Duration;

use aws_sdk_dynamodb::types::ReturnValue::AllNew;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use bytes::Bytes;
use uuid::Uuid;

use super::call_errors::{WriteOutcome, write_outcome};
use super::item::{Item, get_number, get_text, missing_attribute, number, text, unexpired};
use super::key_schema::{self, CLAIM, EXPIRES, NEWEST_AUTO, NEXT, STATUS, TOKEN, WRITER};
use super::{Aws, delivery_item, row_item};
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::{AttemptId, TenantId, TraceId};
use loanhook_core::model::progress::Status;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    Attempts as _, CancelOutcome, ClaimOutcome, Deliveries, QueueMessage, ReleaseOutcome, StoreResult,
};

/// A first attempt this soon after intake signs with the secrets that intake's version has; any other looks
/// whether they have changed.
const SECRETS_MAX_AGE: Duration = Duration::from_secs(10);

impl Deliveries for Aws {
    async fn claim(
        &self,
        message: &QueueMessage,
        attempt: u32,
        token: Uuid,
        now: Timestamp,
    ) -> StoreResult<ClaimOutcome> {
        let id = AttemptId::at(now);
        let claim = self
            .dynamodb()
            .update_item()
            .table_name(self.table())
            .set_key(Some(key_schema::delivery(&message.tenant, message.trace_id).key()))
            .update_expression("SET #flight = :flight, #newest = :id")
            .condition_expression(
                "#status = :pending AND #next.#number = :number AND attribute_not_exists(#flight)",
            )
            .expression_attribute_names("#flight", CLAIM)
            .expression_attribute_names("#newest", NEWEST_AUTO)
            .expression_attribute_names("#status", STATUS)
            .expression_attribute_names("#next", NEXT)
            .expression_attribute_names("#number", delivery_item::NUMBER)
            .expression_attribute_values(":flight", delivery_item::claim_value(id, token, now))
            .expression_attribute_values(":id", text(id.to_string()))
            .expression_attribute_values(":pending", delivery_item::status(Status::Pending))
            .expression_attribute_values(":number", number(attempt))
            .return_values(AllNew)
            .return_values_on_condition_check_failure(AllOld)
            .send()
            .await;
        let item = match write_outcome(claim)? {
            WriteOutcome::Done(claimed) => claimed.attributes.ok_or_else(|| missing_attribute(CLAIM))?,
            WriteOutcome::Refused(None) => return Ok(ClaimOutcome::NotClaimed(None)),
            WriteOutcome::Refused(Some(item)) => {
                let Some(item) = unexpired(item) else { return Ok(ClaimOutcome::NotClaimed(None)) };
                let delivery = delivery_item::read(&item)?;
                // Our own first try, whose answer was lost on its way.
                if delivery.progress.in_flight_under(token).is_none() {
                    return Ok(ClaimOutcome::NotClaimed(Some(Box::new(delivery))));
                }
                item
            }
        };
        let delivery = delivery_item::read(&item)?;
        let claim = delivery.progress.in_flight().ok_or_else(|| missing_attribute(CLAIM))?;
        let row = delivery.attempt_row(claim);
        if !self.put_new_row(&row, token, expires(&item)?).await? {
            // It took so long that another has interrupted it.
            let delivery = self.delivery(&message.tenant, message.trace_id).await?;
            return Ok(ClaimOutcome::NotClaimed(delivery.map(Box::new)));
        }
        if attempt > 1 || now.since(delivery.snapshot.accepted_at) > SECRETS_MAX_AGE {
            self.0.cache.forget_secrets(&message.tenant, message.subscription_id);
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

    async fn cancel(&self, tenant: &TenantId, trace: TraceId) -> StoreResult<CancelOutcome> {
        let writer = Uuid::new_v4().to_string();
        let update = self
            .dynamodb()
            .update_item()
            .table_name(self.table())
            .set_key(Some(key_schema::delivery(tenant, trace).key()))
            .update_expression("SET #status = :canceled, #writer = :writer")
            .condition_expression("#status = :pending")
            .expression_attribute_names("#status", STATUS)
            .expression_attribute_names("#writer", WRITER)
            .expression_attribute_values(":writer", text(&writer))
            .expression_attribute_values(":canceled", delivery_item::status(Status::Canceled))
            .expression_attribute_values(":pending", delivery_item::status(Status::Pending))
            .return_values_on_condition_check_failure(AllOld)
            .send()
            .await;
        Ok(match write_outcome(update)? {
            WriteOutcome::Done(_) => CancelOutcome::Canceled,
            WriteOutcome::Refused(item) => match item.and_then(unexpired) {
                // Our own first try, whose answer was lost on its way.
                Some(item) if get_text(&item, WRITER) == Some(&writer) => CancelOutcome::Canceled,
                Some(_) => CancelOutcome::NotPending,
                None => CancelOutcome::NotFound,
            },
        })
    }
}

impl Aws {
    pub(super) async fn delivery_item(&self, tenant: &TenantId, trace: TraceId) -> StoreResult<Option<Item>> {
        self.get(key_schema::delivery(tenant, trace)).await
    }

    /// Puts the row of an attempt that begins. False if there is one that is not its token's.
    async fn put_new_row(&self, row: &Attempt, token: Uuid, expires: Timestamp) -> StoreResult<bool> {
        Ok(match self.put_new(row_item::new(row, expires)?).await? {
            WriteOutcome::Done(()) => true,
            WriteOutcome::Refused(item) => {
                item.is_some_and(|item| get_text(&item, TOKEN) == Some(token.to_string().as_str()))
            }
        })
    }
}

pub(super) fn expires(item: &Item) -> StoreResult<Timestamp> {
    let seconds: i64 = get_number(item, EXPIRES).ok_or_else(|| missing_attribute(EXPIRES))?;
    Ok(Timestamp::from_millis(seconds.saturating_mul(1000)))
}
