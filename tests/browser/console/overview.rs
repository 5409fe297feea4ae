//! The overview in a browser: exact values where a column is pointed at or has the focus, and no script is needed for it.

use super::go;
use crate::browser::Look;
use crate::harness::Journey;
use crate::scenes::{counted_busy_tenant, sign_in};

/// What the picture of attempts says above its columns.
const SAYS: &str = "const seen = [...document.querySelectorAll('figure:first-of-type .says')]
    .filter((one) => getComputedStyle(one).visibility === 'visible');
    return seen.map((one) => one.textContent.trim().replace(/\\s+/g, ' '));";

async fn shows_exact_values(look: Look) {
    let j = Journey::start().await;
    counted_busy_tenant(&j).await;
    let Some(tab) = sign_in(&j, look, "/").await else { return };
    let all = tab.run(SAYS, vec![]).await;
    assert_eq!(
        all[0].as_str().expect("a text"),
        "All of them: 6 attempts4 succeeded, 1 other answers, 1 5xx"
    );
    tab.tab_to("figure:first-of-type a.skip").await;
    for _ in 0..24 {
        tab.press(thirtyfour::Key::Tab).await;
    }
    assert!(tab.focus_is_on("a.period").await);
    let one = tab.run(SAYS, vec![]).await;
    let one: Vec<_> =
        one.as_array().expect("texts").iter().map(|text| text.as_str().expect("a text")).collect();
    assert_eq!(one.len(), 1, "that of the column in place of that of all");
    assert!(one[0].contains("UTC: 6 attempts4 succeeded, 1 other answers, 1 5xx"), "{one:?}");
    tab.press(thirtyfour::Key::Enter).await;
    tab.wait_for_texts("h1", &["Deliveries"]).await;
    assert_eq!(tab.all("#deliveries tbody tr").await.len(), 7);
    go(&tab, "/").await;
    tab.click(".numbers > summary").await;
    tab.wait_for_text(".plain-table tbody tr:last-child", "UTC").await;
    // From a webhook that fails to what failed.
    tab.click(".looks a.title").await;
    tab.wait_for_texts("h1", &["Deliveries"]).await;
    tab.close().await;
}

#[tokio::test]
async fn exact_values_are_shown_with_javascript() {
    shows_exact_values(Look::WITH_SCRIPT).await;
}

#[tokio::test]
async fn exact_values_are_shown_without_javascript() {
    shows_exact_values(Look::WITHOUT_SCRIPT).await;
}
