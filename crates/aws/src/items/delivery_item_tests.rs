use std::collections::BTreeMap;
use std::time::Duration;

use uuid::Uuid;

use super::*;
use crate::items::item::json;
use crate::items::item_size::{bytes_of, write_units};
use crate::items::key_schema::{FIRST_AUTO, WRITER};
use crate::items::row_item;
use loanhook_core::model::credentials::FrozenHeaders;
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
        sequence: None,
        trace_context: None,
        request: RequestSnapshot {
            method: Method::Post,
            url: "https://core.example.com/hooks/loans".into(),
            headers: FrozenHeaders::Rendered(BTreeMap::from([(
                "X-Loan".into(),
                "loan 0123456789abcdef0123".into(),
            )])),
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

#[test]
fn a_typical_delivery_and_its_row_are_one_write_unit_each_at_their_largest() {
    let mut delivery = accepted();
    let mut item = new(&delivery, NOW, None).expect("an item");
    let token = Uuid::from_u128(7);
    let row = delivery.claim(1, token, NOW).expect("a claim");
    let id = text(row.id.to_string());
    let before = bytes_of(&item);
    item.insert(DUE_BUCKET.into(), text(Bucket::of(NOW, NOW, delivery.snapshot.trace_id).to_string()));
    item.insert(CLAIM.into(), claim_value(row.id, token, NOW));
    item.extend([NEWEST_AUTO, FIRST_AUTO, NEWEST_MANUAL, WRITER].map(|name| (name.into(), id.clone())));
    item.extend([RESENDS, INTERRUPTIONS].map(|name| (name.into(), number(1))));
    let partition = key_schema::failed_pk(&delivery.snapshot.tenant, delivery.snapshot.trace_id);
    item.insert(key_schema::FAILED_PK.into(), text(partition));
    item.insert(key_schema::FAILED_SK.into(), text(key_schema::failed_sk(delivery.position())));
    let growth = bytes_of(&item) - before;
    assert!((GROWTH_BYTES - 20..=GROWTH_BYTES).contains(&growth), "it grows by {growth} bytes");
    assert_eq!(read(&item).expect("a delivery").snapshot, delivery.snapshot);
    let bytes = bytes_of(&item);
    assert_eq!(write_units(bytes), 1, "a delivery in flight is {bytes} bytes");
    let row = row_item::new(&row, &item).expect("an item");
    assert_eq!(write_units(bytes_of(&row)), 1, "a row that begins is {} bytes", bytes_of(&row));
}

#[test]
fn a_snapshot_is_packed_and_one_that_is_not_is_read_too() {
    let accepted = accepted();
    let mut item = new(&accepted, NOW, None).expect("an item");
    assert!(item[DOC].is_b());
    item.insert(DOC.into(), json(&accepted.snapshot).expect("JSON"));
    assert_eq!(read(&item).expect("a delivery"), accepted);
}
