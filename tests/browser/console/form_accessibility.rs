//! Accessibility of the pages of one webhook and of its form: axe-core finds nothing, and each fits its window.

use serde_json::json;

use super::accessibility::assert_fits;
use super::go;
use crate::accessibility::{assert_no_violation, axe};
use crate::browser::Look;
use crate::harness::{Journey, event, subscription_path};
use crate::scenes::sign_in;
use crate::tab::Tab;

#[tokio::test]
async fn no_page_of_a_webhook_breaks_an_accessibility_rule_in_light_or_dark_wide_or_narrow() {
    let Some(axe) = axe() else { return };
    let j = Journey::start().await;
    let settings = json!({
        "title": "Collections: 30 days past due", "description": "w".repeat(300),
        "criteria": {"trigger": "(> status-days-past-due 30)"}, "restriction": "(number? status-days-past-due)",
        "request": {
            "headers": {"X-Key": "secret"}, "payload": "{\"loan\": \"[[v('loan-id')]]\"}",
            "auth": {"type": "oauth2", "tokenUrl": "https://id.example.com/token", "clientId": "a", "clientSecret": "b"},
        },
    });
    let webhook = j.subscribe("/hook", settings).await;
    j.api.send_event(&event("727")).await;
    let page = subscription_path(&webhook).trim_start_matches("/v1").to_owned();
    for (dark, width) in [(false, 1280), (true, 1280), (false, 360), (true, 360)] {
        let Some(tab) = sign_in(&j, Look { dark, width, ..Look::WITH_SCRIPT }, "/").await else { return };
        let check = async |what: &str| {
            let named = format!("{what}, dark: {dark}, {width} wide");
            assert_no_violation(&tab, &axe, &named).await;
            assert_fits(&tab, &named).await;
        };
        for (path, what) in [("", "the page"), ("/edit", "the form"), ("/delete", "the question")] {
            go(&tab, &format!("{page}{path}")).await;
            check(what).await;
        }
        go(&tab, &page).await;
        press(&tab, "form[action$='/check'] button").await;
        tab.one("#check").await;
        check("the check of its connection").await;
        go(&tab, &format!("{page}/edit")).await;
        tab.one("#f-tryLoan").await.send_keys("727").await.expect("it is typed");
        press(&tab, "button[value=try]").await;
        tab.wait_for_text("#tried", "did not fire").await;
        check("a try-out").await;
        for (field, wrong) in [("#f-title", ""), ("#f-timeoutSeconds", "x"), ("#f-header-name-1", "Host")] {
            let field = tab.one(field).await;
            field.clear().await.expect("it is emptied");
            field.send_keys(wrong).await.expect("it is typed");
        }
        press(&tab, ".save-settings button").await;
        tab.one(".faults").await;
        check("a wrong form").await;
        j.api
            .patch(
                &subscription_path(&webhook),
                &json!({"timeoutSeconds": if dark { 20 } else { 10 }, "description": width.to_string()}),
            )
            .await
            .expect_status(200);
        press(&tab, ".save-settings button").await;
        tab.one("#conflict").await;
        check("a conflict").await;
        tab.close().await;
    }
}

/// Presses a button that may be beneath the bar of the form.
async fn press(tab: &Tab, selector: &str) {
    tab.one(selector).await;
    tab.run("document.querySelector(arguments[0]).click()", vec![selector.into()]).await;
}
