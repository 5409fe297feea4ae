//! Refusals: every page and every form, for a session with each scope and for a link to a loan: what it may not do is not offered, and
//! who asks for it all the same is told which scope is missing and whom to ask.

use serde_json::json;

use super::signed_in_as;
use crate::harness::{Api, ApiResponse, Journey, attempts_of, event, text};
use crate::portal::link;
use crate::portal::visitor::{Page, Visitor};
use crate::recovery::{id, make_job};

/// The scopes that a session may have beside `history:read`, without which nobody signs in.
const SCOPES: [&str; 6] =
    ["events:write", "webhooks:resend", "subscriptions:write", "portal:write", "admin", "operator"];

/// Each page, and the scopes of which it needs one; none where it is for whoever signed in.
const PAGES: [(&str, &[&str]); 24] = [
    ("/", &[]),
    ("/report?span=day&group=none", &[]),
    ("/webhooks", &[]),
    ("/webhooks/export?format=csv", &[]),
    ("/webhooks/resend-all?status=failed", RESEND),
    ("/subscriptions", &[]),
    ("/subscriptions/new", WRITE),
    ("/subscriptions/{subscription}", &[]),
    ("/subscriptions/{subscription}/edit", WRITE),
    ("/subscriptions/{subscription}/delete", WRITE),
    ("/subscriptions/{subscription}/versions", &[]),
    ("/search?q=7", &[]),
    ("/resends", RESEND),
    ("/resends/{job}", RESEND),
    ("/keys", KEYS),
    ("/keys/new", KEYS),
    ("/keys/{key}/revoke", KEYS),
    ("/loans/727/webhooks", &[]),
    ("/loans/727/webhooks/{row}/source", &[]),
    ("/loans/727/webhooks/{row}/response", &[]),
    ("/loans/727/webhooks/{row}/details", &[]),
    ("/loans/727/events", &[]),
    ("/loans/727/webhooks/resend-all?outcome=failed", RESEND),
    ("/loans/727/resends/{job}", RESEND),
];

/// Each form, and the scopes of which it needs one.
const FORMS: [(&str, &[&str]); 15] = [
    ("/webhooks/resend-all?status=failed", RESEND),
    ("/resends/{job}/stop", RESEND),
    ("/subscriptions/new", WRITE),
    ("/subscriptions/{subscription}/edit", WRITE),
    ("/subscriptions/{subscription}/delete", WRITE),
    ("/subscriptions/{subscription}/test", WRITE),
    ("/subscriptions/{subscription}/rotate-secret", WRITE),
    ("/subscriptions/{subscription}/check", WRITE),
    ("/subscriptions/{subscription}/hold", WRITE),
    ("/subscriptions/{subscription}/release", WRITE),
    ("/keys", KEYS),
    ("/keys/{key}/revoke", KEYS),
    ("/loans/727/webhooks/resend-all?outcome=failed", RESEND),
    ("/loans/727/webhooks/{row}/resend", RESEND),
    ("/loans/727/resends/{job}/stop", RESEND),
];

const RESEND: &[&str] = &["webhooks:resend"];
const WRITE: &[&str] = &["subscriptions:write"];
const KEYS: &[&str] = &["admin", "operator"];

/// A tenant with one of each thing that a path names.
struct Scene {
    j: Journey,
    subscription: String,
    row: String,
    job: String,
    key: String,
}

impl Scene {
    async fn new() -> Self {
        let j = Journey::start().await;
        let subscription = j.subscribe("/hook", json!({"retry": {"delays": []}})).await;
        j.receiver.replies("/hook", [crate::harness::Reply::status(500)]);
        let failed = j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
        let job = make_job(&j.api, "resends", &json!({"filter": {"loanId": "727", "test": true}})).await;
        let spare = json!({"name": "Spare", "scopes": ["history:read"]});
        let spare = j.api.post("/v1/keys", &spare).await.expect_status(201).json();
        Self {
            subscription: text(&subscription["id"]).to_owned(),
            row: text(&attempts_of(&failed)[0]["id"]).to_owned(),
            job: id(&job).to_owned(),
            key: text(&spare["id"]).to_owned(),
            j,
        }
    }

    fn path(&self, of: &str) -> String {
        [("subscription", &self.subscription), ("row", &self.row), ("job", &self.job), ("key", &self.key)]
            .into_iter()
            .fold(of.to_owned(), |path, (name, id)| path.replace(&format!("{{{name}}}"), id))
    }

    /// A session with these scopes.
    async fn session(&self, scopes: &[&str]) -> Visitor {
        let asked = json!({"name": "Viewer", "scopes": scopes, "tenant": self.j.tenant});
        let made = self.j.operator().post("/v1/keys", &asked).await.expect_status(201).json();
        signed_in_as(&self.j, &self.j.api.with_key(made["key"].as_str())).await
    }
}

/// The refusal names one of these scopes, and says whom to ask.
#[track_caller]
fn assert_refused(answer: &ApiResponse, scopes: &[&str], what: &str) {
    assert_eq!(answer.status, 403, "{what}: {answer:?}");
    let page = Page::of(answer);
    let told = page.text("main p:first-of-type");
    let names_one = scopes.iter().any(|scope| told.contains(&format!("the scope {scope}")));
    assert!(names_one && told.contains(": ask who"), "{what}: {told}");
}

/// The form is let through to its token, which this one lacks: nothing is done by it, and one that takes time to fill in is shown again.
#[track_caller]
fn assert_not_refused(answer: &ApiResponse, what: &str) {
    assert_eq!(answer.status, 403, "{what}: {answer:?}");
    let page = Page::of(answer);
    let is_shown_again = page.texts(".notice.bad").iter().any(|why| why.contains("so nothing was done"));
    assert!(is_shown_again || page.text("h1") == "That did not come from this page", "{what}: {answer:?}");
}

#[tokio::test]
async fn a_session_may_do_what_its_scope_allows_and_is_told_what_is_missing_for_the_rest() {
    let scene = Scene::new().await;
    for scope in [None].into_iter().chain(SCOPES.map(Some)) {
        let scopes: Vec<_> = ["history:read"].into_iter().chain(scope).collect();
        let mut visitor = scene.session(&scopes).await;
        let is_allowed = |needed: &[&str]| needed.is_empty() || needed.iter().any(|of| scope == Some(*of));
        for (page, needed) in PAGES {
            let (path, what) = (scene.path(page), format!("GET {page} with {scopes:?}"));
            let answer = visitor.get(&path).await;
            if is_allowed(needed) {
                assert_eq!(answer.status, 200, "{what}: {answer:?}");
            } else {
                assert_refused(&answer, needed, &what);
            }
        }
        for (form, needed) in FORMS {
            let (path, what) = (scene.path(form), format!("POST {form} with {scopes:?}"));
            let answer = visitor.post(&path, &[("csrf", "x")]).await;
            if is_allowed(needed) {
                assert_not_refused(&answer, &what);
            } else {
                assert_refused(&answer, needed, &what);
            }
        }
        assert_offers(&mut visitor, &scene, is_allowed).await;
    }
}

/// What is offered is what is allowed: links and forms of every page that this session opens.
async fn assert_offers(visitor: &mut Visitor, scene: &Scene, is_allowed: impl Fn(&[&str]) -> bool) {
    let row = &scene.row;
    let open = format!("/loans/727/webhooks?outcome=failed&open={row}");
    for (page, selector, needed) in [
        ("/", ".sections a[href='/resends']", RESEND),
        ("/", ".sections a[href='/keys']", KEYS),
        ("/webhooks?status=failed", ".all a", RESEND),
        ("/subscriptions", ".hold form", WRITE),
        ("/subscriptions", "a[href='/subscriptions/new']", WRITE),
        (&open, ".all a", RESEND),
        (&open, "form[action*='/resend']", RESEND),
    ] {
        let offered = !visitor.page(page).await.all(selector).is_empty();
        assert_eq!(offered, is_allowed(needed), "{selector} on {page}");
    }
}

#[tokio::test]
async fn a_link_opens_its_loan_alone_by_its_scopes() {
    let scene = Scene::new().await;
    for scopes in [&["history:read"][..], &["history:read", "webhooks:resend"]] {
        let mut visitor = Visitor::new(&scene.j);
        visitor.get(&link(&scene.j.api, "727", json!({"scopes": scopes})).await).await.expect_status(303);
        let may_resend = scopes.contains(&"webhooks:resend");
        for (page, needed) in PAGES {
            let (answer, what) =
                (visitor.get(&scene.path(page)).await, format!("GET {page} with {scopes:?}"));
            match (page.starts_with("/loans/"), needed.is_empty() || may_resend) {
                (true, true) => assert_eq!(answer.status, 200, "{what}: {answer:?}"),
                (true, false) => assert_refused(&answer, needed, &what),
                (false, _) => assert_refused(&answer, &["history:read"], &what),
            }
        }
        for (form, needed) in FORMS {
            let answer = visitor.post(&scene.path(form), &[("csrf", "x")]).await;
            let what = format!("POST {form} with {scopes:?}");
            match (form.starts_with("/loans/"), may_resend) {
                (true, true) => assert_not_refused(&answer, &what),
                (true, false) => assert_refused(&answer, needed, &what),
                (false, _) => assert_refused(&answer, &["history:read"], &what),
            }
        }
    }
}

#[tokio::test]
async fn without_reading_nobody_signs_in_and_is_told_so() {
    let scene = Scene::new().await;
    for scope in SCOPES {
        let asked = json!({"name": "Blind", "scopes": [scope], "tenant": scene.j.tenant});
        let made = scene.j.operator().post("/v1/keys", &asked).await.expect_status(201).json();
        let blind: Api = scene.j.api.with_key(made["key"].as_str());
        let mut visitor = Visitor::new(&scene.j);
        let refused = visitor.post("/sign-in", &[("key", blind.key())]).await.expect_status(422);
        assert!(Page::of(&refused).text("[role=alert]").contains("the scope history:read"), "{scope}");
        assert!(visitor.cookies.is_empty());
    }
}
