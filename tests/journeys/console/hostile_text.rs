//! Text with markup in titles, names of events, loans and keys: each page shows it as text.

use serde_json::json;

use super::signed_in_as;
use crate::harness::{Journey, Reply, event_named, eventually, subscription_path};
use crate::portal::visitor::Page;
use crate::recovery::{id, make_job};

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
        let webhook = j.subscribe("/hook", webhook).await;
        j.receiver.replies("/hook", [Reply::status(500)]);
        let trace = j.api.send_one(&event_named(name, &loan)).await;
        j.api.ended_delivery(&trace).await;
        let nobody = format!("{name} unmatched");
        j.api.send_event(&event_named(&nobody, &loan)).await;
        let viewer = j.api.with_new_key(name, &["history:read", "webhooks:resend", "admin"]).await;
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
            let has = |list: &str, name: &str| page.texts(list).contains(&normal(name));
            (has("#unmatched bdi", &nobody) && has(".looks bdi", name)).then_some(page)
        })
        .await;
        assert_page_unchanged(&overview);
        let webhooks = visitor.page("/subscriptions").await;
        assert_page_unchanged(&webhooks);
        assert!(webhooks.texts("td.title bdi").contains(&normal(name)));
        let job = json!({"filter": {"eventName": name, "loanId": loan}});
        let job = make_job(&j.api, "resends", &job).await;
        let jobs = visitor.page("/resends").await;
        assert_page_unchanged(&jobs);
        let told = format!("It is of loan {}.", normal(&loan));
        assert!(jobs.texts(".criteria li").contains(&told), "{:?}", jobs.texts(".criteria li"));
        let job = visitor.page(&format!("/resends/{}", id(&job))).await;
        assert_page_unchanged(&job);
        assert_eq!(job.texts("#items td.title bdi"), [normal(name)]);
        let keys = visitor.page("/keys").await;
        assert_page_unchanged(&keys);
        assert!(keys.texts("#keys td.title bdi").contains(&normal(name)));
        let last = keys
            .all("td[data-head=Revoke] a")
            .last()
            .and_then(|a| a.attr("href"))
            .expect("an address")
            .to_owned();
        let question = visitor.page(&last).await;
        assert_page_unchanged(&question);
        assert_eq!(question.text("main h2"), format!("Revoke {}?", normal(name)));
        // Settings of which each has the text, before and after.
        let path = subscription_path(&webhook);
        let patch = json!({
            "title": format!("{name}!"), "description": format!("{name}\n{name}"),
            "request": {"payload": json!(name).to_string(), "headers": {"x-a": "a secret"}},
        });
        j.api
            .with_new_key(name, &["subscriptions:write"])
            .await
            .patch(&path, &patch)
            .await
            .expect_status(200);
        let versions = format!("{}/versions", path.trim_start_matches("/v1"));
        let list = visitor.page(&versions).await;
        assert_page_unchanged(&list);
        assert_eq!(list.texts("td[data-head=By] bdi")[0], normal(name));
        let compared = visitor.page(&format!("{versions}?from=1&to=2")).await;
        assert_page_unchanged(&compared);
        assert_eq!(compared.texts("#changes td.title"), ["Title", "Description", "Header x-a", "Payload"]);
        let nothing = visitor.page(&format!("/search?{}", asked("q", &format!("{name} nothing")))).await;
        assert_page_unchanged(&nothing);
        assert!(nothing.text("[role=status]").contains(&normal(name)));
    }
}

/// The text with its white space as the tests read it.
fn normal(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
