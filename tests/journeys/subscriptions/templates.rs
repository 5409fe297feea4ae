//! Templates: what a webhook sends, and where.

use serde_json::{Value, json};

use super::CONTEXT;
use crate::harness::{Journey, attempts_of, subscription_path, text};

/// Sends an event of loan 727 with exactly these bytes, and returns the trace ID of its first delivery.
async fn send(j: &Journey) -> String {
    let body = format!(
        r#"{{"eventName": "Payment Posted", "loanId": "727", "context": {CONTEXT}, "occurredAt": "2026-11-23T10:00:00Z"}}"#
    );
    let accepted = j.api.request("POST", "/v1/events").body(body).send().await.expect_status(202).json();
    text(&accepted["deliveries"][0]["traceId"]).to_owned()
}

#[tokio::test]
async fn placeholders_are_escaped_as_json_for_every_json_content_type() {
    let j = Journey::start().await;
    for content_type in
        ["json", "text/json", "Application/VND.core+JSON; v=1", "application/x-ndjson; charset=utf-8"]
    {
        let request = json!({"contentType": content_type, "payload": "{\"who\": \"[[v('borrower')]]\"}\n"});
        let created = j.subscribe("/hook", json!({"request": request})).await;
        send(&j).await;
        let sent = j.receiver.next_request().await;
        assert_eq!(sent.header("content-type"), Some(content_type));
        let line: Value = serde_json::from_slice(&sent.body).expect("JSON");
        assert_eq!(line["who"], "Ann \"Annie\" O'Hara\n& Söhne", "{content_type}");
        j.api.delete(&subscription_path(&created)).await.expect_status(204);
    }
}

#[tokio::test]
async fn placeholders_in_body_url_and_headers_are_rendered_and_escaped() {
    let j = Journey::start().await;
    let payload = r#"{"loan": "[[v('loan-id')]]", "amount": [[v('last-payment-amount')]], "first": [[v('payments[0]')]],
 "text": "[[v('last-payment-amount')]] from [[v('borrower')]]", "who": [[v('borrower')]], "note": [[v('note','"none"')]],
 "missing": [[v('missing','0')]], "event": "[[v('event-name')]]", "at": "[[v('occurred-at')]]", "trace": "[[v('trace-id')]]", "rows": [[1,2],[3]]}"#;
    let created = j
        .api
        .subscribe(&crate::harness::subscription(
            &j.receiver.url("/loans/[[v('loan-id')]]/[[v('borrower')]]?amount=[[v('last-payment-amount')]]&type=[[v('payments[0].type')]]"),
            json!({"request": {"payload": payload, "headers": {"X-Borrower": "[[v('borrower')]]!", "X-Flag": "is [[v('flag')]]"}}}),
        ))
        .await;
    assert_eq!(created["request"]["payload"], payload);

    let trace = send(&j).await;
    let request = j.receiver.next_request().await;
    assert_eq!(
        request.path_and_query,
        "/loans/727/Ann%20%22Annie%22%20O%27Hara%0A%26%20S%C3%B6hne?amount=250.00&type=ach"
    );
    assert_eq!(request.header("x-borrower"), Some("Ann \"Annie\" O'Hara%0A& S%C3%B6hne!"));
    assert_eq!(request.header("x-flag"), Some("is true"));
    let borrower = r#"Ann \"Annie\" O'Hara\n& Söhne"#;
    let expected = format!(
        r#"{{"loan": "727", "amount": 250.00, "first": {{"amount": 1e2, "type": "ach"}},
 "text": "250.00 from {borrower}", "who": "{borrower}", "note": "none",
 "missing": 0, "event": "Payment Posted", "at": "2026-11-23T10:00:00Z", "trace": "{trace}", "rows": [[1,2],[3]]}}"#
    );
    assert_eq!(String::from_utf8_lossy(&request.body), expected);
    let row = &j.api.ended_delivery(&trace).await["attempts"][0];
    let row =
        j.api.get(&format!("/v1/loans/727/webhooks/{}", text(&row["id"]))).await.expect_status(200).json();
    assert_eq!(row["destination"], j.receiver.url(&request.path_and_query));
}

#[tokio::test]
async fn occurred_at_is_rendered_as_the_time_of_acceptance_where_the_event_has_none() {
    let j = Journey::start().await;
    let at = "[[v('occurred-at')]]";
    let created = j
        .api
        .subscribe(&crate::harness::subscription(
            &j.receiver.url(&format!("/hook?at={at}")),
            json!({"request": {"payload": format!(r#"{{"at": "{at}"}}"#), "headers": {"X-At": at}}}),
        ))
        .await;
    let event = crate::harness::event("727");
    let asked = || j.api.request("POST", "/v1/events").header("idempotency-key", "a key").json(&event).send();
    let accepted = asked().await.expect_status(202).json();
    let trace = text(&accepted["deliveries"][0]["traceId"]).to_owned();
    let delivery = j.api.ended_delivery(&trace).await;
    assert_eq!((&delivery["status"], &delivery["occurredAt"]), (&json!("succeeded"), &Value::Null));
    let accepted_at = text(&delivery["acceptedAt"]);
    let request = j.receiver.next_request().await;
    assert_eq!(request.path_and_query, format!("/hook?at={}", accepted_at.replace(':', "%3A")));
    assert_eq!(request.header("x-at"), Some(accepted_at));
    assert_eq!(request.json()["at"], accepted_at);

    // It stays as it was rendered.
    assert_eq!(asked().await.expect_status(202).json(), accepted);
    j.api.resend(&trace).await;
    assert_eq!(j.receiver.next_request().await.frozen_parts(), request.frozen_parts());
    // A test send does the same, and takes the time that it is given.
    let test = format!("{}/test", subscription_path(&created));
    j.api.post(&test, &json!({"loanId": "728"})).await.expect_status(202);
    assert!(text(&j.receiver.next_request().await.json()["at"]) >= accepted_at);
    let with_time = json!({"loanId": "728", "occurredAt": "2026-11-23T10:00:00Z"});
    j.api.post(&test, &with_time).await.expect_status(202);
    assert_eq!(j.receiver.next_request().await.json()["at"], "2026-11-23T10:00:00Z");
    j.api
        .post(&test, &json!({"loanId": "728", "occurredAt": "today"}))
        .await
        .expect_errors_at(&["/occurredAt"]);
    for target in ["header", "body"] {
        let tried = json!({"template": format!("\"{at}\""), "target": target});
        let rendered = j.api.post("/v1/templates/render", &tried).await.expect_status(200).json();
        assert!(text(&rendered["rendered"]).trim_matches('"').starts_with("20"), "{rendered}");
    }
}

#[tokio::test]
async fn plain_text_is_not_escaped_and_delete_carries_a_payload_that_is_set() {
    let j = Journey::start().await;
    let request = json!({"method": "DELETE", "contentType": "text/plain", "payload": "[[v('borrower')]] [[v('tags')]]"});
    j.subscribe("/hook", json!({"request": request})).await;
    send(&j).await;
    let request = j.receiver.next_request().await;
    assert_eq!(request.method, "DELETE");
    assert_eq!(request.header("content-type"), Some("text/plain"));
    assert_eq!(String::from_utf8_lossy(&request.body), "Ann \"Annie\" O'Hara\n& Söhne [\"a\", \"b\"]");
}

#[tokio::test]
async fn a_template_that_cannot_render_is_a_failed_row_without_a_request() {
    let j = Journey::start().await;
    let long = format!("[{}]", vec!["[[v('long')]]"; 40].join(","));
    for (name, changes) in [
        ("missing", json!({"request": {"payload": "{\"a\": [[v('missing')]]}"}})),
        ("the URL", json!({"request": {"url": j.receiver.url("/[[v('dots')]]/x")}})),
        ("X-Missing", json!({"request": {"headers": {"X-Missing": "[[v('missing.deep')]]"}}})),
        ("1048576", json!({"request": {"payload": long}})),
    ] {
        let mut changes = changes;
        changes["retry"] = json!({"delays": [1, 1]});
        let created = j.subscribe("/hook", changes).await;
        let event =
            json!({"eventName": "A", "loanId": "727", "context": {"dots": "..", "long": "x".repeat(50_000)}});
        let trace = j.api.send_one(&event).await;
        let delivery = j.api.ended_delivery(&trace).await;
        assert_eq!(delivery["status"], "failed", "{name}");
        let row = &delivery["attempts"][0];
        assert_eq!(attempts_of(&delivery).len(), 1, "{name}");
        assert_eq!((&row["attemptNumber"], &row["outcome"]), (&json!(1), &json!("failed")));
        assert_eq!(row["error"]["kind"], "template", "{row}");
        assert!(text(&row["error"]["detail"]).contains(name), "{row}");
        for field in ["responseCode", "response", "responseTimeMs", "sourceIp", "nextAttemptAt"] {
            assert_eq!(row[field], Value::Null, "{field}");
        }
        assert_eq!(row["source"]["bytes"], 0);
        j.api.post_without_body(&format!("/v1/webhooks/{trace}/resend")).await.expect_problem(409);
        j.api.post_without_body(&format!("/v1/webhook/retry/{trace}/1")).await.expect_problem(409);
        assert_eq!(j.api.rows("727", "?error=template&limit=1").await[0]["id"], row["id"]);
        j.api.delete(&subscription_path(&created)).await.expect_status(204);
    }
    assert!(j.receiver.requests().is_empty(), "nothing left");
}

#[tokio::test]
async fn an_invalid_template_is_422_when_it_is_saved() {
    let j = Journey::start().await;
    let url = j.receiver.url("/hook");
    for (request, pointer) in [
        (json!({"payload": "{\"a\": [[v(name)]]}"}), "/request/payload"),
        (json!({"payload": "{\"a\": [[v('a')]]"}), "/request/payload"),
        (json!({"payload": "{\"a\": 1[[v('a')]]}"}), "/request/payload"),
        (json!({"url": j.receiver.url("/[[v('a'")}), "/request/url"),
        (json!({"url": "[[v('url')]]"}), "/request/url"),
        (json!({"url": "https://api.example.com[[v('x')]]/x"}), "/request/url"),
        (json!({"headers": {"x-a": "[[w('a')]]"}}), "/request/headers/x-a"),
    ] {
        let body = crate::harness::subscription(&url, json!({"request": request}));
        let problem = j.api.post("/v1/subscriptions", &body).await.expect_problem(422);
        let error = &problem["errors"][0];
        assert_eq!(error["pointer"], pointer, "{problem}");
        assert!(error["line"].is_u64() && error["column"].is_u64(), "{problem}");
    }
}
