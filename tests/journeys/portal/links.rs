//! Portal links: minted with a key, opened by anybody who has one.

use std::time::SystemTime;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::visitor::{Page, Visitor, cookies};
use super::{PAGE, link, path_of, viewer};
use crate::harness::rows::clock;
use crate::harness::{Journey, eventually, instant, text};

#[tokio::test]
async fn a_link_opens_the_page_of_its_loan_any_number_of_times() {
    let j = Journey::begin().await;
    let asked = clock(SystemTime::now());
    let body = json!({"loanId": "727", "scopes": ["history:read"]});
    let made = j.api.post("/v1/portal-links", &body).await.is(201).json();
    assert_eq!(made.as_object().map(|made| made.len()), Some(2), "{made}");
    let made_at = instant(&made["expiresAt"]) - TimeDelta::minutes(15);
    let answered = clock(SystemTime::now());
    assert!(
        asked <= made_at + TimeDelta::seconds(1) && made_at <= answered + TimeDelta::seconds(1),
        "15 minutes: {made}"
    );

    let url = text(&made["url"]);
    assert!(url.starts_with(&j.target.base().expect("it runs")), "it leads here: {url}");
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let mut visitor = Visitor::new(&j);
        let opened = visitor.get(&path_of(url)).await.is(303);
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
async fn a_link_opens_for_nobody_who_does_not_look() {
    let j = Journey::begin().await;
    let minted = link(&j.api, "727", json!({})).await;
    let anyone = j.api.with_key(None);
    for (method, says, status) in [
        ("HEAD", ("accept", "*/*"), 200),
        ("GET", ("sec-fetch-dest", "image"), 404),
        ("GET", ("sec-purpose", "prefetch"), 404),
        ("GET", ("sec-purpose", "prefetch;prerender"), 404),
    ] {
        let answer = anyone.request(method, &minted).header(says.0, says.1).answer().await.is(status);
        assert!(cookies(&answer).is_empty(), "{method} {says:?}");
    }
    for purpose in ["document", "iframe"] {
        let answer = anyone.request("GET", &minted).header("sec-fetch-dest", purpose).answer().await.is(303);
        assert_eq!(cookies(&answer).len(), 1, "{purpose}");
    }
}

#[tokio::test]
async fn its_cookie_is_for_one_loan_and_no_script() {
    let j = Journey::begin().await;
    let mut visitor = Visitor::new(&j);
    let opened = visitor.get(&link(&j.api, "727", json!({"sessionSeconds": 600})).await).await.is(303);
    let [cookie] = &cookies(&opened)[..] else { panic!("one cookie: {opened:?}") };
    let mut attributes: Vec<_> = cookie.split("; ").skip(1).collect();
    attributes.sort_unstable();
    let secure = j.target.base().expect("it runs").starts_with("https:");
    let mut expected = vec!["HttpOnly", "Max-Age=87000", "Path=/", "SameSite=Lax"];
    if secure {
        expected.push("Secure");
    }
    assert_eq!(attributes, expected);

    // Another loan has another cookie, beside it.
    visitor.get(&link(&j.api, "728", json!({})).await).await.is(303);
    assert_eq!(visitor.cookies.len(), 2);
    for page in [PAGE, "/loans/728/webhooks"] {
        visitor.get(page).await.is(200);
    }
}

#[tokio::test]
async fn who_opens_more_loans_than_a_browser_should_carry_loses_the_oldest() {
    let j = Journey::begin().await;
    let mut visitor = Visitor::new(&j);
    for number in 0..45 {
        visitor.get(&link(&j.api, &format!("loan-{number}"), json!({})).await).await.is(303);
    }
    assert_eq!(visitor.cookies.len(), 40);
    visitor.get("/loans/loan-44/webhooks").await.is(200);
}

#[tokio::test]
async fn a_link_is_over_at_its_end_and_its_sessions_are_not() {
    let j = Journey::begin().await;
    let short = link(&j.api, "727", json!({"ttlSeconds": 1, "sessionSeconds": 3600})).await;
    let mut opened = Visitor::new(&j);
    // On a slow machine it may be over before it is first opened: then another is asked for.
    if opened.get(&short).await.status != 303 {
        opened = viewer(&j).await;
    }
    eventually("the link is over", async || {
        let answer = Visitor::new(&j).get(&short).await;
        (answer.status == 404).then(|| assert_eq!(Page::of(&answer).text("h1"), "This link is over"))
    })
    .await;
    opened.get(PAGE).await.is(200);
}

#[tokio::test]
async fn what_is_no_link_opens_nothing() {
    let j = Journey::begin().await;
    let minted = link(&j.api, "727", json!({})).await;
    for path in ["/portal", "/portal?token=", "/portal?token=nonsense", &minted[..minted.len() - 1]] {
        let answer = Visitor::new(&j).get(path).await.is(404);
        assert!(cookies(&answer).is_empty(), "{path}");
    }
    // A session is no link, and a key is none.
    let viewer = viewer(&j).await;
    for secret in viewer.cookies.values().map(String::as_str).chain([j.api.key()]) {
        Visitor::new(&j).get(&format!("/portal?token={secret}")).await.is(404);
    }
}

#[tokio::test]
async fn what_is_asked_of_a_link_is_checked() {
    let j = Journey::begin().await;
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
        j.api.post("/v1/portal-links", &body).await.points_at(&pointers);
    }
    for body in [
        with("ttlSeconds", json!(86_400)),
        with("sessionSeconds", json!(86_400)),
        with("viewer", json!("ü".repeat(256))),
    ] {
        j.api.post("/v1/portal-links", &body).await.is(201);
    }
    j.api.request("POST", "/v1/portal-links").body("{").answer().await.problem(400);
}

#[tokio::test]
async fn what_a_key_made_is_over_with_it() {
    let j = Journey::begin().await;
    let body = json!({"name": "LMS", "scopes": ["portal:write"]});
    let lms = j.api.post("/v1/keys", &body).await.is(201).json();
    let minted = link(&j.api.with_key(Some(text(&lms["key"]))), "727", json!({})).await;
    let mut visitor = Visitor::new(&j);
    visitor.get(&minted).await.is(303);
    visitor.get(PAGE).await.is(200);
    j.api.delete(&format!("/v1/keys/{}", text(&lms["id"]))).await.is(204);
    let refused = visitor.get(PAGE).await.is(303);
    assert!(refused.header("location").starts_with("/login?"), "{refused:?}");
    Visitor::new(&j).get(&minted).await.is(404);
}

#[tokio::test]
async fn nothing_secret_is_logged() {
    let Some(j) = Journey::alone().await else { return };
    let minted = link(&j.api, "727", json!({})).await;
    let mut visitor = Visitor::new(&j);
    visitor.get(&minted).await.is(303);
    visitor.get(PAGE).await.is(200);
    visitor.get("/portal?token=nonsense").await.is(404);
    let (said, secret) = (j.target.said(), minted.split_once("token=").expect("a token").1);
    assert!(!said.contains(secret) && visitor.cookies.values().all(|token| !said.contains(token)), "{said}");
}
