//! PATCH of a subscription: a JSON Merge Patch (RFC 7396) of what a read shows.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::{Journey, event, items_of, subscription, subscription_path, text};

/// A subscription with something in every setting.
fn every_setting(j: &Journey) -> Value {
    json!({
        "title": "Core banking", "description": "told in full", "enabled": true,
        "criteria": {"trigger": "(> status-days-past-due 30)", "fire": "every-match"},
        "restriction": "(= loan-status \"Open\")",
        "request": {
            "method": "PUT", "url": j.receiver.url("/hook?key=hush"), "contentType": "text/plain", "payload": "hello",
            "headers": {"Authorization": "Bearer the-secret-token", "x-team": "collections"}
        },
        "retry": {"delays": [1, 60]}, "timeoutSeconds": 30
    })
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_null_resets() {
    let j = Journey::start().await;
    let created = j.api.subscribe(&every_setting(&j)).await;
    let path = subscription_path(&created);
    let mut expected = j.api.get(&path).await.expect_status(200).json();
    for (patch, changes) in [
        (json!({}), vec![]),
        (json!({"title": "Renamed"}), vec![("/title", json!("Renamed"))]),
        (json!({"enabled": false}), vec![("/enabled", json!(false))]),
        (
            json!({"criteria": {"events": ["A", "B"], "trigger": null, "fire": null}}),
            vec![("/criteria", json!({"events": ["A", "B"]}))],
        ),
        (json!({"criteria": {"events": ["C"]}}), vec![("/criteria/events", json!(["C"]))]),
        (
            json!({"description": null, "restriction": null, "timeoutSeconds": null}),
            vec![("/description", json!("")), ("/restriction", Value::Null), ("/timeoutSeconds", json!(15))],
        ),
        (
            json!({"request": {"payload": null, "contentType": null, "method": null}}),
            vec![
                ("/request/payload", Value::Null),
                ("/request/contentType", json!("application/json")),
                ("/request/method", json!("POST")),
            ],
        ),
        (
            json!({"retry": {"delays": null, "interval": 60, "maxRetries": 3}}),
            vec![("/retry", json!({"interval": 60, "maxRetries": 3}))],
        ),
        (json!({"retry": {"maxRetries": 4}}), vec![("/retry/maxRetries", json!(4))]),
        (json!({"retry": null}), vec![("/retry", json!({"delays": [300, 1800, 7200, 18000, 36000, 36000]}))]),
    ] {
        let answer = j.api.patch(&path, &patch).await.expect_status(200).json();
        let read = j.api.get(&path).await.expect_status(200).json();
        for (place, value) in changes {
            *expected.pointer_mut(place).expect("a place of the settings") = value;
        }
        expected["version"] = json!(expected["version"].as_u64().expect("a version") + 1);
        expected["updatedAt"] = read["updatedAt"].clone();
        assert_eq!(read, expected, "{patch}");
        for (field, value) in answer.as_object().expect("an object") {
            assert_eq!(*value, read[field], "{field} of the answer to {patch}");
        }
    }
}

#[tokio::test]
async fn header_values_that_a_patch_does_not_name_stay() {
    let j = Journey::start().await;
    let created = j.api.subscribe(&every_setting(&j)).await;
    let headers = json!({"authorization": "***", "x-new": "1", "X-Team": "servicing"});
    let patch = json!({"criteria": {"events": ["*"], "trigger": null, "fire": null}, "restriction": null});
    j.api.patch(&subscription_path(&created), &patch).await.expect_status(200);
    let patched = j
        .api
        .patch(&subscription_path(&created), &json!({"request": {"headers": headers}}))
        .await
        .expect_status(200);
    assert!(!String::from_utf8_lossy(&patched.body).contains("the-secret-token"));
    j.api.send_one(&event("727")).await;
    let request = j.receiver.next_request().await;
    assert_eq!(request.header("authorization"), Some("Bearer the-secret-token"));
    assert_eq!((request.header("x-team"), request.header("x-new")), (Some("servicing"), Some("1")));

    let removed = json!({"request": {"headers": {"AUTHORIZATION": null}}});
    let patched = j.api.patch(&subscription_path(&created), &removed).await.expect_status(200).json();
    assert_eq!(patched["request"]["headers"], json!({"X-Team": "***", "x-new": "***"}));
    j.api.send_one(&event("728")).await;
    let request = j.receiver.next_request().await;
    assert_eq!((request.header("authorization"), request.header("x-team")), (None, Some("servicing")));
    let all = json!({"request": {"headers": null}});
    let patched = j.api.patch(&subscription_path(&created), &all).await.expect_status(200).json();
    assert_eq!(patched["request"]["headers"], json!({}));
}

#[tokio::test]
async fn every_header_value_is_given_again_for_another_host() {
    let j = Journey::start().await;
    let created = j.api.subscribe(&every_setting(&j)).await;
    let path = subscription_path(&created);
    for url in
        ["https://127.0.0.1/hook".to_owned(), j.receiver.url("/hook").replace("127.0.0.1", "localhost")]
    {
        let moved = json!({"request": {"url": url}});
        j.api
            .patch(&path, &moved)
            .await
            .expect_errors_at(&["/request/headers/Authorization", "/request/headers/x-team"]);
        let half = json!({"request": {"url": url, "headers": {"authorization": "Bearer another"}}});
        j.api.patch(&path, &half).await.expect_errors_at(&["/request/headers/x-team"]);
    }
    let elsewhere = json!({"request": {
        "url": "https://elsewhere.example.com/", "headers": {"authorization": "Bearer another", "x-team": null}
    }});
    j.api.patch(&path, &elsewhere).await.expect_status(200);
    let same_host = json!({"request": {"url": "https://elsewhere.example.com/other"}});
    let patched = j.api.patch(&path, &same_host).await.expect_status(200).json();
    assert_eq!(patched["request"]["headers"], json!({"authorization": "***"}));
}

#[tokio::test]
async fn the_result_of_a_patch_keeps_the_rules_of_a_put() {
    let j = Journey::start().await;
    let created = j.api.subscribe(&every_setting(&j)).await;
    let path = subscription_path(&created);
    for (patch, pointers) in [
        (json!({"title": null}), vec!["/title"]),
        (json!({"title": ""}), vec!["/title"]),
        (json!({"criteria": null}), vec!["/criteria"]),
        (json!({"criteria": {"events": ["A"]}}), vec!["/criteria/events"]),
        (json!({"criteria": {"trigger": "(> a"}}), vec!["/criteria/trigger"]),
        (json!({"request": {"url": null}}), vec!["/request/url"]),
        (
            json!({"request": {"url": "ftp://example.com/"}, "timeoutSeconds": 31}),
            vec!["/timeoutSeconds", "/request/url"],
        ),
        (json!({"request": {"url": "[[v('scheme')]]://example.com/"}}), vec!["/request/url"]),
        (json!({"request": {"headers": {"x-other": "***"}}}), vec!["/request/headers/x-other"]),
        (json!({"request": {"headers": {"host": "x"}}}), vec!["/request/headers/host"]),
        (json!({"request": {"headers": {"x-a": "1", "X-A": "2"}}}), vec!["/request/headers/x-a"]),
        (json!({"request": {"headers": {"x-a": 7}}}), vec!["/request/headers/x-a"]),
        (json!({"retry": {"interval": 60, "maxRetries": 3}}), vec!["/retry"]),
        (json!({"colour": null}), vec!["/colour"]),
        (json!({"request": {"body": null}}), vec!["/request/body"]),
        (json!({"retry": {"exponential": {"bse": null}}}), vec!["/retry/exponential/bse"]),
        (json!({"criteria": [1]}), vec!["/criteria"]),
    ] {
        let problem = j.api.patch(&path, &patch).await.expect_problem(422);
        let found: Vec<_> =
            problem["errors"].as_array().expect("errors").iter().map(|error| &error["pointer"]).collect();
        assert_eq!(found, pointers, "{patch}: {problem}");
    }
    let twice = j.api.request("PATCH", &path).body(r#"{"title": "A", "title": "B"}"#).send().await;
    twice.expect_problem(422);
    let read = j.api.get(&path).await.expect_status(200).json();
    assert_eq!((&read["version"], &read["title"]), (&json!(1), &json!("Core banking")), "nothing was stored");
}

#[tokio::test]
async fn a_patch_is_json_of_the_type_of_a_merge_patch() {
    let j = Journey::start().await;
    let created = j.subscribe("/hook", json!({})).await;
    let path = subscription_path(&created);
    let patch = |media_type: &'static str, body: &'static str| {
        j.api.request("PATCH", &path).header("content-type", media_type).bytes(body).send()
    };
    for media_type in ["application/merge-patch+json", "application/json; charset=utf-8"] {
        patch(media_type, r#"{"enabled": false}"#).await.expect_status(200);
    }
    patch("application/json-patch+json", r#"[{"op": "remove", "path": "/title"}]"#).await.expect_problem(415);
    for body in ["", "{", "\u{feff}"] {
        patch("application/json", body).await.expect_problem(400);
    }
    for body in ["[]", "null", "7"] {
        patch("application/json", body).await.expect_problem(422);
    }
    let reader = j.api.with_new_key("reader", &["history:read"]).await;
    reader.patch(&path, &json!({})).await.expect_problem(403);
    j.api.with_key(None).patch(&path, &json!({})).await.expect_problem(401);
    j.api.delete(&path).await.expect_status(204);
    j.api.patch(&path, &json!({})).await.expect_problem(404);
}

#[tokio::test]
async fn concurrent_patches_are_all_applied() {
    let j = Journey::start().await;
    let created = j.subscribe("/hook", json!({"request": {"headers": {}}})).await;
    let path = subscription_path(&created);
    let names: Vec<_> = (0..6).map(|i| format!("x-{i}")).collect();
    let patches = names.iter().map(|name| {
        let patch = json!({"request": {"headers": {name: "1"}}});
        let (api, path) = (&j.api, &path);
        async move { api.patch(path, &patch).await.expect_status(200) }
    });
    join_all(patches).await;
    let read = j.api.get(&path).await.expect_status(200).json();
    let headers = read["request"]["headers"].as_object().expect("an object");
    assert!(names.iter().all(|name| headers.contains_key(name)), "{read}");
}

#[tokio::test]
async fn a_patch_of_one_setting_forgets_no_trigger_state() {
    let j = Journey::start().await;
    let trigger = json!({"criteria": {"trigger": "(> days 30)", "events": null}});
    let mut body = subscription(&j.receiver.url("/hook"), trigger);
    body["criteria"].as_object_mut().expect("an object").remove("events");
    let created = j.api.subscribe(&body).await;
    let late = json!({"eventName": "Day", "loanId": "727", "context": {"days": 31}});
    j.api.send_one(&late).await;
    j.api.patch(&subscription_path(&created), &json!({"title": "Renamed"})).await.expect_status(200);
    assert!(j.api.send_event(&late).await.is_empty(), "it is true already");
    let rows = j.api.get("/v1/loans/727/webhooks").await.expect_status(200).json();
    assert_eq!(items_of(&rows).len(), 1, "{rows}");
    assert_eq!(text(&rows["items"][0]["eventTitle"]), text(&created["title"]));
}
