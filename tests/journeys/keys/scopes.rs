//! Scopes of API keys: which key may call which route.

use serde_json::{Value, json};

use crate::harness::journey::ALL_SCOPES;
use crate::harness::{Api, ApiResponse, Journey, event, items_of, row_ids, subscription, text};

#[tokio::test]
async fn a_missing_or_wrong_key_is_401() {
    let j = Journey::start().await;
    for (method, path) in CALLS.iter().map(|(method, path, _)| (method, path)) {
        j.api.with_key(None).request(method, path).send().await.expect_problem(401);
        // Each from an address of its own: many wrong keys from one address are limited.
        let wrong = Api::new(&j.server, Some("lh_no_such_key_0123456789"));
        wrong.request(method, path).send().await.expect_problem(401);
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
        let answer = asked.send().await;
        assert!(!answer.header("www-authenticate").is_empty(), "a 401 says how to authenticate");
        answer.expect_problem(401);
    }
    let lower_case = j
        .api
        .with_key(None)
        .request("GET", "/v1/subscriptions")
        .header("authorization", &format!("bearer {}", j.api.key()));
    lower_case.send().await.expect_status(200);
}

/// Every route, and the one scope that allows it.
const CALLS: [(&str, &str, &str); 22] = [
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
    ("GET", "/v1/reports/deliveries", "history:read"),
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
async fn each_route_needs_exactly_its_scope_and_is_403_without_it() {
    let j = Journey::start().await;
    let created = j.subscribe("/hook", json!({})).await;
    let delivery = j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    let spare = j
        .api
        .post("/v1/keys", &json!({"name": "spare", "scopes": ["history:read"]}))
        .await
        .expect_status(201)
        .json();
    for (method, path, scope) in CALLS {
        let path = path
            .replace("{subscription}", text(&created["id"]))
            .replace("{row}", text(&delivery["attempts"][0]["id"]))
            .replace("{trace}", text(&delivery["traceId"]))
            .replace("{key}", text(&spare["id"]));
        let others: Vec<_> = ALL_SCOPES.into_iter().filter(|other| *other != scope).collect();
        let without = j.api.with_new_key("without", &others).await;
        let with = j.api.with_new_key("with", &[scope]).await;
        without.request(method, &path).send().await.expect_problem(403);
        let allowed = with.request(method, &path).send().await;
        assert!(![401, 403, 404, 500].contains(&allowed.status), "{method} {path} with {scope}: {allowed:?}");
    }
}

#[tokio::test]
async fn a_key_is_shown_when_it_is_created_and_never_again() {
    let j = Journey::start().await;
    let asked = json!({"name": "Loader of the core", "scopes": ["events:write", "history:read"]});
    let created = j.api.post("/v1/keys", &asked).await.expect_status(201).json();
    let key = text(&created["key"]);
    assert!(key.starts_with("lh_"), "a key has its prefix");
    assert_eq!(created["name"], asked["name"]);
    assert_eq!(created["tenant"], j.tenant);

    let list = j.api.get("/v1/keys").await.expect_status(200);
    assert!(!String::from_utf8_lossy(&list.body).contains(&key[3..]));
    let list = list.json();
    assert!(list.as_object().expect("an object").contains_key("next"));
    let items = items_of(&list);
    assert_eq!(items.len(), 2, "the journey's own, and this one");
    let listed = items.iter().find(|item| item["id"] == created["id"]).expect("the new key");
    assert_eq!(listed["name"], asked["name"]);
    assert_eq!(listed["scopes"], asked["scopes"]);
}

#[tokio::test]
async fn a_deleted_key_is_401() {
    let j = Journey::start().await;
    let created = j
        .api
        .post("/v1/keys", &json!({"name": "short-lived", "scopes": ["history:read"]}))
        .await
        .expect_status(201)
        .json();
    let short_lived = j.api.with_key(Some(text(&created["key"])));
    short_lived.get("/v1/subscriptions").await.expect_status(200);
    let path = format!("/v1/keys/{}", text(&created["id"]));
    assert!(j.api.delete(&path).await.expect_status(204).body.is_empty());
    short_lived.get("/v1/subscriptions").await.expect_problem(401);
    j.api.delete(&path).await.expect_problem(404);
    assert_eq!(
        j.api.get("/v1/keys").await.expect_status(200).json()["items"].as_array().map(Vec::len),
        Some(1)
    );
}

#[tokio::test]
async fn an_invalid_key_request_is_422_with_a_pointer() {
    let j = Journey::start().await;
    for (body, pointer) in [
        (json!({"scopes": ["history:read"]}), "/name"),
        (json!({"name": "", "scopes": ["history:read"]}), "/name"),
        (json!({"name": "a"}), "/scopes"),
        (json!({"name": "a", "scopes": "history:read"}), "/scopes"),
        (json!({"name": "a", "scopes": ["history:read", "everything"]}), "/scopes/1"),
        (json!({"name": "a", "scopes": ["history:read"], "expires": 1}), "/expires"),
    ] {
        j.api.post("/v1/keys", &body).await.expect_errors_at(&[pointer]);
    }
}

#[tokio::test]
async fn only_an_operator_grants_operator_and_names_another_tenant() {
    let j = Journey::start().await;
    let make = async |api: &crate::harness::Api, scopes: Value, tenant: &str| -> ApiResponse {
        api.post("/v1/keys", &json!({"name": "made", "scopes": scopes, "tenant": tenant})).await
    };
    make(&j.api, json!(["admin"]), &j.tenant).await.expect_status(201);
    make(&j.api, json!(["operator"]), &j.tenant).await.expect_problem(403);
    make(&j.api, json!(["history:read"]), &format!("{}-other", j.tenant)).await.expect_problem(403);

    let granted = make(&j.operator(), json!(["operator"]), &j.tenant).await.expect_status(201).json();
    let second_operator = j.api.with_key(Some(text(&granted["key"])));
    let elsewhere = format!("{}-elsewhere", j.tenant);
    let other = make(&second_operator, json!(["subscriptions:write", "history:read"]), &elsewhere)
        .await
        .expect_status(201)
        .json();
    assert_eq!(other["tenant"], elsewhere);
    let other = j.api.with_key(Some(text(&other["key"])));
    other.subscribe(&subscription("https://example.com", json!({}))).await;
    assert_eq!(
        j.api.get("/v1/subscriptions").await.expect_status(200).json()["items"],
        json!([]),
        "it works in that tenant"
    );
    let listed = j.operator().get(&format!("/v1/keys?tenant={elsewhere}")).await.expect_status(200).json();
    assert_eq!(items_of(&listed).len(), 1, "an operator may look at any tenant's keys");
    j.operator()
        .delete(&format!("/v1/keys/{}?tenant={elsewhere}", text(&listed["items"][0]["id"])))
        .await
        .expect_status(204);
    other.get("/v1/subscriptions").await.expect_problem(401);
    j.api.get(&format!("/v1/keys?tenant={elsewhere}")).await.expect_problem(403);
}

#[tokio::test]
async fn a_tenant_name_has_1_to_64_lower_case_letters_digits_and_dashes() {
    let j = Journey::start().await;
    for tenant in ["", "Upper", "under_score", "with space", "ä", "a/b", "a#b", &"a".repeat(65)] {
        let asked = json!({"name": "a", "scopes": ["history:read"], "tenant": tenant});
        j.operator().post("/v1/keys", &asked).await.expect_errors_at(&["/tenant"]);
    }
    let longest = format!("{}-{}", j.tenant, "0".repeat(63 - j.tenant.len()));
    assert_eq!(longest.len(), 64);
    j.operator()
        .post("/v1/keys", &json!({"name": "a", "scopes": ["history:read"], "tenant": longest}))
        .await
        .expect_status(201);
}

#[tokio::test]
async fn an_operator_needs_no_other_scope_to_manage_keys_of_any_tenant() {
    let j = Journey::start().await;
    let asked = json!({"name": "operator", "scopes": ["operator"], "tenant": format!("{}-ops", j.tenant)});
    let created = j.operator().post("/v1/keys", &asked).await.expect_status(201).json();
    let operator = j.api.with_key(Some(text(&created["key"])));

    let asked = json!({"name": "loader", "scopes": ["history:read"], "tenant": j.tenant});
    let loader = operator.post("/v1/keys", &asked).await.expect_status(201).json();
    assert_eq!(loader["tenant"], j.tenant);
    let caller = j.api.with_key(Some(text(&loader["key"])));
    caller.get("/v1/subscriptions").await.expect_status(200);
    let listed = operator.get(&format!("/v1/keys?tenant={}", j.tenant)).await.expect_status(200).json();
    let own = j.api.get("/v1/keys").await.expect_status(200).json();
    let keys = |listed: &Value| row_ids(items_of(listed)).join(" ");
    assert_eq!(keys(&listed), keys(&own));
    operator
        .delete(&format!("/v1/keys/{}?tenant={}", text(&loader["id"]), j.tenant))
        .await
        .expect_status(204);
    caller.get("/v1/subscriptions").await.expect_problem(401);

    operator.get("/v1/subscriptions").await.expect_problem(403);
    operator.get("/v1/loans/727/webhooks").await.expect_problem(403);
    operator.post("/v1/events", &crate::harness::event("727")).await.expect_problem(403);
}
