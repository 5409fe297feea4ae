//! Sessions: which loans they show, signing in with a key, and signing out.

use serde_json::json;

use super::visitor::{Page, Visitor};
use super::{PAGE, link, viewer};
use crate::harness::{Journey, event, eventually};

#[tokio::test]
async fn a_page_without_a_session_redirects_to_sign_in_and_back() {
    let j = Journey::start().await;
    let mut visitor = Visitor::new(&j);
    let refused = visitor.get("/loans/727/webhooks?outcome=failed").await.expect_status(303);
    assert_eq!(refused.header("location"), "/sign-in?next=%2Floans%2F727%2Fwebhooks%3Foutcome%3Dfailed");
    let sign_in = visitor.page(refused.header("location")).await;
    let next = sign_in.attribute("input[name=next]", "value");
    assert_eq!(next, "/loans/727/webhooks?outcome=failed");
    let signed_in =
        visitor.post("/sign-in", &[("next", &next), ("key", j.api.key())]).await.expect_status(303);
    assert_eq!(signed_in.header("location"), "/loans/727/webhooks?outcome=failed&opened=1");
    visitor.get(signed_in.header("location")).await.expect_status(200);
}

#[tokio::test]
async fn a_session_of_a_link_is_404_for_another_loan() {
    let j = Journey::start().await;
    let mut viewer = viewer(&j).await;
    for path in
        ["/loans/728/webhooks", "/loans/7271/webhooks", "/loans/72/webhooks", "/loans/727%20/webhooks"]
    {
        let answer = viewer.get(path).await.expect_status(404);
        assert_eq!(Page::of(&answer).text("h1"), "There is no such page");
    }
    // A row of another loan is not found under this loan.
    j.subscribe("/hook", json!({})).await;
    j.api.ended_delivery(&j.api.send_one(&event("728")).await).await;
    let row = j.api.rows("728", "").await[0]["id"].as_str().expect("an ID").to_owned();
    for part in ["details", "source", "response"] {
        viewer.get(&format!("{PAGE}/{row}/{part}")).await.expect_status(404);
    }
    // The token of one loan in the cookie of another is not accepted.
    let mut forger = Visitor::new(&j);
    forger.get(&link(&j.api, "728", json!({})).await).await.expect_status(303);
    let own = viewer.cookies.values().next().expect("a cookie").clone();
    forger.cookies.values_mut().for_each(|value| value.clone_from(&own));
    forger.get("/loans/728/webhooks").await.expect_status(303);
}

#[tokio::test]
async fn a_browser_without_cookies_is_told_so() {
    let j = Journey::start().await;
    let mut visitor = Visitor::new(&j);
    visitor.get(&link(&j.api, "727", json!({})).await).await.expect_status(303);
    visitor.cookies.clear();
    for (query, page) in [("opened=1", PAGE.to_owned()), ("limit=2&opened=1", format!("{PAGE}?limit=2"))] {
        let refused = visitor.get(&format!("{PAGE}?{query}")).await.expect_status(303);
        let sign_in = visitor.page(refused.header("location")).await;
        assert!(sign_in.text("[role=alert]").starts_with("Your browser keeps no cookies here"));
        assert_eq!(sign_in.attribute("[role=alert] a[target=_blank]", "href"), page);
        assert_eq!(sign_in.attribute("input[name=next]", "value"), page);
    }
}

#[tokio::test]
async fn foreign_cookies_are_ignored_and_each_cookie_of_our_name_is_tried() {
    let j = Journey::start().await;
    let mut visitor = viewer(&j).await;
    let (name, token) = visitor.cookies.pop_first().expect("a session");
    let get =
        async |cookie: &str| j.api.with_key(None).request("GET", PAGE).header("cookie", cookie).send().await;
    for others in ["lh-theme=dark", "lh-0123456789abcdeg=x; lh-0123=x", "__Secure-lh-any=x"] {
        let refused = get(others).await.expect_status(303);
        assert!(refused.header("location").starts_with("/sign-in?next="), "{others}: {refused:?}");
    }
    get(&format!("{name}=nonsense; lh-theme=dark; {name}={token}")).await.expect_status(200);
}

#[tokio::test]
async fn an_expired_session_leads_to_sign_in() {
    let j = Journey::start().await;
    let mut visitor = Visitor::new(&j);
    visitor.get(&link(&j.api, "727", json!({"sessionSeconds": 1})).await).await.expect_status(303);
    let over = eventually("the session is over", async || {
        let answer = visitor.get(PAGE).await;
        (answer.status == 303).then_some(answer)
    })
    .await;
    let sign_in = visitor.page(over.header("location")).await;
    assert!(sign_in.text("[role=alert]").starts_with("Your session is over"));
    // The same with a session of another loan in the browser.
    visitor.get(&link(&j.api, "728", json!({})).await).await.expect_status(303);
    visitor.get(PAGE).await.expect_status(303);
}

#[tokio::test]
async fn a_sign_in_replaces_the_session_of_the_loans_link() {
    let j = Journey::start().await;
    let reader = j.api.with_new_key("Reader", &["history:read"]).await;
    let mut visitor = viewer(&j).await;
    visitor
        .get(&link(&j.api, "728", json!({"viewer": "jane@lender.example"})).await)
        .await
        .expect_status(303);
    let kept = visitor.cookies.clone();
    visitor.post("/sign-in", &[("next", PAGE), ("key", reader.key())]).await.expect_status(303);
    assert_eq!(visitor.page(PAGE).await.text(".who bdi"), "Reader");
    assert_eq!(visitor.page("/loans/728/webhooks").await.text(".who bdi"), "jane@lender.example");
    // The replaced session has ended on the server too.
    visitor.cookies = kept;
    visitor.get(PAGE).await.expect_status(303);
    visitor.get("/loans/728/webhooks").await.expect_status(200);
}

#[tokio::test]
async fn a_loan_id_in_two_tenants_shows_the_tenant_of_the_link() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    let stranger = j.other_tenant().await;
    let (ours, theirs) = (link(&j.api, "727", json!({})).await, link(&stranger, "727", json!({})).await);
    let mut visitor = Visitor::new(&j);
    let mut seen = Vec::new();
    for (link, rows) in [(&ours, 1), (&theirs, 0), (&ours, 1)] {
        visitor.get(link).await.expect_status(303);
        let page = visitor.page(PAGE).await;
        assert_eq!(page.rows().len(), rows);
        seen.push((page.text(".who .tenant"), page.attribute(".who", "data-viewer")));
    }
    assert!(seen[0].0 != seen[1].0 && seen[0].1 != seen[1].1, "the page says which: {seen:?}");
    assert_eq!(seen[0], seen[2]);
}

#[tokio::test]
async fn a_key_signs_in_to_every_loan_of_its_tenant_and_no_other() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    for loan in ["727", "728"] {
        j.api.ended_delivery(&j.api.send_one(&event(loan)).await).await;
    }
    let reader = j.api.with_new_key("Reader", &["history:read"]).await;
    let mut visitor = Visitor::new(&j);
    let signed_in =
        visitor.post("/sign-in", &[("loan", "727"), ("key", reader.key())]).await.expect_status(303);
    assert_eq!(signed_in.header("location"), format!("{PAGE}?opened=1"));
    for path in [PAGE, "/loans/728/webhooks"] {
        let page = visitor.page(path).await;
        assert_eq!(page.rows().len(), 1, "{path}");
        assert_eq!(page.text(".who bdi"), "Reader");
    }
    let mut stranger = Visitor::new(&j);
    stranger
        .post("/sign-in", &[("loan", "727"), ("key", j.other_tenant().await.key())])
        .await
        .expect_status(303);
    assert_eq!(stranger.page(PAGE).await.text("h2"), "Nothing was sent for this loan yet");
}

#[tokio::test]
async fn a_refused_sign_in_says_why() {
    let j = Journey::start().await;
    let writer = j.api.with_new_key("Writer", &["events:write", "portal:write"]).await;
    let mut visitor = Visitor::new(&j);
    for (fields, why) in [
        ([("loan", "727"), ("key", "lh_no_such_key_0123456789")], "This key is not valid"),
        ([("loan", "727"), ("key", "")], "This key is not valid"),
        ([("loan", "727"), ("key", writer.key())], "This key may not read the history"),
        ([("loan", "a/b"), ("key", j.api.key())], "Say which loan to open"),
        ([("loan", "7?7"), ("key", j.api.key())], "Say which loan to open"),
    ] {
        let answer = visitor.post("/sign-in", &fields).await.expect_status(422);
        assert!(Page::of(&answer).text("[role=alert]").starts_with(why), "{fields:?}");
        assert!(visitor.cookies.is_empty());
    }
    // A place that is no page of ours is not gone to.
    let elsewhere = [("next", "//evil.example/loans/"), ("key", j.api.key())];
    let signed_in = Visitor::new(&j).post("/sign-in", &elsewhere).await.expect_status(303);
    assert_eq!(signed_in.header("location"), "/?opened=1");
    let elsewhere: [&[(&str, &str)]; 4] = [
        &[],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example")],
    ];
    for from in elsewhere {
        visitor
            .post_from("/sign-in", &[("loan", "727"), ("key", j.api.key())], from)
            .await
            .expect_status(403);
        assert!(visitor.cookies.is_empty(), "{from:?}");
    }
}

#[tokio::test]
async fn signing_out_ends_the_session_on_the_server() {
    let j = Journey::start().await;
    let mut visitor = viewer(&j).await;
    let kept = visitor.cookies.clone();
    visitor
        .post_from("/sign-out", &[("loan", "727")], &[("sec-fetch-site", "cross-site")])
        .await
        .expect_status(403);
    visitor.get(PAGE).await.expect_status(200);
    let out = visitor.post("/sign-out", &[("loan", "727")]).await.expect_status(303);
    assert_eq!(out.header("location"), "/sign-in");
    assert_eq!(out.header("clear-site-data"), "\"cache\"");
    assert!(visitor.cookies.is_empty());
    // The session has ended on the server, whoever kept its cookie.
    visitor.cookies = kept;
    visitor.get(PAGE).await.expect_status(303);
}
