//! Keys and their scopes: who may do what.

use serde_json::{Value, json};

use crate::harness::journey::ALL_SCOPES;
use crate::harness::{Answer, Api, Journey, event, subscription, text};

#[tokio::test]
async fn no_key_or_a_wrong_one_is_401() {
    let j = Journey::begin().await;
    for (method, path) in CALLS.iter().map(|(method, path, _)| (method, path)) {
        j.api.with_key(None).request(method, path).answer().await.problem(401);
        // Each from an address of its own: many wrong keys from one are another matter.
        let wrong = Api::new(&j.target, Some("lh_no_such_key_0123456789"));
        wrong.request(method, path).answer().await.problem(401);
    }
    for header in [
        "",
        "Bearer",
        "Bearer ",
        "Basic dXNlcjpwYXNz",
        &format!("Bearer {}x", j.api.key()),
        &format!("Token {}", j.api.key()),
    ] {
        let asked = j.api.with_key(None).request("GET", "/v1/subscriptions").header("authorization", header);
        let answer = asked.answer().await;
        assert!(!answer.header("www-authenticate").is_empty(), "a 401 says how to authenticate");
        answer.problem(401);
    }
    let lower_case = j
        .api
        .with_key(None)
        .request("GET", "/v1/subscriptions")
        .header("authorization", &format!("bearer {}", j.api.key()));
    lower_case.answer().await.is(200);
}

/// Every kind of call, and the one scope that allows it.
const CALLS: [(&str, &str, &str); 21] = [
    ("POST", "/v1/events", "events:write"),
    ("POST", "/v1/events/batch", "events:write"),
    ("GET", "/v1/subscriptions", "history:read"),
    ("GET", "/v1/subscriptions/{subscription}", "history:read"),
    ("POST", "/v1/subscriptions", "subscriptions:write"),
    ("PUT", "/v1/subscriptions/{subscription}", "subscriptions:write"),
    ("POST", "/v1/subscriptions/{subscription}/rotate-secret", "subscriptions:write"),
    ("POST", "/v1/subscriptions/{subscription}/test", "subscriptions:write"),
    ("DELETE", "/v1/subscriptions/{subscription}", "subscriptions:write"),
    ("GET", "/v1/loans/727/webhooks", "history:read"),
    ("GET", "/v1/loans/727/webhooks/{row}", "history:read"),
    ("GET", "/v1/loans/727/webhooks/{row}/source", "history:read"),
    ("GET", "/v1/webhooks/{trace}", "history:read"),
    ("POST", "/v1/webhooks/{trace}/resend", "webhooks:resend"),
    ("POST", "/v1/webhook/retry/{trace}/1", "webhooks:resend"),
    ("POST", "/api/public/api/1/webhook/retry/{trace}/1", "webhooks:resend"),
    ("POST", "/v1/webhooks/{trace}/cancel", "webhooks:resend"),
    ("POST", "/v1/portal-links", "portal:write"),
    ("GET", "/v1/keys", "admin"),
    ("POST", "/v1/keys", "admin"),
    ("DELETE", "/v1/keys/{key}", "admin"),
];

#[tokio::test]
async fn a_key_without_the_scope_is_403_and_with_it_alone_is_enough() {
    let j = Journey::begin().await;
    let made = j.subscribe("/hook", json!({})).await;
    let delivery = j.api.settled(&j.api.send_one(&event("727")).await).await;
    let spare =
        j.api.post("/v1/keys", &json!({"name": "spare", "scopes": ["history:read"]})).await.is(201).json();
    for (method, path, scope) in CALLS {
        let path = path
            .replace("{subscription}", text(&made["id"]))
            .replace("{row}", text(&delivery["attempts"][0]["id"]))
            .replace("{trace}", text(&delivery["traceId"]))
            .replace("{key}", text(&spare["id"]));
        let others: Vec<_> = ALL_SCOPES.into_iter().filter(|other| *other != scope).collect();
        let without = j.api.colleague("without", &others).await;
        let with = j.api.colleague("with", &[scope]).await;
        without.request(method, &path).answer().await.problem(403);
        let allowed = with.request(method, &path).answer().await;
        assert!(![401, 403, 404, 500].contains(&allowed.status), "{method} {path} with {scope}: {allowed:?}");
    }
}

#[tokio::test]
async fn a_key_is_shown_once_and_listed_without_itself() {
    let j = Journey::begin().await;
    let asked = json!({"name": "Loader of the core", "scopes": ["events:write", "history:read"]});
    let made = j.api.post("/v1/keys", &asked).await.is(201).json();
    let key = text(&made["key"]);
    assert!(key.starts_with("lh_"), "a key has its prefix");
    assert_eq!(made["name"], asked["name"]);
    assert_eq!(made["tenant"], j.tenant);

    let list = j.api.get("/v1/keys").await.is(200);
    assert!(!String::from_utf8_lossy(&list.body).contains(&key[3..]));
    let list = list.json();
    assert!(list.as_object().expect("an object").contains_key("next"));
    let items = list["items"].as_array().expect("items");
    assert_eq!(items.len(), 2, "the journey's own, and this one");
    let listed = items.iter().find(|item| item["id"] == made["id"]).expect("the new key");
    assert_eq!(listed["name"], asked["name"]);
    assert_eq!(listed["scopes"], asked["scopes"]);
}

#[tokio::test]
async fn a_deleted_key_stops_working() {
    let j = Journey::begin().await;
    let made = j
        .api
        .post("/v1/keys", &json!({"name": "short-lived", "scopes": ["history:read"]}))
        .await
        .is(201)
        .json();
    let short_lived = j.api.with_key(Some(text(&made["key"])));
    short_lived.get("/v1/subscriptions").await.is(200);
    let path = format!("/v1/keys/{}", text(&made["id"]));
    assert!(j.api.delete(&path).await.is(204).body.is_empty());
    short_lived.get("/v1/subscriptions").await.problem(401);
    j.api.delete(&path).await.problem(404);
    assert_eq!(j.api.get("/v1/keys").await.is(200).json()["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn what_is_wrong_with_a_key_is_422_and_says_where() {
    let j = Journey::begin().await;
    for (body, pointer) in [
        (json!({"scopes": ["history:read"]}), "/name"),
        (json!({"name": "", "scopes": ["history:read"]}), "/name"),
        (json!({"name": "a"}), "/scopes"),
        (json!({"name": "a", "scopes": "history:read"}), "/scopes"),
        (json!({"name": "a", "scopes": ["history:read", "everything"]}), "/scopes/1"),
        (json!({"name": "a", "scopes": ["history:read"], "expires": 1}), "/expires"),
    ] {
        j.api.post("/v1/keys", &body).await.points_at(&[pointer]);
    }
}

#[tokio::test]
async fn only_an_operator_grants_operator_and_names_another_tenant() {
    let j = Journey::begin().await;
    let make = async |api: &crate::harness::Api, scopes: Value, tenant: &str| -> Answer {
        api.post("/v1/keys", &json!({"name": "made", "scopes": scopes, "tenant": tenant})).await
    };
    make(&j.api, json!(["admin"]), &j.tenant).await.is(201);
    make(&j.api, json!(["operator"]), &j.tenant).await.problem(403);
    make(&j.api, json!(["history:read"]), &format!("{}-other", j.tenant)).await.problem(403);

    let granted = make(&j.operator(), json!(["operator"]), &j.tenant).await.is(201).json();
    let second_operator = j.api.with_key(Some(text(&granted["key"])));
    let elsewhere = format!("{}-elsewhere", j.tenant);
    let other = make(&second_operator, json!(["subscriptions:write", "history:read"]), &elsewhere)
        .await
        .is(201)
        .json();
    assert_eq!(other["tenant"], elsewhere);
    let other = j.api.with_key(Some(text(&other["key"])));
    other.subscribe(&subscription("https://example.com", json!({}))).await;
    assert_eq!(
        j.api.get("/v1/subscriptions").await.is(200).json()["items"],
        json!([]),
        "it works in that tenant"
    );
    let listed = j.operator().get(&format!("/v1/keys?tenant={elsewhere}")).await.is(200).json();
    assert_eq!(
        listed["items"].as_array().map(Vec::len),
        Some(1),
        "an operator may look at any tenant's keys"
    );
    j.operator()
        .delete(&format!("/v1/keys/{}?tenant={elsewhere}", text(&listed["items"][0]["id"])))
        .await
        .is(204);
    other.get("/v1/subscriptions").await.problem(401);
    j.api.get(&format!("/v1/keys?tenant={elsewhere}")).await.problem(403);
}

#[tokio::test]
async fn a_tenant_has_a_plain_name() {
    let j = Journey::begin().await;
    for tenant in ["", "Upper", "under_score", "with space", "ä", "a/b", "a#b", &"a".repeat(65)] {
        let asked = json!({"name": "a", "scopes": ["history:read"], "tenant": tenant});
        j.operator().post("/v1/keys", &asked).await.points_at(&["/tenant"]);
    }
    let longest = format!("{}-{}", j.tenant, "0".repeat(63 - j.tenant.len()));
    assert_eq!(longest.len(), 64);
    j.operator()
        .post("/v1/keys", &json!({"name": "a", "scopes": ["history:read"], "tenant": longest}))
        .await
        .is(201);
}
