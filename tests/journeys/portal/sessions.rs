//! Sessions: who sees which loan, signing in with a key, and out again.

use serde_json::json;

use super::visitor::{Page, Visitor};
use super::{PAGE, SIGN_IN_TAKEN, link, viewer};
use crate::harness::{Journey, event, eventually, spoiled_by_emulator};

#[tokio::test]
async fn without_a_session_a_page_leads_to_sign_in_and_back() {
    let j = Journey::begin().await;
    let mut visitor = Visitor::new(&j);
    let refused = visitor.get("/loans/727/webhooks?outcome=failed").await.is(303);
    assert_eq!(refused.header("location"), "/login?next=%2Floans%2F727%2Fwebhooks%3Foutcome%3Dfailed");
    let login = visitor.page(refused.header("location")).await;
    let next = login.attribute("input[name=next]", "value");
    assert_eq!(next, "/loans/727/webhooks?outcome=failed");
    if spoiled_by_emulator(SIGN_IN_TAKEN) {
        return;
    }
    let signed_in = visitor.post("/login", &[("next", &next), ("key", j.api.key())]).await.is(303);
    assert_eq!(signed_in.header("location"), "/loans/727/webhooks?outcome=failed&opened=1");
    visitor.get(signed_in.header("location")).await.is(200);
}

#[tokio::test]
async fn another_loan_is_404_to_a_links_session() {
    let j = Journey::begin().await;
    let mut viewer = viewer(&j).await;
    for path in
        ["/loans/728/webhooks", "/loans/7271/webhooks", "/loans/72/webhooks", "/loans/727%20/webhooks"]
    {
        let answer = viewer.get(path).await.is(404);
        assert_eq!(Page::of(&answer).text("h1"), "There is no such page");
    }
    // Nor does a row of another loan open under this one's address.
    j.subscribe("/hook", json!({})).await;
    j.api.settled(&j.api.send_one(&event("728")).await).await;
    let row = j.api.rows("728", "").await[0]["id"].as_str().expect("an ID").to_owned();
    for part in ["details", "source", "response"] {
        viewer.get(&format!("{PAGE}/{row}/{part}")).await.is(404);
    }
    // And the cookie of one loan, renamed to another's, is none.
    let mut forger = Visitor::new(&j);
    forger.get(&link(&j.api, "728", json!({})).await).await.is(303);
    let own = viewer.cookies.values().next().expect("a cookie").clone();
    forger.cookies.values_mut().for_each(|value| value.clone_from(&own));
    forger.get("/loans/728/webhooks").await.is(303);
}

#[tokio::test]
async fn who_keeps_no_cookies_is_told_so() {
    let j = Journey::begin().await;
    let mut visitor = Visitor::new(&j);
    visitor.get(&link(&j.api, "727", json!({})).await).await.is(303);
    visitor.cookies.clear();
    for (query, page) in [("opened=1", PAGE.to_owned()), ("limit=2&opened=1", format!("{PAGE}?limit=2"))] {
        let refused = visitor.get(&format!("{PAGE}?{query}")).await.is(303);
        let login = visitor.page(refused.header("location")).await;
        assert!(login.text("[role=alert]").starts_with("Your browser keeps no cookies here"));
        assert_eq!(login.attribute("[role=alert] a[target=_blank]", "href"), page);
        assert_eq!(login.attribute("input[name=next]", "value"), page);
    }
}

#[tokio::test]
async fn cookies_of_others_are_none_of_ours_and_every_one_of_a_name_is_tried() {
    let j = Journey::begin().await;
    let mut visitor = viewer(&j).await;
    let (name, token) = visitor.cookies.pop_first().expect("a session");
    let get = async |cookie: &str| {
        j.api.with_key(None).request("GET", PAGE).header("cookie", cookie).answer().await
    };
    for others in ["lh-theme=dark", "lh-0123456789abcdeg=x; lh-0123=x", "__Secure-lh-any=x"] {
        let refused = get(others).await.is(303);
        assert!(refused.header("location").starts_with("/login?next="), "{others}: {refused:?}");
    }
    get(&format!("{name}=nonsense; lh-theme=dark; {name}={token}")).await.is(200);
}

#[tokio::test]
async fn a_session_is_over_at_its_end() {
    let j = Journey::begin().await;
    let mut visitor = Visitor::new(&j);
    visitor.get(&link(&j.api, "727", json!({"sessionSeconds": 1})).await).await.is(303);
    let over = eventually("the session is over", async || {
        let answer = visitor.get(PAGE).await;
        (answer.status == 303).then_some(answer)
    })
    .await;
    let login = visitor.page(over.header("location")).await;
    assert!(login.text("[role=alert]").starts_with("Your session is over"));
    // With the session of another loan beside it too.
    visitor.get(&link(&j.api, "728", json!({})).await).await.is(303);
    visitor.get(PAGE).await.is(303);
}

#[tokio::test]
async fn a_sign_in_takes_the_place_of_the_loans_link() {
    if spoiled_by_emulator(SIGN_IN_TAKEN) {
        return;
    }
    let j = Journey::begin().await;
    let reader = j.api.colleague("Reader", &["history:read"]).await;
    let mut visitor = viewer(&j).await;
    visitor.get(&link(&j.api, "728", json!({"viewer": "jane@lender.example"})).await).await.is(303);
    let kept = visitor.cookies.clone();
    visitor.post("/login", &[("next", PAGE), ("key", reader.key())]).await.is(303);
    assert_eq!(visitor.page(PAGE).await.text(".who bdi"), "Reader");
    assert_eq!(visitor.page("/loans/728/webhooks").await.text(".who bdi"), "jane@lender.example");
    // Who kept the cookies has nothing of that loan's.
    visitor.cookies = kept;
    visitor.get(PAGE).await.is(303);
    visitor.get("/loans/728/webhooks").await.is(200);
}

#[tokio::test]
async fn a_loan_of_two_tenants_shows_what_its_link_is_for() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    j.api.settled(&j.api.send_one(&event("727")).await).await;
    let stranger = j.stranger().await;
    let (ours, theirs) = (link(&j.api, "727", json!({})).await, link(&stranger, "727", json!({})).await);
    let mut visitor = Visitor::new(&j);
    let mut seen = Vec::new();
    for (link, rows) in [(&ours, 1), (&theirs, 0), (&ours, 1)] {
        visitor.get(link).await.is(303);
        let page = visitor.page(PAGE).await;
        assert_eq!(page.rows().len(), rows);
        seen.push((page.text(".who .tenant"), page.attribute(".who", "data-viewer")));
    }
    assert!(seen[0].0 != seen[1].0 && seen[0].1 != seen[1].1, "the page says which: {seen:?}");
    assert_eq!(seen[0], seen[2]);
}

#[tokio::test]
async fn a_key_signs_in_to_every_loan_of_its_tenant_and_no_other() {
    if spoiled_by_emulator(SIGN_IN_TAKEN) {
        return;
    }
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    for loan in ["727", "728"] {
        j.api.settled(&j.api.send_one(&event(loan)).await).await;
    }
    let reader = j.api.colleague("Reader", &["history:read"]).await;
    let mut visitor = Visitor::new(&j);
    let signed_in = visitor.post("/login", &[("loan", "727"), ("key", reader.key())]).await.is(303);
    assert_eq!(signed_in.header("location"), format!("{PAGE}?opened=1"));
    for path in [PAGE, "/loans/728/webhooks"] {
        let page = visitor.page(path).await;
        assert_eq!(page.rows().len(), 1, "{path}");
        assert_eq!(page.text(".who bdi"), "Reader");
    }
    let mut stranger = Visitor::new(&j);
    stranger.post("/login", &[("loan", "727"), ("key", j.stranger().await.key())]).await.is(303);
    assert_eq!(stranger.page(PAGE).await.text("h2"), "Nothing was sent for this loan yet");
}

#[tokio::test]
async fn who_cannot_sign_in_is_told_why() {
    if spoiled_by_emulator(SIGN_IN_TAKEN) {
        return;
    }
    let j = Journey::begin().await;
    let writer = j.api.colleague("Writer", &["events:write", "portal:write"]).await;
    let mut visitor = Visitor::new(&j);
    for (fields, why) in [
        ([("loan", "727"), ("key", "lh_no_such_key_0123456789")], "This key is not valid"),
        ([("loan", "727"), ("key", "")], "This key is not valid"),
        ([("loan", "727"), ("key", writer.key())], "This key may not read the history"),
        ([("loan", "a/b"), ("key", j.api.key())], "Say which loan to open"),
        ([("next", "//evil.example/loans/"), ("key", j.api.key())], "Say which loan to open"),
    ] {
        let answer = visitor.post("/login", &fields).await.is(422);
        assert!(Page::of(&answer).text("[role=alert]").starts_with(why), "{fields:?}");
        assert!(visitor.cookies.is_empty());
    }
    let elsewhere: [&[(&str, &str)]; 4] = [
        &[],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example")],
    ];
    for from in elsewhere {
        visitor.post_from("/login", &[("loan", "727"), ("key", j.api.key())], from).await.is(403);
        assert!(visitor.cookies.is_empty(), "{from:?}");
    }
}

#[tokio::test]
async fn signing_out_ends_the_session_itself() {
    let j = Journey::begin().await;
    let mut visitor = viewer(&j).await;
    let kept = visitor.cookies.clone();
    visitor.post_from("/logout", &[("loan", "727")], &[("sec-fetch-site", "cross-site")]).await.is(403);
    visitor.get(PAGE).await.is(200);
    let out = visitor.post("/logout", &[("loan", "727")]).await.is(303);
    assert_eq!(out.header("location"), "/login");
    assert_eq!(out.header("clear-site-data"), "\"cache\"");
    assert!(visitor.cookies.is_empty());
    // Who kept the cookie has nothing of it.
    visitor.cookies = kept;
    visitor.get(PAGE).await.is(303);
}
