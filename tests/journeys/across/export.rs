//! Lists as CSV and NDJSON: whole, quoted, defused, with a link where an answer is a part.

use serde_json::{Value, json};

use super::{EachKind, deliveries, traces};
use crate::harness::raw_connection::response_to;
use crate::harness::response::ApiResponse;
use crate::harness::{Journey, event, items_of, text};

const CSV: &str = "text/csv";
const NDJSON: &str = "application/x-ndjson";

/// One answer, in a format.
async fn answer(j: &Journey, path: &str, format: &str) -> ApiResponse {
    let answer = j.api.request("GET", path).header("accept", format).send().await.expect_status(200);
    assert!(answer.header("content-type").starts_with(format), "{answer:?}");
    assert_eq!(answer.header("vary"), "accept");
    answer
}

/// A whole list in a format, in however many answers it comes.
async fn whole(j: &Journey, path: &str, format: &str) -> Vec<String> {
    let (mut parts, mut path) = (Vec::new(), path.to_owned());
    loop {
        let answer = answer(j, &path, format).await;
        parts.push(String::from_utf8(answer.body.clone()).expect("UTF-8"));
        let Some(next) = next_path(&path, &answer) else { return parts };
        path = next;
    }
}

/// The path that a `Link` header names.
fn next_path(path: &str, answer: &ApiResponse) -> Option<String> {
    let query = answer.header("link").strip_prefix('<')?.strip_suffix(">; rel=\"next\"").expect("a link");
    let before = path.split('?').next().expect("a path");
    Some(format!("{before}{query}"))
}

/// The cells of a line that has none in quotes.
fn cells(line: &str) -> Vec<&str> {
    line.split(',').collect()
}

#[tokio::test]
async fn the_list_is_csv_with_a_header_line_and_dotted_names() {
    let of = EachKind::new().await;
    let parts = whole(&of.j, "/v1/webhooks", CSV).await;
    let [csv] = parts.as_slice() else { panic!("{parts:?}") };
    assert!(csv.ends_with("\r\n"));
    let lines: Vec<_> = csv.split("\r\n").collect();
    let head = cells(lines[0]);
    assert_eq!(&head[..3], ["traceId", "loanId", "eventTitle"]);
    let column = |name: &str| head.iter().position(|column| *column == name).expect(name);
    assert_eq!(lines.len(), 6, "a head, four deliveries and the end: {csv}");
    for (line, trace) in lines[1..5].iter().zip(of.all()) {
        assert_eq!(cells(line)[column("traceId")], trace);
    }
    let failed = cells(lines[3]);
    for (name, value) in [
        ("loanId", "728"),
        ("status", "failed"),
        ("test", "false"),
        ("waiting.reason", ""),
        ("waiting.since", ""),
        ("newestAttempt.responseCode", "503"),
        ("newestAttempt.attemptNumber", "1"),
        ("newestAttempt.error.kind", ""),
    ] {
        assert_eq!(failed[column(name)], value, "{name}");
    }
    let none = whole(&of.j, "/v1/webhooks?status=failed&loanId=727", CSV).await;
    assert_eq!(none, [format!("{}\r\n", lines[0])], "a header line also where there is nothing");
}

#[tokio::test]
async fn a_line_of_ndjson_is_an_item_of_the_list() {
    let of = EachKind::new().await;
    let path = "/v1/webhooks?status=failed";
    for (path, format) in [(path, NDJSON), ("/v1/webhooks", NDJSON)] {
        let lines = whole(&of.j, path, format).await.concat();
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let page = of.j.api.get(path).await.expect_status(200).json();
        assert_eq!(&lines, items_of(&page), "{path}");
    }
    assert_eq!(traces(&deliveries(&of.j, "").await).len(), 4);
}

#[tokio::test]
async fn hostile_texts_are_quoted_and_defused() {
    let j = Journey::start().await;
    let title = "=HYPERLINK(\"https://evil.example\", \"pay\"), or @now";
    j.subscribe("/hook", json!({"title": title})).await;
    for loan in ["+1-202", "@loan", "a\"b,c", "-1"] {
        j.api.ended_delivery(&j.api.send_one(&event(loan)).await).await;
    }
    let csv = whole(&j, "/v1/webhooks", CSV).await.concat();
    let quoted = "\"'=HYPERLINK(\"\"https://evil.example\"\", \"\"pay\"\"), or @now\"";
    assert_eq!(csv.matches(quoted).count(), 8, "of the delivery and of its attempt: {csv}");
    for loan in [",'+1-202,", ",'@loan,", ",\"a\"\"b,c\",", ",'-1,"] {
        assert!(csv.contains(loan), "{loan}: {csv}");
    }
    // What is no spreadsheet gets texts as they are.
    let ndjson = whole(&j, "/v1/webhooks?loanId=-1", NDJSON).await.concat();
    let item: Value = serde_json::from_str(ndjson.trim_end()).expect("JSON");
    assert_eq!((text(&item["eventTitle"]), text(&item["loanId"])), (title, "-1"));
}

#[tokio::test]
async fn a_limit_gives_parts_behind_a_link() {
    let of = EachKind::new().await;
    for format in [CSV, NDJSON] {
        let all = whole(&of.j, "/v1/webhooks?test=false", format).await.concat();
        let parts = whole(&of.j, "/v1/webhooks?test=false&limit=3", format).await;
        assert_eq!(parts.len(), 2);
        let head = if format == CSV { all.find("\r\n").expect("a header line") + 2 } else { 0 };
        assert_eq!(parts[1].get(..head), all.get(..head), "each part has the header line");
        assert_eq!(format!("{}{}", parts[0], &parts[1][head..]), all);
    }
}

#[tokio::test]
async fn the_lists_of_a_loan_are_exported_too() {
    let of = EachKind::new().await;
    for path in ["/v1/loans/728/webhooks", "/v1/loans/728/events"] {
        let page = of.j.api.get(path).await.expect_status(200).json();
        let lines = whole(&of.j, path, NDJSON).await.concat();
        let line: Value = serde_json::from_str(lines.trim_end()).expect("one line of JSON");
        assert_eq!([line].as_slice(), items_of(&page), "{path}");
        let csv = whole(&of.j, path, CSV).await.concat();
        assert_eq!(csv.matches("\r\n").count(), 2, "{csv}");
        assert!(csv.contains("728"), "{csv}");
    }
    let events = whole(&of.j, "/v1/loans/728/events", CSV).await.concat();
    assert!(events.contains("\"\"verdict\"\":\"\"delivered\"\""), "a list in a cell is JSON: {events}");
    of.j.api
        .request("GET", "/v1/loans/728/webhooks?limit=x")
        .header("accept", CSV)
        .send()
        .await
        .expect_problem(422);
}

/// More than is read at once.
#[tokio::test]
async fn a_long_list_is_whole() {
    let Some(j) = Journey::on_own_process().await else { return };
    j.subscribe("/hook", json!({})).await;
    for _ in 0..13 {
        j.api.send_batch(vec![event("727"); 100]).await;
    }
    let answer = answer(&j, "/v1/webhooks", CSV).await;
    assert_eq!(answer.header("link"), "", "one answer has all of it");
    let csv = String::from_utf8(answer.body).expect("UTF-8");
    let mut traces: Vec<_> = csv.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!(traces.len(), 1300);
    assert!(traces.is_sorted_by(|newer, older| newer > older), "in order, and none twice");
    traces.dedup();
    assert_eq!(traces.len(), 1300);
}

/// Below HTTP/1.1 a body without a length ends with its connection, so that one that broke off would look whole.
#[tokio::test]
async fn an_http_1_0_caller_gets_a_part_with_its_length() {
    let Some(j) = Journey::on_own_process().await else { return };
    j.subscribe("/hook", json!({})).await;
    j.api.send_one(&event("727")).await;
    for (version, has_length) in [("HTTP/1.0", true), ("HTTP/1.1", false)] {
        let key = j.api.key();
        let request = format!(
            "GET /v1/webhooks {version}\r\nhost: a.example\r\nauthorization: Bearer {key}\r\naccept: {CSV}\r\nconnection: close\r\n\r\n"
        );
        let response = response_to(&j.server, request).await;
        let (head, body) = response.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with(&format!("{version} 200 ")), "{head}");
        assert!(body.contains("727"), "{body}");
        let length = format!("content-length: {}", body.len());
        assert_eq!(head.lines().any(|line| line.eq_ignore_ascii_case(&length)), has_length, "{head}");
    }
}
