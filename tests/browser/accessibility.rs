//! Accessibility: axe-core finds no violation on any page, light and dark, wide and narrow.

use std::io::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::browser::Look;
use crate::harness::{Journey, text};
use crate::scenes::{open_page, retried_delivery};
use crate::tab::Tab;

/// The rules of axe-core; none where they are not installed.
pub(crate) fn axe() -> Option<String> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/node_modules/axe-core/axe.min.js");
    let missing = format!("{} is missing: `make test-browser` installs it", file.display());
    let found = std::fs::read_to_string(file).ok();
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "{missing}");
        let _ = writeln!(std::io::stderr(), "SKIPPED: {missing}");
    }
    found
}

pub(crate) async fn assert_no_violation(tab: &Tab, axe: &str, what: &str) {
    tab.run(axe, vec![]).await;
    let script = "const done = arguments[0];
        axe.run(document, {resultTypes: ['violations']}).then(
            (found) => done(found.violations.map((one) => ({
                rule: one.id, help: one.help, where: one.nodes.map((node) => [node.html, node.failureSummary]),
            }))),
            (error) => done(String(error)));";
    let found = tab.driver().execute_async(script, vec![]).await.expect("axe runs");
    assert_eq!(found.json(), &json!([]), "{what}: {:#}", found.json());
}

#[tokio::test]
async fn no_page_breaks_an_accessibility_rule_in_light_or_dark_wide_or_narrow() {
    let Some(axe) = axe() else { return };
    let j = Journey::start().await;
    let late = json!({"title": "Late", "criteria": {"trigger": "(> status-days-past-due 30)"}});
    j.subscribe("/late", late).await;
    retried_delivery(&j).await;
    let newest = j.api.get("/v1/loans/727/events").await.json()["items"][0]["eventId"].clone();
    let open_event = format!("/loans/727/events?open={}", text(&newest));
    for (dark, width) in [(false, 1280), (true, 1280), (false, 360), (true, 360)] {
        let look = Look { dark, width, ..Look::WITH_SCRIPT };
        let Some(tab) = open_page(&j, look).await else { return };
        let named = |what: &str| format!("{what}, dark: {dark}, {width} wide");
        assert_no_violation(&tab, &axe, &named("the list")).await;
        tab.click(".filters > summary").await;
        tab.click("tbody tr:last-child a.open").await;
        tab.wait_for_text(".facts", "Destination").await;
        assert_no_violation(&tab, &axe, &named("an open row, and the filters")).await;
        let fits = tab.run("return document.documentElement.scrollWidth <= innerWidth", vec![]).await;
        assert_eq!(fits, Value::Bool(true), "it fits its window");
        tab.click(".resend > summary").await;
        tab.one("dialog").await;
        assert_no_violation(&tab, &axe, &named("the question before a resend")).await;
        let base = j.server.base_url().expect("it runs");
        for (path, what) in [
            ("/loans/727/events", "the events"),
            (&*open_event, "an open event"),
            ("/loans/727/events?result=failed", "no event"),
            ("/loans/727/webhooks?error=dns", "an empty list"),
            ("/loans/727/webhooks?limit=0", "a wrong filter"),
            ("/loans/727/webhooks?outcome=succeeded", "a list that can be resent"),
            ("/loans/727/webhooks?attempt=auto", "a list that cannot be resent at once"),
            ("/loans/727/webhooks/resend-all?outcome=succeeded", "the question before a bulk resend"),
            ("/loans/728/webhooks", "no such page"),
            ("/sign-in", "sign-in"),
            ("/sign-in?next=%2Floans%2F727%2Fwebhooks&ended=1", "a session that is over"),
            ("/sign-in?next=%2Floans%2F727%2Fwebhooks&cookieless=1", "no cookies kept"),
        ] {
            tab.go(&format!("{base}{path}")).await;
            for summary in tab.all(".verdicts summary").await {
                summary.click().await.expect("the formula is shown");
            }
            assert_no_violation(&tab, &axe, &named(what)).await;
            let fits = tab.run("return document.documentElement.scrollWidth <= innerWidth", vec![]).await;
            assert_eq!(fits, Value::Bool(true), "{what} fits its window");
        }
        // An engine without jobs offers none.
        if !j.server.is_external() {
            tab.go(&format!("{base}/loans/727/webhooks/resend-all?outcome=succeeded")).await;
            tab.click(".bulk button.primary").await;
            tab.wait_for_text("#job h2", "Done: 1 of 1 delivery").await;
            assert_no_violation(&tab, &axe, &named("the outcome of a bulk resend")).await;
            let fits = tab.run("return document.documentElement.scrollWidth <= innerWidth", vec![]).await;
            assert_eq!(fits, Value::Bool(true), "the outcome fits its window");
        }
        tab.close().await;
    }
}
