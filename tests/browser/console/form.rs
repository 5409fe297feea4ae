//! The form of a webhook in a browser: with JavaScript and without, by the keyboard alone, and in two tabs.

use serde_json::{Value, json};
use thirtyfour::Key;

use super::go;
use crate::browser::Look;
use crate::harness::{Journey, eventually, subscription_path, text};
use crate::scenes::sign_in;

const NEW: &str = "/subscriptions/new";

/// The path of the form of a webhook.
fn edit_of(webhook: &Value) -> String {
    format!("{}/edit", subscription_path(webhook).trim_start_matches("/v1"))
}

async fn saved(j: &Journey) -> Value {
    eventually("it is saved", async || {
        j.api.get("/v1/subscriptions").await.expect_status(200).json()["items"].get(0).cloned()
    })
    .await
}

#[tokio::test]
async fn a_webhook_is_made_with_and_without_javascript() {
    for look in [Look::WITH_SCRIPT, Look::WITHOUT_SCRIPT] {
        let j = Journey::start().await;
        let Some(tab) = sign_in(&j, look, "/subscriptions").await else { return };
        tab.click("a[href='/subscriptions/new']").await;
        tab.fill("#f-title", "Core banking").await;
        tab.fill("#f-eventSearch", "autopay f").await;
        if look.script {
            tab.wait_for_texts("#picks li:not([hidden])", &["Autopay Failed"]).await;
            // Enter there sends nothing.
            tab.press(Key::Enter).await;
        } else {
            tab.press(Key::Enter).await;
            tab.wait_for_texts("#picks li", &["Autopay Failed"]).await;
        }
        tab.click("#pick-autopay-failed").await;
        tab.fill("#f-url", &j.receiver.url("/hook")).await;
        // Fields of what is not chosen are not in sight.
        assert!(!tab.all("#f-trigger").await[0].is_displayed().await.expect("it is there"));
        tab.click("label[for=f-auth-basic]").await;
        tab.fill("#f-username", "loanhook").await;
        tab.fill("#f-password", "secret").await;
        tab.fill("#f-header-name-1", "X-Second").await;
        tab.click("button[value=add-header]").await;
        tab.fill("#f-header-name-2", "X-Third").await;
        tab.fill("#f-header-value-2", "3").await;
        tab.click(".save-settings button").await;
        tab.wait_for_text("#secret code", "whsec_").await;
        let webhook = saved(&j).await;
        assert_eq!(webhook["criteria"], json!({"events": ["Autopay Failed"]}));
        assert_eq!(webhook["request"]["headers"], json!({"X-Second": "***", "X-Third": "***"}));
        assert_eq!(webhook["request"]["auth"]["username"], "loanhook");
        tab.close().await;
    }
}

#[tokio::test]
async fn a_wrong_form_is_corrected_and_tried_with_the_keyboard_alone() {
    let j = Journey::start().await;
    let Some(tab) = sign_in(&j, Look::WITH_SCRIPT, NEW).await else { return };
    tab.tab_to("#f-title").await;
    tab.press("Core").await;
    tab.press(Key::Enter).await;
    // What is wrong has the focus, and leads to its field.
    tab.wait_for_text(".faults h2", "Something is wrong").await;
    assert!(tab.focus_is_on(".faults").await);
    tab.tab_to(".faults a[href='#f-url']").await;
    tab.press(Key::Enter).await;
    assert!(tab.focus_is_on("#f-url").await, "the field has the focus");
    tab.press(j.receiver.url("/hook").as_str()).await;
    tab.tab_to("#f-auth input:checked").await;
    tab.press(Key::Down).await;
    tab.tab_to("#f-username").await;
    tab.press("loanhook").await;
    tab.tab_to("#f-tryLoan").await;
    tab.press("727").await;
    // Back to what comes before it.
    tab.run("document.querySelector('#f-criteria input').focus()", vec![]).await;
    tab.press(Key::Down).await;
    assert!(tab.focus_is_on("#f-criteria-all:checked").await);
    tab.tab_to("button[value=try]").await;
    tab.press(Key::Enter).await;
    tab.wait_for_text("#tried", "this webhook fires.").await;
    assert_eq!(tab.address().await.fragment(), Some("tried"), "what came of it is in sight");
    tab.tab_to(".save-settings button").await;
    tab.press(Key::Enter).await;
    tab.wait_for_text("#secret code", "whsec_").await;
    assert_eq!(saved(&j).await["request"]["auth"]["username"], "loanhook");
    tab.close().await;
}

#[tokio::test]
async fn two_tabs_change_one_webhook_and_neither_overwrites_the_other_unasked() {
    let j = Journey::start().await;
    let webhook = j.subscribe("/hook", json!({"title": "Core"})).await;
    let path = edit_of(&webhook);
    let Some(first) = sign_in(&j, Look::WITH_SCRIPT, &path).await else { return };
    let Some(second) = sign_in(&j, Look::WITHOUT_SCRIPT, &path).await else { return };
    for (tab, title) in [(&first, "First"), (&second, "Second")] {
        go(tab, &path).await;
        tab.fill("#f-title", title).await;
    }
    first.click(".save-settings button").await;
    first.wait_for_text("[role=status]", "The webhook is at version 2.").await;
    second.click(".save-settings button").await;
    second.wait_for_text("#conflict h2", "Somebody else changed this webhook while you did").await;
    second.wait_for_text(".differences", "First").await;
    assert_eq!(second.attribute("#f-title", "value").await, "Second", "nothing is lost");
    let now = async || text(&j.api.get(&subscription_path(&webhook)).await.json()["title"]).to_owned();
    assert_eq!(now().await, "First");
    second.click(".save-settings button").await;
    second.wait_for_text("[role=status]", "The webhook is at version 3.").await;
    assert_eq!(now().await, "Second");
    first.close().await;
    second.close().await;
}

#[tokio::test]
async fn enter_in_the_loan_of_the_try_out_tries_out_and_an_unanswered_form_can_be_sent_again() {
    for look in [Look::WITH_SCRIPT, Look::WITHOUT_SCRIPT] {
        let j = Journey::start().await;
        let webhook = j.subscribe("/hook", json!({"title": "Core"})).await;
        let Some(tab) = sign_in(&j, look, &edit_of(&webhook)).await else { return };
        tab.fill("#f-title", "Changed").await;
        tab.one("#f-tryLoan").await.send_keys("727").await.expect("it is typed");
        tab.press(Key::Enter).await;
        tab.wait_for_text("#tried", "this webhook fires.").await;
        assert!(tab.focus_is_on("#tried").await, "what came of it is in sight");
        let now = async || j.api.get(&subscription_path(&webhook)).await.json()["version"].clone();
        assert_eq!(now().await, 1, "nothing was saved");
        if look.script {
            // The browser sends nothing of what was pressed, and then shows the page again.
            let stop = "const form = document.querySelector('form.settings');
                form.addEventListener('submit', (event) => event.preventDefault(), {once: true});
                form.requestSubmit();
                window.dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}));";
            tab.run(stop, vec![]).await;
        }
        tab.click(".save-settings button").await;
        tab.wait_for_text("[role=status]", "The webhook is at version 2.").await;
        tab.close().await;
    }
}
