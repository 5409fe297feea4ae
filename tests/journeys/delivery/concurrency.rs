//! How many requests are under way at once, and who may go beside whom.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::api::traces;
use crate::harness::{Gate, Journey, Launch, Received, Reply, Target, event};

/// Posts so many events in one batch, and returns the trace IDs of all their deliveries.
async fn post(j: &Journey, events: usize) -> Vec<String> {
    j.api.send_batch(vec![event("727"); events]).await.iter().flat_map(traces).collect()
}

/// Awaits so many requests.
async fn arrive(j: &Journey, count: usize) -> Vec<Received> {
    let mut came = Vec::new();
    while came.len() < count {
        came.push(j.receiver.next().await);
    }
    came
}

fn count_at(requests: &[Received], path: &str) -> usize {
    requests.iter().filter(|request| request.target == path).count()
}

async fn outcomes(j: &Journey, traces: &[String], outcome: &str) -> usize {
    let mut count = 0;
    for trace in traces {
        let delivery = j.api.delivery(trace).await;
        let rows = delivery["attempts"].as_array().expect("attempts");
        count += rows.iter().filter(|row| row["outcome"] == outcome).count();
    }
    count
}

#[tokio::test]
async fn sixteen_requests_are_under_way_to_one_subscription_and_no_other_waits_for_them() {
    let Some(j) = Journey::alone().await else { return };
    j.subscribe("/held", json!({"timeoutSeconds": 30})).await;
    j.subscribe("/free", json!({})).await;
    let gate = Gate::closed();
    j.receiver.always("/held", Reply::ok().held(&gate));

    let all = post(&j, 40).await;

    // Forty of the one that answers, sixteen of the one that does not.
    let came = arrive(&j, 56).await;
    assert_eq!((count_at(&came, "/free"), count_at(&came, "/held")), (40, 16));
    // A second round of the other shows that the queue goes on, and that it still leaves the held one alone.
    post(&j, 40).await;
    let came = arrive(&j, 40).await;
    assert_eq!((count_at(&came, "/free"), count_at(&came, "/held")), (40, 0));
    assert_eq!(outcomes(&j, &all, "sending").await, 16);
    gate.open();
    let came = arrive(&j, 64).await;
    assert_eq!(count_at(&came, "/held"), 64, "and then all the others");
    let different: BTreeSet<_> = j.receiver.seen().iter().map(|r| r.trace().to_owned()).collect();
    assert_eq!(different.len(), 160, "each once");
}

#[tokio::test]
async fn concurrency_is_how_many_requests_are_under_way_in_all() {
    let launch =
        Launch { arguments: ["--concurrency", "2"].map(str::to_owned).to_vec(), ..Launch::default() };
    let Some(target) = Target::process_with(launch).await else { return };
    let j = Journey::on(target).await;
    // A webhook each, since of so few slots a subscription holds one at most.
    let gates: Vec<Gate> = (0..12).map(|_| Gate::closed()).collect();
    for (place, gate) in gates.iter().enumerate() {
        let path = format!("/{place}");
        j.subscribe(&path, json!({"timeoutSeconds": 30})).await;
        j.receiver.always(&path, Reply::ok().held(gate));
    }
    let all = post(&j, 1).await;
    assert_eq!(all.len(), 12);
    let mut came = arrive(&j, 2).await;
    for so_far in 2..=12 {
        assert_eq!(outcomes(&j, &all, "sending").await, 2, "after {so_far}");
        assert_eq!(j.receiver.seen().len(), so_far, "two at a time, and no more");
        let next = came[so_far - 2].clone();
        let place: usize = next.target.trim_start_matches('/').parse().expect("a path");
        gates[place].open();
        if so_far < 12 {
            came.push(j.receiver.next().await);
            j.api.settled(next.trace()).await;
        }
    }
    gates.iter().for_each(Gate::open);
    for trace in &all {
        assert_eq!(j.api.settled(trace).await["status"], "succeeded");
    }
}

#[tokio::test]
async fn a_resend_does_not_wait_until_every_automatic_attempt_has_left() {
    let Some(j) = Journey::alone().await else { return };
    j.subscribe("/hook", json!({"timeoutSeconds": 30})).await;
    let trace = j.api.send_one(&event("727")).await;
    j.api.settled(&trace).await;
    j.receiver.next().await;
    let gates: Vec<Gate> = (0..100).map(|_| Gate::closed()).collect();
    j.receiver.replies("/hook", gates.iter().map(|gate| Reply::ok().held(gate)));
    post(&j, 100).await;
    arrive(&j, 16).await;
    let manual = j.api.resend(&trace).await;

    // Whenever one that is under way ends, another leaves.
    let mut before = 0;
    for gate in &gates {
        gate.open();
        if j.receiver.next().await.attempt_id() == manual {
            break;
        }
        before += 1;
    }

    assert!(before < 16, "84 automatic attempts waited, and {before} of them left before the resend");
}

#[tokio::test]
async fn resends_that_wait_do_not_hold_up_an_automatic_attempt() {
    let Some(j) = Journey::alone().await else { return };
    j.subscribe("/hook", json!({"timeoutSeconds": 30, "retry": {"delays": [1]}})).await;
    let trace = j.api.send_one(&event("727")).await;
    j.api.settled(&trace).await;
    j.receiver.next().await;
    let gate = Gate::closed();
    j.receiver.replies("/hook", [Reply::status(500)]);
    let due = j.api.send_one(&event("728")).await;
    j.api.after_attempts(&due, 1).await;
    j.receiver.next().await;
    j.receiver.always("/hook", Reply::ok().held(&gate));
    for _ in 0..40 {
        j.api.resend(&trace).await;
    }

    let mut manual = 0;
    let automatic = loop {
        let request = j.receiver.next().await;
        if request.attempt() != "manual" {
            break request;
        }
        manual += 1;
    };

    assert_eq!((automatic.trace(), automatic.attempt()), (due.as_str(), "2"));
    assert!(manual < 40, "the retry left while resends still waited");
    // And so does a new one.
    let fresh = j.api.send_one(&event("729")).await;
    loop {
        let request = j.receiver.next().await;
        if request.attempt() == "manual" {
            manual += 1;
            assert!(manual < 40, "the new one waits behind the resends");
            continue;
        }
        assert_eq!((request.trace(), request.attempt()), (fresh.as_str(), "1"));
        break;
    }
    let queued = j.api.rows("727", "?outcome=queued&limit=200").await;
    assert!(!queued.is_empty() && queued.iter().all(waits), "{queued:#?}");
    let auto = j.api.rows("727", "?outcome=queued&attempt=auto").await;
    assert!(auto.is_empty(), "only a resend is ever queued: {auto:#?}");
    gate.open();
    let delivery = j.api.after_attempts(&trace, 41).await;
    assert_eq!(delivery["attempts"][0]["resends"], 40);
    assert!(j.api.rows("727", "?outcome=queued").await.is_empty());
}

fn waits(row: &Value) -> bool {
    row["outcome"] == "queued" && row["attemptNumber"] == "manual" && row["responseTimeMs"].is_null()
}
