//! Text with markup in titles, names of events, loans and keys: each page shows it as text.

use serde_json::json;

use super::signed_in_as;
use crate::harness::{Journey, Reply, event_named, eventually};
use crate::portal::visitor::Page;

/// No element of the page comes from foreign text.
fn assert_page_unchanged(page: &Page) {
    assert_eq!(page.all("script").len(), 1);
    assert!(page.all("img, style, iframe, object, b, [onerror], main title:not(svg title)").is_empty());
    assert_eq!(page.all("body > header, body > main").len(), 2, "the page ends in order");
}

#[tokio::test]
async fn every_page_shows_foreign_text_as_text() {
    let j = Journey::start().await;
    for name in [
        "<script>alert(1)</script>",
        "\"'><img src=x onerror=alert(1)>",
        "</title></table></svg><b>bold",
        "&lt;b&gt; \u{202e}drow",
        "{{7*7}} [[v('x')]] ${7*7}",
    ] {
        eprintln!("{name}");
        let loan = name.replace(['/', '\\', '?', '#', '%'], "");
        let webhook = json!({"title": name, "criteria": {"events": [name]}, "retry": {"delays": []}});
        j.subscribe("/hook", webhook).await;
        j.receiver.replies("/hook", [Reply::status(500)]);
        let trace = j.api.send_one(&event_named(name, &loan)).await;
        j.api.ended_delivery(&trace).await;
        let nobody = format!("{name} unmatched");
        j.api.send_event(&event_named(&nobody, &loan)).await;
        let viewer = j.api.with_new_key(name, &["history:read", "webhooks:resend"]).await;
        let mut visitor = signed_in_as(&j, &viewer).await;
        let asked = |name, value| {
            url::form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish()
        };

        let list = visitor.page(&format!("/webhooks?{}", asked("eventName", name))).await;
        assert_page_unchanged(&list);
        assert_eq!(list.text(".who bdi"), normal(name));
        for (head, shown) in [("Loan", &*loan), ("Webhook", name), ("Event", name)] {
            assert_eq!(list.text(&format!("td[data-head='{head}'] bdi")), normal(shown));
        }
        assert!(list.text(".chips bdi").contains(&normal(name)));
        let question = visitor.page(&format!("/webhooks/resend-all?{}", asked("eventName", name))).await;
        assert_page_unchanged(&question);
        assert_eq!(question.texts(".bulk li"), [format!("Its event is {}.", normal(name))]);
        let overview = eventually("all is counted", async || {
            let page = visitor.page("/").await;
            page.texts("#unmatched bdi").contains(&normal(&nobody)).then_some(page)
        })
        .await;
        assert_page_unchanged(&overview);
        assert!(overview.texts(".looks bdi").contains(&normal(name)));
        let webhooks = visitor.page("/subscriptions").await;
        assert_page_unchanged(&webhooks);
        assert!(webhooks.texts("td.title bdi").contains(&normal(name)));
        let nothing = visitor.page(&format!("/search?{}", asked("q", &format!("{name} nothing")))).await;
        assert_page_unchanged(&nothing);
        assert!(nothing.text("[role=status]").contains(&normal(name)));
    }
}

/// The text with its white space as the tests read it.
fn normal(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
