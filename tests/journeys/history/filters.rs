//! Each filter of a loan's history alone, and all of them together.

use chrono::{DateTime, SecondsFormat, Utc};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::harness::request_bodies::named;
use crate::harness::{Gate, Journey, Reply, ids, instant, text};

/// A loan with one row of each kind.
struct Loan {
    j: Journey,
    /// All rows, newest first.
    rows: Vec<Value>,
    _gate: Gate,
}

impl Loan {
    async fn with_rows_of_each_kind() -> Self {
        let j = Journey::begin().await;
        let gate = Gate::closed();
        let only = |name: &str| json!({"events": [name]});
        j.subscribe(
            "/bank",
            json!({"title": "Core banking", "criteria": only("Posted"), "retry": {"delays": [1, 1, 1]}}),
        )
        .await;
        j.subscribe(
            "/crm",
            json!({"title": "Börse & Co", "criteria": only("Späßchen, 50 %"), "request": {"method": "PUT"}}),
        )
        .await;
        j.subscribe("/held", json!({"title": "Held", "criteria": only("Held"), "timeoutSeconds": 30})).await;
        j.receiver
            .replies("/bank", [Reply::status(503), Reply::reset(), Reply::status(404), Reply::status(201)]);
        j.receiver.always("/held", Reply::ok().held(&gate));

        let bank = j.api.send_one(&named("Posted", "727")).await;
        j.api.settled(&bank).await;
        let crm = j.api.send_one(&named("Späßchen, 50 %", "727")).await;
        j.api.settled(&crm).await;
        j.api.resend(&bank).await;
        j.api.after_attempts(&bank, 5).await;
        let held = j.api.send_one(&named("Held", "727")).await;
        j.api.delivery_when(&held, |delivery| delivery["attempts"][0]["outcome"] == "sending").await;

        let rows = j.api.rows("727", "").await;
        assert_eq!(rows.len(), 7);
        Self { j, rows, _gate: gate }
    }

    /// The filter shows exactly those of all rows that `wanted` picks, and picks some but not all.
    async fn shows(&self, query: &[(&str, &str)], wanted: impl Fn(&Value) -> bool) {
        let wanted: Vec<_> = self.rows.iter().filter(|row| wanted(row)).cloned().collect();
        assert!(!wanted.is_empty() && wanted.len() < self.rows.len(), "{query:?} would prove nothing");
        let shown = self.j.api.rows("727", &encoded(query)).await;
        assert_eq!(ids(&shown), ids(&wanted), "{query:?}");
    }

    async fn shows_nothing(&self, query: &[(&str, &str)]) {
        assert_eq!(self.j.api.rows("727", &encoded(query)).await, Vec::<Value>::new(), "{query:?}");
    }
}

fn encoded(query: &[(&str, &str)]) -> String {
    let pairs =
        query.iter().map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
    format!("?{}", pairs.collect::<Vec<_>>().join("&"))
}

fn written(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

#[tokio::test]
async fn each_filter_shows_exactly_the_rows_that_match() {
    let loan = Loan::with_rows_of_each_kind().await;
    let bank = loan.rows.last().expect("the first attempt").clone();

    loan.shows(&[("eventTitle", "Core banking")], |row| row["eventTitle"] == "Core banking").await;
    loan.shows(&[("eventTitle", "Börse & Co")], |row| row["eventTitle"] == "Börse & Co").await;
    loan.shows(&[("eventName", "Späßchen, 50 %")], |row| row["eventName"] == "Späßchen, 50 %").await;
    let subscription = text(&bank["subscriptionId"]);
    loan.shows(&[("subscriptionId", subscription)], |row| row["subscriptionId"] == subscription).await;
    let trace = text(&bank["traceId"]);
    loan.shows(&[("traceId", trace)], |row| row["traceId"] == trace).await;
    loan.shows(&[("method", "PUT")], |row| row["method"] == "PUT").await;
    for outcome in ["sending", "succeeded", "failed"] {
        loan.shows(&[("outcome", outcome)], |row| row["outcome"] == outcome).await;
    }
    loan.shows(&[("responseCode", "503")], |row| row["responseCode"] == 503).await;
    loan.shows(&[("responseCode", "2xx")], |row| matches!(row["responseCode"].as_u64(), Some(200..=299)))
        .await;
    loan.shows(&[("responseCode", "4xx")], |row| matches!(row["responseCode"].as_u64(), Some(400..=499)))
        .await;
    let broken = &loan.rows[loan.rows.len() - 2];
    let kind = text(&broken["error"]["kind"]);
    loan.shows(&[("error", kind)], |row| row["error"]["kind"] == kind).await;
    loan.shows(&[("attempt", "auto")], |row| row["manual"] == false).await;
    loan.shows(&[("attempt", "manual")], |row| row["manual"] == true).await;
    for number in [1, 2, 4] {
        loan.shows(&[("attempt", &number.to_string())], |row| row["attemptNumber"] == number).await;
    }
    for nothing in [
        ("eventTitle", "core banking"),
        ("eventName", "Späßchen"),
        ("subscriptionId", "00000000-0000-4000-8000-000000000000"),
        ("method", "DELETE"),
        ("outcome", "queued"),
        ("responseCode", "299"),
        ("responseCode", "3xx"),
        ("error", "template"),
        ("attempt", "24"),
        ("from", "2999-01-01T00:00:00Z"),
        ("to", "2000-01-01T00:00:00Z"),
    ] {
        loan.shows_nothing(&[nothing]).await;
    }
}

#[tokio::test]
async fn from_and_to_mean_the_time_of_sending() {
    let loan = Loan::with_rows_of_each_kind().await;
    let oldest_first: Vec<_> = loan.rows.iter().rev().map(|row| instant(&row["sentAt"])).collect();
    // The first four attempts are a second apart, so that a time between two of them is no time of one.
    let between = |place: usize| oldest_first[place] + (oldest_first[place + 1] - oldest_first[place]) / 2;
    let (from, to) = (between(0), between(2));

    loan.shows(&[("from", &written(from))], |row| instant(&row["sentAt"]) > from).await;
    loan.shows(&[("to", &written(to))], |row| instant(&row["sentAt"]) < to).await;
    let within = |row: &Value| instant(&row["sentAt"]) > from && instant(&row["sentAt"]) < to;
    loan.shows(&[("from", &written(from)), ("to", &written(to))], within).await;
    let east = from.with_timezone(&chrono::FixedOffset::east_opt(2 * 3600).expect("an offset"));
    loan.shows(&[("from", &east.to_rfc3339())], |row| instant(&row["sentAt"]) > from).await;
    loan.shows_nothing(&[("from", &written(to)), ("to", &written(from))]).await;
}

#[tokio::test]
async fn from_and_to_are_inclusive() {
    let loan = Loan::with_rows_of_each_kind().await;
    // The first four attempts are a second apart.
    let second = text(&loan.rows[loan.rows.len() - 2]["sentAt"]);
    let at = instant(&loan.rows[loan.rows.len() - 2]["sentAt"]);
    loan.shows(&[("from", second)], |row| instant(&row["sentAt"]) >= at).await;
    loan.shows(&[("to", second)], |row| instant(&row["sentAt"]) <= at).await;
    loan.shows(&[("from", second), ("to", second)], |row| instant(&row["sentAt"]) == at).await;
    let moment = chrono::TimeDelta::milliseconds(1);
    loan.shows(&[("from", &written(at + moment))], |row| instant(&row["sentAt"]) > at).await;
    loan.shows(&[("to", &written(at - moment))], |row| instant(&row["sentAt"]) < at).await;
}

#[tokio::test]
async fn a_plus_in_a_time_may_stand_bare() {
    let loan = Loan::with_rows_of_each_kind().await;
    let second = instant(&loan.rows[loan.rows.len() - 2]["sentAt"]);
    let east = second.with_timezone(&chrono::FixedOffset::east_opt(5 * 3600 + 1800).expect("an offset"));
    let bare = east.to_rfc3339_opts(SecondsFormat::Millis, false);
    assert!(bare.ends_with("+05:30"), "{bare}");
    let shown = loan.j.api.rows("727", &format!("?from={bare}&to={bare}")).await;
    let wanted: Vec<_> = loan.rows.iter().filter(|row| instant(&row["sentAt"]) == second).cloned().collect();
    assert_eq!(ids(&shown), ids(&wanted));
    let answer = loan.j.api.get("/v1/loans/727/webhooks?to=soon").await.problem(422);
    assert!(text(&answer["detail"]).contains("%2B"), "{answer}");
}

#[tokio::test]
async fn codes_that_no_standard_has_are_filtered_for_as_any() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    for status in [999, 600, 503] {
        j.receiver.replies("/hook", [Reply::status(status)]);
        j.api.settled(&j.api.send_one(&named("Posted", "727")).await).await;
    }
    for (code, shown) in [("999", 1), ("9xx", 1), ("600", 1), ("6xx", 1), ("5xx", 1), ("7xx", 0), ("998", 0)]
    {
        let rows = j.api.rows("727", &format!("?responseCode={code}")).await;
        assert_eq!(rows.len(), shown, "{code}");
    }
}

#[tokio::test]
async fn filters_combine_and_page() {
    let loan = Loan::with_rows_of_each_kind().await;
    let bank = loan.rows.last().expect("the first attempt").clone();
    let all = [
        ("eventTitle", "Core banking"),
        ("eventName", "Posted"),
        ("subscriptionId", text(&bank["subscriptionId"])),
        ("traceId", text(&bank["traceId"])),
        ("method", "POST"),
        ("outcome", "failed"),
        ("responseCode", "5xx"),
        ("attempt", "1"),
        ("from", "2000-01-01T00:00:00Z"),
        ("to", "2999-01-01T00:00:00Z"),
        ("limit", "200"),
    ];
    loan.shows(&all, |row| row["id"] == bank["id"]).await;
    loan.shows_nothing(&[("outcome", "succeeded"), ("responseCode", "503")]).await;
    loan.shows_nothing(&[("error", "connect"), ("responseCode", "503")]).await;

    let (mut found, mut next) = (Vec::new(), Some(String::new()));
    while let Some(cursor) = next {
        let page = encoded(&[("outcome", "failed"), ("attempt", "auto"), ("limit", "1")]) + &cursor;
        let page = loan.j.api.get(&format!("/v1/loans/727/webhooks{page}")).await.is(200).json();
        found.extend(page["items"].as_array().expect("items").clone());
        next = page["next"].as_str().map(|next| format!("&cursor={next}"));
    }
    let failed: Vec<_> = loan.rows.iter().filter(|row| row["outcome"] == "failed").cloned().collect();
    assert_eq!(ids(&found), ids(&failed));
}

#[tokio::test]
async fn a_filter_or_cursor_that_makes_no_sense_is_422() {
    let j = Journey::begin().await;
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
        let answer = j.api.get(&format!("/v1/loans/727/webhooks{}", encoded(&[(name, value)]))).await;
        assert_eq!(answer.status, 422, "{name}={value}: {answer:?}");
        answer.problem(422);
    }
    j.api.get("/v1/loans/727/webhooks?outcome=failed&outcome=succeeded").await.problem(422);
    j.api.get("/v1/loans/727/webhooks?eventName=%ff").await.problem(422);
}
