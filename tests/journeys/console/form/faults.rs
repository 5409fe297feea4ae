//! What is wrong stands at its field, nothing is stored, and everything that was typed is still there.

use serde_json::json;

use super::super::signed_in;
use super::filled::Filled;
use super::{NEW, edit_of, form_at, good_form};
use crate::harness::{Journey, event, subscription_path};
use crate::portal::visitor::Page;

/// Changes of a good form, the field at which something is wrong then, and a part of what is said of it.
type Wrong = (&'static [(&'static str, &'static str)], &'static str, &'static str);

const WRONG: [Wrong; 26] = [
    (&[("title", "")], "title", "1 to 256 characters"),
    (&[("criteria", "trigger"), ("trigger", "(> days")], "trigger", "column"),
    (&[("criteria", "trigger"), ("trigger", "")], "trigger", ""),
    (&[("criteria", "operational")], "operational", "at least one"),
    (&[("restriction", "(unknown-function 1)")], "restriction", ""),
    (&[("url", "ftp://example.com")], "url", ""),
    (&[("url", "https://example.com/[[v('x'")], "url", ""),
    (&[("method", "TRACE")], "method", ""),
    (&[("contentType", "")], "contentType", "media type"),
    (&[("body", "template"), ("payload", "[[v(")], "payload", ""),
    (&[("header-name-0", "Host"), ("header-value-0", "x")], "header-name-0", "loanhook sets it itself"),
    (&[("header-name-1", "Bad name"), ("header-value-1", "x")], "header-name-1", "not a header name"),
    (&[("header-name-0", "X-A"), ("header-name-1", "X-A")], "header-name-1", "twice"),
    (&[("header-value-1", "x")], "header-name-1", "must have a name"),
    (&[("header-name-0", "X-A"), ("header-value-0", "***")], "header-name-0", "there is none"),
    (&[("auth", "basic"), ("username", "a:b"), ("password", "typed-secret")], "username", "no colon"),
    (
        &[("auth", "oauth2"), ("tokenUrl", "nowhere"), ("clientId", "a"), ("clientSecret", "b")],
        "tokenUrl",
        "",
    ),
    (
        &[("auth", "oauth2"), ("tokenUrl", "https://id.example.com"), ("clientId", "a")],
        "clientSecret",
        "required",
    ),
    (&[("clientCertificate", "nonsense"), ("clientKey", "nonsense")], "clientCertificate", ""),
    (&[("delays", "5 min, 5 weeks")], "delays", "“5 weeks” is no time"),
    (&[("delays", "8 d")], "delays", "time 1 must be 1 to 604800"),
    (
        &[("retry", "interval"), ("interval", "1 h"), ("maxRetries", "1.5")],
        "maxRetries",
        "must be a whole number: “1.5” is none",
    ),
    (
        &[
            ("retry", "exponential"),
            ("base", "1 h"),
            ("factor", "11"),
            ("cap", "1 h"),
            ("exponentialRetries", "1"),
            ("jitter", "0"),
        ],
        "factor",
        "1 to 10",
    ),
    (&[("timeoutSeconds", "31")], "timeoutSeconds", "1 to 30"),
    (&[("maxPerSecond", "0")], "maxPerSecond", "0.1 to 10000"),
    (&[("stepAside", "5 s")], "stepAside", ""),
];

#[tokio::test]
async fn each_fault_stands_at_its_field_and_nothing_that_was_typed_is_lost() {
    let j = Journey::start().await;
    let mut visitor = signed_in(&j).await;
    let good = good_form(&j, &mut visitor).await;
    for (changes, field, said) in WRONG {
        eprintln!("{changes:?}");
        let filled = good.clone().with(changes);
        let answer = filled.press(&mut visitor, NEW, "save").await.expect_status(422);
        assert_eq!(answer.header("cache-control"), "no-store");
        let page = Page::of(&answer);
        let fault = page.text(&format!("#f-{field}-fault"));
        assert!(fault.to_lowercase().contains(&said.to_lowercase()), "{field}: {fault}");
        assert!(page.text("title").starts_with("Wrong: "));
        // The summary leads to the field, which names its fault, unless it is a group.
        assert_eq!(page.attribute(".faults a", "href"), format!("#f-{field}"));
        let at = page.one(&format!("#f-{field}"));
        let described = at.attr("aria-describedby").expect("a description");
        assert!(described.split(' ').any(|id| id == format!("f-{field}-fault")), "{field}: {described}");
        assert!(at.value().name() == "fieldset" || at.attr("aria-invalid") == Some("true"), "{field}");
        if field != "method" {
            assert_eq!(Filled::of(&page).sorted(), filled.sorted(), "what was typed stays");
        }
    }
    let none = j.api.get("/v1/subscriptions").await.json();
    assert_eq!(none["items"], json!([]));
}

#[tokio::test]
async fn all_faults_are_told_at_once_and_the_form_can_be_saved_once_they_are_corrected() {
    let j = Journey::start().await;
    let mut visitor = signed_in(&j).await;
    let good = good_form(&j, &mut visitor).await;
    let secret = [("auth", "basic"), ("username", "a"), ("password", "typed-secret")];
    let wrong =
        good.clone().with(&secret).with(&[("title", ""), ("timeoutSeconds", "x"), ("maxInFlight", "0")]);
    let page = Page::of(&wrong.press(&mut visitor, NEW, "save").await.expect_status(422));
    let links: Vec<_> = page.all(".faults a").iter().map(|a| a.attr("href").expect("an address")).collect();
    assert_eq!(links, ["#f-timeoutSeconds", "#f-title", "#f-maxInFlight"]);
    let corrected =
        Filled::of(&page).with(&[("title", "Core"), ("timeoutSeconds", "20"), ("maxInFlight", "")]);
    assert_eq!(corrected.get("password"), "typed-secret", "it is not typed again");
    corrected.press(&mut visitor, NEW, "save").await.expect_status(201);
}

#[tokio::test]
async fn a_stored_secret_goes_to_no_other_host() {
    let j = Journey::start().await;
    let webhook = j.subscribe("/hook", json!({"request": {"headers": {"X-Key": "secret"}}})).await;
    let mut visitor = signed_in(&j).await;
    let path = edit_of(&webhook);
    let filled = form_at(&mut visitor, &path).await.set("url", "https://elsewhere.example.com/");
    let page = Page::of(&filled.press(&mut visitor, &path, "save").await.expect_status(422));
    assert!(page.text("#f-header-name-0-fault").contains("give the value again"));
    let given = Filled::of(&page).set("header-value-0", "another");
    given.press(&mut visitor, &path, "save").await.expect_status(303);
    let now = j.api.get(&subscription_path(&webhook)).await.json();
    assert_eq!(now["request"]["url"], "https://elsewhere.example.com/");
}

#[tokio::test]
async fn a_stored_value_is_kept_under_its_own_name_alone() {
    let j = Journey::start().await;
    let headers = json!({"X-A": "first", "X-B": "second"});
    let webhook = j.subscribe("/hook", json!({"request": {"headers": headers}})).await;
    let mut visitor = signed_in(&j).await;
    let path = edit_of(&webhook);
    // The row of X-A is named X-B, and that of X-B is left out: the value of X-B is not meant.
    let renamed = form_at(&mut visitor, &path).await.with(&[("header-name-0", "X-B"), ("header-name-1", "")]);
    let page = Page::of(&renamed.press(&mut visitor, &path, "save").await.expect_status(422));
    assert!(page.text("#f-header-value-0-fault").contains("type it again"), "{}", page.text(".faults"));
    assert_eq!(page.attribute("#f-header-value-0", "aria-describedby"), "f-header-value-0-fault");
    let typed = Filled::of(&page).set("header-value-0", "third");
    typed.press(&mut visitor, &path, "save").await.expect_status(303);
    j.api.send_one(&event("727")).await;
    assert_eq!(j.receiver.next_request().await.header("x-b"), Some("third"));
    // Another case is the same name.
    let same = form_at(&mut visitor, &path).await.set("header-name-0", "x-b");
    same.press(&mut visitor, &path, "save").await.expect_status(303);
    j.api.send_one(&event("728")).await;
    assert_eq!(j.receiver.next_request().await.header("x-b"), Some("third"));
}
