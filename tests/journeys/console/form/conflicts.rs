//! Two people change one webhook: the second is told what differs, loses nothing, and decides.

use serde_json::json;

use super::super::signed_in;
use super::filled::Filled;
use super::{edit_of, form_at, only_webhook};
use crate::harness::{Journey, subscription_path};
use crate::portal::visitor::Page;

#[tokio::test]
async fn the_second_of_two_tabs_is_told_what_differs_and_can_save_over_it() {
    let j = Journey::start().await;
    let webhook =
        j.subscribe("/hook", json!({"title": "Core", "request": {"headers": {"X-Key": "one"}}})).await;
    let api = subscription_path(&webhook);
    let path = edit_of(&webhook);
    let mut visitor = signed_in(&j).await;
    let (first, second) = (form_at(&mut visitor, &path).await, form_at(&mut visitor, &path).await);
    let first = first.with(&[("title", "First"), ("header-value-0", "two"), ("timeoutSeconds", "20")]);
    first.press(&mut visitor, &path, "save").await.expect_status(303);

    let second = second.with(&[("title", "Second"), ("description", "Mine")]);
    let page = Page::of(&second.press(&mut visitor, &path, "save").await.expect_status(409));
    assert_eq!(page.text("#conflict h2"), "Somebody else changed this webhook while you did");
    let cells = page.texts(".differences tbody :is(th, td)");
    let rows: Vec<_> = cells.chunks(4).map(|row| row.join(" | ")).collect();
    assert_eq!(
        rows,
        [
            "Title | Core | Firstchanged by them | Secondchanged by you",
            "Header X-Key | *** | *** (another value)changed by them | ***",
            "Seconds for the whole request | 15 | 20changed by them | 15",
            "Description | none | none | Minechanged by you",
        ],
        "and no more"
    );
    assert_eq!(page.attribute("#conflict a", "href"), path, "the way to the new values");
    assert_eq!(j.api.get(&api).await.json()["title"], "First", "nothing was saved");
    let kept = Filled::of(&page);
    assert_eq!((kept.get("title"), kept.get("description"), kept.get("version")), ("Second", "Mine", "2"));
    assert_eq!(page.text(".save-settings button"), "Save mine over it");

    kept.press(&mut visitor, &path, "save").await.expect_status(303);
    let now = j.api.get(&api).await.json();
    assert_eq!(
        (&now["title"], &now["description"], &now["version"]),
        (&json!("Second"), &json!("Mine"), &json!(3))
    );
}

#[tokio::test]
async fn a_try_out_and_a_search_are_no_conflict_and_a_deleted_webhook_is_not_there() {
    let j = Journey::start().await;
    let webhook = j.subscribe("/hook", json!({"title": "Core"})).await;
    let path = edit_of(&webhook);
    let mut visitor = signed_in(&j).await;
    let opened = form_at(&mut visitor, &path).await.set("title", "Mine");
    j.api.patch(&subscription_path(&webhook), &json!({"title": "Theirs"})).await.expect_status(200);
    for action in ["try", "search", "add-header"] {
        let page = Page::of(&opened.press(&mut visitor, &path, action).await.expect_status(200));
        let shown = Filled::of(&page);
        assert_eq!((shown.get("title"), shown.get("version")), ("Mine", "1"), "{action}");
    }
    opened.press(&mut visitor, &path, "save").await.expect_status(409);
    j.api.delete(&subscription_path(&webhook)).await.expect_status(204);
    // What was typed is not lost: it can be saved as a new webhook.
    let page = Page::of(&opened.press(&mut visitor, &path, "save").await.expect_status(409));
    assert_eq!(page.text("h1"), "New webhook");
    assert!(
        page.text(".faults").contains("Somebody deleted this webhook meanwhile"),
        "{}",
        page.text(".faults")
    );
    let kept = Filled::of(&page);
    assert_eq!(kept.get("title"), "Mine");
    // The buttons that show the form again lead to the address of the page.
    let page = Page::of(&kept.press(&mut visitor, &path, "try").await.expect_status(200));
    let kept = Filled::of(&page);
    assert_eq!((page.text("h1"), kept.get("title")), ("New webhook".to_owned(), "Mine"));
    let action = page.attribute("form.settings", "action");
    kept.press(&mut visitor, &action, "save").await.expect_status(201);
    assert_eq!(only_webhook(&j).await["title"], "Mine");
}
