//! Adaptive shares: how many requests of one subscription are in flight at once, by how its receiver answers.

use serde_json::json;

use crate::harness::{Gate, Journey, Received, Reply, event, subscription, text, trace_ids};

/// The next requests, until so many have come to each of these paths.
async fn requests_until(j: &Journey, awaited: &[(&str, usize)]) -> Vec<Received> {
    let mut came: Vec<Received> = Vec::new();
    let count = |came: &[Received], path: &str| came.iter().filter(|r| r.path_and_query == path).count();
    while awaited.iter().any(|(path, awaited)| count(&came, path) < *awaited) {
        came.push(j.receiver.next_request().await);
    }
    came
}

/// Posts this many events in batches, and returns the trace IDs of their deliveries.
async fn post(j: &Journey, events: usize) -> Vec<String> {
    j.api.send_batch(vec![event("727"); events]).await.iter().flat_map(trace_ids).collect()
}

/// Posts to a receiver that holds its requests, and to one that answers: only four leave to the one that holds them.
async fn expect_four_at_a_time(j: &Journey, holding: &str) {
    let gate = Gate::closed();
    j.receiver.always(holding, Reply::ok().held(&gate));
    post(j, 40).await;
    let came = requests_until(j, &[(holding, 4), ("/free", 40)]).await;
    assert_eq!(came.len(), 44, "four to the one, all to the other");
    // A second batch shows that nothing more is sent to it.
    post(j, 40).await;
    let came = requests_until(j, &[("/free", 40)]).await;
    assert_eq!(came.len(), 40, "none to the one, all to the other");
    gate.open();
    requests_until(j, &[(holding, 76)]).await;
}

#[tokio::test]
async fn a_receiver_that_answers_promptly_gets_more_than_16_requests_at_a_time() {
    let Some(j) = Journey::on_own_process().await else { return };
    j.subscribe("/hook", json!({"timeoutSeconds": 30})).await;
    // While answers come, the share grows.
    for _ in 0..5 {
        post(&j, 100).await;
        requests_until(&j, &[("/hook", 100)]).await;
    }
    let gate = Gate::closed();
    j.receiver.always("/hook", Reply::ok().held(&gate));

    post(&j, 100).await;

    // With a share of 16 the seventeenth would not come before an answer.
    requests_until(&j, &[("/hook", 17)]).await;
    gate.open();
    requests_until(&j, &[("/hook", 83)]).await;
    assert_eq!(j.receiver.requests().len(), 600, "each once");
}

#[tokio::test]
async fn a_receiver_that_fails_falls_back_to_4_requests_at_a_time_and_others_do_not_wait() {
    let Some(j) = Journey::on_own_process().await else { return };
    j.subscribe("/fails", json!({"timeoutSeconds": 30})).await;
    j.subscribe("/free", json!({})).await;
    j.receiver.always("/fails", Reply::status(500));
    for trace in post(&j, 60).await {
        j.api.ended_delivery(&trace).await;
    }
    requests_until(&j, &[("/fails", 60), ("/free", 60)]).await;

    expect_four_at_a_time(&j, "/fails").await;
}

#[tokio::test]
async fn a_receiver_that_hangs_falls_back_to_4_requests_at_a_time_and_others_do_not_wait() {
    let Some(j) = Journey::on_own_process().await else { return };
    let hanging = subscription(&j.receiver.url("/hangs"), json!({"timeoutSeconds": 1}));
    let id = text(&j.api.subscribe(&hanging).await["id"]).to_owned();
    j.subscribe("/free", json!({})).await;
    j.receiver.always("/hangs", Reply::ok().held(&Gate::closed()));
    // 16 at first, then 8, then 4.
    for trace in post(&j, 30).await {
        j.api.ended_delivery(&trace).await;
    }
    requests_until(&j, &[("/hangs", 30), ("/free", 30)]).await;
    let patient = subscription(&j.receiver.url("/hangs"), json!({"timeoutSeconds": 30}));
    j.api.put(&format!("/v1/subscriptions/{id}"), &patient).await.expect_status(200);

    expect_four_at_a_time(&j, "/hangs").await;
}
