//! Concurrency: how many requests are in flight at once, and which ones do not wait for each other.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{Gate, Journey, Launch, Received, Reply, Server, attempts_of, event, trace_ids};

/// Posts this many events in one batch, and returns the trace IDs of all their deliveries.
async fn post(j: &Journey, events: usize) -> Vec<String> {
    j.api.send_batch(vec![event("727"); events]).await.iter().flat_map(trace_ids).collect()
}

/// The next requests, this many.
async fn next_requests(j: &Journey, count: usize) -> Vec<Received> {
    let mut came = Vec::new();
    while came.len() < count {
        came.push(j.receiver.next_request().await);
    }
    came
}

fn count_at(requests: &[Received], path: &str) -> usize {
    requests.iter().filter(|request| request.path_and_query == path).count()
}

async fn count_outcomes(j: &Journey, traces: &[String], outcome: &str) -> usize {
    let mut count = 0;
    for trace in traces {
        let delivery = j.api.delivery(trace).await;
        let rows = attempts_of(&delivery);
        count += rows.iter().filter(|row| row["outcome"] == outcome).count();
    }
    count
}

#[tokio::test]
async fn at_most_16_requests_of_one_subscription_are_in_flight_and_others_do_not_wait() {
    let Some(j) = Journey::on_own_process().await else { return };
    j.subscribe("/held", json!({"timeoutSeconds": 30})).await;
    j.subscribe("/free", json!({})).await;
    let gate = Gate::closed();
    j.receiver.always("/held", Reply::ok().held(&gate));

    let all = post(&j, 40).await;

    // Forty to the receiver that answers, sixteen to the one that does not.
    let came = next_requests(&j, 56).await;
    assert_eq!((count_at(&came, "/free"), count_at(&came, "/held")), (40, 16));
    // A second batch shows that the queue goes on, and sends nothing more to the receiver that does not answer.
    post(&j, 40).await;
    let came = next_requests(&j, 40).await;
    assert_eq!((count_at(&came, "/free"), count_at(&came, "/held")), (40, 0));
    assert_eq!(count_outcomes(&j, &all, "sending").await, 16);
    gate.open();
    let came = next_requests(&j, 64).await;
    assert_eq!(count_at(&came, "/held"), 64, "and then all the others");
    let different: BTreeSet<_> = j.receiver.requests().iter().map(|r| r.trace_id().to_owned()).collect();
    assert_eq!(different.len(), 160, "each once");
}

#[tokio::test]
async fn the_concurrency_flag_limits_all_requests_in_flight() {
    let launch =
        Launch { arguments: ["--concurrency", "2"].map(str::to_owned).to_vec(), ..Launch::default() };
    let Some(server) = Server::own_process_with(launch).await else { return };
    let j = Journey::on_server(server).await;
    // One subscription for each, since with two permits a subscription holds one at most.
    let gates: Vec<Gate> = (0..12).map(|_| Gate::closed()).collect();
    for (place, gate) in gates.iter().enumerate() {
        let path = format!("/{place}");
        j.subscribe(&path, json!({"timeoutSeconds": 30})).await;
        j.receiver.always(&path, Reply::ok().held(gate));
    }
    let all = post(&j, 1).await;
    assert_eq!(all.len(), 12);
    let mut came = next_requests(&j, 2).await;
    for so_far in 2..=12 {
        assert_eq!(count_outcomes(&j, &all, "sending").await, 2, "after {so_far}");
        assert_eq!(j.receiver.requests().len(), so_far, "two at a time, and no more");
        let next = came[so_far - 2].clone();
        let place: usize = next.path_and_query.trim_start_matches('/').parse().expect("a path");
        gates[place].open();
        if so_far < 12 {
            came.push(j.receiver.next_request().await);
            j.api.ended_delivery(next.trace_id()).await;
        }
    }
    gates.iter().for_each(Gate::open);
    for trace in &all {
        assert_eq!(j.api.ended_delivery(trace).await["status"], "succeeded");
    }
}

#[tokio::test]
async fn a_resend_does_not_wait_for_all_automatic_attempts() {
    let Some(j) = Journey::on_own_process().await else { return };
    j.subscribe("/hook", json!({"timeoutSeconds": 30})).await;
    let trace = j.api.send_one(&event("727")).await;
    j.api.ended_delivery(&trace).await;
    j.receiver.next_request().await;
    let gates: Vec<Gate> = (0..100).map(|_| Gate::closed()).collect();
    j.receiver.replies("/hook", gates.iter().map(|gate| Reply::ok().held(gate)));
    post(&j, 100).await;
    next_requests(&j, 16).await;
    let manual = j.api.resend(&trace).await;

    // Whenever a request ends, another leaves.
    let mut before = 0;
    for gate in &gates {
        gate.open();
        if j.receiver.next_request().await.attempt_id() == manual {
            break;
        }
        before += 1;
    }

    assert!(before < 16, "84 automatic attempts waited, and {before} of them left before the resend");
}

#[tokio::test]
async fn waiting_resends_do_not_delay_an_automatic_attempt() {
    let Some(j) = Journey::on_own_process().await else { return };
    j.subscribe("/hook", json!({"timeoutSeconds": 30, "retry": {"delays": [1]}})).await;
    let trace = j.api.send_one(&event("727")).await;
    j.api.ended_delivery(&trace).await;
    j.receiver.next_request().await;
    let gate = Gate::closed();
    j.receiver.replies("/hook", [Reply::status(500)]);
    let due = j.api.send_one(&event("728")).await;
    j.api.delivery_after_attempts(&due, 1).await;
    j.receiver.next_request().await;
    j.receiver.always("/hook", Reply::ok().held(&gate));
    for _ in 0..40 {
        j.api.resend(&trace).await;
    }

    let mut manual = 0;
    let automatic = loop {
        let request = j.receiver.next_request().await;
        if request.attempt_number() != "manual" {
            break request;
        }
        manual += 1;
    };

    assert_eq!((automatic.trace_id(), automatic.attempt_number()), (due.as_str(), "2"));
    assert!(manual < 40, "the retry left while resends still waited");
    // A new event does not wait for the resends either.
    let fresh = j.api.send_one(&event("729")).await;
    loop {
        let request = j.receiver.next_request().await;
        if request.attempt_number() == "manual" {
            manual += 1;
            assert!(manual < 40, "the new one waits behind the resends");
            continue;
        }
        assert_eq!((request.trace_id(), request.attempt_number()), (fresh.as_str(), "1"));
        break;
    }
    let queued = j.api.rows("727", "?outcome=queued&limit=200").await;
    assert!(!queued.is_empty() && queued.iter().all(is_queued_resend), "{queued:#?}");
    let auto = j.api.rows("727", "?outcome=queued&attempt=auto").await;
    assert!(auto.is_empty(), "only a resend is ever queued: {auto:#?}");
    gate.open();
    let delivery = j.api.delivery_after_attempts(&trace, 41).await;
    assert_eq!(delivery["attempts"][0]["resends"], 40);
    assert!(j.api.rows("727", "?outcome=queued").await.is_empty());
}

fn is_queued_resend(row: &Value) -> bool {
    row["outcome"] == "queued" && row["attemptNumber"] == "manual" && row["responseTimeMs"].is_null()
}
