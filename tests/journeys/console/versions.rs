//! Versions of a webhook: who made each, what it changed, and the comparison of two.

use serde_json::json;

use super::{signed_in, signed_in_as};
use crate::harness::{Api, Journey, subscription_path};
use crate::portal::visitor::Page;

/// A change by a PATCH.
async fn patch(api: &Api, path: &str, patch: serde_json::Value) {
    api.patch(path, &patch).await.expect_status(200);
}

/// The rows of a comparison: each as its cells.
fn rows(page: &Page) -> Vec<Vec<String>> {
    let count = page.all("#changes tbody tr").len();
    (1..=count).map(|row| page.texts(&format!("#changes tbody tr:nth-child({row}) td"))).collect()
}

#[tokio::test]
async fn each_version_says_who_made_it_and_what_it_changed() {
    let j = Journey::start().await;
    let webhook = j.subscribe("/hook", json!({"title": "Core"})).await;
    let path = subscription_path(&webhook);
    let ann = j.api.with_new_key("Ann", &["history:read", "subscriptions:write"]).await;
    patch(&ann, &path, json!({"title": "Core banking", "timeoutSeconds": 3})).await;
    patch(&ann, &path, json!({"request": {"headers": {"Authorization": "Bearer s3cret"}}})).await;
    let rotated = j.api.post_without_body(&format!("{path}/rotate-secret")).await.expect_status(200).json();
    assert_eq!((&rotated["updatedBy"], &rotated["version"]), (&json!("journey"), &json!(4)));
    let read = ann.get(&path).await.expect_status(200).json();
    // What a read shows can be put back.
    let put = ann.put(&path, &read).await.expect_status(200).json();
    assert_eq!((&put["version"], &put["updatedBy"]), (&json!(4), &json!("journey")), "nothing changed");

    let mut visitor = signed_in(&j).await;
    let list = visitor.page("/subscriptions").await;
    let page = visitor.page(&list.attribute("td[data-head=Version] a", "href")).await;
    let column = |head: &str| page.texts(&format!("#versions td[data-head='{head}']"));
    assert_eq!(page.text(".over"), "Core banking");
    assert_eq!(page.attribute(".over a", "href"), path.trim_start_matches("/v1"));
    let webhook = visitor.page(path.trim_start_matches("/v1")).await;
    assert!(
        webhook.all("main a").iter().any(|a| a.attr("href").is_some_and(|href| href.ends_with("/versions")))
    );
    assert_eq!(column("Version"), ["Version 4 in use", "Version 3", "Version 2", "Version 1"]);
    assert_eq!(column("By"), ["journey", "Ann", "Ann", "journey"]);
    assert_eq!(
        column("What changed"),
        [
            "The signing secret was rotated",
            "Header Authorization Show it for version 3",
            "Title, Timeout Show it for version 2",
            "The webhook was made",
        ]
    );
    for (link, expected) in page.all("#versions a.next-line").iter().zip([
        vec![vec!["Header Authorization".to_owned(), "It is new. Its value is not shown.".to_owned()]],
        vec![
            vec!["Title".to_owned(), "Core".to_owned(), "Core banking".to_owned()],
            vec!["Timeout".to_owned(), "15 s".to_owned(), "3 s".to_owned()],
        ],
    ]) {
        let compared = visitor.get(link.attr("href").expect("an address")).await.expect_status(200);
        assert_eq!(rows(&Page::of(&compared)), expected);
        assert!(!String::from_utf8_lossy(&compared.body).contains("s3cret"));
    }
    // The form compares the newest with the one before; both can be chosen, in either order.
    assert_eq!(
        (page.attribute("#f-from", "value"), page.attribute("#f-to", "value")),
        ("3".into(), "4".into())
    );
    let action = page.attribute(".filters form", "action");
    for query in ["from=1&to=4", "from=4&to=1"] {
        let all = visitor.page(&format!("{action}?{query}")).await;
        let told: Vec<_> = rows(&all).into_iter().map(|cells| cells[0].clone()).collect();
        assert_eq!(told, ["Title", "Header Authorization", "Timeout", "Signing secret"], "{query}");
        assert!(all.text("p.lead").starts_with("From version 1 ("), "{query}");
    }
}

#[tokio::test]
async fn lines_of_a_template_are_compared_and_a_change_that_was_undone_is_none() {
    let j = Journey::start().await;
    let template = |amount: &str| format!("{{\n  \"a\": 1,\n  \"b\": \"[[v('{amount}')]]\"\n}}");
    let webhook = j
        .subscribe("/hook", json!({"request": {"url": j.receiver.url("/hook"), "payload": template("one")}}))
        .await;
    let path = subscription_path(&webhook);
    let versions = format!("{}/versions", path.trim_start_matches("/v1"));
    patch(&j.api, &path, json!({"request": {"payload": template("two")}})).await;
    patch(&j.api, &path, json!({"request": {"payload": template("one")}})).await;
    patch(&j.api, &path, json!({"request": {"payload": null}, "restriction": "(= a 1)"})).await;
    let mut visitor = signed_in(&j).await;
    let page = visitor.page(&format!("{versions}?from=1&to=2")).await;
    assert_eq!(page.texts("#changes td.title"), ["Payload"]);
    assert_eq!(page.texts(".diff del"), ["− removed: \"b\": \"[[v('one')]]\""]);
    assert_eq!(page.texts(".diff ins"), ["+ added: \"b\": \"[[v('two')]]\""]);
    let page = visitor.page(&format!("{versions}?from=1&to=3")).await;
    assert_eq!(page.text(".empty h2"), "No setting differs");
    let page = visitor.page(&format!("{versions}?from=3&to=4")).await;
    assert_eq!(page.texts("#changes td.title"), ["Restriction", "Payload"]);
    assert_eq!((page.all(".diff ins").len(), page.all(".diff del").len()), (1, 4));
}

#[tokio::test]
async fn the_query_of_a_url_is_hidden_from_who_may_not_change_webhooks() {
    let j = Journey::start().await;
    let url = |key: &str| j.receiver.url(&format!("/hook?key={key}"));
    let webhook = j.subscribe("/hook", json!({"request": {"url": url("s3cret")}})).await;
    let path = subscription_path(&webhook);
    patch(&j.api, &path, json!({"request": {"url": url("oth3r")}})).await;
    let compared = format!("{}/versions?from=1&to=2", path.trim_start_matches("/v1"));
    let whole = rows(&signed_in(&j).await.page(&compared).await);
    assert_eq!(whole, [["URL".to_owned(), url("s3cret"), url("oth3r")]]);
    let reader = j.api.with_new_key("Reader", &["history:read"]).await;
    let masked = signed_in_as(&j, &reader).await.get(&compared).await.expect_status(200);
    assert!(rows(&Page::of(&masked))[0][1].starts_with("It changed in the values of its query"));
    let body = String::from_utf8_lossy(&masked.body);
    assert!(!body.contains("s3cret") && !body.contains("oth3r"));
}

#[tokio::test]
async fn versions_have_pages_and_belong_to_their_tenant() {
    let j = Journey::start().await;
    let webhook = j.subscribe("/hook", json!({"title": "Version 1"})).await;
    let path = subscription_path(&webhook);
    for version in 2..=27 {
        patch(&j.api, &path, json!({"title": format!("Version {version}")})).await;
    }
    let versions = format!("{}/versions", path.trim_start_matches("/v1"));
    let mut visitor = signed_in(&j).await;
    let first = visitor.page(&versions).await;
    assert_eq!(first.all("#versions tbody tr").len(), 25);
    let second = visitor.page(&first.attribute(".pages a", "href")).await;
    assert_eq!(second.texts("#versions td.title"), ["Version 2", "Version 1"]);
    assert_eq!(second.texts(".pages a"), ["Newest"]);
    assert_eq!(second.attribute("#f-to", "max"), "27", "those of other pages can be compared too");
    let none = visitor.page(&format!("{versions}?before=1")).await;
    assert_eq!(none.text(".empty h2"), "Nothing older is kept");
    for query in
        ["from=1&to=99", "from=1", "to=1", "from=x&to=2", "from=1&to=18446744073709551615", "from=2&to=2"]
    {
        visitor.get(&format!("{versions}?{query}")).await.expect_status(404);
    }
    // What is no number is none.
    visitor.page(&format!("{versions}?before=x")).await;
    let stranger = j.other_tenant().await;
    let mut other = signed_in_as(&j, &stranger).await;
    other.get(&versions).await.expect_status(404);
    other.get(&format!("{versions}?from=1&to=2")).await.expect_status(404);
    j.api.delete(&path).await.expect_status(204);
    visitor.get(&versions).await.expect_status(404);
    visitor.get("/subscriptions/x/versions").await.expect_status(404);
}
