//! Every setting of the API is in the form, and comes back as it was.

use serde_json::{Value, json};

use super::super::signed_in;
use super::filled::Filled;
use super::{NEW, edit_of, form_at, good_form, only_webhook, page_of};
use crate::harness::certificates::{Authority, FOREVER};
use crate::harness::{Journey, event_named, subscription, subscription_path};
use crate::portal::visitor::Page;

/// Settings that together have every field of the API, in each of its forms.
fn every_setting(j: &Journey) -> Vec<Value> {
    let authority = Authority::new("ours");
    let (certificate, key) = authority.client("loanhook", FOREVER);
    let url = j.receiver.url("/hooks/[[v('loan-id')]]?token=a%20b");
    let all = [
        json!({
            "title": "Collections: \"30 days\" & more", "description": "Line one\nline two\r\n line three ", "enabled": false,
            "criteria": {"trigger": "(and (> status-days-past-due 30)\n     (not status-stoplight))", "fire": "every-match"},
            "restriction": "(= loan-status \"Open\")",
            "request": {
                "method": "PUT", "url": url, "contentType": "text/plain; charset=utf-8",
                "headers": {"Authorization": "Bearer secret-1", "X-Empty": "", "X-Loan": "[[v('loan-id')]]"},
                "payload": "\n{\"loan\": \"[[v('loan-id')]]\",\r\n \"amount\": [[v('last-payment-amount','0')]]}\n",
            },
            "retry": {"interval": 90, "maxRetries": 3}, "timeoutSeconds": 30,
            "flow": {"maxInFlight": 5, "maxPerSecond": 2.5, "order": "loan", "stepAsideAfterSeconds": 3600, "holdAfterFailures": 20},
        }),
        json!({
            "title": "Names in no order of ours",
            "criteria": {"events": ["Zebra", "Payment Reversed", "Autopay Failed", "A name of our own"]},
            "request": {
                "method": "DELETE",
                "auth": {"type": "basic", "username": "loanhook", "password": "secret-2"},
                "tls": {"clientCertificate": certificate, "clientKey": key, "ca": authority.pem()},
            },
            "retry": {"exponential": {"base": 5, "factor": 1.5, "cap": 86_400, "maxRetries": 7, "jitter": 0.25}},
        }),
        json!({
            "criteria": {"operational": ["job.finished", "subscription.failing"]},
            "request": {"auth": {
                "type": "oauth2", "tokenUrl": "https://id.example.com/token", "clientId": "loanhook", "clientSecret": "secret-3",
                "scopes": ["write", "hooks"], "style": "post", "parameters": {"audience": "secret-4", "resource": "secret-5"},
            }},
            "retry": {"delays": [1, 60, 61, 3600, 604_800]},
        }),
        json!({"criteria": {"events": ["*"]}, "request": {"payload": "", "contentType": "text/plain"}}),
        json!({"criteria": {"trigger": "true"}, "retry": {"delays": []}}),
    ];
    all.map(|changes| subscription(&j.receiver.url("/hook"), changes)).into()
}

/// The secrets of settings, by the fields of the form that they are typed in.
const SECRETS: [(&str, &str); 3] = [
    ("/request/auth/password", "password"),
    ("/request/auth/clientSecret", "clientSecret"),
    ("/request/tls/clientKey", "clientKey"),
];

/// What two webhooks of the same settings have in common.
fn settings_of(webhook: &Value) -> Value {
    let mut settings = webhook.clone();
    let members = settings.as_object_mut().expect("an object");
    for name in ["id", "version", "createdAt", "updatedAt", "formulaErrors", "signingSecret"] {
        members.remove(name);
    }
    // In which order names stand means nothing; that it stays is seen by the version.
    for kind in ["events", "operational"] {
        if let Some(names) = settings["criteria"].get_mut(kind).and_then(Value::as_array_mut) {
            names.sort_by_key(Value::to_string);
        }
    }
    settings
}

#[tokio::test]
async fn a_form_that_is_saved_as_it_was_opened_changes_nothing() {
    let j = Journey::start().await;
    let mut visitor = signed_in(&j).await;
    for settings in every_setting(&j) {
        let webhook = j.api.subscribe(&settings).await;
        let path = edit_of(&webhook);
        let filled = form_at(&mut visitor, &path).await;
        let saved = filled.press(&mut visitor, &path, "save").await.expect_status(303);
        assert_eq!(saved.header("location"), format!("{}?saved=1", page_of(&webhook)), "no new version");
        let now = j.api.get(&subscription_path(&webhook)).await.json();
        assert_eq!(settings_of(&now), settings_of(&webhook));
        // Nor is a secret in it.
        let mut page = String::new();
        for path in [path, page_of(&webhook)] {
            page.push_str(&String::from_utf8_lossy(&visitor.get(&path).await.expect_status(200).body));
        }
        for secret in 1..=5 {
            assert!(!page.contains(&format!("secret-{secret}")), "{secret}");
        }
        assert!(!page.contains("PRIVATE KEY") && !page.contains("whsec_"));
    }
}

#[tokio::test]
async fn a_new_webhook_has_every_setting_that_the_form_gave_it() {
    let j = Journey::start().await;
    let mut visitor = signed_in(&j).await;
    for settings in every_setting(&j) {
        let model = j.api.subscribe(&settings).await;
        let mut filled = form_at(&mut visitor, &edit_of(&model)).await;
        // Secrets are not in it: they are typed.
        for (pointer, field) in SECRETS {
            if let Some(secret) = settings.pointer(pointer).and_then(Value::as_str) {
                filled = filled.set(field, secret);
            }
        }
        for (rows, pointer) in [("header", "/request/headers"), ("parameter", "/request/auth/parameters")] {
            let named = settings.pointer(pointer).and_then(Value::as_object);
            for (index, (name, value)) in named.into_iter().flatten().enumerate() {
                assert_eq!(filled.get(&format!("{rows}-name-{index}")), name);
                filled = filled.set(&format!("{rows}-value-{index}"), value.as_str().expect("a text"));
                filled = filled.set(&format!("{rows}-kept-{index}"), "");
            }
        }
        filled = filled.set("once", form_at(&mut visitor, NEW).await.get("once"));
        let made = filled.press(&mut visitor, NEW, "save").await.expect_status(201);
        let page = Page::of(&made);
        assert!(page.text("#secret code").starts_with("whsec_"));
        assert_eq!(made.header("cache-control"), "no-store");
        let all = j.api.get("/v1/subscriptions").await.json();
        let made = all["items"].as_array().and_then(|all| all.last()).expect("a webhook").clone();
        assert_ne!(made["id"], model["id"]);
        // What a browser sends as a line break is one character where nothing else was stored before.
        let expected = settings_of(&model).to_string().replace(r"\r\n", r"\n");
        assert_eq!(settings_of(&made).to_string(), expected);
        for webhook in [&made, &model] {
            j.api.delete(&subscription_path(webhook)).await.expect_status(204);
        }
    }
}

#[tokio::test]
async fn an_edit_changes_what_was_changed_and_keeps_secrets() {
    let j = Journey::start().await;
    let headers = json!({"Authorization": "Bearer first", "X-Old": "old"});
    let changes = json!({"criteria": {"events": ["Paid"]}, "request": {"headers": headers}});
    let webhook = j.subscribe("/hook", changes).await;
    let mut visitor = signed_in(&j).await;
    let path = edit_of(&webhook);
    let filled = form_at(&mut visitor, &path).await;
    let filled = filled.with(&[
        ("title", "Another"),
        ("header-name-1", ""),
        ("header-name-2", "X-New"),
        ("header-value-2", "new"),
    ]);
    filled.press(&mut visitor, &path, "save").await.expect_status(303);
    let mut expected = settings_of(&webhook);
    expected["title"] = json!("Another");
    expected["request"]["headers"] = json!({"Authorization": "***", "X-New": "***"});
    let now = j.api.get(&subscription_path(&webhook)).await.json();
    assert_eq!((settings_of(&now), &now["version"]), (expected, &json!(2)));
    j.api.send_one(&event_named("Paid", "727")).await;
    let sent = j.receiver.next_request().await;
    assert_eq!((sent.header("authorization"), sent.header("x-new")), (Some("Bearer first"), Some("new")));
    assert_eq!(sent.header("x-old"), None);
    // The page says so.
    let page = visitor.page(&format!("{}?saved=2", page_of(&webhook))).await;
    assert_eq!(page.text("[role=status]"), "Saved. The webhook is at version 2.");
}

#[tokio::test]
async fn rows_are_added_and_events_are_searched_without_anything_being_lost() {
    let j = Journey::start().await;
    let mut visitor = signed_in(&j).await;
    let filled = good_form(&j, &mut visitor).await;
    let filled = filled.with(&[("header-name-0", "X-A"), ("header-value-0", "a"), ("clientSecret", "typed")]);
    let added = filled.press(&mut visitor, NEW, "add-header").await.expect_status(200);
    let added = Filled::of(&Page::of(&added));
    let with_row = filled.with(&[("header-name-2", ""), ("header-value-2", ""), ("header-kept-2", "")]);
    assert_eq!(added.sorted(), with_row.sorted());
    // A search shows some events, and what is picked stays so.
    let searched = added.set("eventSearch", "autopay");
    let page = Page::of(&searched.press(&mut visitor, NEW, "enter").await.expect_status(200));
    let shown = page.texts("#picks label");
    assert!(
        !shown.is_empty() && shown.iter().all(|name| name.to_lowercase().contains("autopay")),
        "{shown:?}"
    );
    let filled = Filled::of(&page).tick("event", "Autopay Failed");
    // Enter in a field saves nothing, also where nothing else is searched.
    filled.press(&mut visitor, NEW, "enter").await.expect_status(200);
    filled.press(&mut visitor, NEW, "save").await.expect_status(201);
    let webhook = only_webhook(&j).await;
    let names = webhook["criteria"]["events"].as_array().expect("names").clone();
    assert!(names.contains(&json!("Payment Posted to Account")) && names.contains(&json!("Autopay Failed")));
    assert_eq!(names.len(), 2, "{names:?}");
    assert_eq!(webhook["request"]["headers"], json!({"X-A": "***"}));
}
