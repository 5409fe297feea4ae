//! Lists other than a loan's history: keys and subscriptions, page by page, and what any key may read.

use serde_json::{Value, json};

use crate::harness::{Api, Journey, ids, instant, text};

/// The IDs of a list, read in pages of so many.
async fn paged(api: &Api, path: &str, limit: usize) -> Vec<String> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("{path}?limit={limit}{cursor}")).await.is(200).json();
        let items = page["items"].as_array().unwrap_or_else(|| panic!("a list has items: {page}"));
        assert!(items.len() <= limit && !items.is_empty(), "{page}");
        found.extend(items.iter().map(|item| text(&item["id"]).to_owned()));
        let Some(next) = page["next"].as_str() else { return found };
        assert_eq!(items.len(), limit, "a page before the last is full");
        cursor = format!("&cursor={next}");
    }
}

/// In pages of any size a list is the same, and has exactly these, the oldest first.
async fn is_paged(api: &Api, path: &str, mut made: Vec<String>) {
    let whole = api.get(&format!("{path}?limit=200")).await.is(200).json();
    let items = whole["items"].as_array().expect("items");
    assert!(items.is_sorted_by_key(|item| instant(&item["createdAt"])), "{whole}");
    let mut listed: Vec<_> = items.iter().map(|item| text(&item["id"]).to_owned()).collect();
    let in_order = listed.clone();
    listed.sort_unstable();
    made.sort_unstable();
    assert_eq!(listed, made, "{path}");
    for limit in [1, 2, 3, made.len() - 1, made.len()] {
        assert_eq!(paged(api, path, limit).await, in_order, "{path} in pages of {limit}");
    }
    for wrong in
        ["limit=0", "limit=201", "limit=005", "limit=%2B5", "limit=01", "limit=", "cursor=x", "cursor="]
    {
        api.get(&format!("{path}?{wrong}")).await.problem(422);
    }
}

#[tokio::test]
async fn pages_of_subscriptions_give_each_once_and_in_order() {
    let j = Journey::begin().await;
    j.stranger().await.subscribe(&crate::harness::subscription("https://example.com", json!({}))).await;
    let mut made = Vec::new();
    for _ in 0..7 {
        made.push(text(&j.subscribe("/hook", json!({})).await["id"]).to_owned());
    }
    is_paged(&j.api, "/v1/subscriptions", made).await;
}

#[tokio::test]
async fn pages_of_keys_give_each_once_and_in_order() {
    let j = Journey::begin().await;
    let own = j.api.get("/v1/keys").await.is(200).json();
    let mut made = vec![text(&own["items"][0]["id"]).to_owned()];
    for name in 0..6 {
        let asked = json!({"name": format!("key {name}"), "scopes": ["history:read"]});
        made.push(text(&j.api.post("/v1/keys", &asked).await.is(201).json()["id"]).to_owned());
    }
    is_paged(&j.api, "/v1/keys", made).await;
}

#[tokio::test]
async fn a_list_that_changes_between_its_pages_repeats_nothing_and_leaves_nothing_out() {
    let j = Journey::begin().await;
    for _ in 0..4 {
        j.subscribe("/hook", json!({})).await;
    }
    let made = paged(&j.api, "/v1/subscriptions", 200).await;
    let first = j.api.get("/v1/subscriptions?limit=2").await.is(200).json();
    j.api.delete(&format!("/v1/subscriptions/{}", made[1])).await.is(204);
    let next = text(&first["next"]);
    let second = j.api.get(&format!("/v1/subscriptions?limit=2&cursor={next}")).await.is(200).json();
    let ids: Vec<_> =
        second["items"].as_array().expect("items").iter().map(|item| text(&item["id"])).collect();
    assert_eq!(ids, [made[2].as_str(), made[3].as_str()]);
}

#[tokio::test]
async fn the_catalogue_is_the_one_that_stands_in_the_repository() {
    let j = Journey::begin().await;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/crates/core/reference/event-types.json");
    let catalogue: Value =
        serde_json::from_slice(&std::fs::read(path).expect("the catalogue")).expect("it is JSON");
    assert!(catalogue.as_array().is_some_and(|types| types.len() > 5));
    assert_eq!(j.api.get("/v1/event-types").await.is(200).json()["items"], catalogue);
}

#[tokio::test]
async fn any_key_may_read_the_catalogue_and_the_addresses_and_nobody_without_one() {
    let j = Journey::begin().await;
    let mut callers = Vec::new();
    for scope in crate::harness::journey::ALL_SCOPES {
        callers.push(j.api.colleague(scope, &[scope]).await);
    }
    let operator = json!({"name": "operator", "scopes": ["operator"], "tenant": j.tenant});
    let made = j.operator().post("/v1/keys", &operator).await.is(201).json();
    callers.push(j.api.with_key(Some(text(&made["key"]))));
    for path in ["/v1/event-types", "/v1/egress"] {
        for caller in &callers {
            caller.get(path).await.is(200);
        }
        j.api.with_key(None).get(path).await.problem(401);
    }
}

#[tokio::test]
async fn an_operator_without_any_other_scope_manages_the_keys_of_another_tenant() {
    let j = Journey::begin().await;
    let asked = json!({"name": "operator", "scopes": ["operator"], "tenant": format!("{}-ops", j.tenant)});
    let made = j.operator().post("/v1/keys", &asked).await.is(201).json();
    let operator = j.api.with_key(Some(text(&made["key"])));

    let asked = json!({"name": "loader", "scopes": ["history:read"], "tenant": j.tenant});
    let loader = operator.post("/v1/keys", &asked).await.is(201).json();
    assert_eq!(loader["tenant"], j.tenant);
    let caller = j.api.with_key(Some(text(&loader["key"])));
    caller.get("/v1/subscriptions").await.is(200);
    let listed = operator.get(&format!("/v1/keys?tenant={}", j.tenant)).await.is(200).json();
    let own = j.api.get("/v1/keys").await.is(200).json();
    let keys = |listed: &Value| ids(listed["items"].as_array().expect("items")).join(" ");
    assert_eq!(keys(&listed), keys(&own));
    operator.delete(&format!("/v1/keys/{}?tenant={}", text(&loader["id"]), j.tenant)).await.is(204);
    caller.get("/v1/subscriptions").await.problem(401);

    operator.get("/v1/subscriptions").await.problem(403);
    operator.get("/v1/loans/727/webhooks").await.problem(403);
    operator.post("/v1/events", &crate::harness::event("727")).await.problem(403);
}
