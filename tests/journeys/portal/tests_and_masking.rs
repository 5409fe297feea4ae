//! Marks of test sends, and masked values in the query of a destination.

use serde_json::json;

use super::visitor::Visitor;
use super::{PAGE, viewer};
use crate::harness::{Journey, event, subscription, subscription_path, text};

#[tokio::test]
async fn a_test_is_marked_in_the_list_and_in_the_open_row() {
    let j = Journey::start().await;
    let created = j.subscribe("/hook", json!({})).await;
    let real = j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    let test = format!("{}/test", subscription_path(&created));
    let accepted = j.api.post(&test, &json!({"loanId": "727"})).await.expect_status(202).json();
    let test = j.api.ended_delivery(text(&accepted["deliveries"][0]["traceId"])).await;

    let mut visitor = viewer(&j).await;
    let page = visitor.page(PAGE).await;
    assert_eq!(
        page.texts("#webhooks .title"),
        [format!("test {}", text(&created["title"])), text(&created["title"]).to_owned()]
    );
    let open = async |visitor: &mut Visitor, delivery: &serde_json::Value| {
        visitor.page(&format!("{PAGE}?open={}", text(&delivery["attempts"][0]["id"]))).await
    };
    assert_eq!(
        open(&mut visitor, &test).await.fact("Test"),
        "Sent to try the webhook out: no event of this loan"
    );
    assert!(!open(&mut visitor, &real).await.texts(".facts dt").contains(&"Test".to_owned()));
}

#[tokio::test]
async fn url_query_values_are_masked_without_the_scope_subscriptions_write() {
    const TOKEN: &str = "hush-token-4715";
    let j = Journey::start().await;
    let url = j.receiver.url(&format!("/hook?token={TOKEN}"));
    j.api.subscribe(&subscription(&url, json!({}))).await;
    let delivery = j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    let open = format!("{PAGE}?open={}", text(&delivery["attempts"][0]["id"]));
    let masked = j.receiver.url("/hook?token=***");

    let mut by_link = viewer(&j).await;
    assert_eq!(by_link.page(&open).await.fact("Destination"), masked);
    assert!(!String::from_utf8_lossy(&by_link.get(&open).await.body).contains(TOKEN));
    let resends = j.api.with_new_key("Servicer", &["history:read", "webhooks:resend"]).await;
    for (key, shown) in [(resends.key(), &masked), (j.api.key(), &url)] {
        let mut visitor = Visitor::new(&j);
        visitor.post("/sign-in", &[("loan", "727"), ("key", key)]).await.expect_status(303);
        let page = visitor.page(&open).await;
        assert_eq!(page.fact("Destination"), *shown);
        assert_eq!(page.texts(".confirm bdi"), std::slice::from_ref(shown));
    }
}
