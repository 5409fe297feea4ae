//! Sessions in one browser: several at once, and none after signing out.

use crate::browser::Look;
use crate::harness::{Journey, eventually};
use crate::scenes::{ALL, link, open_page, retried_delivery, sending_attempt};

#[tokio::test]
async fn after_signing_out_going_back_shows_nothing_of_the_loan() {
    let j = Journey::start().await;
    retried_delivery(&j).await;
    let Some(tab) = open_page(&j, Look::WITH_SCRIPT).await else { return };
    tab.one("#webhooks").await;
    tab.click(".who button").await;
    tab.wait_for_text("h1", "Sign in").await;
    assert_eq!(tab.address().await.query(), None);
    // The driver's own `back` waits for a page that is not loaded.
    tab.run("history.back()", vec![]).await;
    eventually("the loan asks to sign in", async || {
        let address = tab.address().await;
        (address.path() == "/sign-in" && address.query().is_some()).then_some(())
    })
    .await;
    tab.wait_for_text("h1", "Sign in").await;
    assert!(tab.all("#webhooks").await.is_empty());
    tab.close().await;
}

#[tokio::test]
async fn a_page_stops_refreshing_where_another_tenants_session_for_its_loan_was_opened() {
    let j = Journey::start().await;
    let gate = sending_attempt(&j).await;
    let Some(tab) = open_page(&j, Look::WITH_SCRIPT).await else { return };
    tab.run("window.stayed = true", vec![]).await;
    let theirs = link(&j.other_tenant().await, "727", &ALL).await;
    tab.run("return fetch(arguments[0]).then((answer) => answer.status)", vec![theirs.into()]).await;
    tab.wait_for_text("[role=status]", "Another session for this loan was opened in this browser").await;
    assert_eq!(tab.run("return window.stayed", vec![]).await, true, "the page was not loaded anew");
    assert_eq!(tab.all("tr[data-id]").await.len(), 1, "what was seen stays");
    gate.open();
    tab.close().await;
}
