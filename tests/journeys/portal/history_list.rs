//! The list: its columns, filters, pages, and what it says where there is nothing.

use chrono::FixedOffset;
use serde_json::json;

use super::visitor::Page;
use super::{PAGE, viewer};
use crate::harness::request_bodies::named;
use crate::harness::{Journey, Reply, event, ids, instant, text};

#[tokio::test]
async fn it_has_seven_columns_and_a_row_an_attempt() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({"title": "Core banking", "retry": {"delays": [1]}})).await;
    j.receiver.replies("/hook", [Reply::status(503), Reply::reset()]);
    let trace = j.api.send_one(&event("727")).await;
    j.api.settled(&trace).await;
    j.api.resend(&trace).await;
    j.api.after_attempts(&trace, 3).await;
    let rows = j.api.rows("727", "").await;

    let page = viewer(&j).await.page(PAGE).await;
    assert_eq!(page.all("table").len(), 1);
    let heads =
        ["ID", "Trace ID", "Event Title", "Method", "Response Code", "Time Stamp", "# Attempt Number"];
    assert_eq!(page.texts("th"), heads);
    assert_eq!(page.rows(), ids(&rows));
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
async fn each_filter_shows_what_the_api_shows() {
    let j = Journey::begin().await;
    let only = |name: &str| json!({"events": [name]});
    let bank = json!({"title": "Core banking", "criteria": only("Posted"), "retry": {"delays": [1]}});
    j.subscribe("/bank", bank).await;
    j.subscribe("/crm", json!({"title": "Börse & Co", "criteria": only("Changed")})).await;
    j.receiver.replies("/bank", [Reply::status(503), Reply::reset()]);
    let posted = j.api.send_one(&named("Posted", "727")).await;
    j.api.settled(&posted).await;
    j.api.settled(&j.api.send_one(&named("Changed", "727")).await).await;
    j.api.resend(&posted).await;
    j.api.after_attempts(&posted, 3).await;
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
        assert_eq!(page.rows(), ids(&wanted), "{query}");
        assert_eq!(page.all(".chips a").len(), query.split('&').count(), "each is shown as set");
        // Fields of the form that were left empty change nothing.
        let page = visitor.page(&format!("{PAGE}?{query}&eventName=&method=&limit=")).await;
        assert_eq!(page.rows(), ids(&wanted), "{query}");
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
async fn times_of_filters_stay_as_they_were_asked_for() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    j.api.settled(&j.api.send_one(&event("727")).await).await;
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
async fn a_trace_id_filters_to_its_whole_story() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({"retry": {"delays": [1]}})).await;
    j.receiver.replies("/hook", [Reply::status(500)]);
    let story = j.api.send_one(&event("727")).await;
    j.api.settled(&story).await;
    j.api.settled(&j.api.send_one(&event("727")).await).await;
    let mut visitor = viewer(&j).await;
    let page = visitor.page(&format!("{PAGE}?outcome=failed")).await;
    let href = page.attribute("td[data-head='Trace ID'] a", "href");
    assert_eq!(href, format!("{PAGE}?traceId={story}"));
    let page = visitor.page(&href).await;
    assert_eq!(page.texts("td[data-head='# Attempt Number']"), ["2", "1"]);
    assert!(page.all(".filters[open]").is_empty(), "what is found is seen first");
    // A story is the loan's own.
    let elsewhere = j.api.send_one(&event("728")).await;
    j.api.settled(&elsewhere).await;
    let page = visitor.page(&format!("{PAGE}?traceId={elsewhere}")).await;
    assert_eq!(page.text("h2"), "No webhook matches these filters");
}

#[tokio::test]
async fn a_row_that_is_elsewhere_opens_with_its_story() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    for _ in 0..2 {
        j.api.settled(&j.api.send_one(&event("727")).await).await;
    }
    let rows = j.api.rows("727", "").await;
    let (id, trace) = (text(&rows[1]["id"]), text(&rows[1]["traceId"]));
    let mut visitor = viewer(&j).await;
    for query in ["limit=1", "limit=1&outcome=failed"] {
        let led = visitor.get(&format!("{PAGE}?{query}&open={id}")).await.is(303);
        assert_eq!(led.header("location"), format!("{PAGE}?limit=1&traceId={trace}&open={id}#a-{id}"));
    }
    let page = visitor.page(&format!("{PAGE}?traceId={trace}&open={id}")).await;
    assert_eq!((page.rows(), page.fact("ID")), (vec![id.to_owned()], id.to_owned()));
    // One that is not there opens nothing, and nothing was resent that is no resend.
    j.api.settled(&j.api.send_one(&event("728")).await).await;
    let other = j.api.rows("728", "").await[0]["id"].clone();
    let page = visitor.page(&format!("{PAGE}?open={}&resent={id}", text(&other))).await;
    assert!(page.all(".details").is_empty() && page.all("[role=status] .notice").is_empty());
}

#[tokio::test]
async fn a_row_opens_that_is_far_down_its_story() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({"retry": {"delays": [1]}})).await;
    j.receiver.replies("/hook", [Reply::status(503)]);
    let trace = j.api.send_one(&event("727")).await;
    let first = j.api.settled(&trace).await["attempts"][0]["id"].clone();
    let first = text(&first);
    let mut visitor = viewer(&j).await;
    let mut href = format!("{PAGE}?limit=1&outcome=succeeded&traceId={trace}&open={first}");
    // Once without the filters that it does not match, and once to where it is.
    for _ in 0..2 {
        let address = href.split('#').next().expect("an address");
        href = visitor.get(address).await.is(303).header("location").to_owned();
    }
    let page = visitor.page(href.split('#').next().expect("an address")).await;
    assert_eq!((page.rows(), page.fact("ID")), (vec![first.to_owned()], first.to_owned()));
    assert!(href.ends_with(&format!("#a-{first}")));
}

#[tokio::test]
async fn pages_are_links_that_pass_every_row_once() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({"title": "Core banking"})).await;
    for _ in 0..7 {
        j.api.settled(&j.api.send_one(&event("727")).await).await;
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
        assert_eq!(passed, ids(&wanted), "{filter}");
    }
    let page = visitor.page(&format!("{PAGE}?before={}", text(&all[6]["id"]))).await;
    assert_eq!((page.text("h2"), page.text("nav a")), ("Nothing older".into(), "Newest".into()));
}

#[tokio::test]
async fn where_there_is_nothing_it_says_why() {
    let j = Journey::begin().await;
    let mut visitor = viewer(&j).await;
    let page = visitor.page(PAGE).await;
    assert_eq!(page.text("h2"), "Nothing was sent for this loan yet");
    assert!(page.all("table").is_empty());
    j.subscribe("/hook", json!({})).await;
    j.api.settled(&j.api.send_one(&event("727")).await).await;
    let page = visitor.page(&format!("{PAGE}?outcome=failed&error=dns")).await;
    assert_eq!(page.text("h2"), "No webhook matches these filters");
    assert_eq!(page.attribute(".empty a", "href"), PAGE);
}

#[tokio::test]
async fn filters_that_are_wrong_are_named() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    j.api.settled(&j.api.send_one(&event("727")).await).await;
    let mut visitor = viewer(&j).await;
    for (query, name) in [
        ("traceId=78e7", "Trace ID"),
        ("responseCode=0xx", "Response code"),
        ("from=yesterday", "From"),
        ("limit=201", "Rows a page"),
        ("before=x", "before"),
        ("outcome=lost", "Outcome"),
    ] {
        let page = Page::of(&visitor.get(&format!("{PAGE}?{query}")).await.is(422));
        assert_eq!(page.text("[role=alert] strong"), name);
        assert_eq!(page.text("h2"), "Nothing was searched");
        assert_eq!(page.all(".filters[open]").len(), 1, "there it is corrected");
    }
}
