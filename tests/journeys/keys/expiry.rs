//! Expiry of API keys, and when they were last used.

use std::time::SystemTime;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::harness::{Api, Journey, eventually, instant, items_of, scaled_seconds, text, utc};

fn now() -> DateTime<Utc> {
    utc(SystemTime::now())
}

async fn listed(api: &Api, created: &Value) -> Value {
    let keys = api.get("/v1/keys").await.expect_status(200).json();
    let items = items_of(&keys);
    items.iter().find(|key| key["id"] == created["id"]).expect("it is listed").clone()
}

#[tokio::test]
async fn a_key_is_401_after_its_expiry() {
    let j = Journey::start().await;
    let end = (now() + TimeDelta::seconds(scaled_seconds(6).into())).to_rfc3339();
    let asked = json!({"name": "CI", "scopes": ["history:read", "portal:write"], "expiresAt": end});
    let created = j.api.post("/v1/keys", &asked).await.expect_status(201).json();
    assert_eq!(instant(&created["expiresAt"]).timestamp_millis(), instant(&json!(end)).timestamp_millis());
    let ends = j.api.with_key(Some(text(&created["key"])));
    // 200 before the expiry, 401 after it, however slow this machine is.
    eventually("the key ends", async || {
        let answer = ends.get("/v1/subscriptions").await;
        let before = now() < instant(&created["expiresAt"]);
        assert!(answer.status == 200 || (answer.status == 401 && !before), "{answer:?}");
        (answer.status == 401).then_some(())
    })
    .await;
    ends.post("/v1/portal-links", &json!({"loanId": "727", "scopes": ["history:read"]}))
        .await
        .expect_problem(401);
    assert_eq!(
        listed(&j.api, &created).await["expiresAt"],
        created["expiresAt"],
        "it is listed until it is deleted"
    );
    j.api.delete(&format!("/v1/keys/{}", text(&created["id"]))).await.expect_status(204);
}

#[tokio::test]
async fn expires_at_must_be_in_the_future() {
    let j = Journey::start().await;
    for end in ["2020-01-01T00:00:00Z", "tomorrow", "2027-01-01", ""] {
        let asked = json!({"name": "CI", "scopes": ["history:read"], "expiresAt": end});
        j.api.post("/v1/keys", &asked).await.expect_errors_at(&["/expiresAt"]);
    }
    let asked = json!({"name": "CI", "scopes": ["history:read"], "expiresAt": null});
    assert_eq!(j.api.post("/v1/keys", &asked).await.expect_status(201).json()["expiresAt"], Value::Null);
}

#[tokio::test]
async fn last_used_at_is_the_hour_of_the_last_use() {
    let j = Journey::start().await;
    let created = j
        .api
        .post("/v1/keys", &json!({"name": "CI", "scopes": ["history:read"]}))
        .await
        .expect_status(201)
        .json();
    assert_eq!((&created["lastUsedAt"], &created["source"]), (&Value::Null, &json!("api")));
    assert_eq!(listed(&j.api, &created).await["lastUsedAt"], Value::Null);
    let hour = || now().duration_trunc(TimeDelta::hours(1)).expect("an hour");
    let before = hour();
    j.api.with_key(Some(text(&created["key"]))).get("/v1/subscriptions").await.expect_status(200);
    let used = eventually("the use is noted", async || {
        let used = listed(&j.api, &created).await["lastUsedAt"].clone();
        (!used.is_null()).then(|| instant(&used))
    })
    .await;
    assert!(used == before || used == hour(), "{used}");
}

#[tokio::test]
async fn an_admin_cannot_delete_the_key_of_an_operator() {
    let j = Journey::start().await;
    let asked = json!({"name": "operator here", "scopes": ["operator"], "tenant": j.tenant});
    let created = j.operator().post("/v1/keys", &asked).await.expect_status(201).json();
    let path = format!("/v1/keys/{}", text(&created["id"]));
    let refused = j.api.delete(&path).await.expect_problem(403);
    assert!(text(&refused["detail"]).contains("operator"), "{refused}");
    assert_eq!(listed(&j.api, &created).await["scopes"], json!(["operator"]), "though it may see it");
    j.operator().delete(&format!("{path}?tenant={}", j.tenant)).await.expect_status(204);
}
