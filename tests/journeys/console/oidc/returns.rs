//! Browsers that come back otherwise than they should: nobody is signed in, a page says why, and one can begin again.

use super::{Answer, Browser, logged, provider_and_journey};
use crate::harness::{ApiResponse, eventually};
use crate::portal::visitor::{Page, Visitor};

/// The title of a page that says why nobody is signed in; it leads back to the sign-in.
#[track_caller]
fn title_of(answer: &ApiResponse) -> String {
    let page = Page::of(answer);
    assert!(page.attribute("main a", "href").starts_with("/sign-in"), "one can begin again");
    page.text("h1")
}

const CANNOT_BE_FINISHED: &str = "This sign-in cannot be finished";

#[tokio::test]
async fn a_sign_in_that_was_denied() {
    let Some((_provider, j)) = provider_and_journey().await else { return };
    let mut browser = Browser::new(&j);
    let url = browser.begin(&[("next", "/webhooks")]).await;
    let back = browser.at_provider(&url, Answer::Deny).await;
    let refused = browser.visitor.get(&back).await.expect_status(403);
    assert_eq!(title_of(&refused), "You are not signed in");
    assert_eq!(Page::of(&refused).attribute("main a", "href"), "/sign-in?next=%2Fwebhooks");
    assert!(!browser.has_session());
}

#[tokio::test]
async fn another_error_of_the_provider() {
    let Some((_provider, j)) = provider_and_journey().await else { return };
    for (error, shown) in [("invalid_scope", "invalid_scope"), ("<b>call 555 0100</b>", "unnamed")] {
        let mut browser = Browser::new(&j);
        let url = browser.begin(&[]).await;
        let state = super::parameter(&url, "state").expect("it has one");
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("state", state.as_str()),
                ("error", error),
                ("error_description", "call 555 0100"),
            ])
            .finish();
        let refused =
            browser.visitor.get(&format!("/sign-in/oidc/callback?{query}")).await.expect_status(403);
        assert_eq!(title_of(&refused), "You are not signed in");
        let text = Page::of(&refused).text("main");
        assert!(text.contains(&format!("({shown})")), "{text}");
        assert!(!text.contains("555 0100"), "what anybody can write into a link is not shown: {text}");
    }
    logged(&j, "oidc.refused", 2).await;
    let mut browser = Browser::new(&j);
    let url = browser.begin(&[]).await;
    let state = super::parameter(&url, "state").expect("it has one");
    let back = format!("/sign-in/oidc/callback?state={state}&error=temporarily_unavailable");
    let refused = browser.visitor.get(&back).await.expect_status(424);
    assert_eq!(title_of(&refused), "You cannot sign in there now");
    assert!(!j.server.output().contains("555 0100"), "{}", j.server.output());
}

#[tokio::test]
async fn a_return_counts_once_and_in_the_browser_that_began() {
    let Some((_provider, j)) = provider_and_journey().await else { return };
    let mut jane = Browser::new(&j);
    let url = jane.begin(&[]).await;
    let back = jane.at_provider(&url, Answer::SignIn("jane")).await;
    // Another browser is given her link.
    let mut foreign = Visitor::new(&j);
    assert_eq!(title_of(&foreign.get(&back).await.expect_status(400)), CANNOT_BE_FINISHED);
    assert!(!foreign.cookies.contains_key("lh-any"));
    let cookies = jane.visitor.cookies.clone();
    jane.visitor.get(&back).await.expect_status(303);
    assert_eq!(title_of(&jane.visitor.get(&back).await.expect_status(400)), CANNOT_BE_FINISHED);
    // A browser that still has the cookie is refused by the provider, which takes a code once.
    let mut again = Visitor::new(&j);
    again.cookies = cookies;
    assert_eq!(title_of(&again.get(&back).await.expect_status(400)), CANNOT_BE_FINISHED);
    assert!(!again.cookies.contains_key("lh-any"));
}

#[tokio::test]
async fn a_code_of_another_sign_in_is_refused_by_its_pkce_challenge() {
    let Some((_provider, j)) = provider_and_journey().await else { return };
    let (mut jane, mut mallory) = (Browser::new(&j), Browser::new(&j));
    let hers = jane.begin(&[]).await;
    let hers = jane.at_provider(&hers, Answer::SignIn("jane")).await;
    let hers = format!("http://a{hers}");
    let code = super::parameter(&hers, "code").expect("a code");
    let issuer = super::parameter(&hers, "iss").expect("an issuer");
    let begun = mallory.begin(&[]).await;
    let state = super::parameter(&begun, "state").expect("a state");
    let forged = format!("/sign-in/oidc/callback?code={code}&state={state}&iss={issuer}");
    assert_eq!(title_of(&mallory.visitor.get(&forged).await.expect_status(400)), CANNOT_BE_FINISHED);
    assert!(!mallory.has_session());
}

#[tokio::test]
async fn a_state_that_nobody_began_and_an_issuer_that_is_not_ours() {
    let Some((provider, j)) = provider_and_journey().await else { return };
    let mut browser = Browser::new(&j);
    for query in ["", "?code=a", "?code=a&state=made-up", "?code=a&state=0123456789abcdef0123456789abcdef"] {
        let refused = browser.visitor.get(&format!("/sign-in/oidc/callback{query}")).await.expect_status(400);
        assert_eq!(title_of(&refused), CANNOT_BE_FINISHED, "{query}");
    }
    let url = browser.begin(&[]).await;
    let back = browser.at_provider(&url, Answer::SignIn("jane")).await;
    let issuer: String = url::form_urlencoded::byte_serialize(provider.issuer.as_bytes()).collect();
    assert!(back.contains(&issuer), "the provider names itself: {back}");
    let mixed_up = back.replace(&issuer, "https%3A%2F%2Flogin.evil.example");
    assert_eq!(title_of(&browser.visitor.get(&mixed_up).await.expect_status(400)), "You are not signed in");
    // A provider that says that it names itself does so in each return.
    let url = browser.begin(&[]).await;
    let back = browser.at_provider(&url, Answer::SignIn("jane")).await;
    let unnamed = back.replace(&format!("&iss={issuer}"), "");
    assert_ne!(unnamed, back);
    assert_eq!(title_of(&browser.visitor.get(&unnamed).await.expect_status(400)), "You are not signed in");
    assert!(!browser.has_session());
    logged(&j, "oidc.wrong_issuer", 2).await;
}

#[tokio::test]
async fn one_address_begins_so_many_sign_ins_at_once() {
    let Some((_provider, j)) = provider_and_journey().await else { return };
    let mut visitor = Visitor::new(&j);
    for _ in 0..60 {
        visitor.post("/sign-in/oidc", &[]).await.expect_status(200);
    }
    eventually("too many are refused", async || {
        let answer = Visitor::new(&j).post("/sign-in/oidc", &[]).await;
        (answer.status == 429).then_some(())
    })
    .await;
}

#[tokio::test]
async fn only_a_form_of_ours_begins_a_sign_in_and_only_a_page_ends_one() {
    let Some((_provider, j)) = provider_and_journey().await else { return };
    let mut browser = Browser::new(&j);
    let from = [("sec-fetch-site", "cross-site")];
    browser.visitor.post_from("/sign-in/oidc", &[], &from).await.expect_status(403);
    let url = browser.begin(&[("next", "https://evil.example/")]).await;
    let back = browser.at_provider(&url, Answer::SignIn("jane")).await;
    browser.visitor.get_for(&back, "image").await.expect_status(404);
    let opened = browser.visitor.get(&back).await.expect_status(303);
    assert_eq!(opened.header("location"), "/?opened=1", "no other site is opened");
}

#[tokio::test]
async fn without_a_provider_there_is_nothing_of_it() {
    let Some(j) = crate::harness::Journey::on_own_process().await else { return };
    let mut visitor = Visitor::new(&j);
    assert!(visitor.page("/sign-in").await.all("form.provider").is_empty());
    visitor.post("/sign-in/oidc", &[]).await.expect_status(404);
    visitor.get("/sign-in/oidc/callback?code=a&state=b").await.expect_status(404);
}
