//! The list of webhooks: title, state, what each is for, and the success of its last week.

use serde_json::json;

use super::signed_in;
use crate::across::EachKind;
use crate::flow::by_hand;
use crate::harness::{Journey, eventually};

#[tokio::test]
async fn each_webhook_has_its_state_its_success_and_the_way_to_its_deliveries() {
    let of = EachKind::new().await;
    let j = &of.j;
    let held = j
        .subscribe("/held", json!({"title": "Held", "criteria": {"trigger": "(> status-days-past-due 30)"}}))
        .await;
    by_hand(j, &held, "hold").await;
    j.subscribe("/off", json!({"title": "Off", "enabled": false, "criteria": {"events": ["*"]}})).await;
    let many = json!(["A", "B", "C", "D", "E"]);
    j.subscribe("/many", json!({"title": "Many", "criteria": {"events": many}})).await;
    let Some(mut visitor) = signed_in(j).await else { return };
    let page = eventually("all is counted", async || {
        let page = visitor.page("/subscriptions").await;
        (page.all(".sparkline").len() == 3).then_some(page)
    })
    .await;
    let column = |head: &str| page.texts(&format!("td[data-head='{head}']"));
    assert_eq!(column("Webhook"), ["Good", "Bad", "Later", "Held", "Off", "Many"]);
    let states = column("State");
    assert_eq!(states[..3], ["Enabled", "Failing", "Failing"]);
    assert!(states[3].starts_with("Held Held by journey since 20"), "{states:?}");
    assert_eq!(states[4..], ["Disabled", "Enabled"]);
    let success = column("Success in 7 days");
    assert_eq!(success[..3], ["100 % 1 of 1", "0 % 0 of 1", "0 % 0 of 2"]);
    assert_eq!(success[3..], ["no attempt"; 3]);
    let sent_for = column("Sent for");
    assert_eq!(sent_for[3..], ["(> status-days-past-due 30)", "all events", "A, B, C and 2 more"]);
    let said = page.all(".sparkline")[1].attr("aria-label").expect("a name").to_owned();
    assert_eq!(said.matches("no attempt").count(), 6, "{said}");
    assert!(said.ends_with("0 % of 1 attempts succeeded"), "{said}");
    let href = page.all("#subscriptions td.title a")[1].attr("href").expect("an address").to_owned();
    let list = visitor.page(&href).await;
    assert_eq!(list.texts("td[data-head=Loan]"), ["728"]);
}

#[tokio::test]
async fn a_tenant_without_webhooks_is_told_how_they_are_made() {
    let j = Journey::start().await;
    let Some(mut visitor) = signed_in(&j).await else { return };
    let page = visitor.page("/subscriptions").await;
    assert_eq!(page.text(".empty h2"), "There is no webhook yet");
}
