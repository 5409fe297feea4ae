//! What an operator can say of the pages.

use serde_json::json;

use super::link;
use super::visitor::{Page, Visitor, cookies};
use crate::harness::{Journey, Launch, Target, text};

async fn with(arguments: &[&str]) -> Option<Journey> {
    let arguments = arguments.iter().map(ToString::to_string).collect();
    Some(Journey::on(Target::process_with(Launch { arguments, ..Launch::default() }).await?).await)
}

#[tokio::test]
async fn sites_that_may_frame_the_page_are_named_and_the_cookie_travels_in_their_frames() {
    let Some(j) = with(&["--frame-ancestors", "'self',https://lms.lender.example"]).await else { return };
    let mut visitor = Visitor::new(&j);
    let opened = visitor.get(&link(&j.api, "727", json!({})).await).await.is(303);
    let policy = opened.header("content-security-policy");
    assert!(policy.ends_with("; frame-ancestors 'self' https://lms.lender.example"), "{policy}");
    let cookie = &cookies(&opened)[0];
    assert!(cookie.starts_with("__Host-lh-"), "{cookie}");
    for attribute in ["; SameSite=None", "; Secure", "; Partitioned", "; HttpOnly", "; Path=/"] {
        assert!(cookie.contains(attribute), "{attribute}: {cookie}");
    }
    visitor.get("/loans/727/webhooks").await.is(200);
}

#[tokio::test]
async fn links_lead_to_the_public_address_and_cookies_stay_on_https() {
    let Some(j) = with(&["--public-url", "https://hooks.lender.example"]).await else { return };
    let body = json!({"loanId": "727", "scopes": ["history:read"]});
    let made = j.api.post("/v1/portal-links", &body).await.is(201).json();
    assert!(text(&made["url"]).starts_with("https://hooks.lender.example/portal?token="), "{made}");
    let opened = Visitor::new(&j).get(&super::path_of(text(&made["url"]))).await.is(303);
    let cookie = &cookies(&opened)[0];
    assert!(cookie.contains("; SameSite=Lax; Secure"), "{cookie}");
}

#[tokio::test]
async fn behind_a_proxy_that_speaks_https_the_address_is_that_of_the_request() {
    let Some(j) = Journey::alone().await else { return };
    let body = json!({"loanId": "727", "scopes": ["history:read"]});
    let asked = j.api.request("POST", "/v1/portal-links").json(&body);
    let asked = asked.header("host", "hooks.lender.example").header("x-forwarded-proto", "https");
    let made = asked.answer().await.is(201).json();
    assert!(text(&made["url"]).starts_with("https://hooks.lender.example/portal?token="), "{made}");
    // A proxy on the same machine may say nothing of the host.
    let link = j.api.with_key(None).request("GET", &super::path_of(text(&made["url"])));
    let opened = link.header("x-forwarded-for", "203.0.113.9").answer().await.is(303);
    assert!(cookies(&opened)[0].starts_with("__Host-lh-"), "{opened:?}");
}

#[tokio::test]
async fn where_a_browser_keeps_no_cookie_signing_in_says_so() {
    let Some(j) = Journey::alone().await else { return };
    for (host, notices) in [("127.0.0.1:8080", 0), ("10.0.0.5:8080", 1)] {
        let login = j.api.with_key(None).request("GET", "/login").header("host", host);
        assert_eq!(Page::of(&login.answer().await.is(200)).all(".notice").len(), notices, "{host}");
    }
}

#[tokio::test]
async fn a_setting_that_is_wrong_ends_the_start() {
    for (flag, value) in
        [("--frame-ancestors", "lms.lender.example"), ("--public-url", "https://lender.example/hooks")]
    {
        let folder = tempfile::tempdir().expect("a folder");
        let launch = Launch { arguments: vec![flag.to_owned(), value.to_owned()], ..Launch::default() };
        let ended = crate::harness::server::serve(folder.path(), &launch).output().expect("it runs");
        assert_eq!(ended.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&ended.stderr).contains(value), "{ended:?}");
    }
}
