//! The calls to AWS of resends whose subscription goes to another host by now, counted in the SDK clients: these are numbers of
//! `docs/cost.md`.

use loanhook_aws_testing::{AwsEngine, CountedEngine};
use loanhook_contract::engine::Engine as _;
use loanhook_contract::scene::tenant;
use loanhook_core::ports::{StoreResult, Subscriptions as _};

use super::call_counts::{delivery_function, exhausted_delivery, history_function, now};
use super::client::HttpClient;

const GET: &str = "DynamoDB.GetItem";
const PUT: &str = "DynamoDB.PutItem";
const QUERY: &str = "DynamoDB.Query";
const SEND: &str = "SQS.SendMessage";
const TRANSACT: &str = "DynamoDB.TransactWriteItems";
const UPDATE: &str = "DynamoDB.UpdateItem";

#[test]
fn a_resend_to_the_current_address() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let (aws, function, http, trace) = moved_subscription().await?;
        // Beside those of any resend: the subscription, and the event with its context.
        assert_eq!(
            http.post_json(&format!("/v1/webhooks/{trace}/resend"), r#"{"to":"current"}"#).await.0,
            202
        );
        function.assert_calls_and_data_key([(GET, 6), (QUERY, 1), (TRANSACT, 1), (SEND, 1)]);

        // As any resend: the newest version of the subscription goes there.
        let (sending, deliver) = delivery_function(&aws, &[]);
        deliver.handle(aws.receive().await, now()).await?;
        sending.assert_calls_and_data_key([(GET, 4), (UPDATE, 3), (QUERY, 1), (PUT, 1)]);
        Ok(())
    });
}

#[test]
fn a_resend_to_a_host_that_the_subscription_left() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let (aws, _, http, trace) = moved_subscription().await?;
        assert_eq!(http.post_json(&format!("/v1/webhooks/{trace}/resend"), "{}").await.0, 202);
        // Beside those of any resend: the versions before the newest.
        let (sending, deliver) = delivery_function(&aws, &[]);
        deliver.handle(aws.receive().await, now()).await?;
        sending.assert_calls_and_data_key([(GET, 4), (UPDATE, 3), (QUERY, 2), (PUT, 1)]);
        Ok(())
    });
}

/// An exhausted delivery whose subscription goes to another host by now.
async fn moved_subscription() -> StoreResult<(AwsEngine, CountedEngine, HttpClient, String)> {
    let (aws, _, trace) = exhausted_delivery().await?;
    let (function, http) = history_function(&aws).await;
    let (_, delivery) = http.get(&format!("/v1/webhooks/{trace}")).await;
    let id = delivery["subscriptionId"].as_str().and_then(|id| id.parse().ok()).expect("an ID");
    let mut moved = (*aws.ports().subscription(&tenant("acme"), id).await?.expect("a webhook")).clone();
    moved.version += 1;
    moved.settings.request.url = "https://new.example.com/".into();
    aws.ports().replace(moved).await?;
    function.forget_calls();
    Ok((aws, function, http, trace))
}
