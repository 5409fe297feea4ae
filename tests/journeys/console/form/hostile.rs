//! Text with markup in every setting: the page and the form show it as text, and it comes back as it was.

use serde_json::json;

use super::super::signed_in;
use super::{edit_of, form_at, page_of};
use crate::harness::{Journey, subscription_path};
use crate::portal::visitor::Page;

#[tokio::test]
async fn hostile_settings_are_text_on_every_page_and_come_back_unchanged() {
    let j = Journey::start().await;
    let mut visitor = signed_in(&j).await;
    for text in [
        "<script>alert(1)</script>",
        "\"'><img src=x onerror=alert(1)>",
        "</textarea></title></form><b>bold",
        "&lt;b&gt; &amp;amp; \u{202e}drow",
        "[[v('loan-id')]] {{7*7}}",
    ] {
        let payload = format!("{text}\n</textarea>{text}").replace("[[", "");
        let webhook = j
            .subscribe("/hook", json!({
                "title": text, "description": text, "criteria": {"events": [text]},
                "request": {"headers": {"X-Text": "plain"}, "payload": payload, "contentType": "text/plain", "auth": {"type": "basic", "username": text.replace(':', ""), "password": "p"}},
            }))
            .await;
        let before = j.api.get(&subscription_path(&webhook)).await.json();
        let path = edit_of(&webhook);
        for path in [page_of(&webhook), path.clone(), format!("{}/delete", page_of(&webhook))] {
            let page = visitor.page(&path).await;
            assert_untouched(&page);
            assert!(page.text("main").contains(&*normal(text)), "{path} shows {text}");
        }
        let filled = form_at(&mut visitor, &path).await;
        filled.press(&mut visitor, &path, "save").await.expect_status(303);
        assert_eq!(j.api.get(&subscription_path(&webhook)).await.json(), before);
        // Wrong ones come back in the page, too.
        let name = format!("X-{text}");
        let wrong = filled.with(&[("header-name-1", &name), ("header-value-1", text), ("delays", text)]);
        let page = Page::of(&wrong.press(&mut visitor, &path, "save").await.expect_status(422));
        assert_untouched(&page);
        assert_eq!(page.attribute("#f-header-name-1", "value"), name);
        assert_eq!(page.attribute("#f-delays", "value"), text);
        // So do both sides of a conflict.
        j.api.patch(&subscription_path(&webhook), &json!({"description": "Theirs"})).await.expect_status(200);
        let page = Page::of(&wrong.press(&mut visitor, &path, "save").await.expect_status(409));
        assert_untouched(&page);
    }
}

/// No element of the page comes from foreign text.
fn assert_untouched(page: &Page) {
    assert_eq!(page.all("script").len(), 1);
    assert!(
        page.all("img, style, iframe, object, b, [onerror], [style], main title:not(svg title)").is_empty()
    );
    assert_eq!(page.all("body > header, body > main").len(), 2, "the page ends in order");
}

/// The text with its white space as the tests read it.
fn normal(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
