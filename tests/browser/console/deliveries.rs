//! The story of a failure across loans: found on the overview, filtered, opened on its loan's page, resent, and watched.

use crate::browser::Look;
use crate::harness::{Journey, Reply, eventually};
use crate::scenes::{counted_busy_tenant, sign_in};

async fn recovers(look: Look) {
    let j = Journey::start().await;
    counted_busy_tenant(&j).await;
    let Some(tab) = sign_in(&j, look, "/").await else { return };
    // What is exhausted.
    tab.click(".tiles a.bad").await;
    tab.wait_for_texts("td[data-head=Loan]", &["731"]).await;
    // Why: its row on the page of the loan, and back by the search.
    tab.click("td[data-head='Trace ID'] a").await;
    tab.wait_for_texts(".over", &["Loan 731"]).await;
    tab.wait_for_text(".facts", "Destination").await;
    tab.one("#search").await.send_keys("status changed").await.expect("it is typed");
    tab.click(".search button").await;
    tab.wait_for_texts("h1", &["Deliveries"]).await;
    tab.wait_for_texts("td[data-head=Loan]", &["731", "722"]).await;
    // The filters, as a form.
    tab.click(".filters > summary").await;
    tab.click("#f-status option[value=failed]").await;
    tab.click("#filters button.primary").await;
    tab.wait_for_texts("td[data-head=Loan]", &["731"]).await;
    assert_eq!(tab.all(".chips li").await.len(), 2);
    // The receiver is back: all that match are sent again.
    j.receiver.always("/data", Reply::ok());
    tab.click(".all a").await;
    tab.wait_for_text("h2", "Send 1 webhook again?").await;
    tab.click(".bulk button.primary").await;
    if !look.script {
        eventually("the outcome", async || {
            tab.driver().refresh().await.ok()?;
            (tab.text("#job h2").await == "Done: 1 of 1 delivery").then_some(())
        })
        .await;
    }
    tab.wait_for_texts("#job h2", &["Done: 1 of 1 delivery"]).await;
    tab.click(".bulk .actions a:last-child").await;
    tab.wait_for_texts("h1", &["Deliveries"]).await;
    tab.click(".sections a[href='/subscriptions']").await;
    tab.wait_for_text("#subscriptions", "Borrower app: notices").await;
    tab.click(".who button").await;
    tab.wait_for_texts("h1", &["Sign in"]).await;
    tab.close().await;
}

#[tokio::test]
async fn a_failure_is_found_and_recovered_with_javascript() {
    recovers(Look::WITH_SCRIPT).await;
}

#[tokio::test]
async fn a_failure_is_found_and_recovered_without_javascript() {
    recovers(Look::WITHOUT_SCRIPT).await;
}
