//! The page of a webhook, and its buttons.

use serde_json::json;

use super::super::{signed_in, signed_in_as};
use super::page_of;
use crate::harness::{Journey, event, eventually, subscription_path, text};
use crate::portal::visitor::Page;

#[tokio::test]
async fn the_page_shows_the_state_the_settings_and_the_success_and_no_secret() {
    let j = Journey::start().await;
    let headers = json!({"Authorization": "Bearer stored-secret"});
    let webhook = j
        .subscribe(
            "/hook",
            json!({"title": "Core", "description": "For the bank", "request": {"headers": headers}}),
        )
        .await;
    j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    let mut visitor = signed_in(&j).await;
    let page = eventually("the attempt is counted", async || {
        let page = visitor.page(&page_of(&webhook)).await;
        page.text("main").contains("100 % of the attempts of 7 days succeeded: 1 of 1.").then_some(page)
    })
    .await;
    assert_eq!(page.text("h1"), "Core");
    let settings: Vec<_> =
        page.texts(".settings-list dt").into_iter().zip(page.texts(".settings-list dd")).collect();
    for (label, value) in [
        ("Description", "For the bank"),
        ("Enabled", "Yes"),
        ("Sent for", "Every event of a loan"),
        ("Method", "POST"),
        ("URL", &*j.receiver.url("/hook")),
        ("Header Authorization", "***"),
        ("Seconds for the whole request", "15"),
        ("ID", text(&webhook["id"])),
    ] {
        assert!(settings.contains(&(label.to_owned(), value.to_owned())), "{label}: {settings:?}");
    }
    let html = visitor.get(&page_of(&webhook)).await;
    let html = String::from_utf8_lossy(&html.body);
    assert!(!html.contains("stored-secret") && !html.contains("whsec_"));
    for link in ["/edit", "/versions", "/delete"] {
        let href = format!("{}{link}", page_of(&webhook));
        assert_eq!(page.all(&format!("main a[href='{href}']")).len(), 1, "{href}");
    }
    assert_eq!(
        page.all(&format!("main a[href='/webhooks?subscriptionId={}']", text(&webhook["id"]))).len(),
        1
    );
    visitor.get("/subscriptions/nothing").await.expect_status(404);
    visitor.get(&format!("{}/nothing", page_of(&webhook))).await.expect_status(404);
}

#[tokio::test]
async fn a_test_is_sent_to_a_loan_and_shown_among_its_webhooks() {
    let j = Journey::start().await;
    let webhook = j.subscribe("/hook", json!({"enabled": false})).await;
    let mut visitor = signed_in(&j).await;
    let path = page_of(&webhook);
    let csrf = visitor.page(&path).await.attribute("form[action$='/test'] input[name=csrf]", "value");
    let test = format!("{path}/test");
    let wrong = visitor.post(&test, &[("csrf", &csrf), ("tryLoan", "a/b")]).await.expect_status(422);
    let wrong = Page::of(&wrong);
    assert!(!wrong.text("#f-tryLoan-fault").is_empty());
    assert_eq!(wrong.attribute("#f-tryLoan", "value"), "a/b", "it can be corrected");
    assert_eq!(wrong.text(".faults h2"), "Something is wrong, and nothing was sent");
    let sent = visitor.post(&test, &[("csrf", &csrf), ("tryLoan", "727")]).await.expect_status(303);
    let list = sent.header("location").to_owned();
    assert!(list.starts_with("/loans/727/webhooks?traceId="), "{list}");
    let received = j.receiver.next_request().await;
    assert_eq!(received.header("loanhook-test"), Some("1"));
    let page = visitor.page(&list).await;
    assert_eq!(page.rows().len(), 1);
}

#[tokio::test]
async fn a_test_has_the_sample_variables_of_the_event() {
    let j = Journey::start().await;
    let request = json!({"url": j.receiver.url("/hook"), "payload": "[[v('last-payment-amount')]]"});
    let events = json!({"events": ["Payment Posted to Account"]});
    let webhook = j.subscribe("/hook", json!({"criteria": events, "request": request})).await;
    let mut visitor = signed_in(&j).await;
    let path = page_of(&webhook);
    let csrf = visitor.page(&path).await.attribute("form[action$='/test'] input[name=csrf]", "value");
    let fields = [("csrf", &*csrf), ("tryLoan", "727")];
    visitor.post(&format!("{path}/test"), &fields).await.expect_status(303);
    assert_eq!(j.receiver.next_request().await.body, b"250.5");
}

#[tokio::test]
async fn a_formula_or_a_template_with_a_url_in_it_is_shown_whole_to_a_reader() {
    let j = Journey::start().await;
    let trigger = "(= page \"https://a.example/?b=c\")";
    let request =
        json!({"url": j.receiver.url("/hook?token=s3cret"), "payload": "\"https://a.example/?d=e\""});
    let webhook = j.subscribe("/hook", json!({"criteria": {"trigger": trigger}, "request": request})).await;
    let reader = j.api.with_new_key("Reader", &["history:read"]).await;
    let shown = signed_in_as(&j, &reader).await.page(&page_of(&webhook)).await.text("main");
    assert!(shown.contains(trigger) && shown.contains("https://a.example/?d=e"), "{shown}");
    assert!(shown.contains("token=***") && !shown.contains("s3cret"), "{shown}");
}

#[tokio::test]
async fn a_new_secret_is_shown_once_with_the_end_of_the_one_before() {
    let j = Journey::start().await;
    let webhook = j.subscribe("/hook", json!({})).await;
    let mut visitor = signed_in(&j).await;
    let path = page_of(&webhook);
    let page = visitor.page(&path).await;
    let field =
        |name: &str| page.attribute(&format!("form[action$='/rotate-secret'] input[name={name}]"), "value");
    let (csrf, version) = (field("csrf"), field("version"));
    let (form, fields) = (format!("{path}/rotate-secret"), [("csrf", &*csrf), ("version", &*version)]);
    let rotated = visitor.post(&form, &fields).await.expect_status(200);
    // Sent again, it would end the secret that the receiver has.
    let again = Page::of(&visitor.post(&form, &fields).await.expect_status(409));
    assert!(again.text("main p").starts_with("It was rotated just now"), "{}", again.text("main"));
    assert_eq!(j.api.get(&subscription_path(&webhook)).await.json()["version"], 2);
    assert_eq!(rotated.header("cache-control"), "no-store");
    let page = Page::of(&rotated);
    let secret = page.text("#secret code");
    assert!(secret.starts_with("whsec_"));
    assert!(page.text(".notice").contains("until 20"), "{}", page.text(".notice"));
    assert!(visitor.page(&path).await.all("#secret").is_empty(), "once");
    j.api.send_one(&event("727")).await;
    let received = j.receiver.next_request().await;
    assert!(received.is_signed_with(&secret));
    assert!(received.is_signed_with(text(&webhook["signingSecret"])), "the one before signs too");
}

#[tokio::test]
async fn a_connection_is_checked_step_by_step() {
    let j = Journey::start().await;
    let webhook = j.subscribe("/hook", json!({})).await;
    let mut visitor = signed_in(&j).await;
    let path = page_of(&webhook);
    let csrf = visitor.page(&path).await.attribute("form[action$='/check'] input[name=csrf]", "value");
    let page = Page::of(&visitor.post(&format!("{path}/check"), &[("csrf", &csrf)]).await.expect_status(200));
    assert_eq!(page.text("#check h2"), "A request could leave");
    assert!(page.texts("#check .code").contains(&"Connection".to_owned()));
    assert!(j.receiver.requests().is_empty(), "nothing was sent");
}

#[tokio::test]
async fn a_webhook_is_held_from_its_page_and_deleted_after_a_question() {
    let j = Journey::start().await;
    let webhook = j.subscribe("/hook", json!({"title": "Core"})).await;
    let api = subscription_path(&webhook);
    let mut visitor = signed_in(&j).await;
    let path = page_of(&webhook);
    for by in [json!("journey"), json!(null)] {
        let page = visitor.page(&path).await;
        let csrf = page.attribute("form:has([name=from]) [name=csrf]", "value");
        let action = page.attribute("form:has([name=from])", "action");
        let done = visitor.post(&action, &[("csrf", &csrf), ("from", "webhook")]).await.expect_status(303);
        assert_eq!(done.header("location"), path);
        assert_eq!(j.api.get(&api).await.json()["hold"]["by"], by);
    }
    let delete = format!("{path}/delete");
    let question = visitor.page(&delete).await;
    assert!(question.text("#deletion").contains("Core"));
    let csrf = question.attribute("#deletion [name=csrf]", "value");
    // Another changes it meanwhile: what was asked is not what is there.
    j.api.patch(&api, &json!({"title": "Changed"})).await.expect_status(200);
    visitor.post(&delete, &[("csrf", &csrf), ("version", "1")]).await.expect_status(409);
    j.api.get(&api).await.expect_status(200);
    let deleted = visitor.post(&delete, &[("csrf", &csrf), ("version", "2")]).await.expect_status(303);
    assert_eq!(deleted.header("location"), "/subscriptions");
    j.api.get(&api).await.expect_problem(404);
    visitor.get(&path).await.expect_status(404);
    // Who may only read sees the list without it.
    let reader = j.api.with_new_key("Reader", &["history:read"]).await;
    let mut visitor = signed_in_as(&j, &reader).await;
    assert!(visitor.page("/subscriptions").await.all("#subscriptions").is_empty());
}

#[tokio::test]
async fn a_formula_that_failed_on_an_event_is_told_with_its_place() {
    let j = Journey::start().await;
    let webhook = j.subscribe("/hook", json!({"criteria": {"trigger": "(+ 1 loan-display-id)"}})).await;
    let mut visitor = signed_in(&j).await;
    assert!(visitor.page(&page_of(&webhook)).await.all(".notice").is_empty());
    j.api.send_event(&event("727")).await;
    let page = eventually("the failure is noted", async || {
        let page = visitor.page(&page_of(&webhook)).await;
        (page.all(".notice").len() == 1).then_some(page)
    })
    .await;
    let said = page.text(".notice");
    assert!(
        said.starts_with("A formula failed on 1 event. The last: the trigger of version 1, 20"),
        "{said}"
    );
    assert!(said.contains("line 1, column"), "{said}");
}
