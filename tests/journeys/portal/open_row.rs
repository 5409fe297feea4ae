//! An open row and its files; and what every answer says to the browser.

use serde_json::json;

use super::visitor::{Page, Visitor};
use super::{PAGE, viewer};
use crate::harness::{Gate, Journey, Reply, event, spoiled_by_emulator, text};

#[tokio::test]
async fn an_open_row_tells_all_that_is_known_of_it() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({"retry": {"delays": [3600]}})).await;
    let answer = br#"{"b": 250.00, "a": [1,2]}"#;
    let headers = [("Content-Type", "application/json"), ("X-Request", "<b>42</b>")];
    j.receiver.replies("/hook", [Reply::with(503, &headers, answer)]);
    let trace = j.api.send_one(&event("727")).await;
    let delivery = j.api.after_attempts(&trace, 1).await;
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

    // What the script asks for is the same.
    let fragment = Page::of(&visitor.get(&format!("{PAGE}/{}/details", text(&row["id"]))).await.is(200));
    assert_eq!(fragment.text(".facts"), page.text(".facts"));
}

#[tokio::test]
async fn an_open_row_of_a_delivery_that_was_resent_very_often_shows_the_newest_and_leads_to_all() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    let trace = j.api.send_one(&event("727")).await;
    let first = j.api.settled(&trace).await["attempts"][0]["id"].clone();
    for _ in 0..60 {
        j.api.resend(&trace).await;
    }
    let mut visitor = viewer(&j).await;
    let details = Page::of(&visitor.get(&format!("{PAGE}/{}/details", text(&first))).await.is(200));
    assert_eq!(details.all(".life .mark").len(), 12);
    assert!(details.text(".life figcaption").contains("(the newest 12 attempts; show all)"));
    assert!(details.fact("Manually retried").ends_with("and 55 times before"));
    let all = details.attribute(".life figcaption a", "href");
    let story = visitor.page(&format!("{all}&limit=200")).await;
    assert_eq!(story.rows().len(), 61);
}

#[tokio::test]
async fn without_an_answer_it_says_what_happened() {
    let j = Journey::begin().await;
    j.subscribe("/reset", json!({"criteria": {"events": ["Payment Posted to Account"]}})).await;
    j.receiver.always("/reset", Reply::reset());
    let delivery = j.api.settled(&j.api.send_one(&event("727")).await).await;
    let row = &delivery["attempts"][0];
    let mut visitor = viewer(&j).await;
    let page = visitor.page(&format!("{PAGE}?open={}", text(&row["id"]))).await;
    assert_eq!(page.text(".open-row > .notice.bad"), text(&row["error"]["detail"]));
    assert!(page.text(".payloads").ends_with("Nothing came back."));
    assert_eq!(page.fact("Next automatic attempt"), "None is scheduled");
}

#[tokio::test]
async fn while_it_is_under_way_it_says_so() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({"timeoutSeconds": 30})).await;
    let gate = Gate::closed();
    j.receiver.always("/hook", Reply::ok().held(&gate));
    j.api.send_one(&event("727")).await;
    let request = j.receiver.next().await;
    let mut visitor = viewer(&j).await;
    let page = visitor.page(&format!("{PAGE}?open={}", request.attempt_id())).await;
    assert_eq!(page.text("td[data-head='Response Code']"), "Sending, not finished");
    assert!(page.text(".payloads").ends_with("Nothing has come back yet."));
    gate.open();
}

#[tokio::test]
async fn both_payloads_are_downloaded_byte_for_byte() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({"request": {"contentType": "application/core+json"}})).await;
    let answer = b"\x00\xff<script>alert(1)</script>";
    j.receiver.replies("/hook", [Reply::with(200, &[("Content-Type", "text/html")], answer)]);
    j.api.settled(&j.api.send_one(&event("727")).await).await;
    let sent = j.receiver.next().await;
    let mut visitor = viewer(&j).await;
    let page = visitor.page(&format!("{PAGE}?open={}", sent.attempt_id())).await;
    let hrefs: Vec<_> = page.all("a[download]").into_iter().filter_map(|link| link.attr("href")).collect();
    for (href, bytes, kind) in
        [(hrefs[0], &sent.body[..], "application/core+json"), (hrefs[1], &answer[..], "text/html")]
    {
        let file = visitor.get(href).await.is(200);
        assert_eq!((&file.body[..], file.header("content-type")), (bytes, kind));
        assert!(file.header("content-disposition").starts_with("attachment; "));
        assert_eq!(file.header("x-content-type-options"), "nosniff");
        assert!(file.header("content-security-policy").starts_with("sandbox"));
        Visitor::new(&j).get(href).await.is(303);
        // And no part of a page, of ours or another's, is made of it.
        for (purpose, status) in [("document", 200), ("iframe", 200), ("script", 404), ("style", 404)] {
            visitor.get_for(href, purpose).await.is(status);
        }
    }
}

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

#[tokio::test]
async fn every_page_lets_nothing_run_but_its_own_script() {
    let j = Journey::begin().await;
    let mut visitor = viewer(&j).await;
    for (path, status) in [
        (PAGE, 200),
        ("/login", 200),
        ("/portal?token=no", 404),
        ("/loans/728/webhooks", 404),
        ("/loans/727", 404),
        ("/login/", 404),
        ("/portal/", 404),
        ("/loans/727/webhooks?limit=0", 422),
        ("/logout", 405),
        ("/assets/page.0000000000000000.js", 404),
    ] {
        if path == "/logout" && spoiled_by_emulator("answers GET /logout itself") {
            continue;
        }
        if path.ends_with('/') && spoiled_by_emulator("takes the slash at a path's end away") {
            continue;
        }
        let answer = visitor.get(path).await.is(status);
        assert_eq!(answer.header("content-security-policy"), POLICY, "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        let page = Page::of(&answer);
        assert!(page.all("[style], script:not([src]), style").is_empty(), "{path}");
    }
    // Under the same policy no other method does anything.
    for method in ["PUT", "DELETE", "PATCH"] {
        j.api.with_key(None).request(method, PAGE).answer().await.is(405);
    }
}

#[tokio::test]
async fn a_browser_without_a_path_is_led_to_sign_in() {
    let j = Journey::begin().await;
    let anyone = j.api.with_key(None);
    let asked = anyone.request("GET", "/").header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    assert_eq!(asked.answer().await.is(303).header("location"), "/login");
    anyone.request("POST", "/").header("accept", "text/html").answer().await.problem(404);
}

#[tokio::test]
async fn script_style_and_icon_are_kept_for_ever_by_their_hash() {
    let j = Journey::begin().await;
    let mut visitor = Visitor::new(&j);
    let page = visitor.page("/login").await;
    for (selector, name, kind) in [
        ("script", "src", "text/javascript; charset=utf-8"),
        ("link[rel=stylesheet]", "href", "text/css; charset=utf-8"),
        ("link[rel=icon]", "href", "image/svg+xml"),
    ] {
        let path = page.attribute(selector, name);
        let asset = visitor.get(&path).await.is(200);
        assert_eq!(asset.header("content-type"), kind);
        assert_eq!(asset.header("cache-control"), "public, max-age=31536000, immutable");
        assert!(!asset.body.is_empty());
        let known = j.api.with_key(None).request("GET", &path).header("if-none-match", asset.header("etag"));
        assert!(known.answer().await.is(304).body.is_empty());
    }
}
