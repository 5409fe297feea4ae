//! Queries of a report: its span in whole periods, its forms, and what is refused.

use serde_json::{Value, json};

use super::{rows_when, sum};
use crate::harness::{Journey, event, text};

#[tokio::test]
async fn a_span_is_rounded_outward_and_the_answer_says_to_what() {
    let j = Journey::start().await;
    for (query, by, from, to) in [
        (
            "from=2026-11-29T10:59:59Z&to=2026-11-29T11:00:01%2B00:00",
            "hour",
            "2026-11-29T10:00:00.000Z",
            "2026-11-29T12:00:00.000Z",
        ),
        (
            "from=2026-11-29T10:59:59Z&to=2026-11-30T00:00:00Z&by=day",
            "day",
            "2026-11-29T00:00:00.000Z",
            "2026-11-30T00:00:00.000Z",
        ),
    ] {
        let report = j.api.get(&format!("/v1/reports/deliveries?{query}")).await.expect_status(200).json();
        let said = [&report["from"], &report["to"], &report["by"], &report["group"]].map(text);
        assert_eq!(said, [from, to, by, "none"]);
        assert_eq!(report["items"], json!([]));
        assert!(report.get("countedSince").is_some(), "null, never absent: {report}");
    }
    let last_day = j.api.get("/v1/reports/deliveries").await.expect_status(200).json();
    let [from, to] = [&last_day["from"], &last_day["to"]].map(crate::harness::instant);
    assert_eq!((to - from).num_hours(), 24, "the last 24 hours");
}

#[tokio::test]
async fn what_is_wrong_with_a_query_is_422() {
    let j = Journey::start().await;
    for (query, pointer) in [
        ("by=week", "by"),
        ("group=loan", "group"),
        ("from=yesterday", "from"),
        ("to=now", "to"),
        ("from=2026-11-29T10:00:00Z&to=2026-11-29T10:00:00Z", "from"),
        ("from=2026-10-28T23:59:59Z&to=2026-11-29T00:00:00Z", "from"),
        ("from=2020-01-01T00:00:00Z&to=2026-11-29T00:00:00Z&by=day", "from"),
        ("limit=10", "query"),
    ] {
        let problem = j.api.get(&format!("/v1/reports/deliveries?{query}")).await.expect_problem(422);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{query}: {problem}");
    }
}

#[tokio::test]
async fn a_report_is_json_csv_or_ndjson() {
    let j = Journey::start().await;
    // A title that a spreadsheet would run.
    j.subscribe("/hook", json!({"title": "=1+1"})).await;
    let trace = j.api.send_one(&event("727")).await;
    j.api.ended_delivery(&trace).await;
    let query = "?group=subscription&by=day";
    let rows = rows_when(&j.api, query, |rows| sum(rows, "/succeededFirst") == 1).await;
    let ask = async |accept: &str| {
        let asked = j.api.request("GET", &format!("/v1/reports/deliveries{query}"));
        asked.header("accept", accept).send().await.expect_status(200)
    };
    let csv = ask("text/csv").await;
    assert!(csv.header("content-type").starts_with("text/csv"), "{csv:?}");
    let csv = String::from_utf8(csv.body).expect("UTF-8");
    let lines: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    let column = |name: &str| {
        let place = lines[0].iter().position(|head| *head == name).unwrap_or_else(|| panic!("{name}: {csv}"));
        lines[1][place]
    };
    assert_eq!(lines.len(), rows.len() + 1);
    assert_eq!((column("title"), column("eventsAccepted")), ("'=1+1", ""));
    assert_eq!((column("succeededFirst"), column("attempts.2xx"), column("attempts.dns")), ("1", "1", "0"));
    assert_eq!(column("firstAttemptMs.p95"), rows[0]["firstAttemptMs"]["p95"].to_string());

    let ndjson = ask("application/x-ndjson").await;
    let ndjson = String::from_utf8(ndjson.body).expect("UTF-8");
    let values: Vec<Value> = ndjson.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(values, rows);
}
