//! The list of the page: its columns, filters and pages, and what an empty list says.

use chrono::FixedOffset;
use serde_json::json;

use super::visitor::Page;
use super::{PAGE, viewer};
use crate::harness::{Journey, Reply, event, event_named, instant, row_ids, text};

#[tokio::test]
async fn the_list_has_seven_columns_and_a_row_per_attempt() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"title": "Core banking", "retry": {"delays": [1]}})).await;
    j.receiver.replies("/hook", [Reply::status(503), Reply::reset()]);
    let trace = j.api.send_one(&event("727")).await;
    j.api.ended_delivery(&trace).await;
    j.api.resend(&trace).await;
    j.api.delivery_after_attempts(&trace, 3).await;
    let rows = j.api.rows("727", "").await;

    let page = viewer(&j).await.page(PAGE).await;
    assert_eq!(page.all("table").len(), 1);
    let heads =
        ["ID", "Trace ID", "Event Title", "Method", "Response Code", "Time Stamp", "# Attempt Number"];
    assert_eq!(page.texts("th"), heads);
    assert_eq!(page.rows(), row_ids(&rows));
    assert_eq!(page.all("tbody tr").len(), 3);
    let cells = |head: &str| page.texts(&format!("td[data-head='{head}']"));
    assert_eq!(cells("Event Title"), ["Core banking"; 3]);
    assert_eq!(cells("Method"), ["POST"; 3]);
    assert_eq!(cells("Response Code"), ["200, succeeded", "Broken response, failed", "503, failed"]);
    assert_eq!(cells("# Attempt Number"), ["manual", "2", "1"]);
    for (row, time) in rows.iter().zip(page.all("td[data-head='Time Stamp'] time")) {
        assert_eq!(time.attr("datetime"), row["sentAt"].as_str());
        assert!(time.attr("title").is_some_and(|title| title.ends_with(" UTC")));
    }
    for (row, id) in rows.iter().zip(page.all("td[data-head=ID] code")) {
        assert_eq!(id.attr("title"), row["id"].as_str(), "the whole ID on hover");
    }
}

#[tokio::test]
async fn each_filter_shows_the_rows_of_the_api() {
    let j = Journey::start().await;
    let only = |name: &str| json!({"events": [name]});
    let bank = json!({"title": "Core banking", "criteria": only("Posted"), "retry": {"delays": [1]}});
    j.subscribe("/bank", bank).await;
    j.subscribe("/crm", json!({"title": "Börse & Co", "criteria": only("Changed")})).await;
    j.receiver.replies("/bank", [Reply::status(503), Reply::reset()]);
    let posted = j.api.send_one(&event_named("Posted", "727")).await;
    j.api.ended_delivery(&posted).await;
    j.api.ended_delivery(&j.api.send_one(&event_named("Changed", "727")).await).await;
    j.api.resend(&posted).await;
    j.api.delivery_after_attempts(&posted, 3).await;
    let all = j.api.rows("727", "").await;
    let sent = |row: usize| text(&all[row]["sentAt"]).to_owned();

    let mut visitor = viewer(&j).await;
    for query in [
        "eventTitle=B%C3%B6rse+%26+Co".to_owned(),
        "outcome=failed".into(),
        "responseCode=5xx".into(),
        "error=protocol".into(),
        "attempt=manual".into(),
        "attempt=auto".into(),
        format!("traceId={posted}"),
        format!("from={}", sent(1)),
        format!("to={}", sent(2)),
        "outcome=failed&attempt=auto&responseCode=503".into(),
    ] {
        let wanted = j.api.rows("727", &format!("?{query}")).await;
        assert!(!wanted.is_empty() && wanted.len() < all.len(), "{query} would prove nothing");
        let page = visitor.page(&format!("{PAGE}?{query}")).await;
        assert_eq!(page.rows(), row_ids(&wanted), "{query}");
        assert_eq!(page.all(".chips a").len(), query.split('&').count(), "each is shown as set");
        // Empty fields of the form are ignored.
        let page = visitor.page(&format!("{PAGE}?{query}&eventName=&method=&limit=")).await;
        assert_eq!(page.rows(), row_ids(&wanted), "{query}");
    }
    let page = visitor.page(&format!("{PAGE}?outcome=failed")).await;
    let titles: Vec<_> =
        page.all("#titles option").iter().filter_map(|option| option.attr("value")).collect();
    assert_eq!(titles, ["Börse & Co", "Core banking"], "those seen");
    assert_eq!(page.texts(".chips bdi"), ["Failed"], "in the words of the form");
    assert_eq!(page.attribute("#f-eventTitle", "list"), "titles");
    assert_eq!(page.attribute("#f-outcome option[selected]", "value"), "failed");
}

#[tokio::test]
async fn filter_times_are_kept_as_they_were_entered() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    let sent = instant(&j.api.rows("727", "").await[0]["sentAt"]);
    let second = sent.format("%Y-%m-%dT%H:%M:%S").to_string();
    let there = sent.with_timezone(&FixedOffset::east_opt(2 * 3600).expect("a zone"));
    let there = there.format("%Y-%m-%dT%H:%M:%S%%2B02:00").to_string();
    let mut visitor = viewer(&j).await;
    // The row was sent within that second.
    let page = visitor.page(&format!("{PAGE}?from={there}&to={there}")).await;
    assert_eq!(page.rows().len(), 1);
    let field = |name: &str| page.attribute(&format!("#f-{name}"), "value");
    assert_eq!((field("from"), field("to")), (second.clone(), second));
    let page = visitor.page(&format!("{PAGE}?from=2026-11-23T10:00:00.25Z")).await;
    assert_eq!(page.attribute("#f-from", "value"), "2026-11-23T10:00:00.250");
    assert_eq!(page.attribute("#f-from", "step"), "0.001");
}

#[tokio::test]
async fn a_trace_id_filters_to_all_attempts_of_its_delivery() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"retry": {"delays": [1]}})).await;
    j.receiver.replies("/hook", [Reply::status(500)]);
    let trace = j.api.send_one(&event("727")).await;
    j.api.ended_delivery(&trace).await;
    j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    let mut visitor = viewer(&j).await;
    let page = visitor.page(&format!("{PAGE}?outcome=failed")).await;
    let href = page.attribute("td[data-head='Trace ID'] a", "href");
    assert_eq!(href, format!("{PAGE}?traceId={trace}"));
    let page = visitor.page(&href).await;
    assert_eq!(page.texts("td[data-head='# Attempt Number']"), ["2", "1"]);
    assert!(page.all(".filters[open]").is_empty(), "what is found is seen first");
    // A delivery of another loan is not shown.
    let elsewhere = j.api.send_one(&event("728")).await;
    j.api.ended_delivery(&elsewhere).await;
    let page = visitor.page(&format!("{PAGE}?traceId={elsewhere}")).await;
    assert_eq!(page.text("h2"), "No webhook matches these filters");
}

#[tokio::test]
async fn an_open_row_outside_the_page_redirects_to_its_delivery() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    for _ in 0..2 {
        j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    }
    let rows = j.api.rows("727", "").await;
    let (id, trace) = (text(&rows[1]["id"]), text(&rows[1]["traceId"]));
    let mut visitor = viewer(&j).await;
    for query in ["limit=1", "limit=1&outcome=failed"] {
        let led = visitor.get(&format!("{PAGE}?{query}&open={id}")).await.expect_status(303);
        assert_eq!(led.header("location"), format!("{PAGE}?limit=1&traceId={trace}&open={id}#a-{id}"));
    }
    let page = visitor.page(&format!("{PAGE}?traceId={trace}&open={id}")).await;
    assert_eq!((page.rows(), page.fact("ID")), (vec![id.to_owned()], id.to_owned()));
    // A row that is not there is not opened, and a row that is no resend gets no notice.
    j.api.ended_delivery(&j.api.send_one(&event("728")).await).await;
    let other = j.api.rows("728", "").await[0]["id"].clone();
    let page = visitor.page(&format!("{PAGE}?open={}&resent={id}", text(&other))).await;
    assert!(page.all(".details").is_empty() && page.all("[role=status] .notice").is_empty());
}

#[tokio::test]
async fn an_open_row_on_a_later_page_redirects_to_that_page() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"retry": {"delays": [1]}})).await;
    j.receiver.replies("/hook", [Reply::status(503)]);
    let trace = j.api.send_one(&event("727")).await;
    let first = j.api.ended_delivery(&trace).await["attempts"][0]["id"].clone();
    let first = text(&first);
    let mut visitor = viewer(&j).await;
    let mut href = format!("{PAGE}?limit=1&outcome=succeeded&traceId={trace}&open={first}");
    // One redirect drops the filters that it does not match, and one leads to its page.
    for _ in 0..2 {
        let address = href.split('#').next().expect("an address");
        href = visitor.get(address).await.expect_status(303).header("location").to_owned();
    }
    let page = visitor.page(href.split('#').next().expect("an address")).await;
    assert_eq!((page.rows(), page.fact("ID")), (vec![first.to_owned()], first.to_owned()));
    assert!(href.ends_with(&format!("#a-{first}")));
}

#[tokio::test]
async fn page_links_show_every_row_once() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"title": "Core banking"})).await;
    for _ in 0..7 {
        j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    }
    let all = j.api.rows("727", "").await;
    let mut visitor = viewer(&j).await;
    for filter in ["", "&eventTitle=Core+banking", &format!("&traceId={}", text(&all[3]["traceId"]))] {
        let wanted = j.api.rows("727", &format!("?limit=50{filter}")).await;
        let mut href = format!("{PAGE}?limit=3{filter}");
        let mut passed = Vec::new();
        loop {
            let page = visitor.page(&href).await;
            passed.extend(page.rows());
            let next = page.all("nav a[rel=next]");
            let Some(next) = next.first() else { break };
            assert_eq!(page.rows().len(), 3);
            href = next.attr("href").expect("an address").to_owned();
        }
        assert_eq!(passed, row_ids(&wanted), "{filter}");
    }
    let page = visitor.page(&format!("{PAGE}?before={}", text(&all[6]["id"]))).await;
    assert_eq!((page.text("h2"), page.text("nav.pages a")), ("Nothing older".into(), "Newest".into()));
}

#[tokio::test]
async fn an_empty_list_says_why() {
    let j = Journey::start().await;
    let mut visitor = viewer(&j).await;
    let page = visitor.page(PAGE).await;
    assert_eq!(page.text("h2"), "Nothing was sent for this loan yet");
    assert!(page.all("table").is_empty());
    j.subscribe("/hook", json!({})).await;
    j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    let page = visitor.page(&format!("{PAGE}?outcome=failed&error=dns")).await;
    assert_eq!(page.text("h2"), "No webhook matches these filters");
    assert_eq!(page.attribute(".empty a", "href"), PAGE);
}

#[tokio::test]
async fn an_invalid_filter_is_named() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    let mut visitor = viewer(&j).await;
    for (query, name) in [
        ("traceId=78e7", "Trace ID"),
        ("responseCode=0xx", "Response code"),
        ("from=yesterday", "From"),
        ("limit=201", "Rows a page"),
        ("before=x", "before"),
        ("outcome=lost", "Outcome"),
    ] {
        let page = Page::of(&visitor.get(&format!("{PAGE}?{query}")).await.expect_status(422));
        assert_eq!(page.text("[role=alert] strong"), name);
        assert_eq!(page.text("h2"), "Nothing was searched");
        assert_eq!(page.all(".filters[open]").len(), 1, "there it is corrected");
    }
}
