//! Validation of filters: what is 422, and which response codes can be filtered.

use serde_json::json;

use super::query_string;
use crate::harness::{Journey, Reply, event_named};

#[tokio::test]
async fn response_codes_outside_the_standard_can_be_filtered() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    for status in [999, 600, 503] {
        j.receiver.replies("/hook", [Reply::status(status)]);
        j.api.ended_delivery(&j.api.send_one(&event_named("Posted", "727")).await).await;
    }
    for (code, shown) in [("999", 1), ("9xx", 1), ("600", 1), ("6xx", 1), ("5xx", 1), ("7xx", 0), ("998", 0)]
    {
        let rows = j.api.rows("727", &format!("?responseCode={code}")).await;
        assert_eq!(rows.len(), shown, "{code}");
    }
}

#[tokio::test]
async fn an_invalid_filter_or_cursor_is_422() {
    let j = Journey::start().await;
    for (name, value) in [
        ("method", "HEAD"),
        ("outcome", "lost"),
        ("outcome", ""),
        ("responseCode", "abc"),
        ("responseCode", "0xx"),
        ("responseCode", "099"),
        ("responseCode", "1000"),
        ("from", "2020-01-01T00:00:00  00:00"),
        ("from", "2020-01-01T00:00:00"),
        ("responseCode", "20"),
        ("error", "bad-luck"),
        ("attempt", "0"),
        ("attempt", "-1"),
        ("attempt", "some"),
        ("attempt", "01"),
        ("attempt", "005"),
        ("attempt", "+5"),
        ("attempt", "5.0"),
        ("attempt", " 5"),
        ("responseCode", "+20"),
        ("responseCode", "0200"),
        ("responseCode", "+200"),
        ("limit", "005"),
        ("limit", "01"),
        ("limit", "+5"),
        ("from", "yesterday"),
        ("to", "2026-11-23"),
        ("limit", "0"),
        ("limit", "1000"),
        ("cursor", "x"),
        ("subscriptionId", "x"),
        ("traceId", "x"),
        ("cursor", "AAAA"),
        ("cursor", ""),
        ("colour", "red"),
    ] {
        let answer = j.api.get(&format!("/v1/loans/727/webhooks{}", query_string(&[(name, value)]))).await;
        assert_eq!(answer.status, 422, "{name}={value}: {answer:?}");
        answer.expect_problem(422);
    }
    j.api.get("/v1/loans/727/webhooks?outcome=failed&outcome=succeeded").await.expect_problem(422);
    j.api.get("/v1/loans/727/webhooks?eventName=%ff").await.expect_problem(422);
}
