//! Sessions of the console: a sign-in opens it, a link to one loan does not, and each tenant sees its own.

use serde_json::json;

use super::{PAGES, signed_in, signed_in_as};
use crate::harness::{Journey, event};
use crate::portal::link;
use crate::portal::visitor::{Page, Visitor};

#[tokio::test]
async fn without_a_session_each_page_leads_to_the_sign_in_and_back() {
    let j = Journey::start().await;
    for path in ["/", "/?span=week", "/webhooks?status=failed", "/subscriptions", "/search?q=727"] {
        let mut visitor = Visitor::new(&j);
        let refused = visitor.get(path).await.expect_status(303);
        let sign_in = visitor.page(refused.header("location")).await;
        assert_eq!(sign_in.attribute("input[name=next]", "value"), path);
        let signed_in =
            visitor.post("/sign-in", &[("next", path), ("key", j.api.key())]).await.expect_status(303);
        assert!(signed_in.header("location").starts_with(path));
        visitor.get(path).await.expect_status(200);
    }
    // A program is told what it is told of every path that is not there.
    j.api.get("/").await.expect_problem(404);
}

#[tokio::test]
async fn a_link_to_one_loan_opens_no_page_of_all_and_says_what_is_missing() {
    let j = Journey::start().await;
    let mut visitor = Visitor::new(&j);
    visitor.get(&link(&j.api, "727", json!({})).await).await.expect_status(303);
    for path in PAGES {
        let refused = Page::of(&visitor.get(path).await.expect_status(403));
        assert_eq!(refused.text("h1"), "Your link opens one loan");
        assert!(
            refused
                .text("main p:first-of-type")
                .contains("the scope history:read: ask whoever administers loanhook")
        );
        assert!(refused.attribute("main a", "href").starts_with("/sign-in?next=%2F"), "{path}");
        assert!(refused.all("nav").is_empty(), "nothing is offered that would be refused");
    }
    visitor.post("/webhooks/resend-all?status=failed", &[]).await.expect_status(403);
    visitor.post("/resends/0193a207-d921-7b80-8080-00000000002f/stop", &[]).await.expect_status(403);
    // The page of the loan offers none of them.
    let page = visitor.page("/loans/727/webhooks").await;
    assert!(page.all("header.site").is_empty());
    assert_eq!(page.all(".who").len(), 1);
}

#[tokio::test]
async fn a_sign_in_has_the_navigation_and_the_search_on_every_page() {
    let j = Journey::start().await;
    let mut visitor = signed_in(&j).await;
    for path in PAGES.into_iter().chain(["/loans/727/webhooks", "/loans/727/events"]) {
        let page = visitor.page(path).await;
        assert_eq!(
            page.texts(".sections a"),
            ["Overview", "Deliveries", "Webhooks", "Jobs", "Keys"],
            "{path}"
        );
        assert_eq!(page.attribute("form[role=search]", "action"), "/search");
        assert_eq!(page.text(".who bdi"), "journey", "once, in the header of the site");
        assert_eq!(page.text(".who .tenant"), j.tenant);
        let here = page.all(".sections a[aria-current=page]");
        let place = here.first().map(|a| a.attr("href").expect("an address"));
        let expected = PAGES[..3].iter().find(|of| **of == path).copied();
        assert_eq!(place, expected, "{path}");
        assert!(page.all("[style], script:not([src]), style").is_empty(), "the policy would forbid them");
    }
    let out = visitor.post("/sign-out", &[]).await.expect_status(303);
    assert_eq!(out.header("location"), "/sign-in");
    for path in PAGES {
        visitor.get(path).await.expect_status(303);
    }
}

#[tokio::test]
async fn each_tenant_sees_its_own_alone() {
    let j = Journey::start().await;
    let stranger = j.other_tenant().await;
    j.subscribe("/hook", json!({"title": "Ours"})).await;
    let trace = j.api.send_one(&event("727")).await;
    let event_id = j.api.ended_delivery(&trace).await["eventId"].as_str().expect("an ID").to_owned();
    let mut visitor = signed_in_as(&j, &stranger).await;
    assert!(visitor.page("/webhooks").await.all("#deliveries").is_empty());
    assert!(visitor.page("/subscriptions").await.all("#subscriptions").is_empty());
    assert!(visitor.page("/").await.texts(".tiles .number")[1].starts_with('0'));
    for text in ["727", &trace, &event_id, "Ours"] {
        let page = visitor.page(&format!("/search?q={text}")).await;
        assert!(page.text("[role=status]").starts_with("Nothing was found for"), "{text}");
    }
    let export = visitor.get("/webhooks/export?format=ndjson").await.expect_status(200);
    assert!(export.body.is_empty());
}

#[tokio::test]
async fn a_session_ends_with_its_key() {
    let j = Journey::start().await;
    let made = json!({"name": "Reader", "scopes": ["history:read"]});
    let made = j.api.post("/v1/keys", &made).await.expect_status(201).json();
    let reader = j.api.with_key(made["key"].as_str());
    let mut visitor = signed_in_as(&j, &reader).await;
    visitor.get("/webhooks").await.expect_status(200);
    let id = made["id"].as_str().expect("an ID");
    j.api.delete(&format!("/v1/keys/{id}")).await.expect_status(204);
    for path in PAGES {
        let refused = visitor.get(path).await.expect_status(303);
        assert!(refused.header("location").contains("ended=1"), "{path}");
    }
}
