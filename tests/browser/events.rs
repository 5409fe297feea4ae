//! The events of a loan in a browser: from a webhook to its event and back, why it did not fire, with JavaScript and without.

use serde_json::json;

use crate::browser::Look;
use crate::harness::{Journey, event, event_named, eventually};
use crate::scenes::open_page;

async fn read_the_events(look: Look) {
    let j = Journey::start().await;
    let late =
        json!({"title": "Collections: 30 days late", "criteria": {"trigger": "(> status-days-past-due 30)"}});
    j.subscribe("/late", late).await;
    j.subscribe(
        "/bank",
        json!({"title": "Core banking", "criteria": {"events": [event("727")["eventName"]]}}),
    )
    .await;
    j.api.send_event(&event_named("Unheard", "727")).await;
    j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    let Some(tab) = open_page(&j, look).await else { return };
    tab.click("a.open").await;
    tab.wait_for_text(".facts", "Destination").await;
    tab.click(".facts a").await;
    tab.wait_for_texts("nav.tabs a[aria-current=page]", &["Events"]).await;
    tab.wait_for_texts(".event-head h2", &["Payment Posted to Account", "Unheard"]).await;
    tab.wait_for_text(
        ".verdicts",
        "did not fire: (> status-days-past-due 30) is false because status-days-past-due is 13",
    )
    .await;
    tab.wait_for_text(".payload pre", "\"status-days-past-due\": 13").await;
    tab.click(".verdicts summary").await;
    tab.wait_for_text(".verdicts pre", "trigger is false").await;
    tab.click(".event-head a[aria-label^=Close]").await;
    eventually("the event is closed", async || tab.all(".payload").await.is_empty().then_some(())).await;

    tab.click(".filters > summary").await;
    tab.one("#f-result option[value=unmatched]").await.click().await.expect("chosen");
    tab.click("#filters button.primary").await;
    tab.wait_for_texts(".event-head h2", &["Unheard"]).await;
    tab.click(".chips a").await;
    tab.wait_for_texts(".event-head h2", &["Payment Posted to Account", "Unheard"]).await;

    tab.click(".verdict a").await;
    tab.wait_for_texts("td.title", &["Core banking"]).await;
    tab.wait_for_texts("nav.tabs a[aria-current=page]", &["Webhooks"]).await;
    tab.close().await;
}

#[tokio::test]
async fn the_events_can_be_read_with_javascript() {
    read_the_events(Look::WITH_SCRIPT).await;
}

#[tokio::test]
async fn the_events_can_be_read_without_javascript() {
    read_the_events(Look::WITHOUT_SCRIPT).await;
}
