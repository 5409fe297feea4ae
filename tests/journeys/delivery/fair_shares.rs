//! Fair shares of the senders: receivers of one tenant or subscription that hang do not delay the webhooks of another.

use serde_json::json;

use crate::harness::{Gate, Journey, Launch, Received, Reply, Server, event, results_of, subscription};

/// The next requests, until so many have come to paths that begin with `/held` and with `/free`.
async fn requests_until(j: &Journey, held: usize, free: usize) -> Vec<Received> {
    let mut came: Vec<Received> = Vec::new();
    let count =
        |came: &[Received], start: &str| came.iter().filter(|r| r.path_and_query.starts_with(start)).count();
    while count(&came, "/held") < held || count(&came, "/free") < free {
        came.push(j.receiver.next_request().await);
    }
    came
}

#[tokio::test]
async fn a_tenant_whose_receivers_hang_delays_no_other_tenant() {
    let Some(j) = Journey::on_own_process().await else { return };
    let gate = Gate::closed();
    for place in 0..140 {
        let path = format!("/held/{place}");
        j.subscribe(&path, json!({"timeoutSeconds": 30})).await;
        j.receiver.always(&path, Reply::ok().held(&gate));
    }
    let other = j.other_tenant().await;
    other.subscribe(&subscription(&j.receiver.url("/free"), json!({}))).await;

    // 140 requests that hang, of as many subscriptions. A tenant holds at most half of the 256 permits.
    j.api.post("/v1/events", &event("727")).await.expect_status(202);
    requests_until(&j, 128, 0).await;

    let rounds = 5;
    for round in 0..rounds {
        let trace = other.send_one(&event("727")).await;
        let came = j.receiver.next_request().await;
        assert_eq!(
            (came.path_and_query.as_str(), came.trace_id()),
            ("/free", trace.as_str()),
            "round {round}"
        );
        assert_eq!(other.ended_delivery(&trace).await["status"], "succeeded");
    }
    assert_eq!(j.receiver.requests().len(), 128 + rounds, "and nothing of the first tenant's left meanwhile");
    gate.open();
    requests_until(&j, 140 - 128, 0).await;
}

#[tokio::test]
async fn one_hanging_receiver_holds_at_most_a_quarter_of_16_permits() {
    let arguments = ["--concurrency", "16"].map(str::to_owned).to_vec();
    let Some(server) = Server::own_process_with(Launch { arguments, ..Launch::default() }).await else {
        return;
    };
    let j = Journey::on_server(server).await;
    j.subscribe("/held", json!({"timeoutSeconds": 30})).await;
    j.subscribe("/free", json!({})).await;
    let gate = Gate::closed();
    j.receiver.always("/held", Reply::ok().held(&gate));

    j.api.post("/v1/events/batch", &json!({"events": vec![event("727"); 40]})).await.expect_status(200);

    let came = requests_until(&j, 4, 40).await;
    assert_eq!(came.len(), 44, "all of the one that answers, four of the one that does not");
    gate.open();
    requests_until(&j, 36, 0).await;
}

#[tokio::test]
async fn rendering_of_a_large_batch_stays_within_the_memory_limit() {
    let Some(j) = Journey::on_own_process().await else { return };
    // Nobody listens there, so each delivery ends soon.
    let nowhere = "http://127.0.0.1:9/";
    let payload = "[\"[[v('text')]]\", \"[[v('text')]]\", \"[[v('text')]]\", \"[[v('text')]]\"]";
    for _ in 0..40 {
        j.api.subscribe(&subscription(nowhere, json!({"request": {"payload": payload}}))).await;
    }
    let mut large = event("727");
    large["context"]["text"] = "x".repeat(100_000).into();

    // 25 events, each rendered 40 times to 400 kB: 400 MB if all were in memory at once. A busy machine may refuse some,
    // which are then posted again.
    let mut left = 25;
    while left > 0 {
        let batch = json!({"events": vec![large.clone(); left]});
        let answer = j.api.post("/v1/events/batch", &batch).await.expect_status(200).json();
        let results = results_of(&answer);
        assert_eq!(results.len(), left);
        for result in results.iter().filter(|result| result["status"] != 503) {
            assert_eq!(result["status"], 202, "{result}");
            assert_eq!(result["deliveries"].as_array().map(Vec::len), Some(40));
            left -= 1;
        }
    }
    if let Some(peak) = j.server.peak_memory_mib() {
        assert!(peak < 300.0, "the process took {peak:.0} MiB");
    }
}
