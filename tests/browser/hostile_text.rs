//! Text from receivers, subscriptions and events that contains markup: it is shown as text, in a browser that would run it.

use serde_json::{Value, json};

use crate::browser::Look;
use crate::harness::{Journey, Reply, text};
use crate::scenes::{ALL, link};
use crate::tab::Tab;

/// Text that receivers answer and that is in titles, events and loans.
fn hostile() -> [(&'static str, Vec<u8>); 9] {
    let image = "\"><img src=x onerror=\"document.title='owned'\">";
    [
        ("<script>document.title='owned'</script>", "<script>document.title='owned'</script>".into()),
        (image, image.into()),
        ("<title>owned", "</pre></table><title>owned</title><base href=//evil.example>".into()),
        ("\u{202e}drowtfel-ot-thgir", "\u{202e}\u{2066}\u{200f}".into()),
        ("long", vec![b'a'; 1 << 20]),
        ("invalid UTF-8", b"caf\xe9 \xf0\x28\x8c\x28".to_vec()),
        ("binary", (0..=255).collect()),
        ("javascript:document.title='owned'", b"javascript:document.title='owned'".to_vec()),
        ("empty", Vec::new()),
    ]
}

#[tokio::test]
async fn injected_markup_is_not_run_and_does_not_break_the_page() {
    let j = Journey::start().await;
    for (number, (name, answer)) in hostile().into_iter().enumerate() {
        eprintln!("{name}");
        let title = json!({"title": name, "criteria": {"events": [name]}});
        j.subscribe("/hook", title).await;
        // Loan IDs have none of these characters.
        let loan = format!("{number} {}", name.replace(['/', '\\', '?', '#', '%'], ""));
        let headers = [("Content-Type", "text/html"), ("X-Said", "<script>document.title='owned'</script>")];
        j.receiver.replies("/hook", [Reply::with(200, &headers, &answer)]);
        let sent = json!({"eventName": name, "loanId": loan, "context": {"said": name}});
        let delivery = j.api.ended_delivery(&j.api.send_one(&sent).await).await;
        let id = text(&delivery["attempts"][0]["id"]);
        let Some(tab) = Tab::open(Look::WITH_SCRIPT, &link(&j.api, &loan, &ALL).await).await else { return };
        tab.click(&format!("#a-{id} a.open")).await;
        tab.wait_for_text(".facts", "Destination").await;
        let seen = "return [document.title, document.querySelector('td.title bdi').textContent, document.querySelector('.over bdi').textContent]";
        assert_eq!(
            tab.run(seen, vec![]).await,
            json!([format!("Webhooks of loan {loan} · loanhook"), name, loan])
        );
        let foreign = "return document.querySelectorAll('img, base, main script, main title:not(svg title), [onerror]').length";
        assert_eq!(tab.run(foreign, vec![]).await, 0);
        let wide = "return document.documentElement.scrollWidth <= innerWidth";
        assert_eq!(tab.run(wide, vec![]).await, Value::Bool(true), "it fits its window");
        // The page still works.
        tab.click(".resend > summary").await;
        tab.click("dialog button.primary").await;
        tab.wait_for_text("td[data-head='# Attempt Number']", "manual").await;
        tab.close().await;
    }
}
