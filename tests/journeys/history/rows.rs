//! Rows of the history: the fields of an attempt, one row, and a delivery with its attempts.

use serde_json::{Value, json};

use crate::harness::rows::assert_well_formed;
use crate::harness::{Gate, Journey, Reply, attempt_numbers, attempts_of, event, event_named, instant, text};

#[tokio::test]
async fn a_row_has_every_field_if_only_as_null() {
    let j = Journey::start().await;
    let gate = Gate::closed();
    let created = j.subscribe("/hook", json!({"retry": {"delays": [1, 300]}})).await;
    j.receiver.replies(
        "/hook",
        [Reply::reset(), Reply::with(503, &[("content-type", "text/plain")], b"Try later")],
    );
    let trace = j.api.send_one(&event_named("Payment Reversed", "727")).await;
    j.api.delivery_after_attempts(&trace, 2).await;
    j.receiver.always("/hook", Reply::ok().held(&gate));
    let manual = j.api.resend(&trace).await;
    j.api.delivery_when(&trace, |delivery| delivery["attempts"][2]["outcome"] == "sending").await;

    let rows = j.api.rows("727", "").await;

    assert_eq!(rows.len(), 3);
    rows.iter().for_each(assert_well_formed);
    let (manual_row, answered, broken) = (&rows[0], &rows[1], &rows[2]);
    assert_eq!(manual_row["id"], manual);
    assert_eq!(manual_row["attemptNumber"], "manual");
    assert_eq!(manual_row["manual"], true);
    for row in &rows {
        for (field, value) in [
            ("traceId", json!(trace)),
            ("loanId", json!("727")),
            ("eventTitle", created["title"].clone()),
            ("eventName", json!("Payment Reversed")),
            ("subscriptionId", created["id"].clone()),
            // One that is sending does not say yet what it was sent with.
            ("subscriptionVersion", if row["id"] == manual { json!(null) } else { json!(1) }),
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
async fn occurred_at_is_null_where_the_event_has_none() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let delivery = j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    assert_eq!(delivery.get("occurredAt"), Some(&Value::Null));
    assert_eq!(delivery["attempts"][0].get("occurredAt"), Some(&Value::Null));
}

#[tokio::test]
async fn an_unknown_loan_has_an_empty_history() {
    let j = Journey::start().await;
    let empty = j.api.get("/v1/loans/unheard-of/webhooks").await.expect_status(200).json();
    assert_eq!(empty, json!({"items": [], "next": null}));
}

#[tokio::test]
async fn one_row_is_read_with_its_response_headers() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    j.receiver.replies(
        "/hook",
        [Reply::with(200, &[("X-Request-Id", "abc-123"), ("Content-Type", "text/plain")], b"thanks")],
    );
    let trace = j.api.send_one(&event("727")).await;
    let of_delivery = j.api.ended_delivery(&trace).await["attempts"][0].clone();

    let row = j
        .api
        .get(&format!("/v1/loans/727/webhooks/{}", text(&of_delivery["id"])))
        .await
        .expect_status(200)
        .json();

    assert_well_formed(&row);
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
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let long = "v".repeat(1_000);
    let names: Vec<_> = (0..40).map(|n| format!("X-Long-{n:02}")).collect();
    let headers: Vec<_> = names.iter().map(|name| (name.as_str(), long.as_str())).collect();
    j.receiver.replies("/hook", [Reply::with(200, &headers[..10], b""), Reply::with(200, &headers, b"")]);
    for (cut, kept) in [(false, 10..=10), (true, 12..=20)] {
        let delivery = j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
        assert_eq!(delivery["status"], "succeeded");
        let id = text(&delivery["attempts"][0]["id"]);
        let row = j.api.get(&format!("/v1/loans/727/webhooks/{id}")).await.expect_status(200).json();
        assert_eq!(row["response"]["headersTruncated"], cut);
        let headers = response_headers(&row);
        let long = headers.iter().filter(|(name, _)| name.starts_with("x-long-")).count();
        assert!(kept.contains(&long), "{long}");
        let bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        assert!(bytes <= 16 * 1024, "{bytes}");
    }
}

#[tokio::test]
async fn a_row_is_404_under_another_loan() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let delivery = j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    let id = text(&delivery["attempts"][0]["id"]);
    for tail in ["", "/source", "/response"] {
        j.api.get(&format!("/v1/loans/727/webhooks/{id}{tail}")).await.expect_status(200);
        j.api.get(&format!("/v1/loans/728/webhooks/{id}{tail}")).await.expect_problem(404);
        j.api
            .get(&format!("/v1/loans/727/webhooks/{}{tail}", uuid::Uuid::now_v7()))
            .await
            .expect_problem(404);
        j.api.get(&format!("/v1/loans/727/webhooks/no-id{tail}")).await.expect_problem(404);
    }
}

#[tokio::test]
async fn a_delivery_lists_its_attempts_oldest_first() {
    let j = Journey::start().await;
    let created = j.subscribe("/hook", json!({"retry": {"delays": [1]}})).await;
    j.receiver.replies("/hook", [Reply::status(500)]);
    let before = std::time::SystemTime::now();
    let accepted = j.api.post("/v1/events", &event("727")).await.expect_status(202).json();
    let trace = text(&accepted["deliveries"][0]["traceId"]);
    j.api.ended_delivery(trace).await;
    j.api.resend(trace).await;

    let delivery = j.api.delivery_after_attempts(trace, 3).await;

    for (field, value) in [
        ("traceId", json!(trace)),
        ("loanId", json!("727")),
        ("subscriptionId", created["id"].clone()),
        ("eventId", accepted["eventId"].clone()),
        ("eventTitle", created["title"].clone()),
        ("eventName", json!(crate::harness::request_bodies::PAYMENT)),
        ("status", json!("succeeded")),
        ("nextAttemptAt", Value::Null),
    ] {
        assert_eq!(delivery.get(field), Some(&value), "{field}");
    }
    let accepted_at = instant(&delivery["acceptedAt"]);
    assert!(accepted_at + chrono::TimeDelta::milliseconds(1) >= crate::harness::utc(before));
    let rows = attempts_of(&delivery);
    rows.iter().for_each(assert_well_formed);
    let numbers = attempt_numbers(&delivery);
    assert_eq!(numbers, [json!(1), json!(2), json!("manual")]);
    let mut newest_first = j.api.rows("727", "").await;
    newest_first.reverse();
    assert_eq!(*rows, newest_first, "the loan's history shows the same rows");
}

#[tokio::test]
async fn an_unknown_trace_id_is_404_on_every_route() {
    let j = Journey::start().await;
    for trace in [uuid::Uuid::new_v4().to_string(), "no-uuid".to_owned(), "%20".to_owned()] {
        j.api.get(&format!("/v1/webhooks/{trace}")).await.expect_problem(404);
        j.api.post_without_body(&format!("/v1/webhooks/{trace}/resend")).await.expect_problem(404);
        j.api.post_without_body(&format!("/v1/webhooks/{trace}/cancel")).await.expect_problem(404);
        j.api.post_without_body(&format!("/v1/webhook/retry/{trace}/1")).await.expect_problem(404);
    }
}

#[tokio::test]
async fn a_row_says_which_version_of_its_subscription_gave_the_credentials() {
    let j = Journey::start().await;
    let created = j.subscribe("/hook", json!({})).await;
    let first = j.api.send_one(&event("727")).await;
    j.api.ended_delivery(&first).await;
    j.api
        .patch(&crate::harness::subscription_path(&created), &json!({"title": "Renamed"}))
        .await
        .expect_status(200);
    let second = j.api.send_one(&event("727")).await;
    j.api.ended_delivery(&second).await;
    // A resend takes its credentials from the subscription as it is then.
    let resent = j.api.resend(&first).await;
    j.api.delivery_after_attempts(&first, 2).await;

    let rows = j.api.rows("727", "").await;
    let versions: Vec<_> = rows.iter().map(|row| &row["subscriptionVersion"]).collect();
    assert_eq!(versions, [2, 2, 1]);
    let one = j.api.get(&format!("/v1/loans/727/webhooks/{resent}")).await.expect_status(200).json();
    assert_eq!(one["subscriptionVersion"], 2);
    let delivery = j.api.delivery(&second).await;
    assert_eq!(delivery["attempts"][0]["subscriptionVersion"], 2);
    let listed = j.api.rows("727", &format!("?traceId={second}")).await;
    assert_eq!(listed[0]["subscriptionVersion"], 2, "a page of one delivery");
}
