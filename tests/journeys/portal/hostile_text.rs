//! Text with markup from receivers, subscriptions, events and loans: it is shown as text and does not break the page.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::link;
use super::visitor::Visitor;
use crate::harness::{Journey, Reply, event, subscription_path, text};

/// Responses of receivers, and the text that their preview must show.
fn hostile_responses() -> Vec<(&'static str, Vec<u8>, String)> {
    let script = "<script>document.title='owned'</script>";
    let markup = "</pre></td></table><img src=x onerror=alert(1)><!-- <style>*{display:none}</style>";
    let line = "a".repeat(1 << 20);
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let json = r#"{"<script>alert(1)</script>": "</script><script>alert(2)</script>"}"#;
    vec![
        ("a script", script.into(), script.into()),
        ("markup", markup.into(), markup.into()),
        ("JSON with markup", json.into(), "\"</script><script>alert(2)</script>\"".into()),
        (
            "marks of direction",
            "pay \u{202e}0001\u{202c} now\u{2066}".into(),
            "pay U+202E0001U+202C nowU+2066".into(),
        ),
        ("control characters", "a\u{1b}[31mred\u{7}\r\nb".into(), "aU+001B[31mredU+0007U+000D\nb".into()),
        ("a line of 1 MiB", line.clone().into(), line[..32 * 1024].into()),
        ("invalid UTF-8", b"caf\xe9 <b>".to_vec(), "63 61 66 e9 20 3c 62 3e".into()),
        ("binary", (0..=255).collect(), "000000  00 01 02 03".into()),
        ("deep nesting", deep.into(), "[\n  [\n    [".into()),
        ("entities", "&lt;b&gt; &amp;amp; &#x202e;".into(), "&lt;b&gt; &amp;amp; &#x202e;".into()),
    ]
}

#[tokio::test]
async fn payloads_are_shown_as_text() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let mut visitor = super::viewer(&j).await;
    for (name, answer, shown) in hostile_responses() {
        eprintln!("{name}");
        j.receiver.replies("/hook", [Reply::with(200, &[("Content-Type", "text/html")], &answer)]);
        let delivery = j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
        let row = &delivery["attempts"][0];
        let page = visitor.page(&format!("/loans/727/webhooks?open={}", text(&row["id"]))).await;
        let preview: String = page.all("pre")[1].text().collect();
        assert!(preview.contains(&shown), "{name}: {preview:.200}");
        assert_page_unchanged(&page);
        let file = visitor
            .get(page.all("a[download]")[1].attr("href").expect("an address"))
            .await
            .expect_status(200);
        assert_eq!(file.body, answer, "{name}");
    }
}

/// No element of the page comes from foreign text.
fn assert_page_unchanged(page: &super::visitor::Page) {
    assert_eq!(page.all("script").len(), 1);
    assert!(page.all("img, style, iframe, object, b, [onerror]").is_empty());
    assert_eq!((page.all("table").len(), page.all("th").len()), (1, 7));
    assert_eq!(page.all("main > nav, main > table, main > header").len(), 3, "the page ends in order");
}

#[tokio::test]
async fn titles_event_names_viewers_and_headers_are_shown_as_text() {
    let j = Journey::start().await;
    for name in [
        "<script>alert(1)</script>",
        "\"'><img src=x onerror=alert(1)>",
        "\u{202e}drawkcab\u{2066}",
        "</option></select><b>",
        "{{7*7}} ${7*7} &amp;",
        &"ü".repeat(256),
    ] {
        let created = j.subscribe("/hook", json!({"title": name})).await;
        let loan = "727";
        let headers = [("Content-Type", "text/plain"), ("X-Said", "<script>alert(1)</script>")];
        j.receiver.replies("/hook", [Reply::with(200, &headers, b"received")]);
        let sent = json!({"eventName": name, "loanId": loan, "context": {name: name}});
        let delivery = j.api.ended_delivery(&j.api.send_one(&sent).await).await;
        let mut visitor = Visitor::new(&j);
        visitor.get(&link(&j.api, loan, json!({"viewer": name})).await).await.expect_status(303);
        let query = utf8_percent_encode(name, NON_ALPHANUMERIC);
        let row = text(&delivery["attempts"][0]["id"]);
        let page = visitor.page(&format!("/loans/727/webhooks?eventTitle={query}&open={row}")).await;
        assert_page_unchanged(&page);
        let raw = |selector: &str| page.one(selector).text().collect::<String>();
        assert_eq!(raw("td.title bdi"), name);
        assert_eq!(raw(".who bdi"), name);
        assert_eq!(page.attribute("#f-eventTitle", "value"), name);
        assert!(page.all("#titles option").iter().any(|title| title.attr("value") == Some(name)));
        assert_eq!(raw(".chips bdi"), name);
        let page = visitor.page(&page.attribute(".facts a", "href").replace('#', "&at=")).await;
        assert!(page.all("img, style, iframe, object, b, [onerror]").is_empty());
        let raw = |selector: &str| page.all(selector)[0].text().collect::<String>();
        assert_eq!((raw(".event h2 bdi"), raw(".verdict bdi")), (name.to_owned(), name.to_owned()));
        assert_eq!(page.all("script").len(), 1);
        j.api.delete(&subscription_path(&created)).await.expect_status(204);
    }
}

#[tokio::test]
async fn loan_ids_are_shown_as_text() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    for loan in [
        "<script>alert(1)<script>",
        "\"onmouseover=\"alert(1)",
        "\u{202e}727",
        "Loan 7 (ü) & Co; a=b, c",
        "..;",
        "{loanId}",
        "%".replace('%', "+").as_str(),
    ] {
        let delivery = j.api.ended_delivery(&j.api.send_one(&event(loan)).await).await;
        let mut visitor = Visitor::new(&j);
        let opened = visitor.get(&link(&j.api, loan, json!({})).await).await.expect_status(303);
        let path = format!("/loans/{}/webhooks", utf8_percent_encode(loan, SEGMENT));
        assert_eq!(opened.header("location"), format!("{path}?opened=1"));
        let row = text(&delivery["attempts"][0]["id"]);
        let page = visitor.page(&format!("{path}?open={row}")).await;
        assert_page_unchanged(&page);
        assert_eq!(page.one(".over bdi").text().collect::<String>(), loan);
        let csrf = page.attribute(".resend input[name=csrf]", "value");
        let action = page.attribute(".resend form", "action");
        visitor.post(&action, &[("csrf", &csrf)]).await.expect_status(303);
        j.api.delivery_after_attempts(text(&delivery["traceId"]), 2).await;
        visitor.get(page.all("a[download]")[0].attr("href").expect("an address")).await.expect_status(200);
        visitor.post("/sign-out", &[("loan", loan)]).await.expect_status(303);
        assert!(visitor.cookies.is_empty());
    }
}

const SEGMENT: &percent_encoding::AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
