//! Events of the page: each with its verdicts in words, the open one with the reasons, and links to and from webhooks.

use serde_json::json;

use super::visitor::{Page, Visitor};
use super::{link, viewer};
use crate::harness::{Journey, Reply, event, event_named, subscription_path, text};

const EVENTS: &str = "/loans/727/events";
const LATE: &str = "Collections: 30 days late";

/// A path without the fragment, which a browser does not send.
fn sent(href: &str) -> &str {
    href.split('#').next().expect("an address")
}

/// A loan with an event that reached one receiver, was refused by another, and did not fire a third.
async fn loan_with_an_event() -> (Journey, String) {
    let j = Journey::start().await;
    j.subscribe("/late", json!({"title": LATE, "criteria": {"trigger": "(> status-days-past-due 30)"}}))
        .await;
    j.subscribe("/bank", json!({"title": "Core banking"})).await;
    j.subscribe("/crm", json!({"title": "CRM"})).await;
    j.subscribe("/off", json!({"title": "Off", "enabled": false})).await;
    j.receiver.always("/crm", Reply::status(410));
    let accepted = j.api.post("/v1/events", &event("727")).await.expect_status(202).json();
    for trace in crate::harness::trace_ids(&accepted) {
        j.api.ended_delivery(&trace).await;
    }
    (j, text(&accepted["eventId"]).to_owned())
}

#[tokio::test]
async fn each_event_is_listed_with_its_verdicts_in_words() {
    let (j, id) = loan_with_an_event().await;
    let mut visitor = viewer(&j).await;
    let webhooks = visitor.page("/loans/727/webhooks").await;
    assert_eq!(webhooks.texts("nav.tabs a"), ["Webhooks", "Events"]);
    assert_eq!(webhooks.text("nav.tabs a[aria-current=page]"), "Webhooks");
    let page = visitor.page(EVENTS).await;
    assert_eq!(
        (page.text("nav.tabs a[aria-current=page]"), page.text("h1")),
        ("Events".into(), "Events".into())
    );
    assert_eq!(page.attribute(".event", "id"), format!("e-{id}"));
    assert_eq!(page.text(".event h2"), "Payment Posted to Account");
    assert_eq!(page.text(".event-head .code"), "Failed");
    let mut verdicts = page.texts(".verdict");
    verdicts.sort();
    assert_eq!(
        verdicts,
        [
            "CRM: fired, failed. Show the webhook",
            &format!("{LATE}: did not fire: its trigger was false"),
            "Core banking: fired, delivered. Show the webhook",
            "Off: did not fire: it was disabled",
        ]
    );
}

#[tokio::test]
async fn an_open_event_says_why_and_shows_its_context() {
    let (j, id) = loan_with_an_event().await;
    let mut visitor = viewer(&j).await;
    let why = visitor.page(EVENTS).await.attribute(".event-head a", "href");
    assert_eq!(why, format!("{EVENTS}?open={id}#e-{id}"));
    let page = visitor.page(sent(&why)).await;
    assert_eq!(
        page.texts(".verdict")[0],
        format!(
            "{LATE}: did not fire: (> status-days-past-due 30) is false because status-days-past-due is 13"
        )
    );
    let formula: String = page.one(".verdicts pre").text().collect();
    assert!(
        formula.contains("trigger is false") && formula.contains("  (> status-days-past-due 30)\n"),
        "{formula}"
    );
    assert_eq!(page.fact("Event ID"), id);
    assert!(page.text(".payload pre").contains("\"status-days-past-due\": 13"));
    let file = visitor.get(&page.attribute("a[download]", "href")).await.expect_status(200);
    assert_eq!(file.json(), event("727")["context"]);
    assert!(file.header("content-disposition").starts_with("attachment; "));
    assert_eq!(file.header("x-content-type-options"), "nosniff");
    let context = format!("{EVENTS}/{id}/context");
    for (purpose, status) in [("document", 200), ("script", 404)] {
        visitor.get_for(&context, purpose).await.expect_status(status);
    }
    // The same button closes it.
    assert_eq!(page.attribute(".event-head a", "href"), format!("{EVENTS}#e-{id}"));
}

#[tokio::test]
async fn an_event_leads_to_its_webhooks_and_a_webhook_to_its_event() {
    let (j, id) = loan_with_an_event().await;
    // So many came since that the event is on a later page.
    j.api.send_batch(vec![event_named("Other", "727"); 60]).await;
    let mut visitor = viewer(&j).await;
    let alone = visitor.page(&format!("{EVENTS}?open={id}")).await;
    assert_eq!(
        (alone.attribute(".event", "id"), alone.text(".alone a")),
        (format!("e-{id}"), "Show all events".into())
    );
    let to_webhooks = alone.all(".verdict a");
    let hrefs: Vec<_> = to_webhooks.iter().filter_map(|link| link.attr("href")).collect();
    let webhook = visitor.page(hrefs[0]).await;
    let mut titles = [webhook.texts("td.title"), visitor.page(hrefs[1]).await.texts("td.title")].concat();
    titles.sort();
    assert_eq!(titles, ["CRM", "Core banking"]);
    let opened = visitor.page(sent(&webhook.attribute("a.open", "href"))).await;
    assert_eq!(opened.attribute(".facts a", "href"), format!("{EVENTS}?open={id}#e-{id}"));
}

#[tokio::test]
async fn events_are_filtered_and_paged() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"criteria": {"events": ["Posted"]}})).await;
    for name in ["Unheard", "Posted", "Unheard"] {
        for trace in j.api.send_event(&event_named(name, "727")).await {
            j.api.ended_delivery(&trace).await;
        }
    }
    let mut visitor = viewer(&j).await;
    let names = |page: &Page| page.texts(".event h2");
    for (query, found) in [
        ("?result=unmatched", vec!["Unheard", "Unheard"]),
        ("?result=delivered&eventName=Posted&from=&to=&limit=", vec!["Posted"]),
        ("?eventName=Other", vec![]),
        ("?limit=2", vec!["Unheard", "Posted"]),
    ] {
        assert_eq!(names(&visitor.page(&format!("{EVENTS}{query}")).await), found, "{query}");
    }
    let page = visitor.page(&format!("{EVENTS}?result=unmatched&limit=1")).await;
    assert_eq!(page.texts(".chips bdi"), ["No webhook"]);
    assert_eq!(page.text(".verdicts, .event > p"), "No webhook asks for events of this name.");
    let next = visitor.page(&page.attribute("nav a[rel=next]", "href")).await;
    assert_eq!((names(&next), next.all("nav a[rel=next]").len()), (vec!["Unheard".to_owned()], 0));
    assert_eq!(
        visitor.page(&format!("{EVENTS}?eventName=Other")).await.text("h2"),
        "No event matches these filters"
    );
    for (query, name) in
        [("result=lost", "Result"), ("from=soon", "From"), ("before=x", "before"), ("open=x", "open")]
    {
        let page = Page::of(&visitor.get(&format!("{EVENTS}?{query}")).await.expect_status(422));
        assert_eq!(
            (page.text("[role=alert] strong"), page.text("h2")),
            (name.into(), "Nothing was searched".into())
        );
    }
    let nothing = viewer_of(&j, "728").await.page("/loans/728/events").await;
    assert_eq!(nothing.text("h2"), "No event of this loan came yet");
}

async fn viewer_of(j: &Journey, loan: &str) -> Visitor {
    let mut viewer = Visitor::new(j);
    viewer.get(&link(&j.api, loan, json!({})).await).await.expect_status(303);
    viewer
}

#[tokio::test]
async fn a_test_is_marked() {
    let j = Journey::start().await;
    let created = j.subscribe("/hook", json!({})).await;
    j.api.send_event(&event("727")).await;
    let test = format!("{}/test", subscription_path(&created));
    j.api.post(&test, &json!({"loanId": "727"})).await.expect_status(202);
    let page = viewer(&j).await.page(EVENTS).await;
    assert_eq!(page.texts(".event h2"), ["test Test", "Payment Posted to Account"]);
}

#[tokio::test]
async fn a_session_shows_the_events_of_its_loan_alone() {
    let (j, id) = loan_with_an_event().await;
    let other =
        text(&j.api.post("/v1/events", &event("728")).await.expect_status(202).json()["eventId"]).to_owned();
    let mut visitor = viewer(&j).await;
    visitor.get("/loans/728/events").await.expect_status(404);
    visitor.get(&format!("{EVENTS}/{other}/context")).await.expect_status(404);
    let absent = visitor.page(&format!("{EVENTS}?open={other}")).await;
    assert_eq!(absent.text("h2"), "There is no such event of this loan");
    let stranger = j.other_tenant().await;
    let mut theirs = Visitor::new(&j);
    theirs.get(&link(&stranger, "727", json!({})).await).await.expect_status(303);
    assert!(theirs.page(EVENTS).await.all(".event").is_empty());
    theirs.get(&format!("{EVENTS}/{id}/context")).await.expect_status(404);
    // Without a session the sign-in leads back here.
    let signed_out = Visitor::new(&j).get(&format!("{EVENTS}?open={id}")).await.expect_status(303);
    let next = format!("/sign-in?next=%2Floans%2F727%2Fevents%3Fopen%3D{id}");
    assert_eq!(signed_out.header("location"), next);
}
