//! Versions of a subscription: `ETag` of what shows it, and `If-Match` of what changes it.

use serde_json::{Value, json};

use crate::harness::{ApiResponse, Journey, subscription, subscription_path, text};

#[tokio::test]
async fn an_answer_that_shows_a_subscription_has_its_version_as_etag() {
    let j = Journey::start().await;
    let body = subscription(&j.receiver.url("/hook"), json!({}));
    let created = j.api.post("/v1/subscriptions", &body).await.expect_status(201);
    assert_eq!(created.header("etag"), "\"1\"");
    let path = subscription_path(&created.json());
    assert_eq!(j.api.get(&path).await.expect_status(200).header("etag"), "\"1\"");
    assert_eq!(j.api.put(&path, &body).await.expect_status(200).header("etag"), "\"2\"");
    assert_eq!(j.api.patch(&path, &json!({})).await.expect_status(200).header("etag"), "\"3\"");
    let rotated = j.api.post_without_body(&format!("{path}/rotate-secret")).await.expect_status(200);
    assert_eq!((rotated.header("etag"), &rotated.json()["version"]), ("\"4\"", &json!(4)));
    assert_eq!(j.api.get(&path).await.expect_status(200).header("etag"), "\"4\"");
}

#[tokio::test]
async fn a_change_with_if_match_is_412_where_the_version_is_another() {
    let j = Journey::start().await;
    let created = j.subscribe("/hook", json!({"title": "First"})).await;
    let path = subscription_path(&created);
    let put = subscription(&j.receiver.url("/hook"), json!({"title": "Put"}));
    let change = async |method: &str, body: &Value, tags: &[&str]| -> ApiResponse {
        let mut request = j.api.request(method, &path);
        for tag in tags {
            request = request.header("if-match", tag);
        }
        request.json(body).send().await
    };
    let patch = json!({"title": "Patched"});
    for (method, body) in [("PUT", &put), ("PATCH", &patch)] {
        for tags in [&["\"2\""][..], &["\"0\", \"01\""], &["W/\"1\""], &["\"other\""], &["\"2\"", "\"3\""]] {
            let problem = change(method, body, tags).await.expect_problem(412);
            let detail = text(&problem["detail"]);
            assert!(detail.contains("version 1") && detail.contains("If-Match: \"1\""), "{problem}");
        }
        for tag in ["", "1", "\"1", "*, \"1\"", "w/\"1\""] {
            change(method, body, &[tag]).await.expect_errors_at(&["If-Match"]);
        }
        // Whether it is the version is asked before what is wrong with the settings.
        change(method, &json!({"title": "", "criteria": {}, "request": {"url": ""}}), &["\"2\""])
            .await
            .expect_problem(412);
    }
    let read = j.api.get(&path).await.expect_status(200).json();
    assert_eq!((&read["version"], &read["title"]), (&json!(1), &json!("First")), "nothing was stored");

    assert_eq!(change("PUT", &put, &["\"1\""]).await.expect_status(200).header("etag"), "\"2\"");
    assert_eq!(change("PATCH", &patch, &["\"1\"", "\"2\""]).await.expect_status(200).header("etag"), "\"3\"");
    assert_eq!(change("PATCH", &patch, &["*"]).await.expect_status(200).header("etag"), "\"4\"");
    change("PUT", &put, &["\"1\""]).await.expect_problem(412);
    j.api.delete(&path).await.expect_status(204);
    for tag in ["*", "\"4\""] {
        change("PUT", &put, &[tag]).await.expect_problem(404);
    }
}

#[tokio::test]
async fn of_two_changes_of_one_version_one_is_412() {
    let j = Journey::start().await;
    let created = j.subscribe("/hook", json!({})).await;
    let path = subscription_path(&created);
    let change = async |title: &str| {
        let request = j.api.request("PATCH", &path).header("if-match", "\"1\"");
        request.json(&json!({"title": title})).send().await
    };
    let (one, other) = tokio::join!(change("One"), change("Other"));
    let (made, refused) = if one.status == 200 { (one, other) } else { (other, one) };
    refused.expect_problem(412);
    assert_eq!(made.expect_status(200).json()["title"], j.api.get(&path).await.json()["title"]);
}
