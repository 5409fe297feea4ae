//! A provider that is down stops neither the start nor the sign-in with a key, and is used as soon as it is there.

use super::{Answer, Browser, RULES, logged, sent_to};
use crate::console::signed_in;
use crate::harness::oidc_provider::{OidcProvider, free_port, launch_with};
use crate::harness::{Journey, Receiver, Reply, Server, eventually};
use crate::portal::visitor::{Page, Visitor};

#[tokio::test]
async fn a_provider_that_is_down_stops_only_the_sign_in_with_it() {
    let port = free_port();
    let issuer = format!("http://localhost:{port}");
    let Some(server) = Server::own_process_with(launch_with(&issuer, &RULES)).await else { return };
    let j = Journey::on_server(server).await;
    let mut visitor = Visitor::new(&j);
    let refused = visitor.post("/sign-in/oidc", &[("next", "/webhooks")]).await.expect_status(424);
    let page = Page::of(&refused);
    assert_eq!(page.text("h1"), "You cannot sign in there now");
    assert_eq!(page.attribute("main a", "href"), "/sign-in?next=%2Fwebhooks");
    signed_in(&j).await;
    let Some(_provider) = OidcProvider::start_at(port) else { return };
    // It is not asked again at once.
    let mut jane = Browser::new(&j);
    let url = eventually("the sign-in begins", async || {
        let begun = jane.visitor.post("/sign-in/oidc", &[]).await;
        (begun.status == 200).then(|| sent_to(&begun))
    })
    .await;
    let back = jane.at_provider(&url, Answer::SignIn("jane")).await;
    jane.visitor.get(&back).await.expect_status(303);
}

#[tokio::test]
async fn a_provider_that_goes_down_before_the_browser_comes_back_signs_nobody_in_but_out() {
    let Some((provider, j)) = super::provider_and_journey().await else { return };
    let mut jane = Browser::new(&j);
    jane.sign_in("jane", "/").await.expect_status(303);
    let mut other = Browser::new(&j);
    let url = other.begin(&[]).await;
    let back = other.at_provider(&url, Answer::SignIn("jane")).await;
    drop(provider);
    let refused = other.visitor.get(&back).await.expect_status(424);
    assert_eq!(Page::of(&refused).text("h1"), "You cannot sign in there now");
    // What it has said of itself is known.
    sent_to(&jane.visitor.post("/sign-out", &[]).await.expect_status(200));
    assert!(!jane.has_session());
}

#[tokio::test]
async fn what_is_no_provider_is_read_up_to_a_limit_and_no_redirect_is_followed() {
    let issuer = Receiver::start().await;
    let json = [("Content-Type", "application/json")];
    let elsewhere = issuer.url("/elsewhere");
    let base = issuer.url("");
    for reply in [
        Reply::with(302, &[("Location", elsewhere.as_str())], b""),
        Reply::with(200, &json, &[b' '; 300 * 1024]),
        Reply::with(200, &json, b"{}"),
        Reply::with(200, &json, br#"{"issuer": "https://login.evil.example"}"#),
        Reply::status(500),
    ] {
        issuer.replies("/.well-known/openid-configuration", [reply]);
        let launch = launch_with(base.trim_end_matches('/'), &RULES);
        let Some(server) = Server::own_process_with(launch).await else { return };
        let j = Journey::on_server(server).await;
        let asked_before = issuer.requests().len();
        for _ in 0..3 {
            Visitor::new(&j).post("/sign-in/oidc", &[]).await.expect_status(424);
        }
        assert_eq!(issuer.requests().len(), asked_before + 1, "it is asked once, and not again at once");
        logged(&j, "oidc.provider_failed", 1).await;
    }
    assert!(issuer.requests().iter().all(|request| request.path_and_query != "/elsewhere"));
}

#[tokio::test]
async fn a_provider_that_is_down_uses_up_no_limit_of_an_address() {
    let Some((provider, j)) = super::provider_and_journey().await else { return };
    let mut visitor = Visitor::new(&j);
    sent_to(&visitor.post("/sign-in/oidc", &[]).await.expect_status(200));
    let issuer = provider.issuer.clone();
    drop(provider);
    for _ in 0..25 {
        let url = sent_to(&visitor.post("/sign-in/oidc", &[]).await.expect_status(200));
        let state = super::parameter(&url, "state").expect("it has one");
        let back = format!("/sign-in/oidc/callback?code=a&state={state}&iss={issuer}");
        visitor.get(&back).await.expect_status(424);
    }
}
