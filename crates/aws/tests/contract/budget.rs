//! What each thing costs in calls: counted in the SDK clients, and the numbers of `docs/cost.md`.
//!
//! All of it as the functions do it, HTTP and keys included. *Cold* is the first call of an execution
//! environment, whose caches are empty; *warm* is every other.

use std::sync::Arc;

use loanhook_aws::Aws;
use loanhook_core::deliver::Deliver;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{QueueMessage, StoreResult, Subscriptions};
use loanhook_http::api::direct_invocation;
use serde_json::{Value, json};

use super::InTheCloud;
use super::function::Function;
use super::http::Http;
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::{LEASE, SECOND, subscription, tenant};
use loanhook_contract::sender::Scripted;

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

/// A tenant with so many subscriptions, and a key to speak to it with.
async fn stack(subscriptions: u32) -> StoreResult<(InTheCloud, Http, Function)> {
    let cloud = InTheCloud::fresh().await;
    for i in 0..subscriptions {
        let made = subscription(&tenant("acme"), &format!("Webhook {i}"), &[300], Timestamp::now());
        assert!(cloud.ports().create(made, 200).await?);
    }
    let intake = Function::new(&cloud);
    let http = Http::new(&intake.engine, &tenant("acme")).await?;
    intake.calls.take();
    Ok((cloud, http, intake))
}

/// The delivery function, whose receivers answer so with a body, then with 200.
fn delivery(cloud: &InTheCloud, statuses: &[u16]) -> (Function, Arc<Deliver<Aws, Scripted>>) {
    let function = Function::new(cloud);
    let sender = Scripted::always(200).script(statuses).saying("a body");
    let deliver = Deliver { store: function.engine.clone(), sender, lease: Some(LEASE), deadline: None };
    (function, Arc::new(deliver))
}

async fn post(http: &Http, key: &str) -> Value {
    let (status, receipt) = http.post_event(key).await;
    assert_eq!(status, 202, "{receipt}");
    receipt
}

fn now() -> Timestamp {
    Timestamp::now()
}

fn run(case: impl Future<Output = StoreResult<()>>) {
    loanhook_contract::run_on::<InTheCloud>(case);
}

#[test]
fn a_webhook_that_succeeds_at_once() {
    run(async {
        let (cloud, http, intake) = stack(1).await?;
        post(&http, "").await;
        // The first call of an hour notes when the key was used.
        intake.made([(GET, 3), (QUERY, 1), (PUT, 2), (UPDATE, 1), (SEND, 1)]);
        post(&http, "").await;
        intake.made([(GET, 1), (PUT, 2), (SEND, 1)]);
        post(&http, "a key").await;
        intake.made([(GET, 1), (PUT, 3), (SEND, 1)]);

        let (function, deliver) = delivery(&cloud, &[]);
        deliver.handle(cloud.receive().await, now()).await?;
        function.made([(GET, 1), (UPDATE, 3), (PUT, 2), (QUERY, 1)]);
        // Its receiver says what it said before: that is there.
        deliver.handle(cloud.receive().await, now()).await?;
        function.made([(GET, 1), (UPDATE, 3), (PUT, 1)]);
        Ok(())
    });
}

#[test]
fn a_webhook_that_is_large_and_is_answered_at_length() {
    run(async {
        let (cloud, http, intake) = stack(1).await?;
        assert_eq!(http.post_large_event().await.0, 202);
        intake.made([(GET, 3), (QUERY, 1), (STORE, 1), (PUT, 1), (UPDATE, 1), (SEND, 1)]);
        let function = Function::new(&cloud);
        let sender = Scripted::always(200).saying(include_str!("budget.rs"));
        let deliver = Deliver { store: function.engine.clone(), sender, lease: Some(LEASE), deadline: None };
        deliver.handle(cloud.receive().await, now()).await?;
        function.made([(GET, 1), (LOAD, 1), (UPDATE, 3), (PUT, 1), (QUERY, 1), (STORE, 1)]);
        Ok(())
    });
}

#[test]
fn ten_webhooks_of_one_event_share_its_payload() {
    run(async {
        let (_cloud, http, intake) = stack(10).await?;
        post(&http, "").await;
        intake.calls.take();
        post(&http, "").await;
        intake.made([(GET, 1), (PUT, 11), (SEND_MANY, 1)]);
        Ok(())
    });
}

#[test]
fn an_event_that_nothing_matches() {
    run(async {
        let (_cloud, http, intake) = stack(0).await?;
        post(&http, "").await;
        intake.calls.take();
        post(&http, "").await;
        intake.made([(GET, 1)]);
        Ok(())
    });
}

#[test]
fn an_attempt_that_fails_and_the_one_after_it() {
    run(async {
        let (cloud, http, _) = stack(1).await?;
        post(&http, "").await;
        let (function, deliver) = delivery(&cloud, &[500]);
        let first = cloud.receive().await;
        deliver.handle(first.clone(), now()).await?;
        // One more than a success: its successor is queued. Cold, as above.
        function.made([(GET, 1), (UPDATE, 3), (PUT, 2), (QUERY, 1), (SEND, 1)]);

        let due = now() + 301 * SECOND;
        let second = QueueMessage { due, work: loanhook_core::ports::DueWork::Attempt(2), ..first };
        deliver.handle(second.clone(), now()).await?;
        function.made([(SEND, 1)]);
        // A retry looks whether the secrets have changed.
        deliver.handle(second, due).await?;
        function.made([(GET, 1), (UPDATE, 3), (PUT, 1), (QUERY, 1)]);
        Ok(())
    });
}

/// A stack where one delivery has failed for good, and its trace ID.
async fn exhausted() -> StoreResult<(InTheCloud, Http, String)> {
    let (cloud, http, _) = stack(1).await?;
    let receipt = post(&http, "").await;
    let trace = receipt["deliveries"][0]["traceId"].as_str().expect("a trace ID").to_owned();
    let (_, deliver) = delivery(&cloud, &[404]);
    deliver.handle(cloud.receive().await, now()).await?;
    Ok((cloud, http, trace))
}

/// The function of the history, warm: somebody has read something.
async fn history(cloud: &InTheCloud) -> (Function, Http) {
    let function = Function::new(cloud);
    let http = Http::again(&function.engine);
    assert_eq!(http.get("/v1/event-types").await.0, 200);
    function.made([(GET, 3), (UPDATE, 1)]);
    (function, http)
}

#[test]
fn a_resend() {
    run(async {
        let (cloud, _, trace) = exhausted().await?;
        let (function, http) = history(&cloud).await;
        assert_eq!(http.post(&format!("/v1/webhooks/{trace}/resend")).await.0, 202);
        function.made([(GET, 3), (TRANSACT, 1), (SEND, 1)]);

        let (sending, deliver) = delivery(&cloud, &[]);
        deliver.handle(cloud.receive().await, now()).await?;
        sending.made([(GET, 4), (UPDATE, 3), (QUERY, 1), (PUT, 1)]);

        assert_eq!(http.post(&format!("/v1/webhook/retry/{trace}/1")).await.0, 202);
        function.made([(GET, 3), (QUERY, 1), (GET_MANY, 1), (TRANSACT, 1), (SEND, 1)]);
        let invoked = json!({ "tenant": "acme", "traceId": trace });
        direct_invocation::resend(&function.engine, invoked, "an invocation").await.expect("asked");
        function.made([(GET, 2), (TRANSACT, 1), (SEND, 1)]);
        Ok(())
    });
}

#[test]
fn a_page_of_the_history_of_50_rows() {
    run(async {
        let (cloud, http, _) = stack(10).await?;
        for _ in 0..6 {
            post(&http, "").await;
        }
        let (_, deliver) = delivery(&cloud, &[]);
        for message in cloud.drain().await {
            deliver.handle(message, now()).await?;
        }
        let (function, http) = history(&cloud).await;
        let (_, page) = http.get("/v1/loans/727/webhooks").await;
        assert_eq!(page["items"].as_array().map(Vec::len), Some(50));
        function.made([(GET, 1), (QUERY, 1), (GET_MANY, 1)]);
        Ok(())
    });
}

#[test]
fn what_else_is_read() {
    run(async {
        let (cloud, _, trace) = exhausted().await?;
        let (function, http) = history(&cloud).await;
        let (_, delivery) = http.get(&format!("/v1/webhooks/{trace}")).await;
        function.made([(GET, 2), (QUERY, 1), (GET_MANY, 1)]);

        let row = &delivery["attempts"][0];
        let href = |of: &str| row[of]["href"].as_str().expect("a link").to_owned();
        let source = href("source");
        let (path, _) = source.rsplit_once('/').expect("a row");
        assert_eq!(http.get(path).await.1["id"], row["id"]);
        function.made([(GET, 2), (GET_MANY, 1)]);
        for href in [&source, &href("response")] {
            assert_eq!(http.get(href).await.0, 200);
            function.made([(GET, 3), (GET_MANY, 1)]);
        }
        assert_eq!(http.get("/v1/egress").await.0, 200);
        function.made([(GET, 1), (QUERY, 1)]);
        assert_eq!(http.get("/health").await.0, 200);
        function.made([]);
        Ok(())
    });
}
