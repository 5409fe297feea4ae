//! What a servicer reads: the rows of a loan, one of them, and a delivery with its attempts.

use serde_json::{Value, json};

use crate::harness::request_bodies::named;
use crate::harness::rows::well_formed;
use crate::harness::{Gate, Journey, Reply, event, instant, text};

#[tokio::test]
async fn a_row_has_every_field_and_none_is_absent() {
    let j = Journey::begin().await;
    let gate = Gate::closed();
    let made = j.subscribe("/hook", json!({"retry": {"delays": [1, 300]}})).await;
    j.receiver.replies(
        "/hook",
        [Reply::reset(), Reply::with(503, &[("content-type", "text/plain")], b"Try later")],
    );
    let trace = j.api.send_one(&named("Payment Reversed", "727")).await;
    j.api.after_attempts(&trace, 2).await;
    j.receiver.always("/hook", Reply::ok().held(&gate));
    let manual = j.api.resend(&trace).await;
    j.api.delivery_when(&trace, |delivery| delivery["attempts"][2]["outcome"] == "sending").await;

    let rows = j.api.rows("727", "").await;

    assert_eq!(rows.len(), 3);
    rows.iter().for_each(well_formed);
    let (manual_row, answered, broken) = (&rows[0], &rows[1], &rows[2]);
    assert_eq!(manual_row["id"], manual);
    assert_eq!(manual_row["attemptNumber"], "manual");
    assert_eq!(manual_row["manual"], true);
    for row in &rows {
        for (field, value) in [
            ("traceId", json!(trace)),
            ("loanId", json!("727")),
            ("eventTitle", made["title"].clone()),
            ("eventName", json!("Payment Reversed")),
            ("subscriptionId", made["id"].clone()),
            ("method", json!("POST")),
            ("destination", json!(j.receiver.url("/hook"))),
            ("occurredAt", broken["occurredAt"].clone()),
        ] {
            assert_eq!(row[field], value, "{field}");
        }
        assert_eq!(row["source"]["href"], format!("/v1/loans/727/webhooks/{}/source", text(&row["id"])));
        instant(&row["sentAt"]);
    }
    assert_eq!((&answered["attemptNumber"], &broken["attemptNumber"]), (&json!(2), &json!(1)));
    for row in [answered, broken] {
        assert_eq!(row["manual"], false);
        assert!(row["requestedBy"].is_null() && row["resendOf"].is_null());
        instant(&row["nextAttemptAt"]);
    }
    assert_eq!(answered["outcome"], "failed");
    assert_eq!(answered["responseCode"], 503);
    assert_eq!(
        answered["response"],
        json!({"bytes": 9, "contentType": "text/plain", "truncated": false, "headersDropped": 0, "href": format!("/v1/loans/727/webhooks/{}/response", text(&answered["id"]))})
    );
    gate.open();
}

#[tokio::test]
async fn an_event_without_a_time_of_its_own_has_null_for_it() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    let delivery = j.api.settled(&j.api.send_one(&event("727")).await).await;
    assert_eq!(delivery.get("occurredAt"), Some(&Value::Null));
    assert_eq!(delivery["attempts"][0].get("occurredAt"), Some(&Value::Null));
}

#[tokio::test]
async fn a_loan_that_nobody_heard_of_has_an_empty_history() {
    let j = Journey::begin().await;
    let empty = j.api.get("/v1/loans/unheard-of/webhooks").await.is(200).json();
    assert_eq!(empty, json!({"items": [], "next": null}));
}

#[tokio::test]
async fn one_row_is_shown_with_the_headers_of_its_response() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    j.receiver.replies(
        "/hook",
        [Reply::with(200, &[("X-Request-Id", "abc-123"), ("Content-Type", "text/plain")], b"thanks")],
    );
    let trace = j.api.send_one(&event("727")).await;
    let of_delivery = j.api.settled(&trace).await["attempts"][0].clone();

    let row = j.api.get(&format!("/v1/loans/727/webhooks/{}", text(&of_delivery["id"]))).await.is(200).json();

    well_formed(&row);
    for (field, value) in of_delivery.as_object().expect("a row") {
        if field != "response" {
            assert_eq!(row[field], *value, "{field} is the same in every view");
        }
    }
    assert!(
        response_headers(&row).iter().any(|(name, value)| name == "x-request-id" && value == "abc-123"),
        "{row:#}"
    );
}

fn response_headers(row: &Value) -> Vec<(String, String)> {
    let headers =
        row["response"]["headers"].as_array().unwrap_or_else(|| panic!("response headers: {row:#}"));
    headers
        .iter()
        .map(|one| (text(&one["name"]).to_ascii_lowercase(), text(&one["value"]).to_owned()))
        .collect()
}

#[tokio::test]
async fn response_headers_beyond_16_kib_are_cut_and_marked() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    let long = "v".repeat(1_000);
    let names: Vec<_> = (0..40).map(|n| format!("X-Long-{n:02}")).collect();
    let headers: Vec<_> = names.iter().map(|name| (name.as_str(), long.as_str())).collect();
    j.receiver.replies("/hook", [Reply::with(200, &headers[..10], b""), Reply::with(200, &headers, b"")]);
    for (cut, kept) in [(false, 10..=10), (true, 12..=20)] {
        let delivery = j.api.settled(&j.api.send_one(&event("727")).await).await;
        assert_eq!(delivery["status"], "succeeded");
        let id = text(&delivery["attempts"][0]["id"]);
        let row = j.api.get(&format!("/v1/loans/727/webhooks/{id}")).await.is(200).json();
        assert_eq!(row["response"]["headersTruncated"], cut);
        let headers = response_headers(&row);
        let long = headers.iter().filter(|(name, _)| name.starts_with("x-long-")).count();
        assert!(kept.contains(&long), "{long}");
        let bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        assert!(bytes <= 16 * 1024, "{bytes}");
    }
}

#[tokio::test]
async fn a_row_is_found_under_its_own_loan_only() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    let delivery = j.api.settled(&j.api.send_one(&event("727")).await).await;
    let id = text(&delivery["attempts"][0]["id"]);
    for tail in ["", "/source", "/response"] {
        j.api.get(&format!("/v1/loans/727/webhooks/{id}{tail}")).await.is(200);
        j.api.get(&format!("/v1/loans/728/webhooks/{id}{tail}")).await.problem(404);
        j.api.get(&format!("/v1/loans/727/webhooks/{}{tail}", uuid::Uuid::now_v7())).await.problem(404);
        j.api.get(&format!("/v1/loans/727/webhooks/no-id{tail}")).await.problem(404);
    }
}

#[tokio::test]
async fn a_delivery_shows_its_attempts_oldest_first() {
    let j = Journey::begin().await;
    let made = j.subscribe("/hook", json!({"retry": {"delays": [1]}})).await;
    j.receiver.replies("/hook", [Reply::status(500)]);
    let before = std::time::SystemTime::now();
    let accepted = j.api.post("/v1/events", &event("727")).await.is(202).json();
    let trace = text(&accepted["deliveries"][0]["traceId"]);
    j.api.settled(trace).await;
    j.api.resend(trace).await;

    let delivery = j.api.after_attempts(trace, 3).await;

    for (field, value) in [
        ("traceId", json!(trace)),
        ("loanId", json!("727")),
        ("subscriptionId", made["id"].clone()),
        ("eventId", accepted["eventId"].clone()),
        ("eventTitle", made["title"].clone()),
        ("eventName", json!(crate::harness::request_bodies::PAYMENT)),
        ("status", json!("succeeded")),
        ("nextAttemptAt", Value::Null),
    ] {
        assert_eq!(delivery.get(field), Some(&value), "{field}");
    }
    let accepted_at = instant(&delivery["acceptedAt"]);
    assert!(accepted_at + chrono::TimeDelta::milliseconds(1) >= crate::harness::rows::clock(before));
    let rows = delivery["attempts"].as_array().expect("attempts");
    rows.iter().for_each(well_formed);
    let numbers: Vec<_> = rows.iter().map(|row| row["attemptNumber"].clone()).collect();
    assert_eq!(numbers, [json!(1), json!(2), json!("manual")]);
    let mut newest_first = j.api.rows("727", "").await;
    newest_first.reverse();
    assert_eq!(*rows, newest_first, "the loan's history shows the same rows");
}

#[tokio::test]
async fn a_trace_that_does_not_exist_is_404() {
    let j = Journey::begin().await;
    for trace in [uuid::Uuid::new_v4().to_string(), "no-uuid".to_owned(), "%20".to_owned()] {
        j.api.get(&format!("/v1/webhooks/{trace}")).await.problem(404);
        j.api.ask(&format!("/v1/webhooks/{trace}/resend")).await.problem(404);
        j.api.ask(&format!("/v1/webhooks/{trace}/cancel")).await.problem(404);
        j.api.ask(&format!("/v1/webhook/retry/{trace}/1")).await.problem(404);
    }
}
