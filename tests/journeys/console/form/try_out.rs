//! The try-out: what a form would do at an event of a loan, or at a sample, before it is saved. Nothing is stored or sent.

use serde_json::json;

use super::super::signed_in;
use super::filled::Filled;
use super::{NEW, edit_of, form_at, good_form};
use crate::harness::{Journey, eventually, subscription_path};
use crate::portal::visitor::Page;

#[tokio::test]
async fn a_form_is_tried_on_the_newest_event_of_a_loan_or_on_another_that_is_chosen() {
    let j = Journey::start().await;
    for (name, days) in [("Older", 40), ("Newer", 13)] {
        let context = json!({"status-days-past-due": days, "last-payment-amount": 250.00});
        j.api.send_event(&json!({"eventName": name, "loanId": "727", "context": context})).await;
    }
    let mut visitor = signed_in(&j).await;
    let filled = good_form(&j, &mut visitor).await.with(&[
        ("criteria", "trigger"),
        ("trigger", "(> status-days-past-due 30)"),
        ("restriction", "(number? last-payment-amount)"),
        ("url", "https://core.example.com/[[v('loan-id')]]"),
        ("body", "template"),
        ("payload", "{\"days\": [[v('status-days-past-due')]]}"),
        ("header-name-0", "Authorization"),
        ("header-value-0", "Bearer typed-secret"),
        ("header-name-1", "X-Loan"),
        ("header-value-1", "loan [[v('loan-id')]]"),
        ("tryLoan", "727"),
    ]);
    let page = Page::of(&filled.press(&mut visitor, NEW, "try").await.expect_status(200));
    assert!(
        page.text("#tried")
            .contains("At the event “Newer” this webhook did not fire: its trigger was false.")
    );
    // The explanation stands beneath the formulas, the request beside the template.
    let of_trigger = page.text(".of-it .tried");
    assert!(of_trigger.contains("is false because status-days-past-due is 13"), "{of_trigger}");
    assert!(page.texts(".tried pre").iter().any(|text| text.starts_with("restriction is true")));
    let request = page.text("#tried-request pre");
    assert_eq!(
        request,
        "POST https://core.example.com/727 content-type: application/json Authorization: *** X-Loan: loan 727 {\"days\": 13}"
    );
    let again = Filled::of(&page);
    let events = page.texts("#f-tryEvent option");
    assert!(events[0].starts_with("Newer, 20") && events[1].starts_with("Older, 20"), "{events:?}");
    assert_eq!(again.get("header-value-0"), "Bearer typed-secret", "nothing is lost");

    let older = page.all("#f-tryEvent option")[1].attr("value").expect("an ID").to_owned();
    // What was chosen is tried, however many events come after it.
    for _ in 0..20 {
        j.api.send_event(&json!({"eventName": "Newest", "loanId": "727", "context": {}})).await;
    }
    let page =
        Page::of(&again.set("tryEvent", &older).press(&mut visitor, NEW, "try").await.expect_status(200));
    assert!(page.text("#f-tryEvent option[selected]").starts_with("Older, 20"));
    assert!(page.text("#tried").contains("At the event “Older” this webhook fires."));
    assert!(page.text("#tried-request pre").ends_with("{\"days\": 40}"));
    // Nothing was stored or sent.
    assert_eq!(j.api.get("/v1/subscriptions").await.json()["items"], json!([]));
    assert!(j.receiver.requests().is_empty());
}

#[tokio::test]
async fn without_an_event_the_sample_variables_of_the_catalogue_are_tried_and_can_be_changed() {
    let j = Journey::start().await;
    let mut visitor = signed_in(&j).await;
    let filled = good_form(&j, &mut visitor).await;
    let template = [("body", "template"), ("payload", "[[v('last-payment-amount')]]"), ("tryLoan", "999")];
    let filled = filled.with(&template);
    let page = Page::of(&filled.press(&mut visitor, NEW, "try").await.expect_status(200));
    assert!(page.text("#tried").contains("That loan has no event yet"));
    assert!(page.text("#tried").contains("At a sample of “Payment Posted to Account” this webhook fires."));
    assert!(page.text("#tried-request pre").ends_with("250.5"));
    let sample = Filled::of(&page);
    assert!(sample.get("tryContext").contains("\"last-payment-amount\": 250.5"));
    let changed = sample.clone().set("tryContext", "{\"last-payment-amount\": 7.00}");
    let page = Page::of(&changed.press(&mut visitor, NEW, "try").await.expect_status(200));
    assert!(page.text("#tried-request pre").ends_with("7.00"), "spelled as it was");
    // What does not render, and what is wrong.
    let page = Page::of(
        &sample.clone().set("tryContext", "{}").press(&mut visitor, NEW, "try").await.expect_status(200),
    );
    assert!(page.text("#tried-request").contains("the template of the payload does not render"));
    let page = Page::of(
        &sample.clone().set("tryContext", "{").press(&mut visitor, NEW, "try").await.expect_status(422),
    );
    assert!(page.text("#f-tryContext-fault").contains("JSON"));
    let page =
        Page::of(&sample.set("tryLoan", "a/b").press(&mut visitor, NEW, "try").await.expect_status(422));
    assert!(!page.text("#f-tryLoan-fault").is_empty());
    let wrong = filled.set("payload", "[[v(");
    let page = Page::of(&wrong.press(&mut visitor, NEW, "try").await.expect_status(422));
    assert!(!page.text("#f-payload-fault").is_empty(), "as where it is saved");
}

#[tokio::test]
async fn enter_tries_out_and_sample_variables_are_those_of_the_event_that_is_picked() {
    let j = Journey::start().await;
    let mut visitor = signed_in(&j).await;
    let page = good_form(&j, &mut visitor).await.press(&mut visitor, NEW, "enter").await.expect_status(200);
    let page = Page::of(&page);
    assert!(page.text("#tried").contains("At a sample of “Payment Posted to Account” this webhook fires."));
    let tried = Filled::of(&page);
    assert!(tried.get("tryContext").contains("last-payment-amount"));
    let other = tried.set("event", "Autopay Failed");
    let page = Page::of(&other.press(&mut visitor, NEW, "try").await.expect_status(200));
    assert!(page.text("#tried").contains("At a sample of “Autopay Failed” this webhook fires."));
    let of_other = Filled::of(&page).get("tryContext").to_owned();
    assert_ne!(of_other, other.get("tryContext"), "nobody typed those");
    // What was typed stays.
    let typed =
        Filled::of(&page).with(&[("tryContext", "{\"mine\": 1}"), ("event", "Payment Posted to Account")]);
    let page = Page::of(&typed.press(&mut visitor, NEW, "try").await.expect_status(200));
    assert_eq!(Filled::of(&page).get("tryContext"), "{\"mine\": 1}");
    assert_eq!(j.api.get("/v1/subscriptions").await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_stored_header_value_is_not_shown_by_a_try_out() {
    let j = Journey::start().await;
    let headers = json!({"X-Key": "stored-secret [[v('loan-id')]]"});
    let webhook = j.subscribe("/hook", json!({"request": {"headers": headers}})).await;
    let mut visitor = signed_in(&j).await;
    let path = edit_of(&webhook);
    let filled = form_at(&mut visitor, &path).await.set("tryLoan", "727");
    let answer = filled.press(&mut visitor, &path, "try").await.expect_status(200);
    assert!(!String::from_utf8_lossy(&answer.body).contains("stored-secret"));
    assert!(Page::of(&answer).text("#tried-request pre").contains("X-Key: ***"));
    assert_eq!(j.api.get(&subscription_path(&webhook)).await.json()["version"], 1);
}

#[tokio::test]
async fn operational_events_are_tried_on_a_sample() {
    let j = Journey::start().await;
    let mut visitor = signed_in(&j).await;
    let filled = good_form(&j, &mut visitor).await.set("criteria", "operational");
    let filled = filled.tick("operational", "job.finished");
    let page = Page::of(&filled.press(&mut visitor, NEW, "try").await.expect_status(200));
    assert!(page.text("#tried").contains("At a sample of “job.finished” this webhook fires."));
    // What is picked is saved.
    filled.press(&mut visitor, NEW, "save").await.expect_status(201);
    let saved = eventually("it is listed", async || {
        let all = j.api.get("/v1/subscriptions").await.json();
        all["items"].get(0).cloned()
    })
    .await;
    assert_eq!(saved["criteria"], json!({"operational": ["job.finished"]}));
}
