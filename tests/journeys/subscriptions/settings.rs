//! Settings of a subscription: defaults, reading, replacing, disabling and deleting.

use serde_json::{Value, json};

use crate::harness::{Gate, Journey, Reply, attempts_of, event, items_of, subscription, subscription_path};

#[tokio::test]
async fn omitted_fields_have_their_defaults() {
    let j = Journey::start().await;
    let url = j.receiver.url("/hook");
    let asked = json!({"title": "Short", "criteria": {"events": ["*"]}, "request": {"url": url}});

    let created = j.api.subscribe(&asked).await;

    let read = j.api.get(&subscription_path(&created)).await.expect_status(200).json();
    for shown in [&created, &read] {
        assert_eq!(shown["title"], "Short");
        assert_eq!(shown["description"], "");
        assert_eq!(shown["enabled"], true);
        assert_eq!(shown["criteria"], json!({"events": ["*"]}));
        assert_eq!(shown["restriction"], Value::Null);
        assert_eq!(shown["request"]["method"], "POST");
        assert_eq!(shown["request"]["url"], url);
        assert_eq!(shown["request"]["headers"], json!({}));
        assert_eq!(shown["request"]["contentType"], "application/json");
        assert_eq!(shown["request"]["payload"], Value::Null);
        assert_eq!((&shown["request"]["auth"], &shown["request"]["tls"]), (&Value::Null, &Value::Null));
        assert_eq!(shown["retry"], json!({"delays": [300, 1800, 7200, 18000, 36000, 36000]}));
        assert_eq!(shown["timeoutSeconds"], 15);
    }
}

#[tokio::test]
async fn a_read_returns_every_field_that_was_set() {
    let j = Journey::start().await;
    for retry in [
        json!({"delays": [1, 604_800, 60]}),
        json!({"interval": 30, "maxRetries": 24}),
        json!({"exponential": {"base": 5, "factor": 2.5, "cap": 600, "maxRetries": 7, "jitter": 0.25}}),
    ] {
        let asked = json!({
            "title": "Long", "description": "told in full", "enabled": false,
            "criteria": {"events": ["Payment Reversed", "Autopay Failed"]}, "restriction": null,
            "request": {
                "method": "PUT", "url": j.receiver.url("/hook?a=b"), "headers": {}, "contentType": "text/plain", "payload": null,
                "auth": null, "tls": null
            },
            "retry": retry, "timeoutSeconds": 30
        });
        let created = j.api.subscribe(&asked).await;
        let read = j.api.get(&subscription_path(&created)).await.expect_status(200).json();
        for (field, value) in asked.as_object().expect("an object") {
            assert_eq!(read[field], *value, "{field} of {read:#}");
        }
    }
}

#[tokio::test]
async fn put_resets_omitted_fields_to_their_defaults() {
    let j = Journey::start().await;
    let created = j
        .subscribe("/hook", json!({"description": "old", "enabled": false, "timeoutSeconds": 3, "request": {"method": "PATCH", "contentType": "text/plain"}}))
        .await;
    let replacement =
        json!({"title": "New", "criteria": {"events": ["A"]}, "request": {"url": j.receiver.url("/new")}});

    let put = j.api.put(&subscription_path(&created), &replacement).await.expect_status(200).json();

    let read = j.api.get(&subscription_path(&created)).await.expect_status(200).json();
    for shown in [&put, &read] {
        assert_eq!(shown["id"], created["id"]);
        assert_eq!(shown["title"], "New");
        assert_eq!(shown["description"], "");
        assert_eq!(shown["enabled"], true);
        assert_eq!(shown["request"]["method"], "POST");
        assert_eq!(shown["request"]["contentType"], "application/json");
        assert_eq!(shown["timeoutSeconds"], 15);
        assert_eq!(shown["retry"]["delays"][0], 300);
        assert!(shown.get("signingSecret").is_none_or(Value::is_null), "a PUT shows no secret");
    }
}

#[tokio::test]
async fn a_deleted_subscription_is_not_listed_and_is_404_on_every_route() {
    let j = Journey::start().await;
    let first = j.subscribe("/a", json!({"title": "First"})).await;
    let second = j.subscribe("/b", json!({"title": "Second"})).await;

    let list = j.api.get("/v1/subscriptions").await.expect_status(200).json();
    let listed: Vec<_> = items_of(&list).iter().map(|one| &one["id"]).collect();
    assert_eq!(listed.len(), 2);
    assert!(listed.contains(&&first["id"]) && listed.contains(&&second["id"]));
    assert!(list.as_object().expect("an object").contains_key("next"), "a list has next: {list}");
    assert!(!list.to_string().contains("whsec_"));

    assert!(j.api.delete(&subscription_path(&first)).await.expect_status(204).body.is_empty());
    let list = j.api.get("/v1/subscriptions").await.expect_status(200).json();
    assert_eq!(items_of(&list).len(), 1);
    j.api.get(&subscription_path(&first)).await.expect_problem(404);
    j.api
        .put(&subscription_path(&first), &subscription("https://example.com", json!({})))
        .await
        .expect_problem(404);
    j.api.delete(&subscription_path(&first)).await.expect_problem(404);
    j.api
        .post_without_body(&format!("{}/rotate-secret", subscription_path(&first)))
        .await
        .expect_problem(404);
    j.api
        .post(&format!("{}/test", subscription_path(&first)), &json!({"loanId": "727"}))
        .await
        .expect_problem(404);
}

#[tokio::test]
async fn disabling_or_deleting_stops_new_matches_and_accepted_deliveries_go_on() {
    let j = Journey::start().await;
    let retry = json!({"delays": [1]});
    let disabled = j.subscribe("/disabled", json!({"retry": retry})).await;
    let deleted = j.subscribe("/deleted", json!({"retry": retry})).await;
    let gate = Gate::closed();
    for path in ["/disabled", "/deleted"] {
        j.receiver.replies(path, [Reply::status(500).held(&gate)]);
    }
    let traces = j.api.send_event(&event("727")).await;
    assert_eq!(traces.len(), 2);

    let off = subscription(&j.receiver.url("/disabled"), json!({"enabled": false, "retry": retry}));
    j.api.put(&subscription_path(&disabled), &off).await.expect_status(200);
    j.api.delete(&subscription_path(&deleted)).await.expect_status(204);
    gate.open();

    assert!(j.api.send_event(&event("728")).await.is_empty(), "nothing new matches");
    for trace in traces {
        let delivery = j.api.ended_delivery(&trace).await;
        assert_eq!(delivery["status"], "succeeded");
        assert_eq!(attempts_of(&delivery).len(), 2);
        assert_eq!(delivery["attempts"][1]["attemptNumber"], 2);
    }
}
