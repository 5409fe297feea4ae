//! A row whose next attempt waits although it is due: the page says for what.

use serde_json::json;

use super::{PAGE, viewer};
use crate::flow::by_hand;
use crate::harness::{Gate, Journey, Reply, event_named};

#[tokio::test]
async fn the_page_of_a_loan_says_for_what_a_webhook_waits() {
    let j = Journey::start().await;
    let held = j.subscribe("/hook", json!({"retry": {"delays": [1]}})).await;
    let gate = Gate::closed();
    j.receiver.replies("/hook", [Reply::status(500).held(&gate)]);
    let trace = j.api.send_one(&event_named("Waits", "727")).await;
    j.receiver.next_request().await;
    by_hand(&j, &held, "hold").await;
    gate.open();
    j.api.delivery_when(&trace, |delivery| delivery["waiting"]["reason"] == "hold").await;
    let mut visitor = viewer(&j).await;
    let page = visitor.page(PAGE).await;
    let cell = page.text("td[data-head=\"Response Code\"]");
    assert!(cell.contains("500") && cell.contains("waits: the webhook is held since"), "{cell}");
    let href = page.attribute("a.open", "href");
    let page = visitor.page(href.split('#').next().expect("an address")).await;
    let next = page.fact("Next automatic attempt");
    assert!(next.contains("waits: the webhook is held since"), "{next}");
}

/// What waits for its first attempt has no row yet, so its event says it.
#[tokio::test]
async fn the_page_of_a_loans_events_says_what_waits_for_an_earlier_webhook() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"title": "Core", "flow": {"order": "loan"}})).await;
    let gate = Gate::closed();
    j.receiver.replies("/hook", [Reply::ok().held(&gate)]);
    j.api.send_one(&event_named("First", "727")).await;
    let second = j.api.send_one(&event_named("Second", "727")).await;
    j.receiver.next_request().await;
    let mut visitor = viewer(&j).await;
    let verdicts = visitor.page("/loans/727/events").await.texts(".verdict");
    assert!(
        verdicts[0].starts_with("Core: fired, waits for an earlier webhook of this loan since 20"),
        "{verdicts:?}"
    );
    assert_eq!(verdicts[1], "Core: fired, pending. Show the webhook");
    gate.open();
    j.api.ended_delivery(&second).await;
    let verdicts = visitor.page("/loans/727/events").await.texts(".verdict");
    assert_eq!(verdicts, ["Core: fired, delivered. Show the webhook"; 2]);
}
