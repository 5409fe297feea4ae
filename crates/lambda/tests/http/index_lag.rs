//! Answers where an index lags behind its table: a delivery whose newest rows the index of rows by delivery does not show, and
//! an event that the index of what was accepted does not show.

use loanhook_aws_testing::fault_proxy::Fault;
use loanhook_aws_testing::{FaultyAwsEngine, run_with_faults, worker};
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::{SECOND, START, Scene, resend_message, tenant};
use loanhook_core::model::id::EventId;
use loanhook_core::model::time::Timestamp;
use serde_json::{Value, json};

use super::client::HttpClient;

#[test]
fn a_delivery_shows_its_newest_attempts_where_the_index_does_not() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
        let worker = worker(&scene, &[500]);
        worker.handle(scene.first.clone(), START).await?;
        let (resent, _) = scene.resend(None, START + SECOND).await?;
        worker.handle(resend_message(&resent, START + SECOND), START + SECOND).await?;
        let http = HttpClient::with_new_key(scene.ports(), scene.tenant()).await?;
        let path = format!("/v1/webhooks/{}", scene.trace());
        let (_, before) = http.get(&path).await;

        scene.engine.proxy.fault_from("Query T", 1, Fault::Respond(nothing));
        let (status, without_index) = http.get(&path).await;
        assert_eq!((status, &without_index), (200, &before));
        let numbers = without_index["attempts"].as_array().expect("attempts").iter();
        let numbers: Vec<_> =
            numbers.map(|row| (row["attemptNumber"].clone(), row["outcome"].clone())).collect();
        assert_eq!(numbers, [(json!(1), json!("failed")), (json!("manual"), json!("succeeded"))]);
        Ok(())
    });
}

fn nothing(_: &Value) -> Value {
    json!({ "Items": [], "Count": 0 })
}

#[test]
fn an_event_can_be_read_though_the_index_does_not_show_it_at_once() {
    run_with_faults(async {
        let engine = FaultyAwsEngine::fresh().await;
        let http = HttpClient::with_new_key(engine.ports(), &tenant("acme")).await?;
        let (status, receipt) = http.post_event("").await;
        assert_eq!(status, 202, "{receipt}");
        let path = format!("/v1/events/{}", receipt["eventId"].as_str().expect("an ID"));
        for look in 1..=3 {
            engine.proxy.fault_nth("Query V", look, Fault::Respond(nothing));
        }
        let (status, event) = http.get(&path).await;
        assert_eq!((status, &event["eventId"]), (200, &receipt["eventId"]), "{event}");
        Ok(())
    });
}

#[test]
fn an_event_that_is_not_there_is_looked_for_again_only_if_it_may_be_new() {
    run_with_faults(async {
        let engine = FaultyAwsEngine::fresh().await;
        let http = HttpClient::with_new_key(engine.ports(), &tenant("acme")).await?;
        let looks = async |id: EventId| {
            engine.proxy.take_calls();
            assert_eq!(http.get(&format!("/v1/events/{id}")).await.0, 404);
            engine.proxy.take_call_names().iter().filter(|name| *name == "Query V").count()
        };
        let now = Timestamp::now();
        let (old, late) = (EventId::at(START), EventId::at(now + 3600 * SECOND));
        assert_eq!((looks(old).await, looks(late).await, looks(EventId::at(now)).await), (1, 1, 5));
        Ok(())
    });
}
