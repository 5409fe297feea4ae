//! Holds by hand: what is due waits without an attempt, outlives a restart, and leaves slowly after the release.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{assert_waits_unattempted, by_hand, hold_of, send, waiting};
use crate::harness::{
    Gate, Journey, Reply, attempts_of, event_named, eventually, subscription, subscription_path, text,
};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_held_webhook_sends_nothing_until_it_is_released_and_loses_nothing() {
    let Some(j) = Journey::on_own_process().await else { return };
    let held = j.subscribe("/held", json!({})).await;
    let free = j.subscribe("/free", json!({"criteria": {"events": ["Free"]}})).await;
    let hold = by_hand(&j, &held, "hold").await["hold"].clone();
    assert_eq!((&hold["by"], &hold["waiting"]), (&json!("journey"), &json!(0)));
    assert_eq!(by_hand(&j, &held, "hold").await["hold"], hold, "it may be repeated");

    let traces = send(&j, 3).await;
    // What another webhook sends after them leaves.
    let other = j.api.send_event(&event_named("Free", "727")).await;
    assert_eq!(other.len(), 2, "each matches");
    assert_eq!(j.receiver.next_request().await.path_and_query, "/free");
    for trace in &traces {
        assert_waits_unattempted(&j, trace, "hold").await;
    }
    assert_eq!(waiting(&j, "hold").await.len(), 4);
    assert_eq!(waiting(&j, "limit").await, Vec::<String>::new());
    assert_eq!(hold_of(&j, &held).await["waiting"], 4);
    assert_eq!(hold_of(&j, &free).await, json!(null));
    let resend = format!("/v1/webhooks/{}/resend", traces[0]);
    j.api.post_without_body(&resend).await.expect_problem(409);
    let list = j.api.get("/v1/subscriptions").await.expect_status(200).json();
    assert_eq!((&list["items"][0]["hold"]["waiting"], &list["items"][1]["hold"]), (&json!(4), &json!(null)));

    j.server.stop().await;
    j.server.restart().await;
    let after = j.api.send_one(&event_named("After", "727")).await;
    assert_waits_unattempted(&j, &after, "hold").await;
    assert_eq!(j.receiver.requests().len(), 1, "the hold outlives the process");

    for _ in 0..2 {
        assert_eq!(by_hand(&j, &held, "release").await["hold"], json!(null));
    }
    for trace in traces.iter().chain(&other).chain([&after]) {
        let delivery = j.api.ended_delivery(trace).await;
        assert_eq!((&delivery["status"], attempts_of(&delivery).len()), (&json!("succeeded"), 1));
    }
    let came: Vec<_> =
        j.receiver.requests().iter().skip(1).map(|request| request.path_and_query.clone()).collect();
    assert_eq!(came, ["/held"; 5]);
    assert_eq!(waiting(&j, "hold").await, Vec::<String>::new());
}

/// Each second twice as many may leave as in the second before, from 4 on.
#[tokio::test]
async fn what_waited_leaves_slowly_at_first_and_the_oldest_first() {
    let j = Journey::start().await;
    let held = j.subscribe("/hook", json!({})).await;
    by_hand(&j, &held, "hold").await;
    for loan in 0..13 {
        j.api.send_one(&event_named("Waits", &loan.to_string())).await;
    }
    let mut traces = waiting(&j, "hold").await;
    traces.reverse();
    let all_wait =
        eventually("all wait", async || (hold_of(&j, &held).await["waiting"] == traces.len()).then_some(()));
    all_wait.await;
    let released = Instant::now();
    by_hand(&j, &held, "release").await;
    let (mut came, mut elapsed) = (Vec::new(), Vec::new());
    for _ in 0..traces.len() {
        came.push(j.receiver.next_request().await.trace_id().to_owned());
        elapsed.push(released.elapsed());
    }
    for (place, seconds) in [(4, 1), (12, 2)] {
        assert!(elapsed[place] >= seconds * SECOND, "{} came within {seconds} s: {elapsed:?}", place + 1);
    }
    // Those of one second leave together.
    for part in [0..4, 4..12, 12..13] {
        let (mut left, mut expected) = (came[part.clone()].to_vec(), traces[part].to_vec());
        left.sort_unstable();
        expected.sort_unstable();
        assert_eq!(left, expected);
    }
}

#[tokio::test]
async fn a_resend_goes_through_a_hold_and_its_success_does_not_end_one_by_hand() {
    let j = Journey::start().await;
    let held = j.subscribe("/hook", json!({"retry": {"delays": [1]}})).await;
    let gate = Gate::closed();
    j.receiver.replies("/hook", [Reply::status(500).held(&gate)]);
    let trace = j.api.send_one(&event_named("Waits", "727")).await;
    j.receiver.next_request().await;
    by_hand(&j, &held, "hold").await;
    gate.open();
    j.api.delivery_after_attempts(&trace, 1).await;
    j.api.resend(&trace).await;
    let delivery = j.api.delivery_when(&trace, |delivery| {
        delivery["waiting"]["reason"] == "hold" && delivery["attempts"][1]["outcome"] == "succeeded"
    });
    let delivery = delivery.await;
    assert_eq!(delivery["attempts"][1]["attemptNumber"], "manual");
    let due = text(&delivery["nextAttemptAt"]);
    assert!(text(&delivery["waiting"]["since"]) >= due, "its retry was due then: {delivery}");
    assert_eq!(hold_of(&j, &held).await["by"], "journey");
    by_hand(&j, &held, "release").await;
    let ended = j.api.ended_delivery(&trace).await;
    assert_eq!((&ended["attempts"][2]["attemptNumber"], attempts_of(&ended).len()), (&json!(2), 3));
}

#[tokio::test]
async fn a_hold_is_kept_by_changes_and_ends_with_the_subscription() {
    let j = Journey::start().await;
    let held = j.subscribe("/hook", json!({})).await;
    let hold = by_hand(&j, &held, "hold").await["hold"].clone();
    let path = subscription_path(&held);
    let shown = j.api.get(&path).await.json();
    let put = j.api.put(&path, &subscription(&j.receiver.url("/hook"), json!({"title": "New"}))).await;
    assert_eq!(put.expect_status(200).json()["hold"], hold);
    let mut edited = shown;
    edited["description"] = json!("what a read shows may come back");
    let put = j.api.put(&path, &edited).await.expect_status(200).json();
    assert_eq!((&put["hold"], &put["version"]), (&hold, &json!(3)), "a hold makes no version");
    let patched =
        j.api.patch(&path, &json!({"hold": null, "title": "Third"})).await.expect_status(200).json();
    assert_eq!(patched["hold"], hold);
    let trace = j.api.send_one(&event_named("Waits", "727")).await;
    assert_waits_unattempted(&j, &trace, "hold").await;
    j.api.delete(&path).await.expect_status(204);
    assert_eq!(j.api.ended_delivery(&trace).await["status"], "succeeded", "nobody could release it");
    j.api.post_without_body(&format!("{path}/release")).await.expect_problem(404);
}

#[tokio::test]
async fn a_hold_takes_the_scope_of_subscriptions_and_one_of_the_tenant() {
    let j = Journey::start().await;
    let own = j.subscribe("/hook", json!({})).await;
    let reader = j.api.with_new_key("reader", &["history:read", "webhooks:resend"]).await;
    for action in ["hold", "release"] {
        let path = format!("{}/{action}", subscription_path(&own));
        reader.post_without_body(&path).await.expect_problem(403);
        j.api.with_key(None).post_without_body(&path).await.expect_problem(401);
        j.other_tenant().await.post_without_body(&path).await.expect_problem(404);
        let unknown = format!("/v1/subscriptions/{}/{action}", uuid::Uuid::new_v4());
        j.api.post_without_body(&unknown).await.expect_problem(404);
    }
}
