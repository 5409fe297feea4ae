//! The list of webhooks: title, state, what each is for, and the success of its last week.

use serde_json::json;

use super::{signed_in, signed_in_as};
use crate::across::EachKind;
use crate::flow::by_hand;
use crate::harness::{Journey, event, eventually, subscription, subscription_path};
use crate::portal::visitor::Page;

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
    let mut visitor = signed_in(j).await;
    let counted = ["100 % 1 of 1", "0 % 0 of 1", "0 % 0 of 2"];
    let page = eventually("all is counted", async || {
        let page = visitor.page("/subscriptions").await;
        (page.texts("td[data-head='Success in 7 days']").get(..3)? == counted).then_some(page)
    })
    .await;
    let column = |head: &str| page.texts(&format!("td[data-head='{head}']"));
    let titles = page.texts("td[data-head='Webhook'] a:first-child");
    assert_eq!(titles, ["Good", "Bad", "Later", "Held", "Off", "Many"]);
    let states = column("State");
    for (state, begins) in states.iter().zip([
        "Enabled",
        "Failing",
        "Failing",
        "Held Held by journey since 20",
        "Disabled",
        "Enabled",
    ]) {
        assert!(state.starts_with(begins), "{states:?}");
    }
    let success = column("Success in 7 days");
    assert_eq!(page.all(".sparkline").len(), 3);
    assert_eq!(success[3..], ["no attempt"; 3]);
    let sent_for = column("Sent for");
    assert_eq!(sent_for[3..], ["(> status-days-past-due 30)", "all events", "A, B, C and 2 more"]);
    let said = page.all(".sparkline")[1].attr("aria-label").expect("a name").to_owned();
    assert_eq!(said.matches("no attempt").count(), 6, "{said}");
    assert!(said.ends_with("0 % of 1 attempts succeeded"), "{said}");
    let href =
        page.all("#subscriptions td.title a.next-line")[1].attr("href").expect("an address").to_owned();
    let list = visitor.page(&href).await;
    assert_eq!(list.texts("td[data-head=Loan]"), ["728"]);
}

#[tokio::test]
async fn a_webhook_is_held_and_released_by_the_forms_of_its_row() {
    let j = Journey::start().await;
    let webhook = j.subscribe("/hook", json!({"title": "Core"})).await;
    let path = subscription_path(&webhook);
    let mut visitor = signed_in(&j).await;
    for (word, action, holder) in [("Hold", "hold", json!("journey")), ("Release", "release", json!(null))] {
        let page = visitor.page("/subscriptions").await;
        assert_eq!(page.text(".hold > summary"), format!("{word} Core"));
        let form = page.attribute(".hold form", "action");
        assert!(form.ends_with(action), "{form}");
        let csrf = page.attribute(".hold input[name=csrf]", "value");
        visitor.post(&form, &[("csrf", "x")]).await.expect_status(403);
        let done = visitor.post(&form, &[("csrf", &csrf)]).await.expect_status(303);
        assert!(done.header("location").starts_with("/subscriptions#s-"));
        let now = j.api.get(&path).await.expect_status(200).json();
        assert_eq!(now["hold"]["by"], holder, "{action}");
    }
    // Another tenant has no such webhook.
    let stranger = j.other_tenant().await;
    let mut other = signed_in_as(&j, &stranger).await;
    stranger.subscribe(&subscription(&j.receiver.url("/theirs"), json!({}))).await;
    let csrf = other.page("/subscriptions").await.attribute(".hold input[name=csrf]", "value");
    let form = format!("{}/hold", path.trim_start_matches("/v1"));
    other.post(&form, &[("csrf", &csrf)]).await.expect_status(404);
}

#[tokio::test]
async fn without_the_scope_a_hold_is_not_offered_and_refused() {
    let j = Journey::start().await;
    let webhook = j.subscribe("/hook", json!({})).await;
    let reader = j.api.with_new_key("Reader", &["history:read"]).await;
    let mut visitor = signed_in_as(&j, &reader).await;
    assert!(visitor.page("/subscriptions").await.all(".hold").is_empty());
    // Each page of the viewer has the same token: that of a bulk resend would do, if the viewer might ask for one.
    let resender = j.api.with_new_key("Resender", &["history:read", "webhooks:resend"]).await;
    let mut visitor = signed_in_as(&j, &resender).await;
    j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    let question = visitor.page("/webhooks/resend-all?status=succeeded").await;
    let csrf = question.attribute(".bulk > form input[name=csrf]", "value");
    let form = format!("{}/hold", subscription_path(&webhook).trim_start_matches("/v1"));
    let refused = Page::of(&visitor.post(&form, &[("csrf", &csrf)]).await.expect_status(403));
    assert_eq!(refused.text("h1"), "You may look, but not change webhooks");
    assert!(refused.text("main p:first-of-type").contains("the scope subscriptions:write"));
    assert_eq!(j.api.get(&subscription_path(&webhook)).await.json()["hold"], json!(null));
}

#[tokio::test]
async fn a_tenant_without_webhooks_is_told_how_they_are_made() {
    let j = Journey::start().await;
    let mut visitor = signed_in(&j).await;
    let page = visitor.page("/subscriptions").await;
    assert_eq!(page.text(".empty h2"), "There is no webhook yet");
}
