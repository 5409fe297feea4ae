//! Keys that end by themselves, and when keys were last used.

use std::time::SystemTime;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::harness::rows::clock;
use crate::harness::{Api, Journey, eventually, instant, room, text};

fn now() -> DateTime<Utc> {
    clock(SystemTime::now())
}

async fn listed(api: &Api, made: &Value) -> Value {
    let keys = api.get("/v1/keys").await.is(200).json();
    let items = keys["items"].as_array().expect("items");
    items.iter().find(|key| key["id"] == made["id"]).expect("it is listed").clone()
}

#[tokio::test]
async fn a_key_with_an_end_opens_nothing_after_it() {
    let j = Journey::begin().await;
    let end = (now() + TimeDelta::seconds(room(6).into())).to_rfc3339();
    let asked = json!({"name": "CI", "scopes": ["history:read", "portal:write"], "expiresAt": end});
    let made = j.api.post("/v1/keys", &asked).await.is(201).json();
    assert_eq!(instant(&made["expiresAt"]).timestamp_millis(), instant(&json!(end)).timestamp_millis());
    let ends = j.api.with_key(Some(text(&made["key"])));
    // Its answers before the end say what is to be seen after it, however slow this machine is.
    eventually("the key ends", async || {
        let answer = ends.get("/v1/subscriptions").await;
        let before = now() < instant(&made["expiresAt"]);
        assert!(answer.status == 200 || (answer.status == 401 && !before), "{answer:?}");
        (answer.status == 401).then_some(())
    })
    .await;
    ends.post("/v1/portal-links", &json!({"loanId": "727", "scopes": ["history:read"]})).await.problem(401);
    assert_eq!(
        listed(&j.api, &made).await["expiresAt"],
        made["expiresAt"],
        "it is listed until it is deleted"
    );
    j.api.delete(&format!("/v1/keys/{}", text(&made["id"]))).await.is(204);
}

#[tokio::test]
async fn the_end_of_a_key_is_a_time_in_the_future() {
    let j = Journey::begin().await;
    for end in ["2020-01-01T00:00:00Z", "tomorrow", "2027-01-01", ""] {
        let asked = json!({"name": "CI", "scopes": ["history:read"], "expiresAt": end});
        j.api.post("/v1/keys", &asked).await.points_at(&["/expiresAt"]);
    }
    let asked = json!({"name": "CI", "scopes": ["history:read"], "expiresAt": null});
    assert_eq!(j.api.post("/v1/keys", &asked).await.is(201).json()["expiresAt"], Value::Null);
}

#[tokio::test]
async fn lists_show_the_hour_in_which_a_key_was_last_used() {
    let j = Journey::begin().await;
    let made =
        j.api.post("/v1/keys", &json!({"name": "CI", "scopes": ["history:read"]})).await.is(201).json();
    assert_eq!((&made["lastUsedAt"], &made["source"]), (&Value::Null, &json!("api")));
    assert_eq!(listed(&j.api, &made).await["lastUsedAt"], Value::Null);
    let hour = || now().duration_trunc(TimeDelta::hours(1)).expect("an hour");
    let before = hour();
    j.api.with_key(Some(text(&made["key"]))).get("/v1/subscriptions").await.is(200);
    let used = eventually("the use is noted", async || {
        let used = listed(&j.api, &made).await["lastUsedAt"].clone();
        (!used.is_null()).then(|| instant(&used))
    })
    .await;
    assert!(used == before || used == hour(), "{used}");
}

#[tokio::test]
async fn an_admin_cannot_delete_the_key_of_an_operator() {
    let j = Journey::begin().await;
    let asked = json!({"name": "operator here", "scopes": ["operator"], "tenant": j.tenant});
    let made = j.operator().post("/v1/keys", &asked).await.is(201).json();
    let path = format!("/v1/keys/{}", text(&made["id"]));
    let refused = j.api.delete(&path).await.problem(403);
    assert!(text(&refused["detail"]).contains("operator"), "{refused}");
    assert_eq!(listed(&j.api, &made).await["scopes"], json!(["operator"]), "though it may see it");
    j.operator().delete(&format!("{path}?tenant={}", j.tenant)).await.is(204);
}
