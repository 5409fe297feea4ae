//! `history`, `show`, `trace`, `event-types` and `egress`.

use serde_json::json;

use super::run;
use crate::harness::api::rows_of;
use crate::harness::request_bodies::named;
use crate::harness::{Journey, Reply, event, ids, text};

#[tokio::test]
async fn history_is_a_table_or_the_answer_as_json() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({"title": "Core banking"})).await;
    j.receiver.replies("/hook", [Reply::status(503), Reply::reset(), Reply::status(200)]);
    for _ in 0..3 {
        j.api.settled(&j.api.send_one(&event("727")).await).await;
    }

    let table = run(&j, &["history", "727", "--wide"], "").await.printed();
    for row in j.api.rows("727", "").await {
        assert!(table.contains(text(&row["id"])), "{table}");
    }
    for word in ["Core banking", "503", "200"] {
        assert!(table.contains(word), "{word}: {table}");
    }
    assert!(!table.contains('\u{1b}'), "no colours where no terminal is: {table}");

    let page = run(&j, &["history", "727", "--json"], "").await.json();
    assert_eq!(page, j.api.get("/v1/loans/727/webhooks").await.json());
    let failed = run(&j, &["history", "727", "--json", "--response-code", "5xx"], "").await.json();
    assert_eq!(failed["items"].as_array().map(Vec::len), Some(1));
    let first = run(&j, &["history", "727", "--json", "--limit", "1"], "").await.json();
    let next = run(&j, &["history", "727", "--json", "--limit", "1", "--cursor", text(&first["next"])], "")
        .await
        .json();
    assert_eq!(next["items"][0]["id"], page["items"][1]["id"]);
}

#[tokio::test]
async fn history_all_reads_every_page() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    j.api.send_batch(vec![event("727"); 12]).await;
    for _ in 0..12 {
        j.receiver.next().await;
    }
    let table = run(&j, &["history", "727", "--all", "--limit", "5", "--wide"], "").await.printed();
    let rows = j.api.rows("727", "").await;
    assert_eq!(rows.len(), 12);
    assert!(ids(&rows).into_iter().all(|id| table.contains(id)), "{table}");
}

#[tokio::test]
async fn show_tells_everything_about_an_attempt_or_prints_its_exact_bytes() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    let bytes: Vec<u8> = (0..=255).collect();
    j.receiver.replies("/hook", [Reply::with(200, &[("x-request-id", "abc-123")], &bytes)]);
    let delivery = j.api.settled(&j.api.send_one(&event("727")).await).await;
    let id = text(&delivery["attempts"][0]["id"]);

    let shown = run(&j, &["show", "727", id], "").await.printed();
    for word in [id, text(&delivery["traceId"]), "abc-123", "200"] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    let row = run(&j, &["show", "727", id, "--json"], "").await.json();
    assert_eq!(row, j.api.get(&format!("/v1/loans/727/webhooks/{id}")).await.json());
    assert_eq!(
        run(&j, &["show", "727", id, "--source"], "").await.output.stdout,
        j.receiver.next().await.body
    );
    assert_eq!(run(&j, &["show", "727", id, "--response"], "").await.output.stdout, bytes);
    run(&j, &["show", "728", id], "").await.failed(1);
}

#[tokio::test]
async fn trace_shows_a_delivery_and_its_attempts() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    let trace = j.api.send_one(&event("727")).await;
    j.api.settled(&trace).await;
    let shown = run(&j, &["trace", &trace, "--wide"], "").await.printed();
    assert!(shown.contains(&trace) && shown.contains("succeeded"), "{shown}");
    assert_eq!(run(&j, &["trace", &trace, "--json"], "").await.json(), j.api.delivery(&trace).await);
    let unknown = run(&j, &["trace", "00000000-0000-4000-8000-000000000000"], "").await.failed(1);
    assert!(unknown.contains("404"), "{unknown}");
}

#[tokio::test]
async fn trace_shows_all_attempts_of_a_delivery_with_more_than_a_page_of_them() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    let trace = j.api.send_one(&event("727")).await;
    j.api.settled(&trace).await;
    for _ in 0..205 {
        j.api.resend(&trace).await;
    }
    let shown = run(&j, &["trace", &trace, "--wide"], "").await.printed();
    assert_eq!(shown.lines().filter(|line| line.contains(" manual")).count(), 205, "{shown}");
    assert_eq!(shown.matches("Event Title").count(), 1, "under one head");
    let whole = run(&j, &["trace", &trace, "--json"], "").await.json();
    assert_eq!((rows_of(&whole).len(), &whole["next"]), (206, &json!(null)));
    assert_eq!(whole["traceId"], trace);
}

#[tokio::test]
async fn a_hostile_name_cannot_steer_the_terminal() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    j.receiver.replies("/hook", [Reply::with(200, &[("x-evil", "a\u{9b}31mb")], b"")]);
    let delivery = j.api.settled(&j.api.send_one(&named("Paid\u{202e}\u{200b}", "727")).await).await;
    let id = text(&delivery["attempts"][0]["id"]);
    for arguments in
        [&["history", "727", "--wide"][..], &["show", "727", id], &["trace", text(&delivery["traceId"])]]
    {
        let printed = run(&j, arguments, "").await.printed();
        let steers = |c: char| c != '\n' && c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!printed.contains(steers), "{printed:?}");
    }
}

#[tokio::test]
async fn event_types_and_egress_are_listed() {
    let j = Journey::begin().await;
    let types = run(&j, &["event-types"], "").await.printed();
    assert!(types.contains("Payment Posted to Account") && types.contains("status-days-past-due"), "{types}");
    assert_eq!(
        run(&j, &["event-types", "--json"], "").await.json(),
        j.api.get("/v1/event-types").await.json()
    );
    assert!(run(&j, &["egress", "--json"], "").await.json()["addresses"].is_array());
}
