//! Pages of lists: keys and subscriptions.

use serde_json::json;

use crate::harness::{Api, Journey, instant, items_of, text};

/// The IDs of a list, read in pages of this size.
async fn ids_page_by_page(api: &Api, path: &str, limit: usize) -> Vec<String> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("{path}?limit={limit}{cursor}")).await.expect_status(200).json();
        let items = page["items"].as_array().unwrap_or_else(|| panic!("a list has items: {page}"));
        assert!(items.len() <= limit && !items.is_empty(), "{page}");
        found.extend(items.iter().map(|item| text(&item["id"]).to_owned()));
        let Some(next) = page["next"].as_str() else { return found };
        assert_eq!(items.len(), limit, "a page before the last is full");
        cursor = format!("&cursor={next}");
    }
}

/// In pages of any size the list has exactly these IDs, oldest first.
async fn assert_paged(api: &Api, path: &str, mut created: Vec<String>) {
    let whole = api.get(&format!("{path}?limit=200")).await.expect_status(200).json();
    let items = items_of(&whole);
    assert!(items.is_sorted_by_key(|item| instant(&item["createdAt"])), "{whole}");
    let mut listed: Vec<_> = items.iter().map(|item| text(&item["id"]).to_owned()).collect();
    let in_order = listed.clone();
    listed.sort_unstable();
    created.sort_unstable();
    assert_eq!(listed, created, "{path}");
    for limit in [1, 2, 3, created.len() - 1, created.len()] {
        assert_eq!(ids_page_by_page(api, path, limit).await, in_order, "{path} in pages of {limit}");
    }
    for wrong in
        ["limit=0", "limit=201", "limit=005", "limit=%2B5", "limit=01", "limit=", "cursor=x", "cursor="]
    {
        api.get(&format!("{path}?{wrong}")).await.expect_problem(422);
    }
}

#[tokio::test]
async fn pages_of_subscriptions_list_each_once_oldest_first() {
    let j = Journey::start().await;
    j.other_tenant().await.subscribe(&crate::harness::subscription("https://example.com", json!({}))).await;
    let mut created = Vec::new();
    for _ in 0..7 {
        created.push(text(&j.subscribe("/hook", json!({})).await["id"]).to_owned());
    }
    assert_paged(&j.api, "/v1/subscriptions", created).await;
}

#[tokio::test]
async fn pages_of_keys_list_each_once_oldest_first() {
    let j = Journey::start().await;
    let own = j.api.get("/v1/keys").await.expect_status(200).json();
    let mut created = vec![text(&own["items"][0]["id"]).to_owned()];
    for name in 0..6 {
        let asked = json!({"name": format!("key {name}"), "scopes": ["history:read"]});
        created.push(text(&j.api.post("/v1/keys", &asked).await.expect_status(201).json()["id"]).to_owned());
    }
    assert_paged(&j.api, "/v1/keys", created).await;
}

#[tokio::test]
async fn pages_have_no_gap_and_no_repeat_after_a_deletion() {
    let j = Journey::start().await;
    for _ in 0..4 {
        j.subscribe("/hook", json!({})).await;
    }
    let created = ids_page_by_page(&j.api, "/v1/subscriptions", 200).await;
    let first = j.api.get("/v1/subscriptions?limit=2").await.expect_status(200).json();
    j.api.delete(&format!("/v1/subscriptions/{}", created[1])).await.expect_status(204);
    let next = text(&first["next"]);
    let second =
        j.api.get(&format!("/v1/subscriptions?limit=2&cursor={next}")).await.expect_status(200).json();
    let ids: Vec<_> = items_of(&second).iter().map(|item| text(&item["id"])).collect();
    assert_eq!(ids, [created[2].as_str(), created[3].as_str()]);
}
