//! `send` and `resend`.

use serde_json::{Value, json};

use super::run;
use crate::harness::request_bodies::named;
use crate::harness::{Gate, Journey, Reply, event, text};

#[tokio::test]
async fn send_takes_one_event_an_array_or_lines_from_files_or_standard_input() {
    let j = Journey::begin().await;
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

    run(&j, &["send", &one, &many, &lines], "").await.printed();
    run(&j, &["send"], &event("six").to_string()).await.printed();
    run(&j, &["send", "-"], &event("seven").to_string()).await.printed();

    let mut loans = Vec::new();
    for _ in 0..7 {
        loans.push(text(&j.receiver.next().await.json()["context"]["loan-display-id"]).to_owned());
    }
    loans.sort_unstable();
    assert_eq!(loans, ["five", "four", "one", "seven", "six", "three", "two"]);
}

#[tokio::test]
async fn send_keeps_the_bytes_of_an_event() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    let context = "{\"z\":250.00,\"a\":1e2}";
    let told = format!("{{\"eventName\":\"A\",\"loanId\":\"727\",\"context\":{context}}}");
    run(&j, &["send"], &told).await.printed();
    assert!(String::from_utf8(j.receiver.next().await.body).expect("text").contains(context));
}

#[tokio::test]
async fn a_run_that_is_repeated_sends_nothing_twice() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    let events = json!([event("700"), event("701")]).to_string();
    for _ in 0..2 {
        run(&j, &["send", "--run", "nightly"], &events).await.printed();
    }
    run(&j, &["send", "--run", "next"], &events).await.printed();
    for _ in 0..4 {
        j.receiver.next().await;
    }
    for loan in ["700", "701"] {
        assert_eq!(j.api.rows(loan, "").await.len(), 2, "once a run");
    }
}

#[tokio::test]
async fn send_fails_with_1_where_an_event_was_refused_and_sends_the_others() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    let events = json!([event("700"), event("a/b"), event("702")]).to_string();

    let refused = run(&j, &["send"], &events).await;

    assert_eq!(refused.output.status.code(), Some(1), "{refused:?}");
    assert!(refused.errors().contains("loanId"), "{}", refused.errors());
    j.receiver.next().await;
    j.receiver.next().await;
    assert_eq!(j.api.rows("702", "").await.len(), 1);
    let no_json = run(&j, &["send"], "{\"eventName\": ").await.failed(1);
    assert!(no_json.contains("not JSON"), "{no_json}");
    run(&j, &["send", "/no/such/file.json"], "").await.failed(1);
}

#[tokio::test]
async fn resend_prints_the_new_attempt_and_may_wait_for_its_end() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    let trace = j.api.send_one(&event("727")).await;
    j.api.settled(&trace).await;

    let id = run(&j, &["resend", &trace], "").await.printed();
    let delivery = j.api.after_attempts(&trace, 2).await;
    assert_eq!(id.trim_end(), text(&delivery["attempts"][1]["id"]));

    let waited = run(&j, &["resend", &trace, "1", "--wait", "--json"], "").await.json();
    assert_eq!((&waited["outcome"], &waited["attemptNumber"]), (&json!("succeeded"), &json!("manual")));

    j.receiver.replies("/hook", [Reply::status(503)]);
    let failed = run(&j, &["resend", &trace, "--wait"], "").await.failed(1);
    assert!(failed.contains("503"), "{failed}");
    run(&j, &["resend", &trace, "7"], "").await.failed(1);
    run(&j, &["resend", "00000000-0000-4000-8000-000000000000"], "").await.failed(1);
}

#[tokio::test]
async fn cancel_ends_the_automatic_attempts() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({"retry": {"delays": [3600]}})).await;
    let gate = Gate::closed();
    j.receiver.always("/hook", Reply::status(500).held(&gate));
    gate.open();
    let trace = j.api.send_one(&named("A", "727")).await;
    j.api.after_attempts(&trace, 1).await;
    let canceled: Value = run(&j, &["cancel", &trace, "--json"], "").await.json();
    assert_eq!(canceled["status"], "canceled");
    run(&j, &["cancel", &trace], "").await.failed(1);
}
