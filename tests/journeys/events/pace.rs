//! Pace: whoever posts faster than webhooks can be sent waits for an answer, and is refused where too much waits.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};

use crate::harness::wait::{deadline, pause};
use crate::harness::{Gate, Journey, Launch, Reply, Server, event, eventually, trace_ids};

/// A process that sends one request at a time, and so more slowly than it takes events in.
async fn slow_sender() -> Option<Journey> {
    let arguments = ["--concurrency", "1"].map(str::to_owned).to_vec();
    let server = Server::own_process_with(Launch { arguments, ..Launch::default() }).await?;
    Some(Journey::on_server(server).await)
}

/// Posts this many events, 50 at a time. Returns how many deliveries were accepted and not received, at most.
async fn most_waiting(j: &Journey, events: usize) -> usize {
    let (accepted, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let body = event("727");
    let posting = stream::iter(0..events).for_each_concurrent(50, |_| async {
        j.api.send_one(&body).await;
        let accepted = accepted.fetch_add(1, Ordering::SeqCst) + 1;
        most.fetch_max(accepted.saturating_sub(j.receiver.requests().len()), Ordering::SeqCst);
    });
    posting.await;
    most.into_inner()
}

#[tokio::test]
async fn few_deliveries_wait_for_a_receiver_that_answers_promptly_however_fast_events_come() {
    let Some(j) = slow_sender().await else { return };
    j.subscribe("/hook", json!({})).await;

    let waiting = most_waiting(&j, 500).await;

    assert!(waiting < 250, "{waiting} of 500 waited");
    let all_came = async || (j.receiver.requests().len() == 500).then_some(());
    eventually("each event is sent", all_came).await;
}

#[tokio::test]
async fn events_for_a_receiver_that_hangs_are_taken_in_and_wait_in_its_own_queue() {
    let Some(j) = slow_sender().await else { return };
    j.subscribe("/held", json!({"timeoutSeconds": 30})).await;
    let gate = Gate::closed();
    j.receiver.always("/held", Reply::ok().held(&gate));

    let waiting = most_waiting(&j, 200).await;

    assert_eq!(waiting, 199, "all but the one that is under way");
    gate.open();
}

/// Posts an event until it is accepted. Returns its trace ID, and how often it was refused.
async fn post_until_accepted(j: &Journey, body: &Value, key: &str) -> (String, usize) {
    for refused in 0.. {
        let request = j.api.request("POST", "/v1/events").header("idempotency-key", key).json(body);
        let answer = request.try_send().await.expect("an answer");
        if answer.status == 503 {
            let seconds = answer.header("retry-after").parse().expect("it says when to come again");
            answer.expect_problem(503);
            pause(Duration::from_secs(seconds)).await;
            continue;
        }
        return (trace_ids(&answer.expect_status(202).json()).remove(0), refused);
    }
    unreachable!("it is accepted before the deadline of the test")
}

#[tokio::test]
async fn an_event_that_is_refused_leaves_nothing_and_is_sent_once_when_it_is_posted_again() {
    let Some(j) = slow_sender().await else { return };
    // Receiving costs little, and the time of an answer is nearly the same on a busy machine: the receiver stays prompt.
    j.subscribe("/hook", json!({"request": {"payload": "{}"}})).await;
    j.receiver.always("/hook", Reply::ok().after(Duration::from_millis(60)));
    let mut large = event("727");
    large["context"]["text"] = "x".repeat(200_000).into();
    let (mut traces, mut refused) = (BTreeSet::new(), 0);
    let start = Instant::now();
    while refused == 0 && start.elapsed() < deadline() {
        let keys: Vec<_> = (0..24).map(|number| format!("{}-{number}", traces.len())).collect();
        let posted = join_all(keys.iter().map(|key| post_until_accepted(&j, &large, key))).await;
        for (trace, times) in posted {
            traces.insert(trace);
            refused += times;
        }
    }
    assert!(refused > 0, "too much waited");
    let all_came = async || (j.receiver.requests().len() == traces.len()).then_some(());
    eventually("each event is sent once", all_came).await;
    let sent: BTreeSet<_> = j.receiver.requests().iter().map(|r| r.trace_id().to_owned()).collect();
    assert_eq!(sent, traces);
}
