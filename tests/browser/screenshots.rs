//! Screenshots for the README: `make screenshots`.

use std::path::PathBuf;

use serde_json::json;

use crate::browser::Look;
use crate::harness::{Journey, Reply, event, text};
use crate::scenes::{open_page, sign_in};
use crate::tab::Tab;

async fn keep(tab: &Tab, name: &str) {
    let folder = std::env::var_os("LOANHOOK_SCREENSHOTS").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/screenshots"));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join(name), tab.screenshot().await).expect("a file");
}

#[tokio::test]
#[ignore = "it writes files: run it with `make screenshots`"]
async fn screenshots() {
    let j = Journey::start().await;
    let titles =
        ["Core banking: payment posted", "Collections: payments and promises", "Data team: accounts"];
    for (title, path) in titles.into_iter().zip(["/bank", "/collections", "/data"]) {
        j.subscribe(path, json!({"title": title, "retry": {"delays": [1, 3600]}})).await;
    }
    // Two events that are delivered at once.
    for _ in 0..2 {
        for trace in j.api.send_event(&event("727")).await {
            j.api.ended_delivery(&trace).await;
        }
    }
    let json = [("Content-Type", "application/json"), ("Server", "collections/4.2")];
    let down = br#"{"error": "maintenance window", "retryAfter": "2 h", "balance": 10250.00}"#;
    j.receiver.always("/collections", Reply::with(503, &json, down));
    j.receiver.replies("/data", [Reply::reset(), Reply::ok()]);
    let mut collections = String::new();
    for trace in j.api.send_event(&event("727")).await {
        let title = text(&j.api.delivery(&trace).await["eventTitle"]).to_owned();
        j.api.delivery_after_attempts(&trace, if title == titles[0] { 1 } else { 2 }).await;
        if title == titles[1] {
            collections = trace;
        }
    }
    // A resend.
    let Some(tab) = open_page(&j, Look::WITH_SCRIPT).await else { return };
    tab.click(&format!("[data-trace='{collections}'] a.open")).await;
    tab.click(".resend > summary").await;
    tab.click("dialog button.primary").await;
    j.api.delivery_after_attempts(&collections, 3).await;
    tab.close().await;

    let dark = Look { dark: true, ..Look::WITH_SCRIPT };
    for (look, name) in [(Look::WITH_SCRIPT, ""), (dark, "-dark")] {
        let Some(tab) = open_page(&j, look).await else { return };
        tab.wait_for_texts("h1", &["Webhooks"]).await;
        keep(&tab, &format!("list{name}.png")).await;
        let row = format!("[data-trace='{collections}']:has(.manual)");
        tab.click(&format!("{row} a.open")).await;
        tab.wait_for_text(".payloads", "maintenance window").await;
        let whole = "document.querySelector('tr.details').previousElementSibling.scrollIntoView()";
        tab.run(whole, vec![]).await;
        keep(&tab, &format!("row{name}.png")).await;
        tab.close().await;
        for (path, page) in [("/", "overview"), ("/webhooks", "deliveries")] {
            let Some(tab) = sign_in(&j, look, path).await else { return };
            keep(&tab, &format!("{page}{name}.png")).await;
            tab.close().await;
        }
    }
}
