use std::collections::BTreeMap;
use std::time::Duration;

use uuid::Uuid;

use super::*;
use crate::items::item::Item;
use crate::items::row_item;
use loanhook_core::model::delivery::{DeliverySnapshot, RequestSnapshot};
use loanhook_core::model::id::{EventId, LoanId, SubscriptionId, TenantId, TraceId};
use loanhook_core::model::payload::Payload;
use loanhook_core::model::retry::RetryPolicy;
use loanhook_core::model::subscription::Method;

const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

fn accepted() -> Delivery {
    let (event, subscription) = (EventId::at(NOW), SubscriptionId::at(NOW));
    let snapshot = DeliverySnapshot {
        trace_id: TraceId::of(event, subscription),
        tenant: TenantId::try_from("default".to_owned()).expect("a tenant"),
        event_id: event,
        loan_id: LoanId::try_from("727".to_owned()).expect("a loan"),
        subscription_id: subscription,
        subscription_version: 1,
        event_title: "Core banking: payment posted".into(),
        event_name: "Payment Posted to Account".into(),
        occurred_at: Some("2026-11-23T10:00:00Z".into()),
        test: true,
        accepted_at: NOW,
        request: RequestSnapshot {
            method: Method::Post,
            url: "https://core.example.com/hooks/loans".into(),
            headers: BTreeMap::from([("Authorization".into(), "Bearer 0123456789abcdef".into())]),
            content_type: Some("application/json".into()),
            payload: Payload::of(b"{}"),
            unrenderable: None,
        },
        retry: RetryPolicy::default(),
        timeout_seconds: 15,
    };
    Delivery::new(snapshot, NOW)
}

#[test]
fn a_delivery_reads_as_it_was_accepted() {
    let accepted = accepted();
    let item = new(&accepted, NOW + Duration::from_secs(1), None).expect("an item");
    assert_eq!(read(&item).expect("a delivery"), accepted);
}

#[test]
fn a_claim_has_the_number_and_slot_of_next_even_after_a_cancel() {
    let mut delivery = accepted();
    let mut item = new(&delivery, NOW, None).expect("an item");
    let token = Uuid::from_u128(7);
    let id = delivery.claim(1, token, NOW).expect("a claim").id;
    item.insert(CLAIM.into(), claim_value(id, token, NOW));
    item.insert(NEWEST_AUTO.into(), text(id.to_string()));
    assert_eq!(read(&item).expect("a delivery"), delivery);

    delivery.cancel().expect("pending");
    item.insert(STATUS.into(), status(Status::Canceled));
    assert_eq!(read(&item).expect("a delivery"), delivery);
}

/// As DynamoDB counts: names and values, text by its bytes; a map has 3 bytes more, and 1 for each of its fields.
fn size(item: &Item) -> usize {
    let value = |value: &AttributeValue| match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
        AttributeValue::M(fields) => size(fields) + fields.len() + 3,
        other => panic!("no item has this: {other:?}"),
    };
    item.iter().map(|(name, attribute)| name.len() + value(attribute)).sum()
}

#[test]
fn a_typical_delivery_and_its_row_are_one_write_unit_each() {
    let mut delivery = accepted();
    let mut item = new(&delivery, NOW, None).expect("an item");
    let token = Uuid::from_u128(7);
    let row = delivery.claim(1, token, NOW).expect("a claim");
    let id = row.id;
    item.insert(CLAIM.into(), claim_value(id, token, NOW));
    item.insert(NEWEST_AUTO.into(), text(id.to_string()));
    assert!(size(&item) < 1024, "a delivery in flight is {} bytes", size(&item));
    let item = row_item::new(&row, NOW).expect("an item");
    assert!(size(&item) < 1024, "a row that begins is {} bytes", size(&item));
}
