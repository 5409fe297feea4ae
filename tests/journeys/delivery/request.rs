//! The request of an attempt, and the row that exists before it leaves.

use chrono::TimeDelta;
use serde_json::json;

use crate::harness::request_bodies::{PAYMENT, event_named};
use crate::harness::rows::{assert_well_formed, one_millisecond};
use crate::harness::{
    Gate, Journey, Reply, attempts_of, event, instant, scaled_seconds, subscription_path, text, utc,
};

#[tokio::test]
async fn a_request_has_the_headers_of_the_subscription_and_of_standard_webhooks() {
    let j = Journey::start().await;
    j.subscribe(
        "/hooks/loans?a=b%20c",
        json!({"request": {"headers": {"Authorization": "Bearer t", "x-team": "core"}}}),
    )
    .await;

    let trace = j.api.send_one(&event("727")).await;

    let request = j.receiver.next_request().await;
    assert_eq!(request.method, "POST");
    assert_eq!(request.path_and_query, "/hooks/loans?a=b%20c");
    assert_eq!(
        request.json(),
        json!({"eventName": PAYMENT, "context": {"loan-display-id": "727", "status-days-past-due": 13}})
    );
    let length = request.body.len().to_string();
    for (name, value) in [
        ("authorization", "Bearer t"),
        ("x-team", "core"),
        ("content-type", "application/json"),
        ("content-length", &length),
        ("host", &j.receiver.authority()),
        ("webhook-id", &trace),
        ("loanhook-attempt", "1"),
        ("loanhook-event", "Payment%20Posted%20to%20Account"),
        ("loanhook-loan", "727"),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
    let version = request
        .header("user-agent")
        .and_then(|agent| agent.strip_prefix("loanhook/"))
        .expect("our user agent");
    assert!(version.starts_with(|first: char| first.is_ascii_digit()), "{version}");
    let timestamp: i64 = request.header("webhook-timestamp").expect("a timestamp").parse().expect("seconds");
    let late = utc(request.at).timestamp() - timestamp;
    assert!(
        (-1..60 + i64::from(scaled_seconds(30))).contains(&late),
        "the timestamp is the time of sending: {late}"
    );
    let names: Vec<_> = request.headers.iter().map(|(name, _)| name).collect();
    assert!(
        names.iter().all(|name| names.iter().filter(|other| *other == name).count() == 1),
        "each once: {names:?}"
    );
}

#[tokio::test]
async fn the_event_name_header_is_percent_encoded_utf8() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    for name in ["Zahlung über 5 %", "付款", "a+b/c?d=e&f", "🏦", "plain-name_1.0~x"] {
        j.api.send_one(&event_named(name, "727")).await;
        let request = j.receiver.next_request().await;
        let header = request.header("loanhook-event").expect("the event's name");
        assert!(header.bytes().all(|byte| byte.is_ascii_graphic()), "{header}");
        assert_eq!(percent_encoding::percent_decode_str(header).decode_utf8().expect("UTF-8"), name);
        assert_eq!(request.json()["eventName"], name);
    }
}

#[tokio::test]
async fn the_headers_of_the_loan_and_of_the_time_are_percent_encoded_utf8() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    for (loan, occurred_at) in [("727", None), ("Kredit 7 ü", Some("2026-11-23T11:00:00+01:00"))] {
        let mut event = event(loan);
        if let Some(time) = occurred_at {
            event["occurredAt"] = json!(time);
        }
        let trace = j.api.send_one(&event).await;
        let first = j.receiver.next_request().await;
        j.api.ended_delivery(&trace).await;
        j.api.resend(&trace).await;
        for request in [first, j.receiver.next_request().await] {
            let decoded = |name: &str| {
                let header = request.header(name)?;
                assert!(header.bytes().all(|byte| byte.is_ascii_graphic()), "{header}");
                Some(percent_encoding::percent_decode_str(header).decode_utf8().expect("UTF-8").into_owned())
            };
            assert_eq!(decoded("loanhook-loan").as_deref(), Some(loan));
            assert_eq!(decoded("loanhook-occurred-at").as_deref(), occurred_at);
        }
    }
}

#[tokio::test]
async fn each_method_is_sent_and_get_and_delete_carry_no_body() {
    let j = Journey::start().await;
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        let subscription = j.subscribe("/hook", json!({"request": {"method": method}})).await;
        let trace = j.api.send_one(&event("727")).await;
        let request = j.receiver.next_request().await;
        assert_eq!(request.method, method);
        let row = &j.api.ended_delivery(&trace).await["attempts"][0];
        assert_eq!(row["method"], method);
        if ["GET", "DELETE"].contains(&method) {
            assert!(request.body.is_empty());
            assert!(matches!(request.header("content-length"), None | Some("0")));
            assert_eq!(request.header("content-type"), None, "no body has no type");
            assert_eq!(row["source"]["bytes"], 0);
            assert!(j.api.get(text(&row["source"]["href"])).await.expect_status(200).body.is_empty());
        } else {
            assert!(!request.body.is_empty());
        }
        j.api.delete(&subscription_path(&subscription)).await.expect_status(204);
    }
}

#[tokio::test]
async fn the_content_type_is_that_of_the_subscription() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"request": {"contentType": "application/vnd.core+json; charset=utf-8"}}))
        .await;
    let trace = j.api.send_one(&event("727")).await;
    assert_eq!(
        j.receiver.next_request().await.header("content-type"),
        Some("application/vnd.core+json; charset=utf-8")
    );
    let row = &j.api.ended_delivery(&trace).await["attempts"][0];
    assert_eq!(row["source"]["contentType"], "application/vnd.core+json; charset=utf-8");
}

#[tokio::test]
async fn every_2xx_is_success_and_ends_the_delivery() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"retry": {"delays": [1]}})).await;
    for status in [200, 201, 202, 204, 226, 299] {
        j.receiver.replies("/hook", [Reply::status(status)]);
        let delivery = j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
        assert_eq!(delivery["status"], "succeeded", "{status}");
        assert!(delivery["nextAttemptAt"].is_null());
        let attempts = attempts_of(&delivery);
        assert_eq!(attempts.len(), 1, "{status}");
        assert_well_formed(&attempts[0]);
        assert_eq!(attempts[0]["outcome"], "succeeded");
        assert_eq!(attempts[0]["responseCode"], status);
        assert!(attempts[0]["nextAttemptAt"].is_null());
    }
}

#[tokio::test]
async fn the_row_exists_before_its_request_leaves() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let gate = Gate::closed();
    j.receiver.always("/hook", Reply::ok().held(&gate));
    let trace = j.api.send_one(&event("727")).await;

    let request = j.receiver.next_request().await;
    let row = j
        .api
        .get(&format!("/v1/loans/727/webhooks/{}", request.attempt_id()))
        .await
        .expect_status(200)
        .json();

    assert_well_formed(&row);
    assert_eq!(row["id"], request.attempt_id());
    assert_eq!(row["traceId"], trace);
    assert_eq!(row["attemptNumber"], 1);
    assert_eq!(row["outcome"], "sending");
    assert!(row["responseCode"].is_null() && row["error"].is_null() && row["responseTimeMs"].is_null());
    assert_eq!(j.api.rows("727", "").await[0]["outcome"], "sending");
    assert_eq!(j.api.delivery(&trace).await["status"], "pending");
    gate.open();
    assert_eq!(j.api.ended_delivery(&trace).await["attempts"][0]["id"], request.attempt_id());
}

#[tokio::test]
async fn a_row_has_sent_at_source_ip_and_response_time() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let before = utc(std::time::SystemTime::now()) - one_millisecond();
    let trace = j.api.send_one(&event("727")).await;
    let arrived = utc(j.receiver.next_request().await.at);

    let row = &j.api.ended_delivery(&trace).await["attempts"][0];

    let sent = instant(&row["sentAt"]);
    assert!(before <= sent && sent <= arrived + one_millisecond(), "{before} {sent} {arrived}");
    let took = row["responseTimeMs"].as_f64().expect("a time in milliseconds");
    assert!(took > 0.0 && sent + TimeDelta::milliseconds(took as i64) <= utc(std::time::SystemTime::now()));
    row["sourceIp"].as_str().expect("an address").parse::<std::net::IpAddr>().expect("an address");
    assert_eq!(row["destination"], j.receiver.url("/hook"));
}

#[tokio::test]
async fn a_receiver_that_hangs_does_not_delay_another_receiver() {
    let j = Journey::start().await;
    j.subscribe("/slow", json!({"criteria": {"events": ["Slow"]}, "timeoutSeconds": 30})).await;
    j.subscribe("/quick", json!({"criteria": {"events": ["Quick"]}})).await;
    let gate = Gate::closed();
    j.receiver.always("/slow", Reply::ok().held(&gate));
    for _ in 0..5 {
        j.api.send_batch(vec![event_named("Slow", "727"); 100]).await;
    }

    let quick = j.api.ended_delivery(&j.api.send_one(&event_named("Quick", "728")).await).await;

    assert_eq!(quick["status"], "succeeded", "while 500 wait for the slow one");
    gate.open();
}
