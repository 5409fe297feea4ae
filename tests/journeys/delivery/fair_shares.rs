//! Shares of the slots: nobody's hanging receivers delay anybody else's webhooks.

use serde_json::json;

use crate::harness::{Gate, Journey, Launch, Received, Reply, Target, event, subscription};

/// The requests that are still to come to these paths, as soon as so many have come to each.
async fn arrived(j: &Journey, held: usize, free: usize) -> Vec<Received> {
    let mut came: Vec<Received> = Vec::new();
    let count = |came: &[Received], start: &str| came.iter().filter(|r| r.target.starts_with(start)).count();
    while count(&came, "/held") < held || count(&came, "/free") < free {
        came.push(j.receiver.next().await);
    }
    came
}

#[tokio::test]
async fn a_tenant_whose_receivers_hang_delays_no_other_tenant() {
    let Some(j) = Journey::alone().await else { return };
    let gate = Gate::closed();
    for place in 0..140 {
        let path = format!("/held/{place}");
        j.subscribe(&path, json!({"timeoutSeconds": 30})).await;
        j.receiver.always(&path, Reply::ok().held(&gate));
    }
    let other = j.stranger().await;
    other.subscribe(&subscription(&j.receiver.url("/free"), json!({}))).await;

    // 140 that hang, of as many subscriptions. Of the 256 slots a tenant holds half at most.
    j.api.post("/v1/events", &event("727")).await.is(202);
    arrived(&j, 128, 0).await;

    let rounds = 5;
    for round in 0..rounds {
        let trace = other.send_one(&event("727")).await;
        let came = j.receiver.next().await;
        assert_eq!((came.target.as_str(), came.trace()), ("/free", trace.as_str()), "round {round}");
        assert_eq!(other.settled(&trace).await["status"], "succeeded");
    }
    assert_eq!(j.receiver.seen().len(), 128 + rounds, "and nothing of the first tenant's left meanwhile");
    gate.open();
    arrived(&j, 140 - 128, 0).await;
}

#[tokio::test]
async fn one_hanging_receiver_holds_a_quarter_of_few_slots() {
    let arguments = ["--concurrency", "16"].map(str::to_owned).to_vec();
    let Some(target) = Target::process_with(Launch { arguments, ..Launch::default() }).await else { return };
    let j = Journey::on(target).await;
    j.subscribe("/held", json!({"timeoutSeconds": 30})).await;
    j.subscribe("/free", json!({})).await;
    let gate = Gate::closed();
    j.receiver.always("/held", Reply::ok().held(&gate));

    j.api.post("/v1/events/batch", &json!({"events": vec![event("727"); 40]})).await.is(200);

    let came = arrived(&j, 4, 40).await;
    assert_eq!(came.len(), 44, "all of the one that answers, four of the one that does not");
    gate.open();
    arrived(&j, 36, 0).await;
}

#[tokio::test]
async fn a_batch_that_renders_to_more_than_there_is_memory_for_waits_for_it() {
    let Some(j) = Journey::alone().await else { return };
    // Nobody listens there: what is rendered is soon done with.
    let nowhere = "http://127.0.0.1:9/";
    let payload = "[\"[[v('text')]]\", \"[[v('text')]]\", \"[[v('text')]]\", \"[[v('text')]]\"]";
    for _ in 0..40 {
        j.api.subscribe(&subscription(nowhere, json!({"request": {"payload": payload}}))).await;
    }
    let mut large = event("727");
    large["context"]["text"] = "x".repeat(100_000).into();

    // 25 events of 40 times 400 kB: 400 MB, were it all there at once.
    let answer = j.api.post("/v1/events/batch", &json!({"events": vec![large; 25]})).await.is(200).json();

    let results = answer["results"].as_array().expect("results");
    assert_eq!(results.len(), 25);
    for result in results {
        assert_eq!(result["status"], 202, "{result}");
        assert_eq!(result["deliveries"].as_array().map(Vec::len), Some(40));
    }
    if let Some(peak) = j.target.peak_memory_mib() {
        assert!(peak < 300, "the process took {peak} MiB");
    }
}
