//! Rows that refresh while something is under way or due.

use serde_json::json;

use crate::browser::Look;
use crate::harness::request_bodies::named;
use crate::harness::{Gate, Journey, Reply, event, eventually, ids, text};
use crate::scenes::{ALL, link, opened, under_way};
use crate::tab::Tab;

#[tokio::test]
async fn a_retry_that_is_due_arrives_by_itself() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({"title": "Core banking", "retry": {"delays": [4]}})).await;
    let gate = Gate::closed();
    j.receiver.replies("/hook", [Reply::status(503), Reply::ok().held(&gate)]);
    let trace = j.api.send_one(&event("727")).await;
    j.api.after_attempts(&trace, 1).await;
    let Some(tab) = opened(&j, Look::WITH_SCRIPT).await else { return };
    // Where the browser was slow the second is there already; it is under way until the gate opens.
    tab.reads("td[data-head='# Attempt Number']", &["2", "1"]).await;
    tab.run("window.stayed = true", vec![]).await;
    tab.click("tbody tr:nth-child(2) a.open").await;
    tab.says(".facts", "Destination").await;
    let download = "a[download][href$='/response']";
    tab.run("document.querySelector(arguments[0]).focus()", vec![download.into()]).await;
    gate.open();
    tab.says("#said", "Core banking: 200, succeeded").await;
    tab.reads("#said bdi", &["Core banking"]).await;
    eventually("what is open tells of it", async || {
        let drawn = tab.all(".life .mark.ok").await;
        (drawn.len() == 1).then_some(())
    })
    .await;
    assert!(tab.focus_is_on(download).await, "the focus is kept");
    assert_eq!(tab.run("return window.stayed", vec![]).await, true, "the page was not loaded anew");
    tab.close().await;
}

#[tokio::test]
async fn a_page_that_may_not_be_seen_any_more_says_that_it_does_not_refresh() {
    let j = Journey::begin().await;
    let gate = under_way(&j).await;
    let Some(tab) = opened(&j, Look::WITH_SCRIPT).await else { return };
    let session = tab.driver().get_all_cookies().await.expect("cookies").remove(0);
    // It stays signed in, to another loan.
    let other = link(&j.api, "728", &ALL).await;
    tab.run("return fetch(arguments[0]).then((answer) => answer.status)", vec![other.into()]).await;
    tab.driver().delete_cookie(session.name).await.expect("no session of this loan");
    tab.run("document.querySelector('a.open').focus()", vec![]).await;
    tab.says("[role=status]", "This page does not refresh any more").await;
    tab.click("#said .dismiss").await;
    assert!(tab.all("#said .notice").await.is_empty());
    assert!(tab.focus_is_on("a.open").await, "the focus is kept");
    gate.open();
    tab.close().await;
}

#[tokio::test]
async fn rows_that_match_no_more_go_away() {
    let j = Journey::begin().await;
    let gates = [Gate::closed(), Gate::closed()];
    let mut traces = Vec::new();
    for (path, gate) in ["/older", "/newer"].into_iter().zip(&gates) {
        j.subscribe(path, json!({"title": path, "criteria": {"events": [path]}, "timeoutSeconds": 30})).await;
        j.receiver.replies(path, [Reply::ok().held(gate)]);
        traces.push(j.api.send_one(&named(path, "727")).await);
        j.receiver.next().await;
    }
    let Some(tab) = opened(&j, Look::WITH_SCRIPT).await else { return };
    tab.go(tab.address().await.join("?outcome=sending").expect("an address").as_str()).await;
    tab.reads("td.title", &["/newer", "/older"]).await;
    tab.run("window.stayed = true", vec![]).await;
    gates[1].open();
    tab.reads("td.title", &["/older"]).await;
    assert_eq!(tab.run("return window.stayed", vec![]).await, true, "the page was not loaded anew");
    gates[0].open();
    tab.says(".empty", "No webhook matches these filters").await;
    tab.close().await;
}

#[tokio::test]
async fn where_more_came_than_a_page_nothing_is_left_out() {
    let j = Journey::begin().await;
    let gate = under_way(&j).await;
    let Some(tab) = opened(&j, Look::WITH_SCRIPT).await else { return };
    tab.go(tab.address().await.join("?limit=2").expect("an address").as_str()).await;
    tab.reads("td[data-head='Response Code'] .code > span:not(.unseen)", &["Sending"]).await;
    three_come_unseen(&j, &tab).await;
    // Nothing below them that is not next.
    shows(&tab, &ids(&j.api.rows("727", "?limit=2").await)).await;
    gate.open();
    tab.close().await;
}

#[tokio::test]
async fn where_more_came_than_a_page_what_somebody_reads_stays_until_they_say() {
    let j = Journey::begin().await;
    let gate = under_way(&j).await;
    let Some(tab) = opened(&j, Look::WITH_SCRIPT).await else { return };
    tab.go(tab.address().await.join("?limit=2").expect("an address").as_str()).await;
    tab.click("a.open").await;
    tab.says(".facts", "Destination").await;
    three_come_unseen(&j, &tab).await;
    tab.says("#said", "Newer webhooks have come: show them").await;
    tab.says(".facts", "Destination").await;
    tab.click("#said a").await;
    shows(&tab, &ids(&j.api.rows("727", "?limit=2").await)).await;
    gate.open();
    tab.close().await;
}

#[tokio::test]
async fn the_longest_page_keeps_what_is_open_and_leads_on_from_its_end() {
    let j = Journey::begin().await;
    let only = |name: &str| json!({"events": [name]});
    j.subscribe("/hook", json!({"criteria": only("Posted")})).await;
    j.subscribe("/slow", json!({"criteria": only("Changed"), "timeoutSeconds": 30})).await;
    let events = vec![named("Posted", "727"); 100];
    for _ in 0..2 {
        j.api.send_batch(events.clone()).await;
    }
    eventually("all are sent", async || {
        (j.api.rows("727", "?limit=200&outcome=succeeded").await.len() == 200).then_some(())
    })
    .await;
    let gate = Gate::closed();
    j.receiver.replies("/slow", [Reply::ok().held(&gate)]);
    j.api.send_one(&named("Changed", "727")).await;
    let Some(tab) = opened(&j, Look::WITH_SCRIPT).await else { return };
    tab.go(tab.address().await.join("?limit=200").expect("an address").as_str()).await;
    let shown = j.api.rows("727", "?limit=200").await;
    let last = text(&shown[199]["id"]);
    tab.click(&format!("#a-{last} a.open")).await;
    tab.says(".facts", "Destination").await;
    tab.run("window.stayed = true", vec![]).await;
    hide(&tab, true).await;
    for _ in 0..3 {
        j.api.settled(&j.api.send_one(&named("Posted", "727")).await).await;
    }
    hide(&tab, false).await;
    let newest = j.api.rows("727", "?limit=200").await;
    let mut wanted = ids(&newest);
    let end = *wanted.last().expect("rows");
    wanted.push(last);
    shows(&tab, &wanted).await;
    tab.says(".facts", last).await;
    assert_eq!(tab.run("return window.stayed", vec![]).await, true, "the page was not loaded anew");
    let next = tab.attribute("nav a[rel=next]", "href").await;
    assert!(next.ends_with(&format!("limit=200&before={end}")), "{next}");
    gate.open();
    tab.close().await;
}

/// While the tab is behind another.
async fn three_come_unseen(j: &Journey, tab: &Tab) {
    hide(tab, true).await;
    for _ in 0..3 {
        j.api.settled(&j.api.send_one(&event("727")).await).await;
    }
    hide(tab, false).await;
}

/// Waits until these are the rows.
async fn shows(tab: &Tab, wanted: &[&str]) {
    eventually("these are the rows", async || {
        let shown = "return [...document.querySelectorAll('tr[data-id]')].map((row) => row.dataset.id)";
        (tab.run(shown, vec![]).await == json!(wanted)).then_some(())
    })
    .await;
}

/// Puts the tab behind another, and before it again, as far as the page is told.
async fn hide(tab: &Tab, hidden: bool) {
    let script = "Object.defineProperty(document, 'hidden', {value: arguments[0], configurable: true});
                  document.dispatchEvent(new Event('visibilitychange'))";
    tab.run(script, vec![hidden.into()]).await;
}
