//! Refresh of the rows while an attempt is sending or due.

use serde_json::json;

use crate::browser::Look;
use crate::harness::{Gate, Journey, Reply, event, event_named, eventually, row_ids, text};
use crate::scenes::{ALL, link, open_page, sending_attempt};
use crate::tab::Tab;

#[tokio::test]
async fn a_due_retry_appears_without_a_reload() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"title": "Core banking", "retry": {"delays": [4]}})).await;
    let gate = Gate::closed();
    j.receiver.replies("/hook", [Reply::status(503), Reply::ok().held(&gate)]);
    let trace = j.api.send_one(&event("727")).await;
    j.api.delivery_after_attempts(&trace, 1).await;
    let Some(tab) = open_page(&j, Look::WITH_SCRIPT).await else { return };
    // On a slow machine the second attempt is there already; it is sending until the gate opens.
    tab.wait_for_texts("td[data-head='# Attempt Number']", &["2", "1"]).await;
    tab.run("window.stayed = true", vec![]).await;
    tab.click("tbody tr:nth-child(2) a.open").await;
    tab.wait_for_text(".facts", "Destination").await;
    let download = "a[download][href$='/response']";
    tab.run("document.querySelector(arguments[0]).focus()", vec![download.into()]).await;
    gate.open();
    tab.wait_for_text("#said", "Core banking: 200, succeeded").await;
    tab.wait_for_texts("#said bdi", &["Core banking"]).await;
    eventually("the open row shows it", async || {
        let drawn = tab.all(".life .mark.ok").await;
        (drawn.len() == 1).then_some(())
    })
    .await;
    assert!(tab.focus_is_on(download).await, "the focus is kept");
    assert_eq!(tab.run("return window.stayed", vec![]).await, true, "the page was not loaded anew");
    tab.close().await;
}

#[tokio::test]
async fn a_page_without_a_session_says_that_it_does_not_refresh() {
    let j = Journey::start().await;
    let gate = sending_attempt(&j).await;
    let Some(tab) = open_page(&j, Look::WITH_SCRIPT).await else { return };
    let session = tab.driver().get_all_cookies().await.expect("cookies").remove(0);
    // The session of another loan stays.
    let other = link(&j.api, "728", &ALL).await;
    tab.run("return fetch(arguments[0]).then((answer) => answer.status)", vec![other.into()]).await;
    tab.driver().delete_cookie(session.name).await.expect("no session of this loan");
    tab.run("document.querySelector('a.open').focus()", vec![]).await;
    tab.wait_for_text("[role=status]", "This page does not refresh any more").await;
    tab.click("#said .dismiss").await;
    assert!(tab.all("#said .notice").await.is_empty());
    assert!(tab.focus_is_on("a.open").await, "the focus is kept");
    gate.open();
    tab.close().await;
}

#[tokio::test]
async fn rows_that_no_longer_match_the_filter_are_removed() {
    let j = Journey::start().await;
    let gates = [Gate::closed(), Gate::closed()];
    let mut traces = Vec::new();
    for (path, gate) in ["/older", "/newer"].into_iter().zip(&gates) {
        j.subscribe(path, json!({"title": path, "criteria": {"events": [path]}, "timeoutSeconds": 30})).await;
        j.receiver.replies(path, [Reply::ok().held(gate)]);
        traces.push(j.api.send_one(&event_named(path, "727")).await);
        j.receiver.next_request().await;
    }
    let Some(tab) = open_page(&j, Look::WITH_SCRIPT).await else { return };
    tab.go(tab.address().await.join("?outcome=sending").expect("an address").as_str()).await;
    tab.wait_for_texts("td.title", &["/newer", "/older"]).await;
    tab.run("window.stayed = true", vec![]).await;
    gates[1].open();
    tab.wait_for_texts("td.title", &["/older"]).await;
    assert_eq!(tab.run("return window.stayed", vec![]).await, true, "the page was not loaded anew");
    gates[0].open();
    tab.wait_for_text(".empty", "No webhook matches these filters").await;
    tab.close().await;
}

#[tokio::test]
async fn more_new_rows_than_a_page_leave_no_gap() {
    let j = Journey::start().await;
    let gate = sending_attempt(&j).await;
    let Some(tab) = open_page(&j, Look::WITH_SCRIPT).await else { return };
    tab.go(tab.address().await.join("?limit=2").expect("an address").as_str()).await;
    tab.wait_for_texts("td[data-head='Response Code'] .code > span:not(.unseen)", &["Sending"]).await;
    add_three_rows_while_hidden(&j, &tab).await;
    // Exactly the newest two rows.
    wait_for_rows(&tab, &row_ids(&j.api.rows("727", "?limit=2").await)).await;
    gate.open();
    tab.close().await;
}

#[tokio::test]
async fn an_open_row_stays_until_the_viewer_asks_for_newer_rows() {
    let j = Journey::start().await;
    let gate = sending_attempt(&j).await;
    let Some(tab) = open_page(&j, Look::WITH_SCRIPT).await else { return };
    tab.go(tab.address().await.join("?limit=2").expect("an address").as_str()).await;
    tab.click("a.open").await;
    tab.wait_for_text(".facts", "Destination").await;
    add_three_rows_while_hidden(&j, &tab).await;
    tab.wait_for_text("#said", "Newer webhooks have come: show them").await;
    tab.wait_for_text(".facts", "Destination").await;
    tab.click("#said a").await;
    wait_for_rows(&tab, &row_ids(&j.api.rows("727", "?limit=2").await)).await;
    gate.open();
    tab.close().await;
}

#[tokio::test]
async fn a_page_of_200_rows_keeps_the_open_row_and_links_on_from_its_last_row() {
    let j = Journey::start().await;
    let only = |name: &str| json!({"events": [name]});
    j.subscribe("/hook", json!({"criteria": only("Posted")})).await;
    j.subscribe("/slow", json!({"criteria": only("Changed"), "timeoutSeconds": 30})).await;
    let events = vec![event_named("Posted", "727"); 100];
    for _ in 0..2 {
        j.api.send_batch(events.clone()).await;
    }
    eventually("all are sent", async || {
        (j.api.rows("727", "?limit=200&outcome=succeeded").await.len() == 200).then_some(())
    })
    .await;
    let gate = Gate::closed();
    j.receiver.replies("/slow", [Reply::ok().held(&gate)]);
    j.api.send_one(&event_named("Changed", "727")).await;
    let Some(tab) = open_page(&j, Look::WITH_SCRIPT).await else { return };
    tab.go(tab.address().await.join("?limit=200").expect("an address").as_str()).await;
    let shown = j.api.rows("727", "?limit=200").await;
    let last = text(&shown[199]["id"]);
    tab.click(&format!("#a-{last} a.open")).await;
    tab.wait_for_text(".facts", "Destination").await;
    tab.run("window.stayed = true", vec![]).await;
    hide(&tab, true).await;
    for _ in 0..3 {
        j.api.ended_delivery(&j.api.send_one(&event_named("Posted", "727")).await).await;
    }
    hide(&tab, false).await;
    let newest = j.api.rows("727", "?limit=200").await;
    let mut wanted = row_ids(&newest);
    let end = *wanted.last().expect("rows");
    wanted.push(last);
    wait_for_rows(&tab, &wanted).await;
    tab.wait_for_text(".facts", last).await;
    assert_eq!(tab.run("return window.stayed", vec![]).await, true, "the page was not loaded anew");
    let next = tab.attribute("nav a[rel=next]", "href").await;
    assert!(next.ends_with(&format!("limit=200&before={end}")), "{next}");
    gate.open();
    tab.close().await;
}

/// Adds three rows while the tab is hidden.
async fn add_three_rows_while_hidden(j: &Journey, tab: &Tab) {
    hide(tab, true).await;
    for _ in 0..3 {
        j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    }
    hide(tab, false).await;
}

/// Waits until these are the rows.
async fn wait_for_rows(tab: &Tab, wanted: &[&str]) {
    eventually("these are the rows", async || {
        let shown = "return [...document.querySelectorAll('tr[data-id]')].map((row) => row.dataset.id)";
        (tab.run(shown, vec![]).await == json!(wanted)).then_some(())
    })
    .await;
}

/// Hides the tab from the page, or shows it again.
async fn hide(tab: &Tab, hidden: bool) {
    let script = "Object.defineProperty(document, 'hidden', {value: arguments[0], configurable: true});
                  document.dispatchEvent(new Event('visibilitychange'))";
    tab.run(script, vec![hidden.into()]).await;
}
