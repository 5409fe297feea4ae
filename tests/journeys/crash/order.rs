//! An ordered subscription while the process is killed again and again: the receiver has the deliveries of each loan in their order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::wait::{eventually_within, pause};
use crate::harness::{Api, Journey, Receiver, Reply, Server, subscription, trace_ids};

const LOANS: u64 = 12;
const KILLS: u32 = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_kills_break_no_order() {
    let Some(server) = Server::own_process().await else { return };
    let seed = super::seed();
    let mut moments = fastrand::Rng::with_seed(seed);
    let j = Journey::on_server(server).await;
    // One in eight fails, by its event and its attempt.
    let receiver = Receiver::replying_by(move |request| {
        let number = request.json()["context"]["number"].as_u64().expect("a number");
        let attempt: u64 = request.attempt_number().parse().expect("an automatic attempt");
        match fastrand::Rng::with_seed(seed ^ (number << 16) ^ attempt).u8(0..16) {
            0..2 => Reply::status(503),
            2 => Reply::reset(),
            _ => Reply::ok().after(Duration::from_millis(5)),
        }
    })
    .await;
    let settings = json!({"flow": {"order": "loan"}, "retry": {"delays": vec![1; 24]}});
    j.api.subscribe(&subscription(&receiver.url("/hook"), settings)).await;

    let stopped = Arc::new(AtomicBool::new(false));
    let posting = tokio::spawn(post(Arc::clone(&stopped), j.api.clone()));
    for _ in 0..KILLS {
        pause(Duration::from_millis(moments.u64(50..900))).await;
        j.server.kill();
        j.server.restart().await;
    }
    stopped.store(true, SeqCst);
    let accepted = posting.await.expect("the events end in order");
    let pending = || async {
        let list = j.api.get("/v1/webhooks?limit=1&status=pending").await.expect_status(200).json();
        (list["items"] == json!([]) && list["next"].is_null()).then_some(())
    };
    eventually_within(Duration::from_secs(120), "every delivery ends", pending).await;

    let requests = receiver.requests();
    let mut of_loans: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for request in &requests {
        let loan = request.header("loanhook-loan").expect("a loan").to_owned();
        let sequence = request.header("loanhook-sequence").expect("a number").parse().expect("a number");
        of_loans.entry(loan).or_default().push(sequence);
    }
    assert_eq!(of_loans.len() as u64, LOANS);
    for (loan, mut sequences) in of_loans {
        assert!(sequences.is_sorted(), "of {loan}: {sequences:?}");
        sequences.dedup();
        let expected: Vec<u64> = (1..=sequences.len() as u64).collect();
        assert_eq!(sequences, expected, "of {loan}");
    }
    for trace in &accepted {
        assert!(
            requests.iter().any(|request| request.trace_id() == trace),
            "accepted, and never sent: {trace}"
        );
    }
    let retries = requests.iter().filter(|request| request.attempt_number() != "1").count();
    eprintln!(
        "{} deliveries accepted, {} requests, {retries} of them retries",
        accepted.len(),
        requests.len()
    );
    assert!(accepted.len() > 100 && retries > 0, "this run proves too little");
}

/// Posts one event after the other, each once; the traces of those that were accepted.
async fn post(stopped: Arc<AtomicBool>, api: Api) -> Vec<String> {
    let mut accepted = Vec::new();
    for number in 0_u64.. {
        if stopped.load(SeqCst) {
            break;
        }
        let loan = format!("loan-{}", number % LOANS);
        let event: Value = json!({"eventName": "Posted", "loanId": loan, "context": {"number": number}});
        match api.request("POST", "/v1/events").json(&event).try_send().await {
            Ok(answer) if answer.status == 202 => accepted.extend(trace_ids(&answer.json())),
            _ => pause(Duration::from_millis(20)).await,
        }
        // So few that one page of a list can look at all.
        pause(Duration::from_millis(5)).await;
    }
    accepted
}
