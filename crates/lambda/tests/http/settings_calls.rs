//! The calls to AWS that settings cause, counted in the SDK clients: these are numbers of `docs/cost.md`. `call_counts`
//! has the others.

use loanhook_aws_testing::{AwsEngine, CountedEngine};
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::{subscription, tenant};
use loanhook_core::model::key::{Key, KeyHash, Scope};
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DeleteOutcome, Keys, ReplaceOutcome, StoreResult, Subscriptions};

use super::client::HttpClient;

const GET: &str = "DynamoDB.GetItem";
const QUERY: &str = "DynamoDB.Query";
const PUT: &str = "DynamoDB.PutItem";
const UPDATE: &str = "DynamoDB.UpdateItem";
const GENERATE: &str = "KMS.GenerateDataKey";
const TRANSACT: &str = "DynamoDB.TransactWriteItems";

/// A subscription that no event here matches, so that only what settings cost is counted.
fn unmatched(title: &str) -> Subscription {
    let mut unmatched = subscription(&tenant("acme"), title, &[], Timestamp::now());
    unmatched.settings.enabled = false;
    unmatched
}

async fn edit(engine: &CountedEngine, of: &mut Subscription) -> StoreResult<()> {
    of.version += 1;
    assert_eq!(engine.engine.replace(of.clone()).await?, ReplaceOutcome::Replaced);
    Ok(())
}

#[test]
fn a_change_of_a_subscription() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        let function = CountedEngine::new(&aws);
        let mut webhook = unmatched("First");
        assert!(function.engine.create(webhook.clone(), 200).await?);
        // For the stored list, all subscriptions, and the parts that a longer list left. The first of all looks whether there
        // was a data key, and makes it.
        function.assert_calls([(GET, 3), (TRANSACT, 2), (QUERY, 2), (PUT, 1), (GENERATE, 1)]);
        edit(&function, &mut webhook).await?;
        function.assert_calls([(GET, 2), (TRANSACT, 1), (QUERY, 2), (PUT, 1)]);
        assert_eq!(function.engine.delete(&webhook.tenant, webhook.id, None).await?, DeleteOutcome::Deleted);
        // The subscription's version is read first.
        function.assert_calls([(GET, 2), (TRANSACT, 1), (QUERY, 2), (PUT, 1)]);
        Ok(())
    });
}

/// Of a webhook without headers intake needs no secret, so it has no key decrypted.
#[test]
fn an_event_of_a_webhook_without_headers() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        let mut webhook = subscription(&tenant("acme"), "First", &[], Timestamp::now());
        webhook.settings.request.headers.clear();
        assert!(aws.ports().create(webhook, 200).await?);
        let intake = CountedEngine::new(&aws);
        let http = HttpClient::with_new_key(&intake.engine, &tenant("acme")).await?;
        intake.forget_calls();
        assert_eq!(http.post_event("").await.0, 202);
        // Cold: as of a webhook with headers, but for the data key. One of the queries is for slow marks.
        intake.assert_calls([(GET, 3), (QUERY, 2), (PUT, 3), (UPDATE, 1), ("SQS.SendMessage", 1)]);
        Ok(())
    });
}

#[test]
fn events_after_a_change_read_what_changed() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        let editor = CountedEngine::new(&aws);
        let mut webhooks = [unmatched("First"), unmatched("Second")];
        for webhook in &webhooks {
            assert!(editor.engine.create(webhook.clone(), 200).await?);
        }
        let intake = CountedEngine::new(&aws);
        let http = HttpClient::with_new_key(&intake.engine, &tenant("acme")).await?;
        intake.forget_calls();
        let post = async || assert_eq!(http.post_event("").await.0, 202);
        post().await;
        // Two of the calls are the payload of the event and the event.
        intake.assert_calls_and_data_key([(GET, 3), (QUERY, 1), (PUT, 2), (UPDATE, 1)]);
        post().await;
        intake.assert_calls([(GET, 1), (PUT, 2)]);

        edit(&editor, &mut webhooks[0]).await?;
        post().await;
        intake.assert_calls([(GET, 2), (PUT, 2)]);
        post().await;
        intake.assert_calls([(GET, 1), (PUT, 2)]);
        // Several changes of one are read once.
        for _ in 0..5 {
            edit(&editor, &mut webhooks[0]).await?;
        }
        edit(&editor, &mut webhooks[1]).await?;
        post().await;
        intake.assert_calls([(GET, 3), (PUT, 2)]);

        // The end of another key: this one is read again, and no subscription.
        let other = Key::new(tenant("acme"), "Other".into(), vec![Scope::HistoryRead], Timestamp::now());
        editor.engine.add_key(other.clone(), KeyHash::of("lh_other")).await?;
        assert!(editor.engine.delete_key(&other.tenant, other.id).await?);
        post().await;
        intake.assert_calls([(GET, 2), (PUT, 2)]);
        post().await;
        intake.assert_calls([(GET, 1), (PUT, 2)]);

        // More changes than are known with a version: the stored list.
        for _ in 0..17 {
            edit(&editor, &mut webhooks[0]).await?;
        }
        post().await;
        intake.assert_calls([(GET, 2), (QUERY, 1), (PUT, 2)]);
        Ok(())
    });
}
