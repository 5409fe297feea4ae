//! A delivery as an item.
//!
//! Its snapshot is a document, packed where the item would otherwise outgrow a write unit; its number in the order of its loan
//! stands beside that, as a claim asks for it. Its progress is attributes, so that a claim, a cancel and a resend are one
//! conditional update each, which needs to know nothing else of the delivery:
//!
//! - `next` `{number, slot, due}` is the next attempt. It stays while that attempt is in flight: the claim's number and
//!   slot are those of `next`. In a delivery that is not pending any more it means nothing.
//! - `flight` `{id, token, since}` is the claim; it is there while an attempt is in flight.
//! - The newest attempt is the newer one of the newest automatic and the newest manual attempt, which are written by
//!   different calls.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;

use super::item::{
    Item, document, document_value, get_number, get_text, missing_attribute, number, parse, parse_number,
    text,
};
use super::item_size::bytes_of;
use super::key_schema::{
    self, CLAIM, DELIVERED_BY_RESEND, DOC, DUE_BUCKET, EXPIRES, INTERRUPTIONS, NEWEST_AUTO, NEWEST_MANUAL,
    NEXT, RESENDS, RESENT, SEQUENCE, STATUS, delivery,
};
use crate::due_index::Bucket;
use crate::engine::Aws;
use loanhook_core::model::delivery::{Delivery, DeliveryHistory, DeliverySnapshot};
use loanhook_core::model::id::{AttemptId, TenantId, TraceId};
use loanhook_core::model::progress::{Claim, NextAttempt, Progress, Status};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;

pub(crate) const NUMBER: &str = "number";
const SLOT: &str = "slot";
pub(crate) const DUE: &str = "due";
const ID: &str = "id";
const SINCE: &str = "since";
/// How much larger an item becomes when an attempt is in flight after others and a resend: its bucket, the claim, the IDs
/// of those attempts, counts, the last writer, and its place in the index of those that failed.
const GROWTH_BYTES: usize = 425;

/// The item of a delivery that is accepted; without a bucket it does not stand in the index of what is due.
pub(crate) fn new(accepted: &Delivery, expires: Timestamp, bucket: Option<Bucket>) -> StoreResult<Item> {
    let mut item = delivery(&accepted.snapshot.tenant, accepted.snapshot.trace_id).attributes();
    item.insert(EXPIRES.into(), number(expires.seconds()));
    item.insert(STATUS.into(), status(accepted.progress.status()));
    if let Some(next) = accepted.progress.waiting() {
        item.insert(NEXT.into(), next_value(next));
    }
    let document = document_value(&accepted.snapshot, bytes_of(&item) + DOC.len() + GROWTH_BYTES)?;
    item.insert(DOC.into(), document);
    if let Some(bucket) = bucket {
        item.insert(DUE_BUCKET.into(), text(bucket.to_string()));
    }
    Ok(item)
}

/// The document of a delivery that is stored already.
pub(crate) fn snapshot_value(snapshot: &DeliverySnapshot) -> StoreResult<AttributeValue> {
    let key = delivery(&snapshot.tenant, snapshot.trace_id).attributes();
    document_value(snapshot, bytes_of(&key) + DOC.len() + GROWTH_BYTES)
}

pub(crate) fn read(item: &Item) -> StoreResult<Delivery> {
    let mut snapshot: DeliverySnapshot = document(item)?;
    snapshot.sequence = get_number(item, SEQUENCE).or(snapshot.sequence);
    Ok(Delivery { snapshot, progress: progress(item)?, history: history(item) })
}

pub(crate) fn status(status: Status) -> AttributeValue {
    text(match status {
        Status::Pending => "pending",
        Status::Succeeded => "succeeded",
        Status::Failed => "failed",
        Status::Canceled => "canceled",
    })
}

pub(crate) fn next_value(next: NextAttempt) -> AttributeValue {
    AttributeValue::M(HashMap::from([
        (NUMBER.into(), number(next.number)),
        (SLOT.into(), number(next.slot)),
        (DUE.into(), number(next.due.millis())),
    ]))
}

/// The attribute that a claim sets; its number and slot are those of `next`.
pub(crate) fn claim_value(id: AttemptId, token: uuid::Uuid, since: Timestamp) -> AttributeValue {
    AttributeValue::M(HashMap::from([
        (ID.into(), text(id.to_string())),
        (key_schema::TOKEN.into(), text(token.to_string())),
        (SINCE.into(), number(since.millis())),
    ]))
}

/// The status of a delivery; its item needs no other attribute.
pub(crate) fn read_status(item: &Item) -> StoreResult<Status> {
    match get_text(item, STATUS) {
        Some("pending") => Ok(Status::Pending),
        Some("succeeded") => Ok(Status::Succeeded),
        Some("failed") => Ok(Status::Failed),
        Some("canceled") => Ok(Status::Canceled),
        _ => Err(missing_attribute(STATUS)),
    }
}

fn progress(item: &Item) -> StoreResult<Progress> {
    let status = read_status(item)?;
    let next = next_attempt(item)?;
    let claim = claim(item)?;
    Ok(match (status, next, claim) {
        (Status::Pending, Some(next), Some(claim)) => Progress::Sending { claim, due: next.due },
        (Status::Pending, Some(next), None) => Progress::Waiting(next),
        (Status::Pending, None, _) => return Err(missing_attribute(NEXT)),
        (Status::Canceled, _, Some(claim)) => Progress::Canceling(claim),
        (Status::Canceled, _, None) => Progress::Canceled,
        (Status::Succeeded, ..) => Progress::Succeeded,
        (Status::Failed, ..) => Progress::Failed,
    })
}

fn history(item: &Item) -> DeliveryHistory {
    let newest = |name| get_text(item, name).and_then(|id| id.parse::<AttemptId>().ok());
    let is_set = |name| item.get(name).is_some_and(|value: &AttributeValue| value.as_bool() == Ok(&true));
    DeliveryHistory {
        interruptions: get_number(item, INTERRUPTIONS).unwrap_or(0),
        newest_attempt: newest(NEWEST_AUTO).max(newest(NEWEST_MANUAL)),
        resends: get_number(item, RESENDS).unwrap_or(0),
        resend_succeeded: is_set(RESENT),
        delivered_by_resend: is_set(DELIVERED_BY_RESEND),
    }
}

/// The claim of the attempt that is in flight.
pub(crate) fn claim(item: &Item) -> StoreResult<Option<Claim>> {
    let Some(claim) = item.get(CLAIM).and_then(|value| value.as_m().ok()) else { return Ok(None) };
    let NextAttempt { number, slot, .. } = next_attempt(item)?.ok_or_else(|| missing_attribute(NEXT))?;
    Ok(Some(Claim {
        number,
        slot,
        attempt_id: parse(claim, ID)?,
        token: parse(claim, key_schema::TOKEN)?,
        since: Timestamp::from_millis(parse_number(claim, SINCE)?),
    }))
}

fn next_attempt(item: &Item) -> StoreResult<Option<NextAttempt>> {
    item.get(NEXT).and_then(|value| value.as_m().ok()).map(read_next).transpose()
}

fn read_next(next: &Item) -> StoreResult<NextAttempt> {
    let due = Timestamp::from_millis(parse_number(next, DUE)?);
    Ok(NextAttempt { number: parse_number(next, NUMBER)?, slot: parse_number(next, SLOT)?, due })
}

const WAITING: &str = "#status = :pending AND #next.#number = :number AND attribute_not_exists(#flight)";

/// The update on condition that the delivery is pending, the attempt of this number is its next, and none is in flight.
pub(crate) fn if_waiting_for(attempt: u32, update: UpdateItemFluentBuilder) -> UpdateItemFluentBuilder {
    update
        .condition_expression(WAITING)
        .expression_attribute_names("#status", STATUS)
        .expression_attribute_names("#next", NEXT)
        .expression_attribute_names("#number", NUMBER)
        .expression_attribute_names("#flight", CLAIM)
        .expression_attribute_values(":pending", status(Status::Pending))
        .expression_attribute_values(":number", number(attempt))
}

/// An update of [`if_waiting_for`], on condition too that the delivery has no number in an order.
pub(crate) fn and_unnumbered(update: UpdateItemFluentBuilder) -> UpdateItemFluentBuilder {
    update
        .condition_expression(format!("{WAITING} AND attribute_not_exists(#sequence)"))
        .expression_attribute_names("#sequence", SEQUENCE)
}

impl Aws {
    pub(crate) async fn delivery_item(&self, tenant: &TenantId, trace: TraceId) -> StoreResult<Option<Item>> {
        self.get(delivery(tenant, trace)).await
    }
}

#[cfg(test)]
#[path = "delivery_item_tests.rs"]
mod tests;
