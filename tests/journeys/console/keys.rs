//! API keys in the console: listed without the key, made and shown once, revoked after a question.

use std::time::SystemTime;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{signed_in, signed_in_as};
use crate::harness::{Api, ApiResponse, Journey, eventually, items_of, scaled_seconds, text, utc};
use crate::portal::link;
use crate::portal::visitor::{Page, Visitor};

const ADMIN: [&str; 2] = ["history:read", "admin"];

/// The keys of a tenant, as the API lists them.
async fn keys(api: &Api) -> Vec<Value> {
    items_of(&api.get("/v1/keys").await.expect_status(200).json()).clone()
}

/// The hidden fields of the form for a new key.
fn hidden(form: &Page) -> [(String, String); 2] {
    ["csrf", "once"]
        .map(|name| (name.to_owned(), form.attribute(&format!("main input[name={name}]"), "value")))
}

/// The form for a new key, filled in.
async fn make(visitor: &mut Visitor, fields: &[(&str, &str)]) -> ApiResponse {
    let form = visitor.page("/keys/new").await;
    let hidden = hidden(&form);
    let hidden = hidden.iter().map(|(name, value)| (&**name, &**value));
    let fields: Vec<_> = hidden.chain(fields.iter().copied()).collect();
    visitor.post(&form.attribute("main form", "action"), &fields).await
}

/// The key that a page shows once.
fn shown_key(page: &Page) -> String {
    page.text("#new-key")
}

#[tokio::test]
async fn a_key_is_made_shown_once_and_works() {
    let j = Journey::start().await;
    let admin = j.api.with_new_key("Admin", &ADMIN).await;
    let mut visitor = signed_in_as(&j, &admin).await;
    let page = visitor.page("/keys").await;
    assert_eq!(page.attribute(".sections a[aria-current=page]", "href"), "/keys");
    let form = visitor.page(&page.attribute("main .top a.button", "href")).await;
    assert_eq!(
        form.all("input[name=scope]")
            .iter()
            .map(|one| one.attr("value").expect("a scope"))
            .collect::<Vec<_>>(),
        ["events:write", "history:read", "webhooks:resend", "subscriptions:write", "portal:write", "admin"],
        "operator is for an operator to give"
    );
    let fields = [
        ("name", " Loader "),
        ("scope", "events:write"),
        ("scope", "history:read"),
        ("lastDay", "2099-12-31"),
    ];
    let made = make(&mut visitor, &fields).await.expect_status(201);
    let page = Page::of(&made);
    let key = shown_key(&page);
    assert!(key.starts_with("lh_") && page.text(".notice").contains("it is not shown again"));
    assert_eq!(page.attribute(".copy", "data-copy"), key);
    let loader = j.api.with_key(Some(&key));
    loader.get("/v1/webhooks").await.expect_status(200);
    loader.get("/v1/keys").await.expect_problem(403);
    let listed = keys(&j.api).await;
    let listed = listed.iter().find(|one| one["name"] == "Loader").expect("it is there");
    assert_eq!(listed["scopes"], json!(["events:write", "history:read"]));
    assert_eq!(listed["expiresAt"], "2100-01-01T00:00:00.000Z", "the end of the day");

    let list = visitor.get("/keys").await.expect_status(200);
    assert!(!String::from_utf8_lossy(&list.body).contains(&key[3..]), "a list shows no key");
    let page = Page::of(&list);
    let column = |head: &str| page.texts(&format!("#keys td[data-head='{head}']"));
    assert_eq!(column("Key"), ["journey", "Admin yours", "Loader"]);
    assert_eq!(column("Scopes")[2], "events:write history:read");
    assert_eq!(column("Ends")[1..], ["not by itself", "2100-01-01 00:00:00 UTC"]);
    assert!(column("Last used")[2].starts_with("in the hour from 20"), "{:?}", column("Last used"));
}

#[tokio::test]
async fn a_form_that_is_sent_twice_makes_one_key_and_one_without_a_session_can_be_sent_again() {
    let j = Journey::start().await;
    let (mut visitor, mut second) = (signed_in(&j).await, signed_in(&j).await);
    let form = visitor.page("/keys/new").await;
    let hidden = hidden(&form);
    let mut fields: Vec<_> = hidden.iter().map(|(name, value)| (&**name, &**value)).collect();
    fields.extend([("name", "Loader"), ("scope", "events:write")]);
    let stranger = Page::of(&Visitor::new(&j).post("/keys", &fields).await.expect_status(403));
    assert_eq!(stranger.text("h1"), "Your session has ended");
    let (one, other) = tokio::join!(visitor.post("/keys", &fields), second.post("/keys", &fields));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    let again = Page::of(&visitor.post("/keys", &fields).await.expect_status(409));
    assert!(again.text("main p").starts_with("This form was sent before, and made a key"));
    assert_eq!(keys(&j.api).await.len(), 2, "journey's and Loader");
    // Nor after another sign-in; what was not sent before is shown again, with what was typed.
    let other = j.api.with_new_key("Other", &["history:read", "admin"]).await;
    let mut other = signed_in_as(&j, &other).await;
    other.post("/keys", &fields).await.expect_status(409);
    let form = self::hidden(&visitor.page("/keys/new").await);
    let mut unsent: Vec<_> = form.iter().map(|(name, value)| (&**name, &**value)).collect();
    unsent.extend([("name", "Unsent"), ("scope", "events:write")]);
    let shown = Page::of(&other.post("/keys", &unsent).await.expect_status(403));
    let why = shown.text(".notice.bad");
    assert!(why.contains(&format!("Here it is for the tenant {}", j.tenant)), "{why}");
    assert_eq!(shown.attribute("#k-name", "value"), "Unsent");
    assert_eq!(shown.attribute("input[name=scope][checked]", "value"), "events:write");
    assert_eq!(keys(&j.api).await.len(), 3, "journey's, Loader and Other");
    // A form that is corrected after it made a key is shown again, for a further one.
    let corrected: Vec<_> = fields
        .iter()
        .map(|(name, value)| (*name, if *name == "name" { "Corrected" } else { value }))
        .collect();
    let shown = Page::of(&visitor.post("/keys", &corrected).await.expect_status(409));
    assert!(shown.text(".notice.bad").starts_with("This form made the key \u{201c}Loader\u{201d} before"));
    assert_eq!(shown.attribute("#k-name", "value"), "Corrected");
    assert_eq!(keys(&j.api).await.len(), 3);
    let forged: Vec<_> = fields.iter().copied().filter(|(name, _)| *name != "once").collect();
    visitor.post("/keys", &forged).await.expect_status(403);
}

#[tokio::test]
async fn what_is_wrong_is_said_at_the_form_which_keeps_what_was_typed() {
    let j = Journey::start().await;
    let mut visitor = signed_in(&j).await;
    let long = "x".repeat(257);
    for (fields, told) in [
        (&[("name", ""), ("lastDay", "2020-01-01")][..], &["Name", "Scopes", "Last day"][..]),
        (&[("name", &*long), ("scope", "admin")], &["Name"]),
        (&[("name", "a\u{7}b"), ("scope", "admin")], &["Name"]),
        (&[("name", "Ann"), ("scope", "history:read"), ("lastDay", "soon")], &["Last day"]),
        (&[("name", "Ann"), ("scope", "everything")], &["Scopes"]),
    ] {
        let page = Page::of(&make(&mut visitor, fields).await.expect_status(422));
        assert_eq!(page.texts(".notice strong"), told, "{fields:?}");
        let name = fields.iter().find(|(name, _)| *name == "name").expect("a name").1;
        assert_eq!(page.attribute("#k-name", "value"), name);
    }
    assert_eq!(keys(&j.api).await.len(), 1, "none was made");
}

#[tokio::test]
async fn a_key_is_revoked_after_a_question_that_says_what_ends_with_it() {
    let j = Journey::start().await;
    let made = json!({"name": "LMS", "scopes": ["history:read", "portal:write"]});
    let made = j.api.post("/v1/keys", &made).await.expect_status(201).json();
    let lms = j.api.with_key(made["key"].as_str());
    let mut person = signed_in_as(&j, &lms).await;
    let mut servicer = Visitor::new(&j);
    servicer.get(&link(&lms, "727", json!({})).await).await.expect_status(303);
    servicer.page("/loans/727/webhooks").await;

    let mut visitor = signed_in(&j).await;
    let list = visitor.page("/keys").await;
    let ask = list.all("td[data-head=Revoke] a")[1].attr("href").expect("an address").to_owned();
    let question = visitor.page(&ask).await;
    assert_eq!(question.text("main h2"), "Revoke LMS?");
    assert_eq!(question.all("main li").len(), 3);
    assert!(question.all("main .notice").is_empty());
    let (form, csrf) =
        (question.attribute("main form", "action"), question.attribute("main input[name=csrf]", "value"));
    visitor.post(&form, &[("csrf", "x")]).await.expect_status(403);
    visitor
        .post_from(&form, &[("csrf", &csrf)], &[("sec-fetch-site", "cross-site")])
        .await
        .expect_status(403);
    lms.get("/v1/webhooks").await.expect_status(200);
    let done = visitor.post(&form, &[("csrf", &csrf)]).await.expect_status(303);
    assert_eq!(done.header("location"), "/keys");
    lms.get("/v1/webhooks").await.expect_problem(401);
    person.get("/webhooks").await.expect_status(303);
    servicer.get("/loans/727/webhooks").await.expect_status(303);
    // It is gone, from the list and for its address.
    visitor.post(&form, &[("csrf", &csrf)]).await.expect_status(404);
    visitor.get(&ask).await.expect_status(404);
    assert_eq!(visitor.page("/keys").await.texts("#keys td.title bdi"), ["journey"]);
}

#[tokio::test]
async fn who_revokes_the_own_key_or_the_last_that_manages_keys_is_warned() {
    let j = Journey::start().await;
    let mut visitor = signed_in(&j).await;
    let list = visitor.page("/keys").await;
    let own = list.attribute("td[data-head=Revoke] a", "href");
    let question = visitor.page(&own).await;
    let notices = question.texts("main .notice");
    assert!(
        notices[0].starts_with("You signed in with this key") && notices[1].starts_with("No other key"),
        "{notices:?}"
    );
    // One that is over manages nothing, another does.
    let expired = json!({"name": "Over", "scopes": ["admin"], "expiresAt": in_a_moment()});
    let over = j.api.post("/v1/keys", &expired).await.expect_status(201).json();
    let over = j.api.with_key(over["key"].as_str());
    eventually("it is over", async || (over.get("/v1/keys").await.status == 401).then_some(())).await;
    assert_eq!(visitor.page(&own).await.texts("main .notice").len(), 2);
    assert_eq!(visitor.page("/keys").await.texts(".code.none"), ["over"]);
    j.api.with_new_key("Second", &["admin"]).await;
    let question = visitor.page(&own).await;
    assert_eq!(question.texts("main .notice").len(), 1);
    let csrf = question.attribute("main input[name=csrf]", "value");
    visitor.post(&own, &[("csrf", &csrf)]).await.expect_status(303);
    let out = visitor.get("/keys").await.expect_status(303);
    assert!(out.header("location").contains("ended=1"), "{}", out.header("location"));
}

/// A time that is over soon.
fn in_a_moment() -> String {
    (utc(SystemTime::now()) + TimeDelta::seconds(scaled_seconds(4).into())).to_rfc3339()
}

#[tokio::test]
async fn keys_belong_to_their_tenant_and_those_of_an_operator_to_operators() {
    let j = Journey::start().await;
    let admin = j.api.with_new_key("Admin", &ADMIN).await;
    let reader =
        j.api.with_new_key("Reader", &["history:read", "webhooks:resend", "subscriptions:write"]).await;
    let ids: Vec<_> = keys(&j.api).await.iter().map(|one| text(&one["id"]).to_owned()).collect();
    let stranger = j.other_tenant().await;
    let mut other = signed_in_as(&j, &stranger).await;
    assert_eq!(other.page("/keys").await.all("#keys tbody tr").len(), 1);
    let csrf = other.page("/keys/new").await.attribute("main input[name=csrf]", "value");
    for id in ids.iter().map(String::as_str).chain(["x", "new"]) {
        let path = format!("/keys/{id}/revoke");
        other.get(&path).await.expect_status(404);
        other.post(&path, &[("csrf", &csrf)]).await.expect_status(404);
    }
    assert_eq!(keys(&j.api).await.len(), ids.len());

    let mut visitor = signed_in_as(&j, &admin).await;
    let fields = [("name", "Mighty"), ("scope", "history:read"), ("scope", "operator")];
    let refused = Page::of(&make(&mut visitor, &fields).await.expect_status(403));
    assert!(refused.text("main p:first-of-type").contains("the scope operator"));

    let mut visitor = signed_in_as(&j, &reader).await;
    assert!(visitor.page("/").await.all(".sections a[href='/keys']").is_empty());
    for path in ["/keys", "/keys/new", &format!("/keys/{}/revoke", ids[0])] {
        let refused = Page::of(&visitor.get(path).await.expect_status(403));
        assert!(refused.text("main p:first-of-type").contains("the scope admin: ask whoever administers"));
    }
}
