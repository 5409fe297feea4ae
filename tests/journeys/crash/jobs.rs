//! A bulk resend under way while the process is killed again and again: each delivery is resent once.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::wait::{eventually_within, pause};
use crate::harness::{
    Journey, Receiver, Reply, Server, attempts_of, event, results_of, subscription, text, trace_ids,
};
use crate::recovery::{counts, id, items, make_job};

const LOANS: u64 = 12;
const DELIVERIES: u64 = 120;
const KILLS: u32 = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_kills_under_a_bulk_resend_repeat_and_lose_none() {
    let Some(server) = Server::own_process().await else { return };
    let seed = super::seed();
    let mut moments = fastrand::Rng::with_seed(seed);
    let j = Journey::on_server(server).await;
    // Automatic attempts fail; of the resends one in eight.
    let receiver = Receiver::replying_by(move |request| {
        let number = request.json()["context"]["number"].as_u64().expect("a number");
        match request.attempt_number() {
            "manual" if !(number ^ seed).is_multiple_of(8) => Reply::ok().after(Duration::from_millis(30)),
            _ => Reply::status(503),
        }
    })
    .await;
    j.api.subscribe(&subscription(&receiver.url("/hook"), json!({}))).await;
    let traces = accepted(&j).await;
    eventually_within(Duration::from_secs(60), "every schedule runs out", async || {
        (receiver.requests().len() as u64 == DELIVERIES).then_some(())
    })
    .await;
    for trace in &traces {
        j.api.delivery_when(trace, |delivery| delivery["status"] == "failed").await;
    }

    let body = json!({"filter": {"status": "failed"}, "perSecond": 30});
    let job = make_job(&j.api, "resends", &body).await;
    for _ in 0..KILLS {
        pause(Duration::from_millis(moments.u64(20..700))).await;
        j.server.kill();
        j.server.restart().await;
    }
    let path = format!("/v1/resends/{}", id(&job));
    let ended = eventually_within(Duration::from_secs(120), "the end of the job", async || {
        let job = j.api.get(&path).await.expect_status(200).json();
        (!job["endedAt"].is_null()).then_some(job)
    })
    .await;
    let [total, succeeded, failed, skipped, superseded, left] = counts(&ended);
    assert_eq!((total, succeeded + failed), (DELIVERIES, DELIVERIES), "{ended}");
    assert_eq!((skipped, superseded, left), (0, 0, 0), "{ended}");

    let by_trace: BTreeMap<String, Value> = items(&j.api, "resends", id(&job), "")
        .await
        .into_iter()
        .map(|item| (text(&item["traceId"]).to_owned(), item))
        .collect();
    let mut interrupted = 0;
    for trace in &traces {
        let delivery = j.api.delivery(trace).await;
        let manual: Vec<_> = attempts_of(&delivery).iter().filter(|row| row["manual"] == true).collect();
        let [row] = manual[..] else { panic!("{} resends of {trace}", manual.len()) };
        let item = &by_trace[trace];
        assert_eq!((&item["attemptId"], &item["outcome"]), (&row["id"], &row["outcome"]));
        let sent = receiver.requests_of(trace).iter().filter(|of| of.attempt_number() == "manual").count();
        assert!(sent <= 1, "{sent} resends of {trace} reached the receiver");
        let unsure = row["error"]["kind"] == "interrupted";
        assert!(sent == 1 || unsure, "{row}");
        interrupted += usize::from(unsure);
    }
    eprintln!("{succeeded} succeeded, {failed} failed, {interrupted} of them interrupted");
    assert_in_order(&receiver, &traces);
}

/// Events of a few loans in turn, one delivery each; the traces in the order of acceptance.
async fn accepted(j: &Journey) -> Vec<String> {
    let mut traces = Vec::new();
    let events: Vec<_> = (0..DELIVERIES)
        .map(|number| {
            let mut event = event(&format!("loan-{}", number % LOANS));
            event["context"]["number"] = json!(number);
            event
        })
        .collect();
    for batch in events.chunks(50) {
        let answer =
            j.api.post("/v1/events/batch", &json!({"events": batch})).await.expect_status(200).json();
        traces.extend(results_of(&answer).iter().flat_map(trace_ids));
    }
    assert_eq!(traces.len() as u64, DELIVERIES);
    traces.sort_unstable();
    traces
}

/// The resends of a loan reached the receiver in the order in which their deliveries were accepted.
fn assert_in_order(receiver: &Receiver, traces: &[String]) {
    let mut of_loans: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for request in receiver.requests().iter().filter(|request| request.attempt_number() == "manual") {
        let place = traces.iter().position(|trace| trace == request.trace_id()).expect("accepted");
        let loan = request.header("loanhook-loan").expect("a loan").to_owned();
        of_loans.entry(loan).or_default().push(place);
    }
    assert_eq!(of_loans.len() as u64, LOANS);
    for (loan, places) in of_loans {
        assert!(places.is_sorted(), "of {loan}: {places:?}");
    }
}
