//! Operational events and crashes: each is told once, wherever the process is killed.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::{observer, send, sent, server_with_window, told, with_window};
use crate::crash::seed;
use crate::harness::server::new_folder;
use crate::harness::wait::pause;
use crate::harness::{Reply, event, eventually, text};

const KILLS: u32 = 8;
const SHORT_SECONDS: u32 = 1;

/// How often each event of this name was told, by what tells it from others.
fn keys(events: &[Value], name: &str, key: &str) -> Vec<String> {
    let of_name = events.iter().filter(|event| event["eventName"] == name);
    of_name.map(|event| event[key].to_string()).collect()
}

/// The process is killed at random moments while events fail and webhooks fail, recover and are exhausted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_kills_lose_no_event_and_tell_none_twice() {
    let folder = new_folder();
    let Some(mut j) = with_window(&folder, SHORT_SECONDS).await else { return };
    let mut moments = fastrand::Rng::with_seed(seed());
    let names = ["subscription.failing", "subscription.recovered", "delivery.exhausted"];
    let pager = observer(&j, &names).await;
    j.subscribe("/hook", json!({})).await;
    let mut traces = Vec::new();
    for _ in 0..KILLS {
        traces.extend(send(&j, 4, 503).await);
        traces.extend(send(&j, 1, 200).await);
        // Others fail while it is killed.
        j.receiver.always("/hook", Reply::status(503));
        for _ in 0..3 {
            traces.push(j.api.send_one(&event("728")).await);
        }
        pause(Duration::from_millis(moments.u64(0..300))).await;
        j.server.kill();
        j.move_to(server_with_window(&folder, SHORT_SECONDS).await);
    }
    let mut exhausted = BTreeSet::new();
    for trace in traces {
        if j.api.ended_delivery(&trace).await["status"] == "failed" {
            exhausted.insert(trace);
        }
    }
    eventually("every exhausted delivery is told", async || {
        let events = sent(&j, &pager).await?;
        let count: u64 = events.iter().filter_map(|event| event["count"].as_u64()).sum();
        (count >= exhausted.len() as u64).then_some(())
    })
    .await;
    let events = told(&j, &pager).await;

    // Each window is told once, and each delivery in one.
    let (mut count, mut named) = (0, BTreeSet::new());
    for window in events.iter().filter(|event| event["eventName"] == "delivery.exhausted") {
        let of_window = window["count"].as_u64().expect("a number");
        let traces = window["traceIds"].as_array().expect("a list");
        assert_eq!(traces.len() as u64, of_window.min(20), "the first 20: {window}");
        count += of_window;
        for trace in traces {
            assert!(exhausted.contains(text(trace)) && named.insert(text(trace)), "once: {trace}");
        }
    }
    assert_eq!(count, exhausted.len() as u64);

    // Failing and recovered in turn, and none of them twice.
    let runs: Vec<_> = events.iter().filter(|event| event["eventName"] != "delivery.exhausted").collect();
    for (index, event) in runs.iter().enumerate() {
        let expected = if index % 2 == 0 { names[0] } else { names[1] };
        assert_eq!(event["eventName"], expected, "{runs:#?}");
    }
    assert!(runs.len() >= 2 * KILLS as usize, "each round fails four times and recovers: {runs:#?}");
    for (name, key) in [(names[0], "since"), (names[1], "occurredAt")] {
        let mut all = keys(&events, name, key);
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count, "{name}: {runs:#?}");
    }
}

/// What happened while nothing could be told is told after the next start.
#[tokio::test]
async fn what_became_due_while_the_process_was_down_is_told_at_the_start() {
    let folder = new_folder();
    let Some(mut j) = with_window(&folder, SHORT_SECONDS).await else { return };
    let pager = observer(&j, &["delivery.exhausted"]).await;
    j.subscribe("/hook", json!({})).await;
    let traces = send(&j, 1, 503).await;
    j.server.kill();
    pause(Duration::from_secs(u64::from(SHORT_SECONDS))).await;
    j.move_to(server_with_window(&folder, SHORT_SECONDS).await);
    let events = eventually("the exhausted delivery is told", async || {
        sent(&j, &pager).await.filter(|events| !events.is_empty())
    })
    .await;
    assert_eq!(events[0]["traceIds"], json!(traces));
    j.server.kill();
    j.move_to(server_with_window(&folder, SHORT_SECONDS).await);
    assert_eq!(told(&j, &pager).await, events, "once");
}
