//! Gauges: what waits, since when, what is held, what a job has left, and what the store has.

use serde_json::json;

use super::Metrics;
use crate::flow::{by_hand, send};
use crate::harness::{Gate, Journey, Reply, Server, event, event_named, eventually};
use crate::recovery::{ended_job, id, make_job};

fn waiting(metrics: &Metrics) -> [u64; 3] {
    ["limit", "order", "hold"].map(|reason| metrics.sum("loanhook_waiting", &[("reason", reason)]))
}

/// Whether something is due that waits for this.
fn is_due(metrics: &Metrics, reason: &str) -> bool {
    let of = |sample: &&super::Sample| sample.labels.get("reason").is_some_and(|label| label == reason);
    let oldest = metrics.samples().filter(|sample| sample.name == "loanhook_oldest_due_seconds").find(of);
    oldest.unwrap_or_else(|| panic!("there is one of {reason}")).value > 0.0
}

#[tokio::test]
async fn what_waits_is_counted_by_its_reason() {
    let Some(j) = super::journey().await else { return };
    let (limit_gate, order_gate) = (Gate::closed(), Gate::closed());
    let of = |name: &str, flow| json!({"criteria": {"events": [name]}, "flow": flow});
    j.subscribe("/limit", of("Limited", json!({"maxInFlight": 1}))).await;
    j.subscribe("/order", of("Ordered", json!({"order": "loan"}))).await;
    let held = j.subscribe("/hold", of("Waits", json!({}))).await;
    let empty = Metrics::read(&j).await;
    assert_eq!(waiting(&empty), [0, 0, 0]);
    assert!(["none", "limit", "hold"].iter().all(|reason| !is_due(&empty, reason)));

    by_hand(&j, &held, "hold").await;
    send(&j, 3).await;
    j.receiver.replies("/limit", [Reply::ok().held(&limit_gate)]);
    j.receiver.replies("/order", [Reply::ok().held(&order_gate)]);
    for _ in 0..3 {
        j.api.send_one(&event_named("Limited", "727")).await;
        j.api.send_one(&event_named("Ordered", "727")).await;
    }
    let full = eventually("all of them wait", async || {
        let metrics = Metrics::read(&j).await;
        (waiting(&metrics) == [2, 2, 3] && metrics.sum("loanhook_requests_in_flight", &[]) == 2)
            .then_some(metrics)
    })
    .await;
    assert!(is_due(&full, "limit") && is_due(&full, "hold") && !is_due(&full, "none"));
    assert_eq!(full.sum("loanhook_held_subscriptions", &[("by", "hand")]), 1);
    assert_eq!(full.sum("loanhook_held_subscriptions", &[("by", "failures")]), 0);

    limit_gate.open();
    order_gate.open();
    by_hand(&j, &held, "release").await;
    eventually("nothing waits any more", async || {
        let metrics = Metrics::read(&j).await;
        let idle = metrics.sum("loanhook_requests_in_flight", &[]) == 0;
        (waiting(&metrics) == [0, 0, 0] && idle).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_job_shows_how_far_it_has_come() {
    let Some(j) = super::journey().await else { return };
    j.subscribe("/hook", json!({})).await;
    j.receiver.replies("/hook", [503, 503, 503].map(Reply::status));
    for loan in ["1", "2", "3"] {
        let trace = j.api.send_one(&event(loan)).await;
        j.api.ended_delivery(&trace).await;
    }
    let gate = Gate::closed();
    j.receiver.replies("/hook", [Reply::status(500), Reply::ok(), Reply::ok().held(&gate)]);
    let body = json!({"filter": {"status": "failed"}, "perSecond": 1000});
    let job = make_job(&j.api, "resends", &body).await;
    let resend = ("kind", "resend");
    eventually("one is left", async || {
        let metrics = Metrics::read(&j).await;
        let left = metrics.sum("loanhook_job_items_left", &[resend]);
        (left == 1 && metrics.sum("loanhook_jobs_running", &[resend]) == 1).then_some(())
    })
    .await;
    gate.open();
    ended_job(&j.api, "resends", id(&job)).await;
    let metrics = Metrics::read(&j).await;
    let ended = |outcome| metrics.sum("loanhook_job_items_total", &[resend, ("outcome", outcome)]);
    assert_eq!([ended("succeeded"), ended("failed"), ended("skipped")], [2, 1, 0]);
    assert_eq!(metrics.sum("loanhook_jobs_running", &[]) + metrics.sum("loanhook_job_items_left", &[]), 0);
}

#[tokio::test]
async fn the_store_and_the_process_show_what_an_operator_watches() {
    let Some(j) = super::journey().await else { return };
    let before = Metrics::read(&j).await;
    j.api.send_event(&event("727")).await;
    let after = Metrics::read(&j).await;
    let commits = |metrics: &Metrics| metrics.sum("loanhook_writer_commits_total", &[]);
    assert!(commits(&after) > commits(&before));
    assert_eq!(commits(&after), after.sum("loanhook_writer_commit_seconds_count", &[]));
    assert_eq!(after.sum("loanhook_writer_failed_commits_total", &[]), 0);
    for name in ["database", "wal", "disk_free"] {
        assert!(after.sum(&format!("loanhook_{name}_bytes"), &[]) > 0, "{name}");
    }
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    assert_eq!(after.sum("loanhook_build_info", &version), 1);
    assert!(after.sum("loanhook_start_time_seconds", &[]) > 1_700_000_000);
}

#[tokio::test]
async fn metrics_are_served_where_asked_for_and_nowhere_else() {
    let Some(j) = super::journey().await else { return };
    let other = format!("{}x", j.server.metrics_url());
    assert_eq!(reqwest::get(other).await.expect("an answer").status(), 404);
    // The API has none, and a process that is not told to serve them has no such listener.
    j.api.get("/metrics").await.expect_problem(404);
    let Some(without) = Server::own_process().await else { return };
    let without = Journey::on_server(without).await;
    without.api.get("/metrics").await.expect_problem(404);
    assert!(!without.server.output().contains("metrics are at"));
}
