//! Use of the page with the keyboard alone.

use thirtyfour::Key;

use crate::browser::Look;
use crate::harness::{Journey, text};
use crate::scenes::{open_page, retried_delivery};

#[tokio::test]
async fn everything_can_be_done_with_the_keyboard() {
    let j = Journey::start().await;
    let rows = retried_delivery(&j).await;
    let Some(tab) = open_page(&j, Look::WITH_SCRIPT).await else { return };
    let row = format!("#a-{}", text(&rows[0]["id"]));

    // A filter.
    tab.tab_to(".filters > summary").await;
    tab.press(Key::Enter).await;
    tab.tab_to("#f-outcome").await;
    tab.press("f").await;
    tab.press(Key::Enter).await;
    if tab.address().await.query().is_none() {
        // Some browsers submit a form from a select, some do not.
        tab.tab_to("#filters button.primary").await;
        tab.press(Key::Enter).await;
    }
    tab.wait_for_texts("td[data-head='# Attempt Number']", &["1"]).await;
    tab.tab_to(".chips a").await;
    tab.press(Key::Enter).await;
    tab.wait_for_texts("td[data-head='# Attempt Number']", &["2", "1"]).await;

    // A row, by the space bar and by Enter.
    tab.tab_to(&format!("{row} a.open")).await;
    tab.press(" ").await;
    tab.wait_for_text(".facts", "Destination").await;
    assert!(tab.focus_is_on(&format!("{row} a.open")).await, "the focus is kept");
    tab.press(Key::Enter).await;
    crate::harness::eventually("the row is closed", async || {
        tab.all("tr.details").await.is_empty().then_some(())
    })
    .await;
    tab.press(Key::Enter).await;
    tab.wait_for_text(".facts", "Destination").await;

    // A resend: cancelled with Escape, then confirmed. A payload that scrolls can be focused.
    tab.tab_to(".resend > summary").await;
    tab.press(Key::Enter).await;
    tab.wait_for_text("dialog", "Send exactly what was sent on ").await;
    tab.press(Key::Escape).await;
    assert!(tab.focus_is_on(".resend > summary").await, "the focus is kept");
    tab.press(Key::Enter).await;
    tab.tab_to("dialog button.primary").await;
    tab.press(Key::Enter).await;
    tab.wait_for_texts("td[data-head='# Attempt Number']", &["manual", "2", "1"]).await;
    assert!(tab.focus_is_on(".resend > summary").await, "the focus is kept");
    tab.tab_to("pre").await;
    tab.close().await;
}
