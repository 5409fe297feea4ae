//! Filters of the history of a loan, each alone and all combined.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::query_string;
use crate::harness::{Gate, Journey, Reply, event_named, instant, items_of, row_ids, text};

/// A loan with one row of each kind.
struct Loan {
    j: Journey,
    /// All rows, newest first.
    rows: Vec<Value>,
    _gate: Gate,
}

impl Loan {
    async fn with_rows_of_each_kind() -> Self {
        let j = Journey::start().await;
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

        let bank = j.api.send_one(&event_named("Posted", "727")).await;
        j.api.ended_delivery(&bank).await;
        let crm = j.api.send_one(&event_named("Späßchen, 50 %", "727")).await;
        j.api.ended_delivery(&crm).await;
        j.api.resend(&bank).await;
        j.api.delivery_after_attempts(&bank, 5).await;
        let held = j.api.send_one(&event_named("Held", "727")).await;
        j.api.delivery_when(&held, |delivery| delivery["attempts"][0]["outcome"] == "sending").await;

        let rows = j.api.rows("727", "").await;
        assert_eq!(rows.len(), 7);
        Self { j, rows, _gate: gate }
    }

    /// The filter returns exactly the rows that `wanted` picks, which are some but not all.
    async fn assert_returns(&self, query: &[(&str, &str)], wanted: impl Fn(&Value) -> bool) {
        let wanted: Vec<_> = self.rows.iter().filter(|row| wanted(row)).cloned().collect();
        assert!(!wanted.is_empty() && wanted.len() < self.rows.len(), "{query:?} would prove nothing");
        let shown = self.j.api.rows("727", &query_string(query)).await;
        assert_eq!(row_ids(&shown), row_ids(&wanted), "{query:?}");
    }

    async fn assert_returns_nothing(&self, query: &[(&str, &str)]) {
        assert_eq!(self.j.api.rows("727", &query_string(query)).await, Vec::<Value>::new(), "{query:?}");
    }
}

fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

#[tokio::test]
async fn each_filter_returns_exactly_the_matching_rows() {
    let loan = Loan::with_rows_of_each_kind().await;
    let bank = loan.rows.last().expect("the first attempt").clone();

    loan.assert_returns(&[("eventTitle", "Core banking")], |row| row["eventTitle"] == "Core banking").await;
    loan.assert_returns(&[("eventTitle", "Börse & Co")], |row| row["eventTitle"] == "Börse & Co").await;
    loan.assert_returns(&[("eventName", "Späßchen, 50 %")], |row| row["eventName"] == "Späßchen, 50 %").await;
    let subscription = text(&bank["subscriptionId"]);
    loan.assert_returns(&[("subscriptionId", subscription)], |row| row["subscriptionId"] == subscription)
        .await;
    let trace = text(&bank["traceId"]);
    loan.assert_returns(&[("traceId", trace)], |row| row["traceId"] == trace).await;
    loan.assert_returns(&[("method", "PUT")], |row| row["method"] == "PUT").await;
    for outcome in ["sending", "succeeded", "failed"] {
        loan.assert_returns(&[("outcome", outcome)], |row| row["outcome"] == outcome).await;
    }
    loan.assert_returns(&[("responseCode", "503")], |row| row["responseCode"] == 503).await;
    loan.assert_returns(&[("responseCode", "2xx")], |row| {
        matches!(row["responseCode"].as_u64(), Some(200..=299))
    })
    .await;
    loan.assert_returns(&[("responseCode", "4xx")], |row| {
        matches!(row["responseCode"].as_u64(), Some(400..=499))
    })
    .await;
    let broken = &loan.rows[loan.rows.len() - 2];
    let kind = text(&broken["error"]["kind"]);
    loan.assert_returns(&[("error", kind)], |row| row["error"]["kind"] == kind).await;
    loan.assert_returns(&[("attempt", "auto")], |row| row["manual"] == false).await;
    loan.assert_returns(&[("attempt", "manual")], |row| row["manual"] == true).await;
    for number in [1, 2, 4] {
        loan.assert_returns(&[("attempt", &number.to_string())], |row| row["attemptNumber"] == number).await;
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
        loan.assert_returns_nothing(&[nothing]).await;
    }
}

#[tokio::test]
async fn from_and_to_mean_sent_at() {
    let loan = Loan::with_rows_of_each_kind().await;
    let oldest_first: Vec<_> = loan.rows.iter().rev().map(|row| instant(&row["sentAt"])).collect();
    // The first four attempts are a second apart, so a time between two of them is not the time of any.
    let between = |place: usize| oldest_first[place] + (oldest_first[place + 1] - oldest_first[place]) / 2;
    let (from, to) = (between(0), between(2));

    loan.assert_returns(&[("from", &rfc3339(from))], |row| instant(&row["sentAt"]) > from).await;
    loan.assert_returns(&[("to", &rfc3339(to))], |row| instant(&row["sentAt"]) < to).await;
    let within = |row: &Value| instant(&row["sentAt"]) > from && instant(&row["sentAt"]) < to;
    loan.assert_returns(&[("from", &rfc3339(from)), ("to", &rfc3339(to))], within).await;
    let east = from.with_timezone(&chrono::FixedOffset::east_opt(2 * 3600).expect("an offset"));
    loan.assert_returns(&[("from", &east.to_rfc3339())], |row| instant(&row["sentAt"]) > from).await;
    loan.assert_returns_nothing(&[("from", &rfc3339(to)), ("to", &rfc3339(from))]).await;
}

#[tokio::test]
async fn from_is_inclusive_and_to_is_exclusive() {
    let loan = Loan::with_rows_of_each_kind().await;
    // The first four attempts are a second apart.
    let second = text(&loan.rows[loan.rows.len() - 2]["sentAt"]);
    let at = instant(&loan.rows[loan.rows.len() - 2]["sentAt"]);
    loan.assert_returns(&[("from", second)], |row| instant(&row["sentAt"]) >= at).await;
    loan.assert_returns(&[("to", second)], |row| instant(&row["sentAt"]) < at).await;
    loan.assert_returns_nothing(&[("from", second), ("to", second)]).await;
    let moment = chrono::TimeDelta::milliseconds(1);
    let to = rfc3339(at + moment);
    loan.assert_returns(&[("from", second), ("to", &to)], |row| instant(&row["sentAt"]) == at).await;
    loan.assert_returns(&[("from", &rfc3339(at + moment))], |row| instant(&row["sentAt"]) > at).await;
    loan.assert_returns(&[("to", &to)], |row| instant(&row["sentAt"]) <= at).await;
}

#[tokio::test]
async fn a_plus_in_a_time_may_be_unencoded() {
    let loan = Loan::with_rows_of_each_kind().await;
    let second = instant(&loan.rows[loan.rows.len() - 2]["sentAt"]);
    let east = second.with_timezone(&chrono::FixedOffset::east_opt(5 * 3600 + 1800).expect("an offset"));
    let bare = |time: DateTime<chrono::FixedOffset>| time.to_rfc3339_opts(SecondsFormat::Millis, false);
    let (from, to) = (bare(east), bare(east + chrono::TimeDelta::milliseconds(1)));
    assert!(from.ends_with("+05:30"), "{from}");
    let shown = loan.j.api.rows("727", &format!("?from={from}&to={to}")).await;
    let wanted: Vec<_> = loan.rows.iter().filter(|row| instant(&row["sentAt"]) == second).cloned().collect();
    assert_eq!(row_ids(&shown), row_ids(&wanted));
    let answer = loan.j.api.get("/v1/loans/727/webhooks?to=soon").await.expect_problem(422);
    assert!(text(&answer["detail"]).contains("%2B"), "{answer}");
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
    loan.assert_returns(&all, |row| row["id"] == bank["id"]).await;
    loan.assert_returns_nothing(&[("outcome", "succeeded"), ("responseCode", "503")]).await;
    loan.assert_returns_nothing(&[("error", "connect"), ("responseCode", "503")]).await;

    let (mut found, mut next) = (Vec::new(), Some(String::new()));
    while let Some(cursor) = next {
        let page = query_string(&[("outcome", "failed"), ("attempt", "auto"), ("limit", "1")]) + &cursor;
        let page = loan.j.api.get(&format!("/v1/loans/727/webhooks{page}")).await.expect_status(200).json();
        found.extend(items_of(&page).clone());
        next = page["next"].as_str().map(|next| format!("&cursor={next}"));
    }
    let failed: Vec<_> = loan.rows.iter().filter(|row| row["outcome"] == "failed").cloned().collect();
    assert_eq!(row_ids(&found), row_ids(&failed));
}
