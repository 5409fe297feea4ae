//! `send` and `resend`.

use serde_json::{Value, json};

use super::run_as_caller;
use crate::harness::{Gate, Journey, Reply, event, event_named, subscription_path, text};

#[tokio::test]
async fn send_reads_an_event_an_array_or_lines_from_files_or_standard_input() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.to_string_lossy().into_owned()
    };
    let one = file("one.json", event("one").to_string());
    let many = file("many.json", json!([event("two"), event("three")]).to_string());
    let lines = file("lines.jsonl", format!("{}\n{}\n", event("four"), event("five")));

    run_as_caller(&j, &["send", &one, &many, &lines], "").await.expect_success();
    run_as_caller(&j, &["send"], &event("six").to_string()).await.expect_success();
    run_as_caller(&j, &["send", "-"], &event("seven").to_string()).await.expect_success();

    let mut loans = Vec::new();
    for _ in 0..7 {
        loans.push(text(&j.receiver.next_request().await.json()["context"]["loan-display-id"]).to_owned());
    }
    loans.sort_unstable();
    assert_eq!(loans, ["five", "four", "one", "seven", "six", "three", "two"]);
}

#[tokio::test]
async fn send_keeps_the_bytes_of_an_event() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let context = "{\"z\":250.00,\"a\":1e2}";
    let event = format!("{{\"eventName\":\"A\",\"loanId\":\"727\",\"context\":{context}}}");
    run_as_caller(&j, &["send"], &event).await.expect_success();
    assert!(String::from_utf8(j.receiver.next_request().await.body).expect("text").contains(context));
}

#[tokio::test]
async fn a_repeated_run_sends_nothing_twice() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let events = json!([event("700"), event("701")]).to_string();
    for _ in 0..2 {
        run_as_caller(&j, &["send", "--run", "nightly"], &events).await.expect_success();
    }
    run_as_caller(&j, &["send", "--run", "next"], &events).await.expect_success();
    for _ in 0..4 {
        j.receiver.next_request().await;
    }
    for loan in ["700", "701"] {
        assert_eq!(j.api.rows(loan, "").await.len(), 2, "once a run");
    }
}

#[tokio::test]
async fn send_exits_1_where_an_event_is_refused_and_sends_the_others() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let events = json!([event("700"), event("a/b"), event("702")]).to_string();

    let refused = run_as_caller(&j, &["send"], &events).await;

    assert_eq!(refused.output.status.code(), Some(1), "{refused:?}");
    assert!(refused.stderr().contains("loanId"), "{}", refused.stderr());
    j.receiver.next_request().await;
    j.receiver.next_request().await;
    assert_eq!(j.api.rows("702", "").await.len(), 1);
    let no_json = run_as_caller(&j, &["send"], "{\"eventName\": ").await.expect_failure(1);
    assert!(no_json.contains("not JSON"), "{no_json}");
    run_as_caller(&j, &["send", "/no/such/file.json"], "").await.expect_failure(1);
}

#[tokio::test]
async fn resend_prints_the_new_attempt_and_waits_for_it_if_asked() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let trace = j.api.send_one(&event("727")).await;
    j.api.ended_delivery(&trace).await;

    let id = run_as_caller(&j, &["resend", &trace], "").await.expect_success();
    let delivery = j.api.delivery_after_attempts(&trace, 2).await;
    assert_eq!(id.trim_end(), text(&delivery["attempts"][1]["id"]));

    let waited = run_as_caller(&j, &["resend", &trace, "1", "--wait", "--json"], "").await.json();
    assert_eq!((&waited["outcome"], &waited["attemptNumber"]), (&json!("succeeded"), &json!("manual")));

    j.receiver.replies("/hook", [Reply::status(503)]);
    let failed = run_as_caller(&j, &["resend", &trace, "--wait"], "").await.expect_failure(1);
    assert!(failed.contains("503"), "{failed}");
    run_as_caller(&j, &["resend", &trace, "7"], "").await.expect_failure(1);
    run_as_caller(&j, &["resend", "00000000-0000-4000-8000-000000000000"], "").await.expect_failure(1);
}

#[tokio::test]
async fn resend_to_current_goes_to_the_url_that_the_webhook_has_now() {
    let j = Journey::start().await;
    let created = j.subscribe("/old", json!({})).await;
    let trace = j.api.send_one(&event("727")).await;
    j.api.ended_delivery(&trace).await;
    let moved = json!({"request": {"url": j.receiver.url("/new")}});
    j.api.patch(&subscription_path(&created), &moved).await.expect_status(200);
    for (to, path) in [("current", "/new"), ("original", "/old")] {
        let row = run_as_caller(&j, &["resend", &trace, "--to", to, "--wait", "--json"], "").await.json();
        assert_eq!(
            (&row["outcome"], &row["destination"]),
            (&json!("succeeded"), &json!(j.receiver.url(path)))
        );
    }
    // LoanPro's shape, which names an attempt, knows the original alone.
    let refused = run_as_caller(&j, &["resend", &trace, "1", "--to", "current"], "").await.expect_failure(1);
    assert!(refused.contains("without an attempt"), "{refused}");
    j.api.delete(&subscription_path(&created)).await.expect_status(204);
    let refused = run_as_caller(&j, &["resend", &trace, "--to", "current"], "").await.expect_failure(1);
    assert!(refused.contains("deleted"), "{refused}");
}

#[tokio::test]
async fn cancel_ends_the_automatic_attempts() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"retry": {"delays": [3600]}})).await;
    let gate = Gate::closed();
    j.receiver.always("/hook", Reply::status(500).held(&gate));
    gate.open();
    let trace = j.api.send_one(&event_named("A", "727")).await;
    j.api.delivery_after_attempts(&trace, 1).await;
    let canceled: Value = run_as_caller(&j, &["cancel", &trace, "--json"], "").await.json();
    assert_eq!(canceled["status"], "canceled");
    run_as_caller(&j, &["cancel", &trace], "").await.expect_failure(1);
}
