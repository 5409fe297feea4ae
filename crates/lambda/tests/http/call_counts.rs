//! The calls to AWS of each use case, counted in the SDK clients: these are the numbers of `docs/cost.md`.
//!
//! Each use case runs as in the functions, HTTP and authentication included. *Cold* is the first call of an execution
//! environment, whose caches are empty; *warm* is every other. Those of reads are in `read_call_counts`.

use std::sync::Arc;

use loanhook_aws::Aws;
use loanhook_aws_testing::{AwsEngine, CountedEngine};
use loanhook_contract::engine::{Engine, Kept};
use loanhook_contract::scene::{LEASE, SECOND, loan, subscription, tenant};
use loanhook_contract::sender::Scripted;
use loanhook_core::deliver::Deliver;
use loanhook_core::model::subscription::{Criteria, Fire};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{QueueMessage, StoreResult, Subscriptions};
use loanhook_http::api::direct_invocation;
use serde_json::{Value, json};

use super::client::HttpClient;

const GET: &str = "DynamoDB.GetItem";
const GET_MANY: &str = "DynamoDB.BatchGetItem";
const QUERY: &str = "DynamoDB.Query";
const PUT: &str = "DynamoDB.PutItem";
const UPDATE: &str = "DynamoDB.UpdateItem";
const TRANSACT: &str = "DynamoDB.TransactWriteItems";
const STORE: &str = "S3.PutObject";
const LOAD: &str = "S3.GetObject";
const SEND: &str = "SQS.SendMessage";
const SEND_MANY: &str = "SQS.SendMessageBatch";

/// A tenant with so many subscriptions; a client with a key of it, of the function for intake.
pub(super) async fn tenant_with_subscriptions(
    subscriptions: u32,
) -> StoreResult<(AwsEngine, HttpClient, CountedEngine)> {
    let aws = AwsEngine::fresh().await;
    for i in 0..subscriptions {
        let made = subscription(&tenant("acme"), &format!("Webhook {i}"), &[300], Timestamp::now());
        assert!(aws.ports().create(made, 200).await?);
    }
    let intake = CountedEngine::new(&aws);
    let http = HttpClient::with_new_key(&intake.engine, &tenant("acme")).await?;
    intake.forget_calls();
    Ok((aws, http, intake))
}

/// The delivery function; its requests get these statuses and a body, then 200.
pub(super) fn delivery_function(
    aws: &AwsEngine,
    statuses: &[u16],
) -> (CountedEngine, Arc<Deliver<Aws, Scripted>>) {
    let function = CountedEngine::new(aws);
    let sender = Scripted::always(200).script(statuses).saying("a body");
    let deliver = Deliver { store: function.engine.clone(), sender, lease: Some(LEASE), deadline: None };
    (function, Arc::new(deliver))
}

pub(super) async fn post(http: &HttpClient, key: &str) -> Value {
    let (status, receipt) = http.post_event(key).await;
    assert_eq!(status, 202, "{receipt}");
    receipt
}

pub(super) fn now() -> Timestamp {
    Timestamp::now()
}

pub(super) fn run(case: impl Future<Output = StoreResult<()>>) {
    loanhook_contract::run_on::<AwsEngine>(case);
}

#[test]
fn an_event_and_an_attempt_that_succeeds() {
    run(async {
        let (aws, http, intake) = tenant_with_subscriptions(1).await?;
        post(&http, "").await;
        // Cold; and the first call of an hour records when the key was used.
        intake.assert_calls_and_data_key([(GET, 3), (QUERY, 2), (PUT, 3), (UPDATE, 1), (SEND, 1)]);
        post(&http, "").await;
        intake.assert_calls([(GET, 1), (PUT, 3), (SEND, 1)]);
        post(&http, "a key").await;
        intake.assert_calls([(GET, 1), (PUT, 4), (SEND, 1)]);
        // A repeat finds the record, the event, the subscription's version and the delivery.
        post(&http, "a key").await;
        intake.assert_calls([(GET, 3), (PUT, 3), (SEND, 1)]);

        let (function, deliver) = delivery_function(&aws, &[]);
        deliver.handle(aws.receive().await, now()).await?;
        function.assert_calls_and_data_key([(GET, 1), (UPDATE, 3), (PUT, 2), (QUERY, 1)]);
        // The same response as before is not stored again.
        deliver.handle(aws.receive().await, now()).await?;
        function.assert_calls([(GET, 1), (UPDATE, 3), (PUT, 1)]);
        Ok(())
    });
}

#[test]
fn an_event_with_a_large_payload_and_a_large_response() {
    run(async {
        let (aws, http, intake) = tenant_with_subscriptions(1).await?;
        assert_eq!(http.post_large_event().await.0, 202);
        intake.assert_calls_and_data_key([
            (GET, 3),
            (QUERY, 2),
            (STORE, 1),
            (PUT, 2),
            (UPDATE, 1),
            (SEND, 1),
        ]);
        let function = CountedEngine::new(&aws);
        let sender = Scripted::always(200).saying(include_str!("call_counts.rs"));
        let deliver = Deliver { store: function.engine.clone(), sender, lease: Some(LEASE), deadline: None };
        deliver.handle(aws.receive().await, now()).await?;
        function.assert_calls_and_data_key([
            (GET, 1),
            (LOAD, 1),
            (UPDATE, 3),
            (PUT, 1),
            (QUERY, 1),
            (STORE, 1),
        ]);
        Ok(())
    });
}

#[test]
fn ten_deliveries_of_one_event_store_one_payload() {
    run(async {
        let (_cloud, http, intake) = tenant_with_subscriptions(10).await?;
        post(&http, "").await;
        intake.forget_calls();
        post(&http, "").await;
        intake.assert_calls([(GET, 1), (PUT, 12), (SEND_MANY, 1)]);
        Ok(())
    });
}

#[test]
fn an_event_without_a_match() {
    run(async {
        let (_cloud, http, intake) = tenant_with_subscriptions(0).await?;
        post(&http, "").await;
        intake.forget_calls();
        post(&http, "").await;
        intake.assert_calls([(GET, 1), (PUT, 2)]);
        Ok(())
    });
}

#[test]
fn an_event_that_makes_a_trigger_fire() {
    run(async {
        let (aws, http, intake) = tenant_with_subscriptions(0).await?;
        let acme = tenant("acme");
        let mut watching = subscription(&acme, "Watching", &[300], Timestamp::now());
        let trigger = r#"(= loan-display-id "727")"#.into();
        watching.settings.criteria = Criteria::Trigger { trigger, fire: Fire::OnChange, since: 1 };
        assert!(aws.ports().create(watching, 200).await?);
        post(&http, "").await;
        intake.forget_calls();
        // Its state is unknown again, so it fires.
        aws.spoil(Kept::Memory(&acme, &loan("727")));
        post(&http, "").await;
        // The payload and the delivery; its state and the event together; the delivery's entry in the index of what is due.
        intake.assert_calls([(GET, 2), (PUT, 2), (TRANSACT, 1), (UPDATE, 1), (SEND, 1)]);
        Ok(())
    });
}

#[test]
fn a_failed_attempt_a_retry_that_is_not_due_and_the_retry() {
    run(async {
        let (aws, http, _) = tenant_with_subscriptions(1).await?;
        post(&http, "").await;
        let (function, deliver) = delivery_function(&aws, &[500]);
        let first = aws.receive().await;
        deliver.handle(first.clone(), now()).await?;
        // One more than a success: the next attempt is queued. Cold, as above.
        function.assert_calls_and_data_key([(GET, 1), (UPDATE, 3), (PUT, 2), (QUERY, 1), (SEND, 1)]);

        let due = now() + 301 * SECOND;
        let second = QueueMessage { due, work: loanhook_core::ports::DueWork::Attempt(2), ..first };
        deliver.handle(second.clone(), now()).await?;
        function.assert_calls([(SEND, 1)]);
        // A retry reads the secrets again.
        deliver.handle(second, due).await?;
        function.assert_calls([(GET, 1), (UPDATE, 3), (PUT, 1), (QUERY, 1)]);
        Ok(())
    });
}

/// A tenant with one exhausted delivery, and its trace ID.
pub(super) async fn exhausted_delivery() -> StoreResult<(AwsEngine, HttpClient, String)> {
    let (aws, http, _) = tenant_with_subscriptions(1).await?;
    let receipt = post(&http, "").await;
    let trace = receipt["deliveries"][0]["traceId"].as_str().expect("a trace ID").to_owned();
    let (_, deliver) = delivery_function(&aws, &[404]);
    deliver.handle(aws.receive().await, now()).await?;
    Ok((aws, http, trace))
}

/// The history function, warm: it has authenticated a call.
pub(super) async fn history_function(aws: &AwsEngine) -> (CountedEngine, HttpClient) {
    let function = CountedEngine::new(aws);
    let http = HttpClient::with_existing_key(&function.engine);
    assert_eq!(http.get("/v1/event-types").await.0, 200);
    function.assert_calls([(GET, 3), (UPDATE, 1)]);
    (function, http)
}

#[test]
fn a_resend() {
    run(async {
        let (aws, _, trace) = exhausted_delivery().await?;
        let (function, http) = history_function(&aws).await;
        assert_eq!(http.post(&format!("/v1/webhooks/{trace}/resend")).await.0, 202);
        function.assert_calls([(GET, 3), (TRANSACT, 1), (SEND, 1)]);

        let (sending, deliver) = delivery_function(&aws, &[]);
        deliver.handle(aws.receive().await, now()).await?;
        sending.assert_calls_and_data_key([(GET, 4), (UPDATE, 3), (QUERY, 1), (PUT, 1)]);

        assert_eq!(http.post(&format!("/v1/webhook/retry/{trace}/1")).await.0, 202);
        function.assert_calls([(GET, 3), (QUERY, 1), (GET_MANY, 1), (TRANSACT, 1), (SEND, 1)]);
        let invoked = json!({ "tenant": "acme", "traceId": trace });
        direct_invocation::resend(&function.engine, invoked, "an invocation").await.expect("resent");
        function.assert_calls([(GET, 2), (TRANSACT, 1), (SEND, 1)]);
        Ok(())
    });
}
