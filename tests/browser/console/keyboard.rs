//! The pages of all loans with the keyboard alone.

use thirtyfour::Key;

use crate::browser::Look;
use crate::harness::Journey;
use crate::scenes::{busy_tenant, sign_in};

#[tokio::test]
async fn everything_of_all_loans_can_be_done_with_the_keyboard() {
    let j = Journey::start().await;
    busy_tenant(&j).await;
    let Some(tab) = sign_in(&j, Look::WITH_SCRIPT, "/").await else { return };
    // The first stop leads past the navigation.
    tab.press(Key::Tab).await;
    assert!(tab.focus_is_on("a.skip").await);
    tab.press(Key::Enter).await;
    assert_eq!(tab.address().await.fragment(), Some("content"));
    // A picture can be skipped.
    tab.tab_to("figure a.skip").await;
    tab.press(Key::Enter).await;
    tab.press(Key::Tab).await;
    assert!(tab.focus_is_on(".numbers > summary").await, "what follows the picture");
    // The search.
    tab.go(tab.address().await.join("/subscriptions").expect("an address").as_str()).await;
    tab.tab_to("#search").await;
    tab.press("731").await;
    tab.press(Key::Enter).await;
    tab.wait_for_texts(".over", &["Loan 731"]).await;
    // The navigation, a filter and a chip.
    tab.tab_to(".sections a[href='/webhooks']").await;
    tab.press(Key::Enter).await;
    tab.wait_for_texts("h1", &["Deliveries"]).await;
    tab.tab_to(".filters > summary").await;
    tab.press(Key::Enter).await;
    tab.tab_to("#f-loanId").await;
    tab.press("731").await;
    tab.press(Key::Enter).await;
    tab.wait_for_texts("td[data-head=Loan]", &["731"]).await;
    // A bulk resend, and no further.
    tab.tab_to(".all a").await;
    tab.press(Key::Enter).await;
    tab.wait_for_text("h2", "Send 1 webhook again?").await;
    tab.tab_to(".bulk .actions a.button").await;
    tab.press(Key::Enter).await;
    tab.tab_to(".chips a").await;
    tab.press(Key::Enter).await;
    tab.wait_for_text("td[data-head=Loan]", "733").await;
    tab.close().await;
}
