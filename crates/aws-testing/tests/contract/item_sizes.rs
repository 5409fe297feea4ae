//! The sizes of a webhook's items: DynamoDB charges a write by the size of the item in KiB, before or after, whichever is
//! larger. `docs/cost.md` calculates with these sizes.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use loanhook_aws_testing::AwsEngine;
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::{SECOND, START, ended, subscription, tenant};
use loanhook_contract::sender::TYPICAL;
use loanhook_contract::submission;
use loanhook_core::intake::accept;
use loanhook_core::model::attempt::{Attempt, AttemptState, StoredResponse};
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::payload::Payload;
use loanhook_core::ports::{ClaimOutcome, Deliveries, StoreResult, Subscriptions};
use uuid::Uuid;

/// The size of an item in bytes, by the rules of "DynamoDB item sizes and formats" in DynamoDB's guide.
fn size(item: &HashMap<String, AttributeValue>) -> usize {
    item.iter().map(|(name, value)| name.len() + size_of(value)).sum()
}

fn size_of(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        // A byte for every two digits, and one more.
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
        AttributeValue::Bool(_) => 1,
        AttributeValue::M(map) => 3 + map.len() + size(map),
        other => panic!("none of ours is {other:?}"),
    }
}

/// The item of a delivery's source payload, in the table of small payloads.
async fn payload_item(aws: &AwsEngine, delivery: &Delivery) -> HashMap<String, AttributeValue> {
    let key = delivery.snapshot.request.payload.key.expect("a payload");
    let name = AttributeValue::S(format!("acme/{key}"));
    let get = aws.stack.dynamodb.get_item().table_name(aws.stack.payloads_table()).key("pk", name);
    get.send().await.expect("read").item.expect("an item")
}

async fn item(aws: &AwsEngine, pk: &str, sk: &str) -> HashMap<String, AttributeValue> {
    let key = [("pk", pk), ("sk", sk)].map(|(name, value)| (name.into(), AttributeValue::S(value.into())));
    let get = aws.stack.dynamodb.get_item().table_name(&aws.stack.name).set_key(Some(key.into()));
    get.send().await.expect("read").item.expect("an item")
}

/// The row with a response that has the headers that servers commonly send.
fn with_typical_response(mut row: Attempt) -> Attempt {
    if let AttemptState::Complete(completion) = &mut row.state {
        completion.source_ip = Some([203, 0, 113, 7].into());
        completion.response = Some(StoredResponse {
            payload: Payload::of(b"a body"),
            content_type: Some("application/json; charset=utf-8".into()),
            truncated: false,
            headers: TYPICAL.map(|(name, value)| (name.into(), value.into())).into(),
            headers_truncated: false,
            headers_dropped: 0,
        });
    }
    row
}

#[test]
fn items_of_a_webhook_have_the_write_units_of_the_cost_document() {
    loanhook_contract::run_on::<AwsEngine>(assert_sizes());
}

/// With a payload of 1 KiB, a header with a credential, six retries, and a response with common headers.
async fn assert_sizes() -> StoreResult<()> {
    let aws = AwsEngine::fresh().await;
    let delays = [300, 1800, 7200, 18_000, 36_000, 36_000];
    let mut webhook = subscription(&tenant("acme"), "Core banking: payment posted", &delays, START);
    webhook.settings.request.headers =
        [("Authorization".to_owned(), format!("Bearer {}", "x".repeat(40)))].into();
    assert!(aws.ports().create(webhook, 200).await?);
    let event = submission(&format!(r#"{{"note": "{}"}}"#, "x".repeat(950)), None);
    accept(aws.ports(), &tenant("acme"), event, START).await.expect("accepted");
    let first = aws.receive().await;

    let token = Uuid::new_v4();
    let ClaimOutcome::Claimed(won) = aws.ports().claim(&first, 1, token, START).await? else {
        panic!("lost")
    };
    let (claimed, row) = *won;
    let id = row.id.to_string();
    let delivery = format!("T#acme#{}", claimed.snapshot.trace_id);
    let in_flight = size(&item(&aws, &delivery, "-").await);
    let sending = size(&item(&aws, "L#acme#727", &id).await);

    let end = with_typical_response(ended(row, Ok(503), START + SECOND));
    assert!(aws.ports().complete(&claimed, token, end, None).await?);
    let complete = size(&item(&aws, "L#acme#727", &id).await);
    let moved_on = size(&item(&aws, &delivery, "-").await);
    // One write unit each.
    for size in [in_flight, sending, moved_on] {
        assert!(size <= 1024, "{size} bytes");
    }
    // Two write units each: the row has the response headers, and the payload has its name beside 1 KiB.
    let payload = size(&payload_item(&aws, &claimed).await);
    for size in [complete, payload] {
        assert!((1025..=2048).contains(&size), "{size} bytes");
    }
    Ok(())
}
