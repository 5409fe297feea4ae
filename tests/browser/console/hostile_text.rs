//! Text with markup in titles, names and loans, on pages of all loans in a browser that would run it.

use serde_json::{Value, json};

use super::go;
use crate::browser::Look;
use crate::harness::{Journey, Reply, event_named};
use crate::scenes::sign_in;

#[tokio::test]
async fn injected_markup_is_not_run_on_pages_of_all_loans() {
    let j = Journey::start().await;
    let names = [
        "<script>document.title='owned'</script>".to_owned(),
        "\"><img src=x onerror=\"document.title='owned'\">".to_owned(),
        "</svg></title><base href=//evil.example>".to_owned(),
        "\u{202e}drowtfel-ot-thgir".to_owned(),
        "w".repeat(200),
    ];
    for name in &names {
        let loan = name.replace(['/', '\\', '?', '#', '%'], "");
        j.subscribe("/hook", json!({"title": name, "criteria": {"events": [name]}, "retry": {"delays": []}}))
            .await;
        j.receiver.replies("/hook", [Reply::status(500)]);
        j.api.ended_delivery(&j.api.send_one(&event_named(name, &loan)).await).await;
        j.api.send_event(&event_named(&format!("{name}!"), &loan)).await;
        j.api.with_new_key(name, &["history:read"]).await;
        let job = json!({"filter": {"eventName": name, "test": true}});
        j.api.post("/v1/resends", &job).await.expect_status(202);
    }
    for width in [1280, 360] {
        let Some(tab) = sign_in(&j, Look { width, ..Look::WITH_SCRIPT }, "/").await else { return };
        for (path, title) in [
            ("/", "Overview · loanhook"),
            ("/webhooks", "Deliveries · loanhook"),
            ("/subscriptions", "Webhooks · loanhook"),
            ("/search?q=w", "Search · loanhook"),
            ("/resends", "Recovery jobs · loanhook"),
            ("/keys", "API keys · loanhook"),
            ("/webhooks/resend-all?status=failed", "Resend webhooks · loanhook"),
        ] {
            go(&tab, path).await;
            assert_eq!(tab.run("return document.title", vec![]).await, title);
            let foreign = "return document.querySelectorAll('img, base, main script, [onerror]').length";
            assert_eq!(tab.run(foreign, vec![]).await, 0, "{path}");
            let wide = "return document.documentElement.scrollWidth <= innerWidth";
            assert_eq!(
                tab.run(wide, vec![]).await,
                Value::Bool(true),
                "{path} fits its window, {width} wide"
            );
        }
        tab.close().await;
    }
}
