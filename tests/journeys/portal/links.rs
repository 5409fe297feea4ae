//! Portal links: made with a key, opened by anybody who has one.

use std::time::SystemTime;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::visitor::{Page, Visitor, cookies};
use super::{PAGE, link, path_of, viewer};
use crate::harness::{Journey, eventually, instant, text, utc};

#[tokio::test]
async fn a_link_opens_the_page_of_its_loan_any_number_of_times() {
    let j = Journey::start().await;
    let asked = utc(SystemTime::now());
    let body = json!({"loanId": "727", "scopes": ["history:read"]});
    let created = j.api.post("/v1/portal-links", &body).await.expect_status(201).json();
    assert_eq!(created.as_object().map(|created| created.len()), Some(2), "{created}");
    let made_at = instant(&created["expiresAt"]) - TimeDelta::minutes(15);
    let answered = utc(SystemTime::now());
    assert!(
        asked <= made_at + TimeDelta::seconds(1) && made_at <= answered + TimeDelta::seconds(1),
        "15 minutes: {created}"
    );

    let url = text(&created["url"]);
    assert!(url.starts_with(&j.server.base_url().expect("it runs")), "it leads here: {url}");
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let mut visitor = Visitor::new(&j);
        let opened = visitor.get(&path_of(url)).await.expect_status(303);
        assert_eq!(opened.header("location"), format!("{PAGE}?opened=1"), "without the token");
        assert_eq!(opened.header("referrer-policy"), "no-referrer");
        assert_eq!(opened.header("cache-control"), "no-store");
        let page = visitor.page(PAGE).await;
        assert_eq!(page.text("h1"), "Webhooks");
        assert_eq!(page.text(".over"), "Loan 727");
        tokens.extend(visitor.cookies.into_values());
    }
    assert_ne!(tokens[0], tokens[1], "each opening is a session of its own");
    assert!(tokens.iter().all(|token| !url.contains(token)), "and none is the link's secret");
}

#[tokio::test]
async fn a_link_opens_no_session_for_a_prefetch_or_a_subresource() {
    let j = Journey::start().await;
    let minted = link(&j.api, "727", json!({})).await;
    let anyone = j.api.with_key(None);
    for (method, says, status) in [
        ("HEAD", ("accept", "*/*"), 200),
        ("GET", ("sec-fetch-dest", "image"), 404),
        ("GET", ("sec-purpose", "prefetch"), 404),
        ("GET", ("sec-purpose", "prefetch;prerender"), 404),
    ] {
        let answer =
            anyone.request(method, &minted).header(says.0, says.1).send().await.expect_status(status);
        assert!(cookies(&answer).is_empty(), "{method} {says:?}");
    }
    for purpose in ["document", "iframe"] {
        let answer =
            anyone.request("GET", &minted).header("sec-fetch-dest", purpose).send().await.expect_status(303);
        assert_eq!(cookies(&answer).len(), 1, "{purpose}");
    }
}

#[tokio::test]
async fn a_session_cookie_is_for_one_loan_and_not_for_scripts() {
    let j = Journey::start().await;
    let mut visitor = Visitor::new(&j);
    let opened =
        visitor.get(&link(&j.api, "727", json!({"sessionSeconds": 600})).await).await.expect_status(303);
    let [cookie] = &cookies(&opened)[..] else { panic!("one cookie: {opened:?}") };
    let mut attributes: Vec<_> = cookie.split("; ").skip(1).collect();
    attributes.sort_unstable();
    let secure = j.server.base_url().expect("it runs").starts_with("https:");
    let mut expected = vec!["HttpOnly", "Max-Age=87000", "Path=/", "SameSite=Lax"];
    if secure {
        expected.push("Secure");
    }
    assert_eq!(attributes, expected);

    // Another loan has a cookie of its own.
    visitor.get(&link(&j.api, "728", json!({})).await).await.expect_status(303);
    assert_eq!(visitor.cookies.len(), 2);
    for page in [PAGE, "/loans/728/webhooks"] {
        visitor.get(page).await.expect_status(200);
    }
}

#[tokio::test]
async fn a_browser_keeps_40_sessions_and_the_oldest_ends() {
    let j = Journey::start().await;
    let mut visitor = Visitor::new(&j);
    for number in 0..45 {
        visitor.get(&link(&j.api, &format!("loan-{number}"), json!({})).await).await.expect_status(303);
    }
    assert_eq!(visitor.cookies.len(), 40);
    visitor.get("/loans/loan-44/webhooks").await.expect_status(200);
}

#[tokio::test]
async fn an_expired_link_opens_nothing_and_its_sessions_go_on() {
    let j = Journey::start().await;
    let short = link(&j.api, "727", json!({"ttlSeconds": 1, "sessionSeconds": 3600})).await;
    let mut opened = Visitor::new(&j);
    // On a slow machine the link may expire before it is first opened: then another is made.
    if opened.get(&short).await.status != 303 {
        opened = viewer(&j).await;
    }
    eventually("the link is over", async || {
        let answer = Visitor::new(&j).get(&short).await;
        (answer.status == 404).then(|| assert_eq!(Page::of(&answer).text("h1"), "This link is over"))
    })
    .await;
    opened.get(PAGE).await.expect_status(200);
}

#[tokio::test]
async fn an_invalid_link_opens_nothing() {
    let j = Journey::start().await;
    let minted = link(&j.api, "727", json!({})).await;
    for path in ["/portal", "/portal?token=", "/portal?token=nonsense", &minted[..minted.len() - 1]] {
        let answer = Visitor::new(&j).get(path).await.expect_status(404);
        assert!(cookies(&answer).is_empty(), "{path}");
    }
    // Neither a session token nor a key is a link token.
    let viewer = viewer(&j).await;
    for secret in viewer.cookies.values().map(String::as_str).chain([j.api.key()]) {
        Visitor::new(&j).get(&format!("/portal?token={secret}")).await.expect_status(404);
    }
}

#[tokio::test]
async fn an_invalid_link_request_is_422_with_a_pointer() {
    let j = Journey::start().await;
    let good = || json!({"loanId": "727", "scopes": ["history:read"]});
    let with = |name: &str, value: Value| {
        let mut body = good();
        body[name] = value;
        body
    };
    let long = "x".repeat(257);
    for (body, pointers) in [
        (json!({}), vec!["/loanId"]),
        (json!({"loanId": "727"}), vec!["/scopes"]),
        (with("loanId", json!("a/b")), vec!["/loanId"]),
        (with("loanId", json!("")), vec!["/loanId"]),
        (with("scopes", json!([])), vec!["/scopes"]),
        (with("scopes", json!(["webhooks:resend"])), vec!["/scopes"]),
        (with("scopes", json!(["history:read", "admin"])), vec!["/scopes/1"]),
        (with("viewer", json!("")), vec!["/viewer"]),
        (with("viewer", json!(long)), vec!["/viewer"]),
        (with("viewer", json!("a\nb")), vec!["/viewer"]),
        (with("ttlSeconds", json!(0)), vec!["/ttlSeconds"]),
        (with("ttlSeconds", json!(86_401)), vec!["/ttlSeconds"]),
        (with("ttlSeconds", json!(1.5)), vec!["/ttlSeconds"]),
        (with("sessionSeconds", json!(0)), vec!["/sessionSeconds"]),
        (with("sessionSeconds", json!(86_401)), vec!["/sessionSeconds"]),
        (with("unknown", json!(1)), vec!["/unknown"]),
        (
            json!({"loanId": "", "scopes": [], "viewer": "", "ttlSeconds": 0, "sessionSeconds": 0}),
            vec!["/loanId", "/scopes", "/viewer", "/ttlSeconds", "/sessionSeconds"],
        ),
    ] {
        eprintln!("{body}");
        j.api.post("/v1/portal-links", &body).await.expect_errors_at(&pointers);
    }
    for body in [
        with("ttlSeconds", json!(86_400)),
        with("sessionSeconds", json!(86_400)),
        with("viewer", json!("ü".repeat(256))),
    ] {
        j.api.post("/v1/portal-links", &body).await.expect_status(201);
    }
    j.api.request("POST", "/v1/portal-links").body("{").send().await.expect_problem(400);
}

#[tokio::test]
async fn links_and_sessions_end_with_their_key() {
    let j = Journey::start().await;
    let body = json!({"name": "LMS", "scopes": ["portal:write"]});
    let lms = j.api.post("/v1/keys", &body).await.expect_status(201).json();
    let minted = link(&j.api.with_key(Some(text(&lms["key"]))), "727", json!({})).await;
    let mut visitor = Visitor::new(&j);
    visitor.get(&minted).await.expect_status(303);
    visitor.get(PAGE).await.expect_status(200);
    j.api.delete(&format!("/v1/keys/{}", text(&lms["id"]))).await.expect_status(204);
    let refused = visitor.get(PAGE).await.expect_status(303);
    assert!(refused.header("location").starts_with("/sign-in?"), "{refused:?}");
    Visitor::new(&j).get(&minted).await.expect_status(404);
}

#[tokio::test]
async fn the_log_shows_no_link_token_and_no_session_token() {
    let Some(j) = Journey::on_own_process().await else { return };
    let minted = link(&j.api, "727", json!({})).await;
    let mut visitor = Visitor::new(&j);
    visitor.get(&minted).await.expect_status(303);
    visitor.get(PAGE).await.expect_status(200);
    visitor.get("/portal?token=nonsense").await.expect_status(404);
    let (output, secret) = (j.server.output(), minted.split_once("token=").expect("a token").1);
    assert!(
        !output.contains(secret) && visitor.cookies.values().all(|token| !output.contains(token)),
        "{output}"
    );
}
