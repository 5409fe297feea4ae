//! Resend in a browser: one confirmation, a new row that appears, and the same bytes.

use serde_json::json;

use crate::browser::Look;
use crate::harness::{Gate, Journey, Reply, event, text};
use crate::scenes::{ALL, link, open_page, retried_delivery};
use crate::tab::Tab;

#[tokio::test]
async fn with_javascript_a_resend_stays_on_the_page_and_the_row_appears() {
    let j = Journey::start().await;
    let rows = retried_delivery(&j).await;
    let Some(tab) = open_page(&j, Look::WITH_SCRIPT).await else { return };
    let first = text(&rows[0]["id"]);
    tab.click(&format!("#a-{first} a.open")).await;
    tab.wait_for_text(".facts", "Manually retried").await;

    // The confirmation is opened, and cancelled.
    tab.click(".resend > summary").await;
    tab.wait_for_text("dialog", "Send exactly what was sent on ").await;
    tab.wait_for_text("dialog", &format!("again to {}?", text(&rows[0]["destination"]))).await;
    tab.click("dialog button:not(.primary)").await;
    assert!(tab.focus_is_on(".resend > summary").await, "the focus is kept");

    let gate = Gate::closed();
    j.receiver.replies("/hook", [Reply::ok().held(&gate)]);
    tab.click(".resend > summary").await;
    tab.click("dialog button.primary").await;
    tab.wait_for_texts("td[data-head='# Attempt Number']", &["manual", "2", "1"]).await;
    tab.wait_for_text("[role=status]", "Automatic retries go on as scheduled").await;
    let seen = "scrollTo(0, document.body.scrollHeight);
                const {top, bottom} = document.querySelector('#said .notice').getBoundingClientRect();
                return [scrollY > bottom - top, top >= 0 && bottom <= innerHeight]";
    assert_eq!(tab.run(seen, vec![]).await, json!([true, true]), "it is seen from wherever somebody reads");
    tab.wait_for_text("td[data-head='Response Code']", "ing").await;
    assert_eq!(tab.address().await.query(), None, "nobody left the page");
    assert!(tab.focus_is_on(".resend > summary").await, "the focus is kept");
    tab.wait_for_text(".facts", "by jane@lender.example, ").await;

    // Its end is shown without a reload.
    gate.open();
    tab.wait_for_texts("td[data-head='Response Code'] .code > span:not(.unseen)", &["200", "200", "503"])
        .await;
    tab.wait_for_text("[role=status]", "1 attempt has ended").await;
    let frozen: Vec<_> = j.receiver.requests();
    assert_eq!(frozen.len(), 3);
    assert!(frozen.iter().all(|request| request.frozen_parts() == frozen[0].frozen_parts()));
    tab.close().await;
}

#[tokio::test]
async fn without_javascript_a_resend_is_confirmed_once() {
    let j = Journey::start().await;
    let rows = retried_delivery(&j).await;
    let Some(tab) = open_page(&j, Look::WITHOUT_SCRIPT).await else { return };
    tab.click(&format!("#a-{} a.open", text(&rows[0]["id"]))).await;
    tab.click(".resend > summary").await;
    tab.wait_for_text(".confirm", "Send exactly what was sent on ").await;
    tab.click(".confirm button").await;
    tab.wait_for_text("[role=status]", "Automatic retries go on as scheduled").await;
    tab.wait_for_texts("td[data-head='# Attempt Number']", &["manual", "2", "1"]).await;
    j.api.delivery_after_attempts(text(&rows[0]["traceId"]), 3).await;
    let address = tab.address().await;
    tab.go(address.as_str()).await;
    tab.wait_for_texts("td[data-head='Response Code'] .code > span:not(.unseen)", &["200", "200", "503"])
        .await;
    tab.close().await;
}

#[tokio::test]
async fn a_session_without_the_scope_is_offered_no_resend() {
    let j = Journey::start().await;
    let rows = retried_delivery(&j).await;
    let link = link(&j.api, "727", &ALL[..1]).await;
    let Some(tab) = Tab::open(Look::WITH_SCRIPT, &link).await else { return };
    tab.click(&format!("#a-{} a.open", text(&rows[0]["id"]))).await;
    tab.wait_for_text(".open-row", "but not resend them").await;
    assert!(tab.all(".resend").await.is_empty());
    tab.close().await;
}

#[tokio::test]
async fn a_resend_after_the_session_ended_leads_to_sign_in() {
    let j = Journey::start().await;
    let rows = retried_delivery(&j).await;
    let Some(tab) = open_page(&j, Look::WITH_SCRIPT).await else { return };
    tab.click(&format!("#a-{} a.open", text(&rows[0]["id"]))).await;
    tab.one(".resend > summary").await;
    tab.driver().delete_all_cookies().await.expect("no session any more");
    tab.click(".resend > summary").await;
    tab.click("dialog button.primary").await;
    tab.wait_for_text("h1", "Sign in").await;
    assert_eq!(j.api.rows("727", "").await.len(), 2, "nothing was sent");
    tab.close().await;
}

#[tokio::test]
async fn a_resend_from_an_older_page_leads_to_the_newest_page() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    for _ in 0..3 {
        j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    }
    let rows = j.api.rows("727", "").await;
    let gate = Gate::closed();
    j.receiver.replies("/hook", [Reply::ok().held(&gate)]);
    let Some(tab) = open_page(&j, Look::WITH_SCRIPT).await else { return };
    tab.go(tab.address().await.join("?limit=2").expect("an address").as_str()).await;
    tab.click("nav a[rel=next]").await;
    tab.click(&format!("#a-{} a.open", text(&rows[2]["id"]))).await;
    tab.click(".resend > summary").await;
    tab.click("dialog button.primary").await;
    tab.wait_for_texts("td[data-head='# Attempt Number']", &["manual", "1"]).await;
    tab.wait_for_text("[role=status]", "Automatic retries go on as scheduled").await;
    assert!(tab.address().await.query_pairs().all(|(name, _)| name != "before"));
    gate.open();
    tab.wait_for_texts("td[data-head='Response Code'] .code > span:not(.unseen)", &["200", "200"]).await;
    tab.wait_for_texts("td[data-head='# Attempt Number']", &["manual", "1"]).await;
    tab.close().await;
}
