//! Search: one thing is opened, several are listed, and nothing says what can be searched.

use serde_json::json;

use super::signed_in;
use crate::harness::{Journey, attempts_of, event_named, text};

#[tokio::test]
async fn what_is_found_alone_is_opened() {
    let j = Journey::start().await;
    let webhook = j.subscribe("/hook", json!({"title": "Core banking: payment posted"})).await;
    let trace = j.api.send_one(&event_named("Paid", "L 727")).await;
    let delivery = j.api.ended_delivery(&trace).await;
    let (event, attempt) = (text(&delivery["eventId"]), text(&attempts_of(&delivery)[0]["id"]));
    let id = text(&webhook["id"]);
    let mut visitor = signed_in(&j).await;
    for (text, place) in [
        ("L 727", "/loans/L%20727/webhooks".to_owned()),
        (" L 727 ", "/loans/L%20727/webhooks".to_owned()),
        (&*trace, format!("/loans/L%20727/webhooks?traceId={trace}&open={attempt}#a-{attempt}")),
        (event, format!("/loans/L%20727/events?open={event}#e-{event}")),
        (
            &*format!("L 727 {attempt}"),
            format!("/loans/L%20727/webhooks?traceId={trace}&open={attempt}#a-{attempt}"),
        ),
        ("PAYMENT", format!("/webhooks?subscriptionId={id}")),
        (id, format!("/webhooks?subscriptionId={id}")),
    ] {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("q", text).finish();
        let found = visitor.get(&format!("/search?{query}")).await.expect_status(303);
        assert_eq!(found.header("location"), place, "{text}");
        let page = place.split('#').next().expect("an address");
        visitor.get(page).await.expect_status(200);
    }
}

#[tokio::test]
async fn several_things_are_listed_by_their_kind() {
    let j = Journey::start().await;
    for title in ["Payments 727", "Payments 728", "Other 727"] {
        j.subscribe("/hook", json!({"title": title, "criteria": {"events": [title]}})).await;
    }
    j.api.ended_delivery(&j.api.send_one(&event_named("Payments 727", "727")).await).await;
    let mut visitor = signed_in(&j).await;
    let page = visitor.page("/search?q=727").await;
    assert_eq!(page.texts("section h2"), ["Loan", "Webhooks"]);
    assert_eq!(page.texts("section:last-of-type li a"), ["Payments 727", "Other 727"]);
    assert_eq!(page.attribute("#search", "value"), "727", "it can be changed");
    let page = visitor.page("/search?q=pay").await;
    assert_eq!(page.texts("section h2"), ["Webhooks"]);
    for link in page.all("main a") {
        visitor.get(link.attr("href").expect("an address")).await.expect_status(200);
    }
}

#[tokio::test]
async fn where_nothing_is_found_the_page_says_what_can_be_searched() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"title": "Core"})).await;
    let trace = j.api.send_one(&event_named("Paid", "727")).await;
    let attempt = text(&attempts_of(&j.api.ended_delivery(&trace).await)[0]["id"]).to_owned();
    let mut visitor = signed_in(&j).await;
    let long = "x".repeat(2000);
    for text in ["", "728", "7/2/7", "0193a207-d921-7b80-8080-00000000002f", &attempt, &long] {
        let page = visitor.page(&format!("/search?q={text}")).await;
        assert_eq!(page.text("main h2"), "What can be searched", "{text}");
        assert_eq!(page.all("main [role=status]").is_empty(), text.is_empty());
        assert_eq!(page.texts(".facts dt"), ["A loan", "A delivery", "An event", "An attempt", "A webhook"]);
    }
}
