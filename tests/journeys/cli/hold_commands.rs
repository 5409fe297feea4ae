//! `hold` and `release`, and what other commands say of a webhook that is held.

use serde_json::json;

use super::run_as_caller;
use crate::flow::send;
use crate::harness::{Journey, text};

#[tokio::test]
async fn the_command_line_holds_shows_what_waits_and_releases() {
    let Some(j) = Journey::on_own_process().await else { return };
    let subscription = j.subscribe("/hook", json!({"flow": {"holdAfterFailures": 5}})).await;
    let id = text(&subscription["id"]);
    let held = run_as_caller(&j, &["hold", id], "").await.expect_success();
    assert!(held.contains("by journey, since ") && held.contains("held after 5 failures in a row"), "{held}");
    let traces = send(&j, 2).await;
    let shown = run_as_caller(&j, &["subscriptions", "get", id], "").await.expect_success();
    assert!(shown.contains("2 deliveries wait"), "{shown}");
    let list = run_as_caller(&j, &["subscriptions", "list"], "").await.expect_success();
    assert!(list.contains("yes, held"), "{list}");
    let table = run_as_caller(&j, &["deliveries", "--waiting", "hold"], "").await.expect_success();
    assert!(traces.iter().all(|trace| table.contains(trace.as_str())), "{table}");
    assert!(table.contains("waits: hold"), "{table}");
    let trace = run_as_caller(&j, &["trace", &traces[0]], "").await.expect_success();
    assert!(trace.contains("hold, since "), "{trace}");
    let released = run_as_caller(&j, &["release", id, "--json"], "").await.json();
    assert_eq!(released["hold"], json!(null));
    for trace in &traces {
        assert_eq!(j.api.ended_delivery(trace).await["status"], "succeeded");
    }
    run_as_caller(&j, &["hold", "78e763c3-0000-4000-8000-000000000001"], "").await.expect_failure(1);
}
