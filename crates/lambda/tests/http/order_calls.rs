//! The calls to AWS of deliveries whose webhook keeps the order of a loan, counted in the SDK clients: these are numbers of
//! `docs/cost.md`.

use loanhook_aws_testing::{AwsEngine, CountedEngine};
use loanhook_contract::engine::Engine as _;
use loanhook_contract::scene::{SECOND, subscription, tenant};
use loanhook_core::model::flow::DeliveryOrder;
use loanhook_core::model::id::TraceId;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::ports::{Deliveries as _, StoreResult, Subscriptions as _};

use super::call_counts::{delivery_function, now, post, run};
use super::client::HttpClient;

const GET: &str = "DynamoDB.GetItem";
const QUERY: &str = "DynamoDB.Query";
const PUT: &str = "DynamoDB.PutItem";
const UPDATE: &str = "DynamoDB.UpdateItem";
const DELETE: &str = "DynamoDB.DeleteItem";
const TRANSACT: &str = "DynamoDB.TransactWriteItems";
const SEND: &str = "SQS.SendMessage";

/// A tenant with a webhook that keeps an order, and steps aside after a minute; the function for intake, warm.
async fn ordered() -> StoreResult<(AwsEngine, HttpClient, CountedEngine, Subscription)> {
    let aws = AwsEngine::fresh().await;
    let mut made = subscription(&tenant("acme"), "Core banking", &[300], now());
    made.settings.flow.order = DeliveryOrder::Loan;
    made.settings.flow.step_aside_after_seconds = Some(60);
    assert!(aws.ports().create(made.clone(), 200).await?);
    let intake = CountedEngine::new(&aws);
    let http = HttpClient::with_new_key(&intake.engine, &tenant("acme")).await?;
    Ok((aws, http, intake, made))
}

async fn send(http: &HttpClient) -> TraceId {
    let receipt = post(http, "").await;
    receipt["deliveries"][0]["traceId"].as_str().expect("a trace ID").parse().expect("a trace ID")
}

#[test]
fn an_ordered_event_and_its_attempts() {
    run(async {
        let (aws, http, intake, _) = ordered().await?;
        send(&http).await;
        let first = aws.receive().await;
        let (function, deliver) = delivery_function(&aws, &[200, 200, 500]);
        deliver.handle(first, now()).await?;
        function.forget_calls();

        // Nothing is before it, and nothing behind it: the counter is read and the delivery is numbered.
        intake.forget_calls();
        send(&http).await;
        intake.assert_calls([(GET, 1), (PUT, 2), (QUERY, 1), (TRANSACT, 1), (SEND, 1)]);
        let second = aws.receive().await;
        // One that waits: what is before it is read once it is numbered, and it has no message.
        send(&http).await;
        intake.assert_calls([(GET, 1), (PUT, 2), (QUERY, 2), (TRANSACT, 1)]);
        // More than without an order: a claim that is refused, what is before it and, at its end, what is behind; the next
        // delivery and its message, for whose queue the slow marks are read.
        deliver.handle(second, now()).await?;
        function.assert_calls([(GET, 2), (UPDATE, 4), (PUT, 1), (QUERY, 3), (DELETE, 1), (SEND, 1)]);

        // A first failure with nothing behind it: it is noted, and its retry is queued.
        let third = aws.receive().await;
        deliver.handle(third.clone(), now()).await?;
        function.assert_calls([(GET, 1), (UPDATE, 5), (PUT, 1), (QUERY, 2), (SEND, 1)]);
        // Its message again: whoever handled it may have died before the failure was noted.
        deliver.handle(third, now()).await?;
        function.assert_calls([(GET, 1), (UPDATE, 2), (QUERY, 1), (SEND, 1)]);
        Ok(())
    });
}

#[test]
fn a_first_failure_with_one_behind_and_a_cancel() {
    run(async {
        let (aws, http, intake, made) = ordered().await?;
        let first = send(&http).await;
        let message = aws.receive().await;
        let second = send(&http).await;
        intake.forget_calls();
        let (function, deliver) = delivery_function(&aws, &[500]);
        deliver.handle(message, now()).await?;
        // Cold: the secrets, the answer and the slow marks. The settings, the next delivery, and its message for when the first steps aside.
        function.assert_calls_and_data_key([(GET, 2), (UPDATE, 5), (PUT, 2), (QUERY, 5), (SEND, 2)]);
        intake.engine.cancel(&made.tenant, first).await?;
        intake.assert_calls([(GET, 1), (UPDATE, 1), (DELETE, 1), (QUERY, 1), (SEND, 1)]);
        // A message that comes too early is sent on, until its turn.
        let third = send(&http).await;
        let early = loanhook_contract::scene::attempt_message(
            &loanhook_contract::scene::delivery_of(&intake.engine, &made.tenant, third).await?.expect("it"),
            1,
            now(),
        );
        function.forget_calls();
        deliver.handle(early, now() + SECOND).await?;
        function.assert_calls([(UPDATE, 1), (QUERY, 2)]);
        assert_ne!(second, third);
        Ok(())
    });
}
