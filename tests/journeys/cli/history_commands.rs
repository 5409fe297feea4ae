//! `history`, `show`, `trace`, `event-types` and `egress`.

use serde_json::json;

use super::run_as_caller;
use crate::harness::{Journey, Reply, attempts_of, event, event_named, items_of, row_ids, text};

#[tokio::test]
async fn history_prints_a_table_or_the_json_of_the_api() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"title": "Core banking"})).await;
    j.receiver.replies("/hook", [Reply::status(503), Reply::reset(), Reply::status(200)]);
    for _ in 0..3 {
        j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    }

    let table = run_as_caller(&j, &["history", "727", "--wide"], "").await.expect_success();
    for row in j.api.rows("727", "").await {
        assert!(table.contains(text(&row["id"])), "{table}");
    }
    for word in ["Core banking", "503", "200"] {
        assert!(table.contains(word), "{word}: {table}");
    }
    assert!(!table.contains('\u{1b}'), "no colours where no terminal is: {table}");

    let page = run_as_caller(&j, &["history", "727", "--json"], "").await.json();
    assert_eq!(page, j.api.get("/v1/loans/727/webhooks").await.json());
    let failed = run_as_caller(&j, &["history", "727", "--json", "--response-code", "5xx"], "").await.json();
    assert_eq!(items_of(&failed).len(), 1);
    let first = run_as_caller(&j, &["history", "727", "--json", "--limit", "1"], "").await.json();
    let next = run_as_caller(
        &j,
        &["history", "727", "--json", "--limit", "1", "--cursor", text(&first["next"])],
        "",
    )
    .await
    .json();
    assert_eq!(next["items"][0]["id"], page["items"][1]["id"]);
}

#[tokio::test]
async fn history_all_reads_every_page() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    j.api.send_batch(vec![event("727"); 12]).await;
    for _ in 0..12 {
        j.receiver.next_request().await;
    }
    let table =
        run_as_caller(&j, &["history", "727", "--all", "--limit", "5", "--wide"], "").await.expect_success();
    let rows = j.api.rows("727", "").await;
    assert_eq!(rows.len(), 12);
    assert!(row_ids(&rows).into_iter().all(|id| table.contains(id)), "{table}");
}

#[tokio::test]
async fn show_prints_an_attempt_or_its_exact_payloads() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let bytes: Vec<u8> = (0..=255).collect();
    j.receiver.replies("/hook", [Reply::with(200, &[("x-request-id", "abc-123")], &bytes)]);
    let delivery = j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    let id = text(&delivery["attempts"][0]["id"]);

    let shown = run_as_caller(&j, &["show", "727", id], "").await.expect_success();
    for word in [id, text(&delivery["traceId"]), "abc-123", "200"] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    let row = run_as_caller(&j, &["show", "727", id, "--json"], "").await.json();
    assert_eq!(row, j.api.get(&format!("/v1/loans/727/webhooks/{id}")).await.json());
    assert_eq!(
        run_as_caller(&j, &["show", "727", id, "--source"], "").await.output.stdout,
        j.receiver.next_request().await.body
    );
    assert_eq!(run_as_caller(&j, &["show", "727", id, "--response"], "").await.output.stdout, bytes);
    run_as_caller(&j, &["show", "728", id], "").await.expect_failure(1);
}

#[tokio::test]
async fn trace_shows_a_delivery_and_its_attempts() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let trace = j.api.send_one(&event("727")).await;
    j.api.ended_delivery(&trace).await;
    let shown = run_as_caller(&j, &["trace", &trace, "--wide"], "").await.expect_success();
    assert!(shown.contains(&trace) && shown.contains("succeeded"), "{shown}");
    assert_eq!(
        run_as_caller(&j, &["trace", &trace, "--json"], "").await.json(),
        j.api.delivery(&trace).await
    );
    let unknown =
        run_as_caller(&j, &["trace", "00000000-0000-4000-8000-000000000000"], "").await.expect_failure(1);
    assert!(unknown.contains("404"), "{unknown}");
}

#[tokio::test]
async fn trace_reads_every_page_of_attempts() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let trace = j.api.send_one(&event("727")).await;
    j.api.ended_delivery(&trace).await;
    for _ in 0..205 {
        j.api.resend(&trace).await;
    }
    let shown = run_as_caller(&j, &["trace", &trace, "--wide"], "").await.expect_success();
    assert_eq!(shown.lines().filter(|line| line.contains(" manual")).count(), 205, "{shown}");
    assert_eq!(shown.matches("Event Title").count(), 1, "under one head");
    let whole = run_as_caller(&j, &["trace", &trace, "--json"], "").await.json();
    assert_eq!((attempts_of(&whole).len(), &whole["next"]), (206, &json!(null)));
    assert_eq!(whole["traceId"], trace);
}

#[tokio::test]
async fn control_characters_are_not_printed_to_the_terminal() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    j.receiver.replies("/hook", [Reply::with(200, &[("x-evil", "a\u{9b}31mb")], b"")]);
    let delivery =
        j.api.ended_delivery(&j.api.send_one(&event_named("Paid\u{202e}\u{200b}", "727")).await).await;
    let id = text(&delivery["attempts"][0]["id"]);
    for arguments in
        [&["history", "727", "--wide"][..], &["show", "727", id], &["trace", text(&delivery["traceId"])]]
    {
        let printed = run_as_caller(&j, arguments, "").await.expect_success();
        let steers = |c: char| c != '\n' && c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!printed.contains(steers), "{printed:?}");
    }
}

#[tokio::test]
async fn event_types_and_egress_are_printed() {
    let j = Journey::start().await;
    let types = run_as_caller(&j, &["event-types"], "").await.expect_success();
    assert!(types.contains("Payment Posted to Account") && types.contains("status-days-past-due"), "{types}");
    assert_eq!(
        run_as_caller(&j, &["event-types", "--json"], "").await.json(),
        j.api.get("/v1/event-types").await.json()
    );
    assert!(run_as_caller(&j, &["egress", "--json"], "").await.json()["addresses"].is_array());
}
