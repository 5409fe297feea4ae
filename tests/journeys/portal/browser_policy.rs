//! Policies that every page gives to the browser: content security, caching, and where the root leads.

use super::PAGE;
use super::viewer;
use super::visitor::Page;
use super::visitor::Visitor;
use crate::harness::{Journey, emulator_differs};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

#[tokio::test]
async fn every_page_has_a_content_security_policy_for_its_own_script_alone() {
    let j = Journey::start().await;
    let mut visitor = viewer(&j).await;
    for (path, status) in [
        (PAGE, 200),
        ("/sign-in", 200),
        ("/portal?token=no", 404),
        ("/loans/728/webhooks", 404),
        ("/loans/727", 404),
        ("/sign-in/", 404),
        ("/portal/", 404),
        ("/loans/727/webhooks?limit=0", 422),
        ("/sign-out", 405),
        ("/assets/page.0000000000000000.js", 404),
    ] {
        if path.ends_with('/') && emulator_differs("takes the slash at a path's end away") {
            continue;
        }
        let answer = visitor.get(path).await.expect_status(status);
        assert_eq!(answer.header("content-security-policy"), POLICY, "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        let page = Page::of(&answer);
        assert!(page.all("[style], script:not([src]), style").is_empty(), "{path}");
    }
    // No other method is allowed.
    for method in ["PUT", "DELETE", "PATCH"] {
        j.api.with_key(None).request(method, PAGE).send().await.expect_status(405);
    }
}

#[tokio::test]
async fn a_browser_at_the_root_is_redirected_to_sign_in() {
    let j = Journey::start().await;
    let anyone = j.api.with_key(None);
    let asked = anyone.request("GET", "/").header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    assert_eq!(asked.send().await.expect_status(303).header("location"), "/sign-in?next=%2F");
    anyone.request("POST", "/").header("accept", "text/html").send().await.expect_status(405);
}

#[tokio::test]
async fn script_style_and_icon_are_cached_by_their_hash() {
    let j = Journey::start().await;
    let mut visitor = Visitor::new(&j);
    let page = visitor.page("/sign-in").await;
    for (selector, name, kind) in [
        ("script", "src", "text/javascript; charset=utf-8"),
        ("link[rel=stylesheet]", "href", "text/css; charset=utf-8"),
        ("link[rel=icon]", "href", "image/svg+xml"),
    ] {
        let path = page.attribute(selector, name);
        let asset = visitor.get(&path).await.expect_status(200);
        assert_eq!(asset.header("content-type"), kind);
        assert_eq!(asset.header("cache-control"), "public, max-age=31536000, immutable");
        assert!(!asset.body.is_empty());
        let known = j.api.with_key(None).request("GET", &path).header("if-none-match", asset.header("etag"));
        assert!(known.send().await.expect_status(304).body.is_empty());
    }
}
