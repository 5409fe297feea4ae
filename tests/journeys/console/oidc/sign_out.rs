//! Sign-out: here, and at the provider.

use super::{Browser, parameter, provider_and_journey, sent_to};
use crate::console::form::filled::Filled;
use crate::console::form::good_form;
use crate::console::signed_in;
use crate::portal::visitor::Page;

#[tokio::test]
async fn a_sign_out_ends_the_session_and_leads_to_the_provider() {
    let Some((provider, j)) = provider_and_journey().await else { return };
    let mut jane = Browser::new(&j);
    jane.sign_in("jane", "/").await.expect_status(303);
    let cookies = jane.visitor.cookies.clone();
    let signed_out = jane.visitor.post("/sign-out", &[]).await.expect_status(200);
    assert!(!jane.has_session());
    let url = sent_to(&signed_out);
    assert!(url.starts_with(&format!("{}/session/end?", provider.issuer)), "{url}");
    let back = format!("{}/sign-in", j.server.base_url().expect("it runs"));
    assert_eq!(parameter(&url, "client_id").as_deref(), Some("loanhook"));
    assert_eq!(parameter(&url, "post_logout_redirect_uri"), Some(back));
    assert_eq!(parameter(&url, "id_token_hint"), None, "no token is kept");
    // The session is over, whoever still has its cookie.
    jane.visitor.cookies = cookies;
    jane.visitor.get("/").await.expect_status(303);
}

#[tokio::test]
async fn a_session_of_a_key_ends_here_alone() {
    let Some((_provider, j)) = provider_and_journey().await else { return };
    let mut visitor = signed_in(&j).await;
    let signed_out = visitor.post("/sign-out", &[]).await.expect_status(303);
    assert_eq!(signed_out.header("location"), "/sign-in");
}

#[tokio::test]
async fn a_form_that_was_opened_before_the_sign_out_is_kept_for_its_author_alone() {
    let Some((_provider, j)) = provider_and_journey().await else { return };
    let (new, secrets) =
        ("/subscriptions/new", [("auth", "basic"), ("username", "jane"), ("password", "p4ss")]);
    let mut jane = Browser::new(&j);
    jane.sign_in("jane", "/").await.expect_status(303);
    let filled = good_form(&j, &mut jane.visitor).await.with(&secrets);
    jane.visitor.post("/sign-out", &[]).await.expect_status(200);
    jane.sign_in("jane", "/").await.expect_status(303);
    let page = Page::of(&filled.press(&mut jane.visitor, new, "save").await.expect_status(403));
    let why = page.text(".notice.bad");
    assert!(why.contains("You signed in again since this form was opened, so nothing was done"), "{why}");
    let again = Filled::of(&page);
    assert_eq!((again.get("title"), again.get("password")), ("Core banking", "p4ss"));
    again.press(&mut jane.visitor, new, "save").await.expect_status(201);
}
