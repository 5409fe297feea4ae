//! Settings of the operator for the page: `--frame-ancestors`, `--public-url`, and proxies.

use serde_json::json;

use super::link;
use super::visitor::{Page, Visitor, cookies};
use crate::harness::{Journey, Launch, Server, text};

async fn server_with(arguments: &[&str]) -> Option<Journey> {
    let arguments = arguments.iter().map(ToString::to_string).collect();
    Some(Journey::on_server(Server::own_process_with(Launch { arguments, ..Launch::default() }).await?).await)
}

#[tokio::test]
async fn frame_ancestors_allow_frames_and_make_the_cookie_partitioned() {
    let Some(j) = server_with(&["--frame-ancestors", "'self',https://lms.lender.example"]).await else {
        return;
    };
    let mut visitor = Visitor::new(&j);
    let opened = visitor.get(&link(&j.api, "727", json!({})).await).await.expect_status(303);
    let policy = opened.header("content-security-policy");
    assert!(policy.ends_with("; frame-ancestors 'self' https://lms.lender.example"), "{policy}");
    let cookie = &cookies(&opened)[0];
    assert!(cookie.starts_with("__Host-lh-"), "{cookie}");
    for attribute in ["; SameSite=None", "; Secure", "; Partitioned", "; HttpOnly", "; Path=/"] {
        assert!(cookie.contains(attribute), "{attribute}: {cookie}");
    }
    visitor.get("/loans/727/webhooks").await.expect_status(200);
}

#[tokio::test]
async fn links_have_the_public_url_and_cookies_are_secure() {
    let Some(j) = server_with(&["--public-url", "https://hooks.lender.example"]).await else { return };
    let body = json!({"loanId": "727", "scopes": ["history:read"]});
    let created = j.api.post("/v1/portal-links", &body).await.expect_status(201).json();
    assert!(text(&created["url"]).starts_with("https://hooks.lender.example/portal?token="), "{created}");
    let opened = Visitor::new(&j).get(&super::path_of(text(&created["url"]))).await.expect_status(303);
    let cookie = &cookies(&opened)[0];
    assert!(cookie.contains("; SameSite=Lax; Secure"), "{cookie}");
}

#[tokio::test]
async fn behind_an_https_proxy_links_have_the_address_of_the_request() {
    let Some(j) = Journey::on_own_process().await else { return };
    let body = json!({"loanId": "727", "scopes": ["history:read"]});
    let asked = j.api.request("POST", "/v1/portal-links").json(&body);
    let asked = asked.header("host", "hooks.lender.example").header("x-forwarded-proto", "https");
    let created = asked.send().await.expect_status(201).json();
    assert!(text(&created["url"]).starts_with("https://hooks.lender.example/portal?token="), "{created}");
    // A proxy on the same machine may send no host.
    let link = j.api.with_key(None).request("GET", &super::path_of(text(&created["url"])));
    let opened = link.header("x-forwarded-for", "203.0.113.9").send().await.expect_status(303);
    assert!(cookies(&opened)[0].starts_with("__Host-lh-"), "{opened:?}");
}

#[tokio::test]
async fn the_sign_in_page_warns_where_a_browser_refuses_the_cookie() {
    let Some(j) = Journey::on_own_process().await else { return };
    for (host, notices) in [("127.0.0.1:8080", 0), ("10.0.0.5:8080", 1)] {
        let sign_in = j.api.with_key(None).request("GET", "/sign-in").header("host", host);
        assert_eq!(
            Page::of(&sign_in.send().await.expect_status(200)).all(".notice").len(),
            notices,
            "{host}"
        );
    }
}

#[tokio::test]
async fn an_invalid_page_setting_ends_the_start() {
    for (flag, value) in
        [("--frame-ancestors", "lms.lender.example"), ("--public-url", "https://lender.example/hooks")]
    {
        let folder = tempfile::tempdir().expect("a folder");
        let launch = Launch { arguments: vec![flag.to_owned(), value.to_owned()], ..Launch::default() };
        let ended = crate::harness::server::serve_command(folder.path(), &launch).output().expect("it runs");
        assert_eq!(ended.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&ended.stderr).contains(value), "{ended:?}");
    }
}
