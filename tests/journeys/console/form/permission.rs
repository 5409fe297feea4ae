//! Who may use the form: whoever has the scope, in the own tenant, from a page of ours.

use serde_json::{Value, json};

use super::super::{signed_in, signed_in_as};
use super::filled::Filled;
use super::{NEW, edit_of, form_at, good_form, only_webhook, page_of};
use crate::harness::{Journey, items_of, subscription, subscription_path, text};
use crate::portal::visitor::{Page, Visitor};

#[tokio::test]
async fn without_the_scope_nothing_is_offered_and_every_form_is_refused() {
    let j = Journey::start().await;
    let url = j.receiver.url("/hook?token=secret");
    let webhook = j.api.subscribe(&subscription(&url, json!({"title": "Core"}))).await;
    let mut writer = signed_in(&j).await;
    let filled = good_form(&j, &mut writer).await;
    let reader = j.api.with_new_key("Reader", &["history:read"]).await;
    let mut visitor = signed_in_as(&j, &reader).await;
    assert!(visitor.page("/subscriptions").await.all("a[href='/subscriptions/new']").is_empty());
    let page = visitor.page(&page_of(&webhook)).await;
    assert_eq!(page.text("h1"), "Core");
    assert!(page.all("main form, a[href$='/edit'], a[href$='/delete']").is_empty());
    assert!(!page.text("main").contains("token=secret"), "queries are masked");
    let refused = |page: &Page| {
        assert_eq!(page.text("h1"), "You may look, but not change webhooks");
        assert!(page.text("main p:first-of-type").contains("the scope subscriptions:write: ask whoever"));
    };
    let (edit, delete) = (edit_of(&webhook), format!("{}/delete", page_of(&webhook)));
    for path in [NEW, &edit, &delete] {
        refused(&Page::of(&visitor.get(path).await.expect_status(403)));
        refused(&Page::of(&filled.press(&mut visitor, path, "save").await.expect_status(403)));
    }
    for action in ["test", "rotate-secret", "check"] {
        let path = format!("{}/{action}", page_of(&webhook));
        refused(&Page::of(&filled.press(&mut visitor, &path, "").await.expect_status(403)));
    }
    let now = j.api.get(&subscription_path(&webhook)).await.json();
    assert_eq!((&now["version"], &now["title"]), (&json!(1), &json!("Core")));
}

#[tokio::test]
async fn a_form_of_another_site_or_of_another_viewer_changes_nothing() {
    let j = Journey::start().await;
    let webhook = j.subscribe("/hook", json!({"title": "Core"})).await;
    let mut visitor = signed_in(&j).await;
    let path = edit_of(&webhook);
    let filled = form_at(&mut visitor, &path).await.set("title", "Changed");
    let forged = filled.clone().set("csrf", "x");
    forged.press(&mut visitor, &path, "save").await.expect_status(403);
    forged.press(&mut visitor, NEW, "try").await.expect_status(403);
    let fields = [("csrf", filled.get("csrf")), ("title", "Changed"), ("version", "1"), ("action", "save")];
    visitor.post_from(&path, &fields, &[("sec-fetch-site", "cross-site")]).await.expect_status(403);
    visitor.post_from(&path, &fields, &[]).await.expect_status(403);
    for action in ["delete", "rotate-secret", "test", "check"] {
        let path = format!("{}/{action}", page_of(&webhook));
        forged.press(&mut visitor, &path, "").await.expect_status(403);
    }
    assert_eq!(j.api.get(&subscription_path(&webhook)).await.json()["version"], 1);
}

#[tokio::test]
async fn no_webhook_of_another_tenant_is_shown_or_changed() {
    let j = Journey::start().await;
    let webhook = j.subscribe("/hook", json!({"title": "Core"})).await;
    let mut ours = signed_in(&j).await;
    let filled = form_at(&mut ours, &edit_of(&webhook)).await;
    let stranger = j.other_tenant().await;
    let mut visitor = signed_in_as(&j, &stranger).await;
    let csrf = form_at(&mut visitor, NEW).await.get("csrf").to_owned();
    let filled = filled.set("csrf", &csrf);
    for path in [page_of(&webhook), edit_of(&webhook), format!("{}/delete", page_of(&webhook))] {
        visitor.get(&path).await.expect_status(404);
    }
    for action in ["edit", "delete", "rotate-secret", "test", "check", "hold"] {
        let path = format!("{}/{action}", page_of(&webhook));
        filled.press(&mut visitor, &path, "save").await.expect_status(404);
    }
    assert_eq!(j.api.get(&subscription_path(&webhook)).await.json()["version"], 1);
}

#[tokio::test]
async fn without_a_session_each_page_leads_to_the_sign_in_and_back() {
    let j = Journey::start().await;
    let webhook = j.subscribe("/hook", json!({})).await;
    for path in [NEW.to_owned(), page_of(&webhook), edit_of(&webhook)] {
        let mut visitor = Visitor::new(&j);
        let refused = visitor.get(&path).await.expect_status(303);
        let sign_in = visitor.page(refused.header("location")).await;
        assert_eq!(sign_in.attribute("input[name=next]", "value"), path);
    }
}

#[tokio::test]
async fn a_session_that_ends_while_the_form_is_filled_in_loses_nothing_of_it() {
    let j = Journey::start().await;
    let mut visitor = signed_in(&j).await;
    let filled = good_form(&j, &mut visitor).await;
    visitor.post("/sign-out", &[]).await.expect_status(303);
    let refused = Page::of(&filled.press(&mut visitor, NEW, "save").await.expect_status(403));
    assert_eq!(refused.text("h1"), "Your session has ended");
    let link = refused.one("main a");
    assert_eq!((link.attr("href"), link.attr("target")), (Some("/sign-in"), Some("_blank")));
    // After a sign-in in another tab the browser sends the same again.
    visitor.post("/sign-in", &[("key", j.api.key())]).await.expect_status(303);
    filled.press(&mut visitor, NEW, "save").await.expect_status(201);
}

/// Two forms of a viewer, a new one and that of a webhook, each with a secret.
async fn forms_with_secrets(
    j: &Journey,
    visitor: &mut Visitor,
    webhook: &Value,
) -> [(Filled, String, u16); 2] {
    let secrets =
        [("auth", "basic"), ("username", "loanhook"), ("password", "p4ss"), ("header-name-0", "X-Key")];
    let secrets = [&secrets[..], &[("header-value-0", "v4lue")]].concat();
    let new = good_form(j, visitor).await.set("title", "New").with(&secrets);
    let edit = form_at(visitor, &edit_of(webhook)).await.set("title", "Changed").with(&secrets);
    [(new, NEW.to_owned(), 201), (edit, edit_of(webhook), 303)]
}

#[tokio::test]
async fn a_form_that_somebody_else_opened_is_shown_again_without_its_secrets() {
    let j = Journey::start().await;
    let webhook = j.subscribe("/hook", json!({"title": "Core"})).await;
    let mut first = signed_in(&j).await;
    let writer = j.api.with_new_key("Writer", &["history:read", "subscriptions:write"]).await;
    let mut visitor = signed_in_as(&j, &writer).await;
    for (filled, path, saved) in forms_with_secrets(&j, &mut first, &webhook).await {
        let page = Page::of(&filled.press(&mut visitor, &path, "save").await.expect_status(403));
        let why = page.text(".notice.bad");
        assert!(
            why.contains(&format!("Here it is for the tenant {}, without its secrets", j.tenant)),
            "{why}"
        );
        let again = Filled::of(&page);
        let fields = ["title", "username", "password", "header-name-0", "header-value-0"];
        assert_eq!(fields.map(|name| again.get(name)), [filled.get("title"), "loanhook", "", "X-Key", ""]);
        let typed = again.with(&[("password", "p4ss"), ("header-value-0", "v4lue")]);
        typed.press(&mut visitor, &path, "save").await.expect_status(saved);
    }
    let list = j.api.get("/v1/subscriptions").await.json();
    let mut titles: Vec<_> = items_of(&list).iter().map(|of| text(&of["title"])).collect();
    titles.sort_unstable();
    assert_eq!(titles, ["Changed", "New"]);
}

#[tokio::test]
async fn what_a_form_made_before_another_sign_in_is_not_made_again_unasked() {
    let j = Journey::start().await;
    let mut first = signed_in(&j).await;
    let sent = good_form(&j, &mut first).await.set("title", "Sent");
    sent.press(&mut first, NEW, "save").await.expect_status(201);
    let writer = j.api.with_new_key("Writer", &["history:read", "subscriptions:write"]).await;
    let mut visitor = signed_in_as(&j, &writer).await;
    let again = sent.press(&mut visitor, NEW, "save").await.expect_status(303);
    assert!(again.header("location").ends_with("?made-before=1"), "{again:?}");
    for (changed, action) in [(sent.clone().set("url", "no URL"), "save"), (sent.clone(), "add-header")] {
        let page = Page::of(&changed.press(&mut visitor, NEW, action).await.expect_status(409));
        let why = page.text(".notice.bad");
        assert!(why.contains("This form made the webhook \u{201c}Sent\u{201d} before"), "{why}");
    }
    only_webhook(&j).await;
}

#[tokio::test]
async fn a_form_of_a_webhook_of_another_tenant_says_which_tenant_is_missing() {
    let j = Journey::start().await;
    let webhook = j.subscribe("/hook", json!({"title": "Core"})).await;
    let mut ours = signed_in(&j).await;
    let [(new, ..), (edit, path, _)] = forms_with_secrets(&j, &mut ours, &webhook).await;
    let stranger = j.other_tenant().await;
    let mut visitor = signed_in_as(&j, &stranger).await;
    let missing = Page::of(&edit.press(&mut visitor, &path, "save").await.expect_status(404));
    assert_eq!(missing.text("h1"), "This webhook is not in your tenant");
    let page = Page::of(&new.press(&mut visitor, NEW, "save").await.expect_status(403));
    assert_eq!(Filled::of(&page).get("password"), "");
    assert_eq!(stranger.get("/v1/subscriptions").await.json()["items"], json!([]));
}
