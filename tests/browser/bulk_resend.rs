//! Bulk resend in a browser: the question, and the outcome, which is renewed while the page is open.

use serde_json::json;

use crate::browser::Look;
use crate::harness::{Gate, Journey, Reply, event, eventually};
use crate::scenes::open_page;
use crate::tab::Tab;

/// The page of a bulk resend of the two failed webhooks of loan 727, whose receiver answers when the gate opens.
async fn begin(j: &Journey, look: Look) -> Option<(Tab, Gate)> {
    j.subscribe("/hook", json!({})).await;
    j.receiver.replies("/hook", [Reply::status(503), Reply::status(503)]);
    for _ in 0..2 {
        j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    }
    let gate = Gate::closed();
    j.receiver.always("/hook", Reply::ok().held(&gate));
    let tab = open_page(j, look).await?;
    tab.go(tab.address().await.join("?outcome=failed").expect("an address").as_str()).await;
    tab.click(".all a").await;
    tab.wait_for_texts("h2", &["Send 2 webhooks again?"]).await;
    tab.click(".bulk button.primary").await;
    tab.wait_for_texts("#job h2", &["Sending again: 0 of 2 deliveries"]).await;
    Some((tab, gate))
}

#[tokio::test]
async fn with_javascript_the_outcome_is_renewed_without_a_reload() {
    let j = Journey::start().await;
    let Some((tab, gate)) = begin(&j, Look::WITH_SCRIPT).await else { return };
    tab.run("window.stayed = true; document.querySelector('.actions a:last-child').focus()", vec![]).await;
    gate.open();
    tab.wait_for_texts("#job h2", &["Done: 2 of 2 deliveries"]).await;
    tab.wait_for_texts("#job li", &["2 arrived"]).await;
    tab.wait_for_text("[role=status]", "Done: 2 of 2 deliveries").await;
    assert_eq!(tab.run("return window.stayed", vec![]).await, true, "the page was not loaded anew");
    assert!(tab.focus_is_on(".actions a:last-child").await, "the focus is kept");
    tab.close().await;
}

#[tokio::test]
async fn without_javascript_the_outcome_is_shown_by_looking_again() {
    let j = Journey::start().await;
    let Some((tab, gate)) = begin(&j, Look::WITHOUT_SCRIPT).await else { return };
    gate.open();
    eventually("the outcome", async || {
        tab.click(".bulk .actions a").await;
        (tab.text("#job h2").await == "Done: 2 of 2 deliveries").then_some(())
    })
    .await;
    tab.wait_for_texts("#job li", &["2 arrived"]).await;
    tab.close().await;
}
