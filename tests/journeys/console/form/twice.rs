//! A form that is sent twice, by a double click or by a reload of its answer, makes one webhook.

use super::super::signed_in;
use super::filled::Filled;
use super::{NEW, form_at, good_form, only_webhook, page_of};
use crate::harness::{Journey, subscription_path};
use crate::portal::visitor::Page;

#[tokio::test]
async fn a_form_that_is_sent_twice_makes_one_webhook() {
    let j = Journey::start().await;
    let mut visitor = signed_in(&j).await;
    let filled = good_form(&j, &mut visitor).await;
    filled.press(&mut visitor, NEW, "save").await.expect_status(201);
    let again = filled.press(&mut visitor, NEW, "save").await.expect_status(303);
    let webhook = only_webhook(&j).await;
    assert_eq!(again.header("location"), format!("{}?made-before=1", page_of(&webhook)));
    let page = visitor.page(again.header("location")).await;
    assert!(page.text(".notice").starts_with("This form was sent before"), "{}", page.text(".notice"));
    assert!(page.all("#secret").is_empty(), "it is shown once");
    // Nor is it made again once it was deleted.
    j.api.delete(&subscription_path(&webhook)).await.expect_status(204);
    let page = Page::of(&filled.press(&mut visitor, NEW, "save").await.expect_status(409));
    assert_eq!(page.text("h1"), "Nothing was done");
    assert_eq!(j.api.get("/v1/subscriptions").await.json()["items"], serde_json::json!([]));
    // An empty form is another one.
    good_form(&j, &mut visitor).await.press(&mut visitor, NEW, "save").await.expect_status(201);
}

#[tokio::test]
async fn a_form_that_was_sent_and_is_then_corrected_is_shown_again_for_a_further_webhook() {
    let j = Journey::start().await;
    let mut visitor = signed_in(&j).await;
    let filled = good_form(&j, &mut visitor).await;
    filled.press(&mut visitor, NEW, "save").await.expect_status(201);
    let made = only_webhook(&j).await;
    // Back, and another title.
    let corrected = filled.clone().set("title", "Corrected");
    let page = Page::of(&corrected.press(&mut visitor, NEW, "save").await.expect_status(409));
    let why = page.text(".notice.bad");
    assert!(
        why.contains("made the webhook \u{201c}Core banking\u{201d} before, with other settings"),
        "{why}"
    );
    assert_eq!(only_webhook(&j).await, made);
    let again = Filled::of(&page);
    assert_eq!(again.get("title"), "Corrected");
    again.press(&mut visitor, NEW, "save").await.expect_status(201);
    let list = j.api.get("/v1/subscriptions").await.json();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(2), "{list}");
    filled.press(&mut visitor, NEW, "save").await.expect_status(303);
}

#[tokio::test]
async fn two_sendings_at_the_same_time_make_one_webhook() {
    let j = Journey::start().await;
    let (mut first, mut second) = (signed_in(&j).await, signed_in(&j).await);
    let filled = good_form(&j, &mut first).await;
    let (first, second) =
        tokio::join!(filled.press(&mut first, NEW, "save"), filled.press(&mut second, NEW, "save"));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 303]);
    only_webhook(&j).await;
}

#[tokio::test]
async fn nobody_chooses_the_id_of_a_webhook() {
    let j = Journey::start().await;
    let mut visitor = signed_in(&j).await;
    let filled = good_form(&j, &mut visitor).await;
    let other = form_at(&mut visitor, NEW).await;
    let signature = filled.get("once").split_once('.').expect("a signature").1.to_owned();
    let id = other.get("once").split_once('.').expect("an ID").0.to_owned();
    for once in ["", &id, &format!("{id}.{signature}"), &format!("{id}.")] {
        filled.clone().set("once", once).press(&mut visitor, NEW, "save").await.expect_status(403);
    }
    assert_eq!(j.api.get("/v1/subscriptions").await.json()["items"], serde_json::json!([]));
}
