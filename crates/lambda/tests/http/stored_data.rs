//! Data that an earlier version wrote (`tests/stored`), put into a new stack: tables, objects and queue messages. Every
//! response is as it was then.

#[path = "../../../../tests/stored/compare.rs"]
pub(crate) mod compare;

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::primitives::ByteStream;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream::{self, StreamExt as _};
use loanhook_aws::{Aws, Stack, read_message};
use loanhook_aws_testing::{AwsEngine, TestStack};
use loanhook_contract::engine::Engine as _;
use loanhook_contract::scene::{subscription, tenant};
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::key::KeyHash;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Attempts as _, DueWork, Subscriptions as _};
use loanhook_http::api::direct_invocation;
use serde_json::{Value, json};

use compare::{Answers, fixture, router};

/// How many items are put at the same time.
const MAX_CONCURRENT_PUTS: usize = 8;

#[test]
fn data_of_an_earlier_version_gives_the_same_responses() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let recorded = Answers::read("aws");
        let aws = AwsEngine::fresh().await;
        restore(&aws.stack).await;
        let deployed_key = recorded.key("admin").map(KeyHash::of);
        let engine = Aws::new(&aws.stack.config, Stack { deployed_key, ..aws.stack.resources() });

        let differences = recorded.differences(&router(engine.clone())).await;
        engine.finish_background().await;
        assert!(differences.is_empty(), "{} answers differ:\n{}", differences.len(), differences.join("\n"));
        Ok(())
    });
}

#[test]
fn settings_of_an_earlier_version_are_changed_from_where_they_are() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        restore(&aws.stack).await;
        let (engine, acme) = (aws.ports(), tenant("acme"));
        let before = engine.subscriptions(&acme).await?;
        // What the fixture counts, as `count` of the tenant's item.
        assert_eq!(before.len(), 50);
        let another = subscription(&acme, "Another", &[], Timestamp::now());
        assert!(!engine.create(another.clone(), 50).await?);
        assert!(engine.create(another.clone(), 51).await?);
        let mut expected: Vec<_> = before.iter().map(|one| one.id).collect();
        expected.push(another.id);
        for engine in [engine, &aws.stack.engine()] {
            let listed = engine.subscriptions(&acme).await?;
            assert_eq!(listed.iter().map(|one| one.id).collect::<Vec<_>>(), expected);
        }
        // The version goes on too, in the tenant's item and in each copy.
        for pk in ["S#acme", "S#acme#version-0", "S#acme#version-15"] {
            let get = aws.stack.dynamodb.get_item().table_name(&aws.stack.name).consistent_read(true);
            let key = [("pk", pk), ("sk", "-")];
            let key = key.map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned())));
            let item = get.set_key(Some(key.into())).send().await.expect("read").item.expect(pk);
            assert_eq!(item["version"], AttributeValue::N("60".into()), "{pk}");
        }
        Ok(())
    });
}

/// Header values without placeholders, of deliveries in the fixture.
const CREDENTIALS: [&str; 3] =
    ["Bearer a-token-of-core", "a-key-without-placeholders", "kept since the first version"];
/// A header value that was rendered there.
const RENDERED: &str = "loan batch %E2%9C%93 of unknown";

/// The deliveries of the table.
async fn deliveries(stack: &TestStack) -> Vec<Delivery> {
    let scan = stack.dynamodb.scan().table_name(&stack.name).consistent_read(true);
    let items = scan.send().await.expect("a scan").items.unwrap_or_default();
    let mut deliveries = Vec::new();
    for item in items {
        let Some(of) = item["pk"].as_s().expect("a key").strip_prefix("T#") else { continue };
        let (name, trace) = of.split_once('#').expect("a tenant and a trace");
        let trace = trace.parse().expect("a trace");
        // Some documents are packed.
        let read = stack.engine().delivery(&tenant(name), trace).await.expect("read");
        deliveries.extend(read);
    }
    deliveries
}

/// How many deliveries hold one of these texts.
fn count(deliveries: &[Delivery], texts: &[&str]) -> usize {
    let holds = |delivery: &&Delivery| {
        let all = format!("{delivery:?}");
        texts.iter().any(|text| all.contains(text))
    };
    deliveries.iter().filter(holds).count()
}

#[test]
fn deliveries_of_an_earlier_version_lose_their_credentials_by_a_direct_invocation() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        restore(&aws.stack).await;
        let before = deliveries(&aws.stack).await;
        let holding = before.iter().filter(|one| one.snapshot.request.headers.may_hold_credentials()).count();
        assert!(count(&before, &CREDENTIALS) > CREDENTIALS.len() && holding < before.len());
        let rendered = count(&before, &[RENDERED]);
        assert!(rendered > 0);

        let named: Vec<_> = before
            .iter()
            .map(|one| json!({"tenant": one.snapshot.tenant.as_str(), "traceId": one.snapshot.trace_id.to_string()}))
            .collect();
        let mut taken_out = 0;
        for batch in named.chunks(100) {
            let input = json!({"takeOutCredentials": batch});
            assert!(direct_invocation::takes_out_credentials(&input));
            let result = direct_invocation::take_out_credentials(aws.ports(), input.clone()).await;
            taken_out += result.expect("done")["takenOut"].as_u64().expect("a number");
            let again = direct_invocation::take_out_credentials(aws.ports(), input).await;
            assert_eq!(again.expect("done"), json!({"takenOut": 0, "failed": []}));
        }
        assert_eq!(taken_out, holding as u64);
        let after = deliveries(&aws.stack).await;
        assert_eq!((after.len(), count(&after, &CREDENTIALS)), (before.len(), 0));
        assert_eq!(count(&after, &[RENDERED]), rendered);
        // A delivery that is not there holds none.
        let unknown = json!({"takeOutCredentials": [{"tenant": "acme", "traceId": "00000000-0000-4000-8000-000000000000"}]});
        assert_eq!(
            direct_invocation::take_out_credentials(aws.ports(), unknown).await.expect("done"),
            json!({"takenOut": 0, "failed": []})
        );

        assert_answers_are_as_they_were(&aws.stack).await;
        Ok(())
    });
}

#[test]
fn queue_messages_of_an_earlier_version_are_read() {
    for line in lines("aws/messages.jsonl") {
        let body = line["body"].as_str().expect("a body");
        let message = read_message(body).expect(body);
        let is_attempt = line["kind"].as_str().expect("a kind").starts_with("attempt");
        assert_eq!(matches!(message.work, DueWork::Attempt(_)), is_attempt, "{body}");
    }
}

/// Holds every response on this stack against that of the earlier version.
pub(crate) async fn assert_answers_are_as_they_were(stack: &TestStack) {
    let recorded = Answers::read("aws");
    let deployed_key = recorded.key("admin").map(KeyHash::of);
    let engine = Aws::new(&stack.config, Stack { deployed_key, ..stack.resources() });
    let differences = recorded.differences(&router(engine.clone())).await;
    engine.finish_background().await;
    assert!(differences.is_empty(), "{} answers differ:\n{}", differences.len(), differences.join("\n"));
}

/// Puts every item and object of the fixture.
pub(crate) async fn restore(stack: &TestStack) {
    let payloads = stack.payloads_table();
    let items = [("aws/table.jsonl", &stack.name), ("aws/payloads.jsonl", &payloads)];
    let items =
        items.iter().flat_map(|(file, table)| lines(file).into_iter().map(move |item| (*table, item)));
    let puts = items.map(|(table, item)| {
        let put = stack.dynamodb.put_item().table_name(table).set_item(Some(attributes(&item)));
        async move { put.send().await.expect("put") }
    });
    let puts: Vec<_> = puts.collect();
    stream::iter(puts).buffer_unordered(MAX_CONCURRENT_PUTS).for_each(|_| async {}).await;
    for object in lines("aws/objects.jsonl") {
        let key = object["key"].as_str().expect("a key");
        let bytes = STANDARD.decode(object["base64"].as_str().expect("bytes")).expect("base64");
        let put = stack.s3.put_object().bucket(&stack.name).key(key).body(ByteStream::from(bytes));
        put.send().await.expect("put");
    }
}

/// Attributes from DynamoDB JSON.
fn attributes(item: &Value) -> HashMap<String, AttributeValue> {
    let item = item.as_object().expect("an object");
    item.iter().map(|(name, value)| (name.clone(), attribute(value))).collect()
}

fn attribute(value: &Value) -> AttributeValue {
    let (kind, value) = value.as_object().and_then(|value| value.iter().next()).expect("a kind and a value");
    let text = || value.as_str().expect("a text").to_owned();
    match kind.as_str() {
        "S" => AttributeValue::S(text()),
        "N" => AttributeValue::N(text()),
        "B" => AttributeValue::B(Blob::new(STANDARD.decode(text()).expect("base64"))),
        "BOOL" => AttributeValue::Bool(value.as_bool().expect("a bool")),
        "M" => AttributeValue::M(attributes(value)),
        kind => panic!("no item of the fixture has an attribute of the kind {kind}"),
    }
}

/// Each line of a file, which is JSON.
pub(crate) fn lines(path: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(fixture(path)).expect(path);
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}
