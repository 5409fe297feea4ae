//! `doctor`: what it finds, and the exit code it ends with.

use serde_json::{Value, json};

use super::{CommandResult, run_as_caller, run_command, run_with_key};
use crate::flow::by_hand;
use crate::harness::server::loanhook_command;
use crate::harness::{Journey, Reply, event, text};

/// The states of a check, by its name.
fn states(report: &Value, check: &str) -> Vec<String> {
    let checks = report["checks"].as_array().expect("checks");
    let of = checks.iter().filter(|found| found["check"] == check);
    of.map(|found| text(&found["state"]).to_owned()).collect()
}

fn report(result: &CommandResult, code: i32) -> Value {
    assert_eq!(result.output.status.code(), Some(code), "{result:?}");
    serde_json::from_slice(&result.output.stdout).unwrap_or_else(|no_json| panic!("{no_json}: {result:?}"))
}

#[tokio::test]
async fn a_loanhook_that_is_well_has_exit_code_0_and_a_page() {
    let Some(j) = crate::metrics::journey().await else { return };
    j.subscribe("/hook", json!({})).await;
    j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    let metrics = j.server.metrics_url();
    let page = run_as_caller(&j, &["doctor", "--metrics", &metrics], "").await.expect_success();
    for line in [
        "ok       health",
        "ok       clock",
        "ok       ready",
        "ok       oldest due",
        "127.0.0.1 (seen of late)",
    ] {
        assert!(page.contains(line), "{line}: {page}");
    }
    let all = "valid; it has history:read, events:write, subscriptions:write, webhooks:resend, portal:write, admin\n";
    assert!(page.contains(all) && !page.contains("to do"), "{page}");
    let subscriptions = j.api.get("/v1/subscriptions").await.expect_status(200).json();
    assert_eq!(subscriptions["items"].as_array().map(Vec::len), Some(1), "it changed nothing");

    let reader = j.api.with_new_key("reader", &["history:read"]).await;
    let page = run_with_key(&j, reader.key(), &["doctor"]).await.expect_success();
    assert!(page.contains("it has history:read; not events:write"), "{page}");
    assert!(page.contains("unknown  metrics"), "{page}");
}

#[tokio::test]
async fn what_is_to_be_done_has_exit_code_1() {
    let Some(j) = crate::metrics::journey().await else { return };
    let failing =
        j.subscribe("/fails", json!({"title": "Core banking", "criteria": {"events": ["Fails"]}})).await;
    let held = j.subscribe("/held", json!({"title": "Collections"})).await;
    by_hand(&j, &held, "hold").await;
    j.receiver.replies("/fails", [Reply::status(500)]);
    let mut fails = event("727");
    fails["eventName"] = json!("Fails");
    for trace in j.api.send_event(&fails).await {
        j.api
            .delivery_when(&trace, |delivery| {
                delivery["subscriptionId"] != failing["id"] || delivery["status"] == "failed"
            })
            .await;
    }
    let nowhere = "http://127.0.0.1:9/metrics";
    let result = run_as_caller(&j, &["doctor", "--json", "--metrics", nowhere], "").await;
    let found = report(&result, 1);
    assert_eq!(states(&found, "webhooks"), ["to do", "to do"], "{found:#}");
    assert_eq!(states(&found, "exhausted"), ["to do"]);
    assert_eq!(states(&found, "metrics"), ["to do"]);
    assert_eq!([states(&found, "ready"), states(&found, "due")], [["ok"], ["ok"]], "{found:#}");
    let said = found.to_string();
    assert!(said.contains("lets them go on: Collections") && said.contains(text(&failing["id"])), "{said}");
}

#[tokio::test]
async fn a_hold_by_failures_is_not_to_be_released_by_hand() {
    let j = Journey::start().await;
    let held = j.subscribe("/down", json!({"flow": {"holdAfterFailures": 3}})).await;
    j.receiver.always("/down", Reply::status(500));
    for loan in ["1", "2", "3"] {
        j.api.ended_delivery(&j.api.send_one(&event(loan)).await).await;
    }
    let found = report(&run_as_caller(&j, &["doctor", "--json"], "").await, 1);
    let said = found.to_string();
    assert!(said.contains("until one answers well") && said.contains(text(&held["id"])), "{found:#}");
    assert!(!said.contains("loanhook release"), "{found:#}");
}

#[tokio::test]
async fn a_wrong_key_is_to_be_mended_and_nothing_that_answers_is_exit_code_2() {
    let j = Journey::start().await;
    let result = run_with_key(&j, "lh_nobody_has_this_key_0001", &["doctor", "--json"]).await;
    let found = report(&result, 1);
    assert_eq!(states(&found, "key"), ["to do"]);
    assert_eq!(states(&found, "webhooks"), [""; 0], "nothing is asked with it");

    for (url, key) in
        [("http://127.0.0.1:9", "lh_any"), ("nowhere", "lh_any"), (&*j.receiver.url("/"), "lh_any")]
    {
        let mut command = loanhook_command();
        command.env("LOANHOOK_URL", url).env("LOANHOOK_KEY", key);
        run_command(command, &["doctor"], "").await.expect_failure(2);
    }
    run_command(loanhook_command(), &["doctor"], "").await.expect_failure(2);
}
