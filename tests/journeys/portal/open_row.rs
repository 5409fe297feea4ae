//! The open row of the page: its fields, payloads and timeline.

use serde_json::json;

use super::visitor::{Page, Visitor};
use super::{PAGE, viewer};
use crate::authentication::{SECRET, oauth2, token};
use crate::harness::{Gate, Journey, Reply, attempts_of, event, subscription_path, text};

#[tokio::test]
async fn an_open_row_shows_every_field() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"retry": {"delays": [3600]}})).await;
    let answer = br#"{"b": 250.00, "a": [1,2]}"#;
    let headers = [("Content-Type", "application/json"), ("X-Request", "<b>42</b>")];
    j.receiver.replies("/hook", [Reply::with(503, &headers, answer)]);
    let trace = j.api.send_one(&event("727")).await;
    let delivery = j.api.delivery_after_attempts(&trace, 1).await;
    let row = &delivery["attempts"][0];

    let mut visitor = viewer(&j).await;
    let href = visitor.page(PAGE).await.attribute("a.open", "href");
    let page = visitor.page(href.split('#').next().expect("an address")).await;
    assert_eq!(page.attribute("a.open", "aria-expanded"), "true");
    assert_eq!(page.fact("Destination"), text(&row["destination"]));
    let ip = row["sourceIp"].as_str().unwrap_or("Not known");
    assert_eq!(page.fact("IP address it was sent from"), ip);
    assert!(page.fact("Response time").ends_with("s"));
    assert_eq!(page.fact("Trace ID"), trace);
    assert_eq!(page.fact("ID"), text(&row["id"]));
    assert_eq!(page.fact("Manually retried"), "No");
    let next = page.all(".facts time").into_iter().filter_map(|time| time.attr("datetime"));
    assert!(next.into_iter().any(|time| Some(time) == row["nextAttemptAt"].as_str()));
    assert_eq!(page.all("table").len(), 1, "details are no table");

    assert_eq!(page.texts(".headers dt"), ["content-type", "x-request", "content-length"]);
    assert_eq!(page.texts(".headers dd")[1], "<b>42</b>");
    let look: Vec<String> = page.all("pre").into_iter().map(|pre| pre.text().collect()).collect();
    assert!(look[0].contains("\n  \"context\": {\n    \"loan-display-id\": \"727\""), "{}", look[0]);
    assert_eq!(look[1], "{\n  \"b\": 250.00,\n  \"a\": [\n    1,\n    2\n  ]\n}");

    let drawn = page.attribute(".life svg[role=img]", "aria-label");
    assert!(drawn.starts_with("Attempt 1: 503, failed, "), "{drawn}");
    assert!(drawn.contains("The next automatic attempt is due "), "{drawn}");
    assert_eq!((page.all(".mark.bad .auto").len(), page.all(".mark .manual").len()), (1, 0));
    assert_eq!(page.all("svg > circle.next").len(), 2, "drawn, and in the legend");

    // The fragment that the script fetches shows the same.
    let fragment =
        Page::of(&visitor.get(&format!("{PAGE}/{}/details", text(&row["id"]))).await.expect_status(200));
    assert_eq!(fragment.text(".facts"), page.text(".facts"));
}

#[tokio::test]
async fn the_timeline_of_an_open_row_shows_the_newest_12_attempts_and_links_all() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let trace = j.api.send_one(&event("727")).await;
    let first = j.api.ended_delivery(&trace).await["attempts"][0]["id"].clone();
    for _ in 0..60 {
        j.api.resend(&trace).await;
    }
    let mut visitor = viewer(&j).await;
    let details =
        Page::of(&visitor.get(&format!("{PAGE}/{}/details", text(&first))).await.expect_status(200));
    assert_eq!(details.all(".life .mark").len(), 12);
    assert!(details.text(".life figcaption").contains("(the newest 12 attempts; show all)"));
    assert!(details.fact("Manually retried").ends_with("and 55 times before"));
    let all = details.attribute(".life figcaption a", "href");
    let attempts = visitor.page(&format!("{all}&limit=200")).await;
    assert_eq!(attempts.rows().len(), 61);
}

#[tokio::test]
async fn an_open_row_names_the_headers_that_its_webhook_gave_and_shows_no_value() {
    let j = Journey::start().await;
    let headers = json!({"request": {"headers": {"authorization": "Bearer hush-hush"}}});
    let created = j.subscribe("/hook", headers).await;
    let trace = j.api.send_one(&event("727")).await;
    let first = j.api.ended_delivery(&trace).await["attempts"][0]["id"].clone();
    let removed = json!({"request": {"headers": {"authorization": null}}});
    j.api.patch(&subscription_path(&created), &removed).await.expect_status(200);
    let second = j.api.resend(&trace).await;
    j.api.delivery_after_attempts(&trace, 2).await;
    let mut visitor = viewer(&j).await;
    for (id, shown) in [
        (text(&first), "authorization (version 1 of the webhook)"),
        (&second, "No header but the signature (version 2 of the webhook)"),
    ] {
        let page = visitor.page(&format!("{PAGE}?open={id}")).await;
        assert_eq!(page.fact("Credentials"), shown);
        assert!(!page.text("body").contains("hush-hush"));
    }
}

#[tokio::test]
async fn an_open_row_without_a_response_shows_the_error() {
    let j = Journey::start().await;
    j.subscribe("/reset", json!({"criteria": {"events": ["Payment Posted to Account"]}})).await;
    j.receiver.always("/reset", Reply::reset());
    let delivery = j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    let row = &delivery["attempts"][0];
    let mut visitor = viewer(&j).await;
    let page = visitor.page(&format!("{PAGE}?open={}", text(&row["id"]))).await;
    assert_eq!(page.text(".open-row > .notice.bad"), text(&row["error"]["detail"]));
    assert!(page.text(".payloads").ends_with("Nothing came back."));
    assert_eq!(page.fact("Next automatic attempt"), "None is scheduled");
}

#[tokio::test]
async fn an_open_row_that_is_sending_says_so() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"timeoutSeconds": 30})).await;
    let gate = Gate::closed();
    j.receiver.always("/hook", Reply::ok().held(&gate));
    j.api.send_one(&event("727")).await;
    let request = j.receiver.next_request().await;
    let mut visitor = viewer(&j).await;
    let page = visitor.page(&format!("{PAGE}?open={}", request.attempt_id())).await;
    assert_eq!(page.text("td[data-head='Response Code']"), "Sending, not finished");
    assert!(page.text(".payloads").ends_with("Nothing has come back yet."));
    gate.open();
}

#[tokio::test]
async fn both_payloads_are_downloaded_byte_for_byte() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"request": {"contentType": "application/core+json"}})).await;
    let answer = b"\x00\xff<script>alert(1)</script>";
    j.receiver.replies("/hook", [Reply::with(200, &[("Content-Type", "text/html")], answer)]);
    j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    let sent = j.receiver.next_request().await;
    let mut visitor = viewer(&j).await;
    let page = visitor.page(&format!("{PAGE}?open={}", sent.attempt_id())).await;
    let hrefs: Vec<_> = page.all("a[download]").into_iter().filter_map(|link| link.attr("href")).collect();
    for (href, bytes, kind) in
        [(hrefs[0], &sent.body[..], "application/core+json"), (hrefs[1], &answer[..], "text/html")]
    {
        let file = visitor.get(href).await.expect_status(200);
        assert_eq!((&file.body[..], file.header("content-type")), (bytes, kind));
        assert!(file.header("content-disposition").starts_with("attachment; "));
        assert_eq!(file.header("x-content-type-options"), "nosniff");
        assert!(file.header("content-security-policy").starts_with("sandbox"));
        Visitor::new(&j).get(href).await.expect_status(303);
        // It cannot be loaded as a script or a style.
        for (purpose, status) in [("document", 200), ("iframe", 200), ("script", 404), ("style", 404)] {
            visitor.get_for(href, purpose).await.expect_status(status);
        }
    }
}

#[tokio::test]
async fn an_open_row_shows_the_kind_of_authentication_and_no_value() {
    let j = Journey::start().await;
    j.subscribe("/hook", oauth2(&j, json!({}))).await;
    j.receiver.always("/token", token("a-token-of-ours", 3600));
    let trace = j.api.send_one(&event("727")).await;
    let row = attempts_of(&j.api.ended_delivery(&trace).await)[0].clone();
    let mut visitor = viewer(&j).await;
    let path = format!("{}/{}/details", PAGE, text(&row["id"]));
    let page = visitor.get(&path).await.expect_status(200);
    assert_eq!(Page::of(&page).fact("Authentication"), "OAuth 2.0");
    let html = String::from_utf8_lossy(&page.body).into_owned();
    for secret in [SECRET, "a-token-of-ours", "/token"] {
        assert!(!html.contains(secret), "{secret}");
    }
}
