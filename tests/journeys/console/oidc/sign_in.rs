//! Who signs in, with which scopes of which tenant, and to which page.

use serde_json::json;

use super::{Answer, Browser, caller_of, logged, parameter, provider_and_journey};
use crate::harness::{attempts_of, event, subscription};
use crate::portal::visitor::Page;

#[tokio::test]
async fn a_sign_in_opens_the_asked_page_with_what_the_groups_give() {
    let Some((_provider, j)) = provider_and_journey().await else { return };
    let mut jane = Browser::new(&j);
    let asked = jane.visitor.get("/webhooks?status=failed").await.expect_status(303);
    let page = jane.visitor.page(asked.header("location")).await;
    assert_eq!(page.text("form.provider button"), "Sign in with localhost");
    let next = page.attribute("form.provider input[name=next]", "value");
    let url = jane.begin(&[("next", &next)]).await;
    for (name, value) in
        [("response_type", "code"), ("client_id", "loanhook"), ("code_challenge_method", "S256")]
    {
        assert_eq!(parameter(&url, name).as_deref(), Some(value), "{url}");
    }
    let back = jane.at_provider(&url, Answer::SignIn("jane")).await;
    let opened = jane.visitor.get(&back).await.expect_status(303);
    assert_eq!(opened.header("location"), "/webhooks?status=failed&opened=1");
    let page = jane.visitor.page(opened.header("location")).await;
    assert_eq!(page.text(".viewing"), "Viewing as Jane Doe (jane@lender.example) of acme");
    assert!(!jane.visitor.cookies.keys().any(|name| name.starts_with("lh-oidc-")), "nothing is left of it");
    logged(&j, "sign_in.succeeded", 1).await;
    let output = j.server.output();
    for secret in
        ["code", "state"].map(|name| parameter(&format!("http://a{back}"), name).expect("it has one"))
    {
        assert!(!output.contains(&secret), "{output}");
    }
    let line = output.lines().find(|line| line.contains("sign_in.succeeded")).expect("a line");
    assert!(line.contains("Jane Doe (jane@lender.example)") && line.contains("subject"), "{line}");
}

#[tokio::test]
async fn what_no_group_gives_is_not_offered_and_is_refused() {
    let Some((_provider, j)) = provider_and_journey().await else { return };
    let api = caller_of(&j, "acme").await;
    let hook = api.subscribe(&subscription(&j.receiver.url("/hook"), json!({}))).await;
    let hold = format!("/subscriptions/{}/hold", hook["id"].as_str().expect("an ID"));
    for (person, name, may_hold) in [
        ("jane", "Jane Doe (jane@lender.example)", true),
        ("rita", "rita.reader (rita@lender.example)", false),
    ] {
        let mut browser = Browser::new(&j);
        browser.sign_in(person, "/subscriptions").await.expect_status(303);
        let page = browser.visitor.page("/subscriptions").await;
        assert_eq!(page.text(".viewing"), format!("Viewing as {name} of acme"));
        assert_eq!(!page.all(".hold form").is_empty(), may_hold, "{person}");
        if !may_hold {
            browser.visitor.post(&hold, &[]).await.expect_status(403);
        }
    }
}

#[tokio::test]
async fn a_resend_says_who_asked_for_it() {
    let Some((_provider, j)) = provider_and_journey().await else { return };
    let api = caller_of(&j, "acme").await;
    api.subscribe(&subscription(&j.receiver.url("/hook"), json!({}))).await;
    let trace = api.send_one(&event("727")).await;
    let delivery = api.ended_delivery(&trace).await;
    let row = attempts_of(&delivery)[0]["id"].as_str().expect("an ID").to_owned();
    let mut jane = Browser::new(&j);
    jane.sign_in("jane", "/loans/727/webhooks").await.expect_status(303);
    let page = jane.visitor.page(&format!("/loans/727/webhooks?open={row}")).await;
    let field = |name: &str| {
        page.all(&format!("form[action*='/resend'] input[name={name}]"))[0].attr("value").map(str::to_owned)
    };
    let (csrf, once) = (field("csrf").expect("a token"), field("once").expect("a number"));
    let path = format!("/loans/727/webhooks/{row}/resend");
    jane.visitor.post(&path, &[("csrf", &csrf), ("once", &once)]).await.expect_status(303);
    let delivery = api.delivery_after_attempts(&trace, 2).await;
    assert_eq!(attempts_of(&delivery)[1]["requestedBy"], "Jane Doe (jane@lender.example)", "{delivery}");
}

#[tokio::test]
async fn whoever_no_rule_opens_anything_to_is_told_so_and_can_have_the_provider_ask_anew() {
    let Some((_provider, j)) = provider_and_journey().await else { return };
    let mut browser = Browser::new(&j);
    let refused = browser.sign_in("otto", "/webhooks").await.expect_status(403);
    assert!(!browser.has_session());
    let page = Page::of(&refused);
    // Nobody has verified his mail address.
    assert_eq!(page.text(".viewer"), "otto");
    logged(&j, "oidc.no_access", 1).await;
    let output = j.server.output();
    let line = output.lines().find(|line| line.contains("oidc.no_access")).expect("a line");
    assert!(line.contains("otto") && line.contains("groups") && !line.contains("everyone"), "{line}");
    assert!(page.text("main").contains("no group of yours opens loanhook"), "{}", page.text("main"));
    // The provider knows him, and asks only where it is told to.
    let anew = page.attribute("input[name=anew]", "value");
    for (fields, asks) in [(&[][..], false), (&[("anew", anew.as_str())], true)] {
        let url = browser.begin(fields).await;
        let (back, asked) = browser.provider.go_through(&url, Answer::SignIn("otto")).await;
        assert_eq!(asked, asks, "{fields:?}");
        browser.visitor.get(&super::path_of(&back)).await.expect_status(403);
    }
}

#[tokio::test]
async fn whoever_has_several_tenants_chooses_one() {
    let Some((_provider, j)) = provider_and_journey().await else { return };
    let mut mia = Browser::new(&j);
    let page = Page::of(&mia.sign_in("mia", "/webhooks").await.expect_status(200));
    assert_eq!(page.texts("button[name=tenant]"), ["acme", "borealis"]);
    assert!(!mia.has_session());
    let next = page.attribute("input[name=next]", "value");
    for (tenant, may_resend) in [("borealis", false), ("acme", true)] {
        let url = mia.begin(&[("next", &next), ("tenant", tenant)]).await;
        let (back, asked) = mia.provider.go_through(&url, Answer::Deny).await;
        assert!(!asked, "the provider knows who it is");
        let opened = mia.visitor.get(&super::path_of(&back)).await.expect_status(303);
        assert_eq!(opened.header("location"), "/webhooks?opened=1");
        let page = mia.visitor.page("/webhooks").await;
        assert_eq!(page.text(".viewing"), format!("Viewing as Mia Many (mia) of {tenant}"));
        // Two of her groups give scopes of acme: they add up.
        let refused = mia.visitor.get("/webhooks/resend-all").await.status == 403;
        assert_eq!(!refused, may_resend, "{tenant}");
    }
    // A tenant that no rule of hers names is none to choose.
    let url = mia.begin(&[("tenant", "default")]).await;
    let back = mia.at_provider(&url, Answer::Deny).await;
    mia.visitor.get(&back).await.expect_status(403);
}

#[tokio::test]
async fn a_nested_claim_is_found_by_its_pointer() {
    let Some((_provider, j)) = provider_and_journey().await else { return };
    let mut nora = Browser::new(&j);
    nora.sign_in("nora", "/").await.expect_status(303);
    // Without any other name it is the provider's own for her.
    assert_eq!(nora.visitor.page("/").await.text(".viewing"), "Viewing as nora of acme");
}

#[tokio::test]
async fn claims_that_the_id_token_lacks_are_asked_for() {
    let Some((provider, j)) = provider_and_journey().await else { return };
    provider.has_to("claims-by-userinfo", json!(null)).await;
    let mut jane = Browser::new(&j);
    jane.sign_in("jane", "/").await.expect_status(303);
    assert_eq!(
        jane.visitor.page("/").await.text(".viewing"),
        "Viewing as Jane Doe (jane@lender.example) of acme"
    );
}

#[tokio::test]
async fn a_userinfo_endpoint_that_fails_takes_nothing_from_what_was_signed() {
    let Some((provider, j)) = provider_and_journey().await else { return };
    provider.has_to("change-userinfo", json!({})).await;
    Browser::new(&j).sign_in("jane", "/").await.expect_status(303);
    logged(&j, "oidc.provider_failed", 1).await;
    provider.has_to("change-userinfo", json!({"sub": "rita"})).await;
    Browser::new(&j).sign_in("jane", "/").await.expect_status(303);
    logged(&j, "oidc.userinfo_of_another", 1).await;
    // Where nothing that opens anything was signed, another person's groups open nothing, and a failure is one.
    provider.has_to("claims-by-userinfo", json!(null)).await;
    Browser::new(&j).sign_in("jane", "/").await.expect_status(403);
    provider.has_to("change-userinfo", json!({})).await;
    Browser::new(&j).sign_in("jane", "/").await.expect_status(424);
}

#[tokio::test]
async fn an_own_tab_for_each_of_two_sign_ins_at_once() {
    let Some((_provider, j)) = provider_and_journey().await else { return };
    let mut jane = Browser::new(&j);
    let first = jane.begin(&[("next", "/webhooks")]).await;
    let second = jane.begin(&[("next", "/subscriptions")]).await;
    for (url, page) in [(second, "/subscriptions?opened=1"), (first, "/webhooks?opened=1")] {
        let back = jane.at_provider(&url, Answer::SignIn("jane")).await;
        assert_eq!(jane.visitor.get(&back).await.expect_status(303).header("location"), page);
    }
}

#[tokio::test]
async fn a_new_sign_in_ends_the_session_that_the_browser_had() {
    let Some((_provider, j)) = provider_and_journey().await else { return };
    let mut jane = Browser::new(&j);
    jane.sign_in("jane", "/").await.expect_status(303);
    let first = jane.visitor.cookies.clone();
    jane.sign_in("jane", "/").await.expect_status(303);
    jane.visitor.get("/").await.expect_status(200);
    jane.visitor.cookies = first;
    let refused = jane.visitor.get("/").await.expect_status(303);
    assert!(refused.header("location").starts_with("/sign-in"), "{refused:?}");
}

#[tokio::test]
async fn a_key_signs_in_beside_the_provider() {
    let Some((_provider, j)) = provider_and_journey().await else { return };
    let visitor = crate::console::signed_in(&j).await;
    assert!(visitor.cookies.contains_key("lh-any"));
}
