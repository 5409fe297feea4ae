//! The history in a browser: open a link, read the columns, expand a row, download, filter and page, with JavaScript and
//! without.

use serde_json::json;

use crate::browser::Look;
use crate::harness::{Journey, event, event_named, eventually, instant, text};
use crate::scenes::{open_page, retried_delivery};
use crate::tab::Tab;

const HEADS: [&str; 7] =
    ["ID", "Trace ID", "Event Title", "Method", "Response Code", "Time Stamp", "# Attempt Number"];

async fn read_the_history(look: Look) {
    let j = Journey::start().await;
    let rows = retried_delivery(&j).await;
    let Some(tab) = open_page(&j, look).await else { return };
    let address = tab.address().await;
    // The script removes the mark of a session that began.
    let query = (!look.script).then_some("opened=1");
    assert_eq!((address.path(), address.query()), ("/loans/727/webhooks", query), "no secret stays there");
    assert_eq!(tab.text("h1").await, "Webhooks");
    tab.wait_for_texts("th", &HEADS).await;
    tab.wait_for_texts("td[data-head='# Attempt Number']", &["2", "1"]).await;
    tab.wait_for_text("td[data-head='Response Code']", "503").await;

    let first = text(&rows[0]["id"]);
    tab.click(&format!("#a-{first} a.open")).await;
    tab.wait_for_text(".facts", "IP address it was sent from").await;
    tab.wait_for_text(".facts", text(&rows[0]["destination"])).await;
    tab.wait_for_text(".headers", "retry-after").await;
    tab.wait_for_text("pre", "try again later").await;
    assert_eq!(tab.attribute(&format!("#a-{first} a.open"), "aria-expanded").await, "true");
    let sent = j.receiver.next_request().await.body;
    for (file, bytes) in [("source", &sent[..]), ("response", b"try again later")] {
        tab.click(&format!("a[download][href$='/{file}']")).await;
        assert_eq!(downloaded(&tab, &format!("{file}-{first}")).await, bytes);
    }
    tab.click(&format!("#a-{first} a.open")).await;
    eventually("the row is closed", async || tab.all("tr.details").await.is_empty().then_some(())).await;
    tab.close().await;
}

/// The bytes of a finished download, by the beginning of its name.
pub(crate) async fn downloaded(tab: &Tab, name: &str) -> Vec<u8> {
    eventually(&format!("{name} is downloaded"), async || {
        let files = std::fs::read_dir(tab.folder()).expect("the folder").filter_map(Result::ok);
        let whole = |file: &std::fs::DirEntry| {
            let file = file.file_name().to_string_lossy().into_owned();
            file.starts_with(name) && !file.ends_with(".crdownload")
        };
        let file = files.into_iter().find(whole)?;
        // The browser creates an empty file with this name until the download has finished.
        std::fs::read(file.path()).ok().filter(|bytes| !bytes.is_empty())
    })
    .await
}

#[tokio::test]
async fn the_history_can_be_read_with_javascript() {
    read_the_history(Look::WITH_SCRIPT).await;
}

#[tokio::test]
async fn the_history_can_be_read_without_javascript() {
    read_the_history(Look::WITHOUT_SCRIPT).await;
}

async fn filters_and_pages(look: Look) {
    let j = Journey::start().await;
    let only = |name: &str| json!({"events": [name]});
    j.subscribe("/bank", json!({"title": "Core banking", "criteria": only("Posted")})).await;
    j.subscribe("/crm", json!({"title": "Börse & Co", "criteria": only("Changed")})).await;
    for name in ["Posted", "Changed", "Posted"] {
        j.api.ended_delivery(&j.api.send_one(&event_named(name, "727")).await).await;
    }
    let Some(tab) = open_page(&j, look).await else { return };
    tab.click(".filters > summary").await;
    tab.one("#f-eventTitle").await.send_keys("Börse & Co").await.expect("typed");
    tab.click("#filters button.primary").await;
    tab.wait_for_texts("td.title", &["Börse & Co"]).await;
    tab.wait_for_text(".chips", "Event title").await;
    let address = tab.address().await;
    let query: Vec<_> = address.query_pairs().filter(|(_, value)| !value.is_empty()).collect();
    assert_eq!(query, [("eventTitle".into(), "Börse & Co".into())], "filters stand in the address");
    tab.click(".chips a").await;
    tab.wait_for_texts("td.title", &["Core banking", "Börse & Co", "Core banking"]).await;

    let trace = tab.attribute("td[data-head='Trace ID'] a", "href").await;
    tab.click("td[data-head='Trace ID'] a").await;
    tab.wait_for_texts("td.title", &["Core banking"]).await;
    assert!(tab.address().await.as_str().ends_with(&trace));

    tab.go(tab.address().await.join("/loans/727/webhooks?limit=2").expect("an address").as_str()).await;
    tab.wait_for_texts("td.title", &["Core banking", "Börse & Co"]).await;
    tab.click("nav a[rel=next]").await;
    tab.wait_for_texts("td.title", &["Core banking"]).await;
    tab.click("nav.pages a").await;
    tab.wait_for_texts("td.title", &["Core banking", "Börse & Co"]).await;

    tab.go(tab.address().await.join("?outcome=failed").expect("an address").as_str()).await;
    tab.wait_for_text(".empty", "No webhook matches these filters").await;
    tab.close().await;
}

#[tokio::test]
async fn filters_and_pages_work_with_javascript() {
    filters_and_pages(Look::WITH_SCRIPT).await;
}

#[tokio::test]
async fn filters_and_pages_work_without_javascript() {
    filters_and_pages(Look::WITHOUT_SCRIPT).await;
}

#[tokio::test]
async fn times_are_in_the_viewers_time_zone_and_ids_can_be_copied() {
    let j = Journey::start().await;
    let rows = retried_delivery(&j).await;
    let Some(tab) = open_page(&j, Look::WITH_SCRIPT).await else { return };
    // A time zone of +05:45, which no test machine has.
    tab.devtools("Emulation.setTimezoneOverride", json!({"timezoneId": "Asia/Kathmandu"})).await;
    let address = tab.address().await.join("?from=2026-01-01T10:00:00Z").expect("an address");
    tab.go(address.as_str()).await;
    let time = "td[data-head='Time Stamp'] time";
    let there = instant(&rows[1]["sentAt"]) + chrono::TimeDelta::minutes(5 * 60 + 45);
    let there = there.format("%b %-d, %Y, %-I:%M:%S").to_string();
    assert!(tab.text(time).await.starts_with(&there), "{there}");
    let hover = text(&rows[1]["sentAt"]).replace('T', " ").replace('Z', " UTC");
    assert_eq!(tab.attribute(time, "title").await, hover);
    assert_eq!(tab.run("return document.querySelector('#f-from').value", vec![]).await, "2026-01-01T15:45");
    tab.run("window.left = false", vec![]).await;
    tab.click(".filters > summary").await;
    tab.click("#filters button.primary").await;
    eventually("the filters are applied", async || {
        (tab.run("return window.left === undefined", vec![]).await == true).then_some(())
    })
    .await;
    let asked = tab.address().await;
    assert!(asked.query_pairs().eq(address.query_pairs()), "the moment is the same: {asked}");

    let id = text(&rows[1]["id"]);
    tab.devtools("Browser.grantPermissions", json!({"permissions": ["clipboardReadWrite"]})).await;
    tab.click("td[data-head=ID] .copy").await;
    tab.wait_for_text("#said", &format!("Copied {id}")).await;
    assert_eq!(tab.run("return navigator.clipboard.readText()", vec![]).await, id);
    tab.close().await;
}

#[tokio::test]
async fn print_shows_the_table_and_whole_ids() {
    let j = Journey::start().await;
    let rows = retried_delivery(&j).await;
    // As wide as a sheet of paper.
    let Some(tab) = open_page(&j, Look { width: 700, ..Look::WITH_SCRIPT }).await else { return };
    tab.devtools("Emulation.setEmulatedMedia", json!({"media": "print"})).await;
    let shape = "return getComputedStyle(document.querySelector('#webhooks')).display";
    assert_eq!(tab.run(shape, vec![]).await, "table");
    let shown = "return [...document.querySelectorAll('tbody tr:first-child code')]
                 .map((code) => getComputedStyle(code, '::after').content)";
    let whole = [&rows[1]["id"], &rows[1]["traceId"]].map(|id| format!("\"{}\"", text(id)));
    assert_eq!(tab.run(shown, vec![]).await, json!(whole));
    let wide = "return document.documentElement.scrollWidth - innerWidth";
    assert_eq!(tab.run(wide, vec![]).await, 0, "nothing is cut off");
    tab.close().await;
}

#[tokio::test]
async fn a_key_signs_in_and_out() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    let base = j.server.base_url().expect("it runs");
    for look in [Look::WITH_SCRIPT, Look::WITHOUT_SCRIPT] {
        let Some(tab) = Tab::open(look, &format!("{base}/loans/727/webhooks?outcome=succeeded")).await else {
            return;
        };
        assert_eq!(tab.text("h1").await, "Sign in");
        tab.one("#key").await.send_keys(j.api.key()).await.expect("typed");
        tab.click("main button.primary").await;
        tab.wait_for_text(".chips", "Succeeded").await;
        tab.click(".who button").await;
        tab.wait_for_text("h1", "Sign in").await;
        tab.go(&format!("{base}/loans/727/webhooks")).await;
        assert_eq!(tab.text("h1").await, "Sign in");
        tab.close().await;
    }
}
