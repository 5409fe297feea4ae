//! The resend form: who may use it, once for each submission, and never from another site.

use serde_json::{Value, json};

use super::visitor::{Page, Visitor};
use super::{PAGE, link, viewer};
use crate::harness::{Journey, Reply, attempts_of, event, subscription_path, text};

/// A journey with one delivery of loan 727 that failed, and its row.
async fn failed_delivery() -> (Journey, Value) {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    j.receiver.replies("/hook", [Reply::status(503)]);
    let delivery = j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    (j, delivery["attempts"][0].clone())
}

/// The form of an open row: its action, and its fields `csrf` and `once`.
async fn form(visitor: &mut Visitor, row: &Value) -> (String, String, String) {
    let page = visitor.page(&format!("{PAGE}?open={}", text(&row["id"]))).await;
    let field = |name: &str| page.attribute(&format!(".resend input[name={name}]"), "value");
    (page.attribute(".resend form", "action"), field("csrf"), field("once"))
}

#[tokio::test]
async fn a_resend_is_confirmed_once_and_its_row_is_shown_at_once() {
    let (j, row) = failed_delivery().await;
    let mut jane = viewer(&j).await;
    let page = jane.page(&format!("{PAGE}?open={}", text(&row["id"]))).await;
    let question = page.text(".confirm strong");
    assert!(question.starts_with("Send exactly what was sent on "), "{question}");
    assert!(question.ends_with(&format!("again to {}?", text(&row["destination"]))), "{question}");

    let (action, csrf, once) = form(&mut jane, &row).await;
    let asked = jane.post(&action, &[("csrf", &csrf), ("once", &once)]).await.expect_status(303);
    let page = jane.page(asked.header("location")).await;
    assert!(page.text("[role=status]").contains("Automatic retries go on as scheduled"));
    let rows = page.rows();
    assert_eq!(rows.len(), 2);
    assert!(asked.header("location").ends_with(&format!("?resent={}", rows[0])));

    let delivery = j.api.delivery_after_attempts(text(&row["traceId"]), 2).await;
    let manual = &delivery["attempts"][1];
    assert_eq!((&manual["id"], &manual["requestedBy"]), (&json!(rows[0]), &json!("jane@lender.example")));
    assert_eq!((&manual["manual"], &manual["resendOf"]), (&json!(true), &row["id"]));
    let (first, second) = (j.receiver.next_request().await, j.receiver.next_request().await);
    assert_eq!(first.frozen_parts(), second.frozen_parts());
    let page = jane.page(&format!("{PAGE}?open={}", text(&row["id"]))).await;
    assert!(page.fact("Manually retried").starts_with("by jane@lender.example, "));
}

#[tokio::test]
async fn where_the_webhook_has_another_address_now_the_row_can_be_sent_there() {
    let j = Journey::start().await;
    let created = j.subscribe("/hook", json!({})).await;
    j.receiver.replies("/hook", [Reply::status(503)]);
    let delivery = j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    let row = &delivery["attempts"][0];
    let mut jane = viewer(&j).await;
    let open = |id: &Value| format!("{PAGE}?open={}", text(id));
    // An edit that leaves the address as it is offers nothing.
    let edited = json!({"description": "moved soon"});
    j.api.patch(&subscription_path(&created), &edited).await.expect_status(200);
    assert!(jane.page(&open(&row["id"])).await.all(".to-current").is_empty());
    let moved = json!({"request": {"url": j.receiver.url("/new/[[v('loan-id')]]?key=secret")}});
    j.api.patch(&subscription_path(&created), &moved).await.expect_status(200);

    let page = jane.page(&open(&row["id"])).await;
    let question = page.text(".to-current .confirm strong");
    let shown = format!("to the webhook's current address, {}?", j.receiver.url("/new/727?key=***"));
    assert!(question.ends_with(&shown), "{question}");
    let field = |name: &str| page.attribute(&format!(".to-current input[name={name}]"), "value");
    let fields = ["csrf", "once", "to", "version"].map(|name| (name, field(name)));
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    let action = page.attribute(".to-current form", "action");
    let older = [fields[0], fields[1], fields[2], ("version", "1")];
    let refused = jane.post(&action, &older).await.expect_status(409);
    assert!(Page::of(&refused).text("p").contains("the webhook was changed after this page was shown"));
    for _ in 0..2 {
        jane.post(&action, &fields).await.expect_status(303);
    }
    let delivery = j.api.delivery_after_attempts(text(&row["traceId"]), 2).await;
    j.receiver.next_request().await;
    let request = j.receiver.next_request().await;
    assert_eq!(request.path_and_query, "/new/727?key=secret");

    // The row that went there can be sent to either address.
    let page = jane.page(&open(&delivery["attempts"][1]["id"])).await;
    assert!(page.fact("Destination").ends_with("/new/727?key=***"));
    assert!(page.text(".resend:not(.to-current) strong").ends_with(&format!("{}?", j.receiver.url("/hook"))));
    page.one(".to-current form");
    j.api.delete(&subscription_path(&created)).await.expect_status(204);
    assert!(jane.page(&open(&row["id"])).await.all(".to-current").is_empty());
    let refused = jane.post(&action, &[("csrf", fields[0].1), ("to", "current")]).await.expect_status(409);
    assert!(Page::of(&refused).text("p").contains("the webhook is deleted"));
}

#[tokio::test]
async fn a_form_submitted_twice_resends_once() {
    let (j, row) = failed_delivery().await;
    let mut jane = viewer(&j).await;
    let (action, csrf, once) = form(&mut jane, &row).await;
    let first = jane.post(&action, &[("csrf", &csrf), ("once", &once)]).await.expect_status(303);
    let second = jane.post(&action, &[("csrf", &csrf), ("once", &once)]).await.expect_status(303);
    assert_eq!(first.header("location"), second.header("location"));
    // The form of a page that is loaded again is a new one.
    let (action, csrf, once) = form(&mut jane, &row).await;
    jane.post(&action, &[("csrf", &csrf), ("once", &once)]).await.expect_status(303);
    assert_eq!(j.api.delivery_after_attempts(text(&row["traceId"]), 3).await["attempts"][0]["resends"], 2);
}

#[tokio::test]
async fn an_open_form_is_valid_after_the_loan_is_opened_again() {
    let (j, row) = failed_delivery().await;
    let minted = link(&j.api, "727", json!({"viewer": "jane@lender.example"})).await;
    let mut jane = Visitor::new(&j);
    jane.get(&minted).await.expect_status(303);
    let (action, csrf, once) = form(&mut jane, &row).await;
    let first = jane.cookies.clone();
    let another = link(&j.api, "727", json!({"viewer": "jane@lender.example"})).await;
    for link in [&minted, &another] {
        jane.get(link).await.expect_status(303);
    }
    assert_ne!(jane.cookies, first, "it is another session");
    jane.post(&action, &[("csrf", &csrf), ("once", &once)]).await.expect_status(303);
    let delivery = j.api.delivery_after_attempts(text(&row["traceId"]), 2).await;
    assert_eq!(delivery["attempts"][1]["requestedBy"], "jane@lender.example");
    // The replaced session has ended on the server too.
    jane.cookies = first;
    jane.get(PAGE).await.expect_status(303);
}

#[tokio::test]
async fn without_a_viewer_requested_by_is_the_name_of_the_key() {
    let (j, row) = failed_delivery().await;
    let lms = j.api.with_new_key("Servicing system", &["portal:write"]).await;
    let mut visitor = Visitor::new(&j);
    visitor.get(&link(&lms, "727", json!({})).await).await.expect_status(303);
    let (action, csrf, once) = form(&mut visitor, &row).await;
    visitor.post(&action, &[("csrf", &csrf), ("once", &once)]).await.expect_status(303);
    let delivery = j.api.delivery_after_attempts(text(&row["traceId"]), 2).await;
    assert_eq!(delivery["attempts"][1]["requestedBy"], "Servicing system");
}

#[tokio::test]
async fn a_session_without_the_scope_cannot_resend() {
    let (j, row) = failed_delivery().await;
    let mut reader = Visitor::new(&j);
    reader.get(&link(&j.api, "727", json!({"scopes": ["history:read"]})).await).await.expect_status(303);
    let page = reader.page(&format!("{PAGE}?open={}", text(&row["id"]))).await;
    assert!(page.all(".resend").is_empty());

    // The form of a session with the scope does not help.
    let (action, csrf, once) = form(&mut viewer(&j).await, &row).await;
    const MAY_NOT: &str = "You may look, but not resend";
    let refused = reader.post(&action, &[("csrf", &csrf), ("once", &once)]).await.expect_status(403);
    assert_eq!(Page::of(&refused).text("h1"), MAY_NOT);
    let signed_in = j.api.with_new_key("Reader", &["history:read"]).await;
    let mut signed = Visitor::new(&j);
    signed.post("/sign-in", &[("loan", "727"), ("key", signed_in.key())]).await.expect_status(303);
    let refused = signed.post(&action, &[("csrf", &csrf), ("once", &once)]).await.expect_status(403);
    assert_eq!(Page::of(&refused).text("h1"), MAY_NOT);
    assert_eq!(j.api.rows("727", "").await.len(), 1);
}

#[tokio::test]
async fn a_row_of_another_loan_cannot_be_resent() {
    let (j, row) = failed_delivery().await;
    j.api.ended_delivery(&j.api.send_one(&event("728")).await).await;
    let other = j.api.rows("728", "").await[0].clone();
    let mut jane = viewer(&j).await;
    let (_, csrf, once) = form(&mut jane, &row).await;
    let action = format!("{PAGE}/{}/resend", text(&other["id"]));
    jane.post(&action, &[("csrf", &csrf), ("once", &once)]).await.expect_status(404);
    assert_eq!(j.api.rows("728", "").await.len(), 1);
}

#[tokio::test]
async fn resend_of_is_the_open_row() {
    let (j, row) = failed_delivery().await;
    let trace = text(&row["traceId"]);
    for attempts in [2, 3] {
        j.api.resend(trace).await;
        j.api.delivery_after_attempts(trace, attempts).await;
    }
    let mut jane = viewer(&j).await;
    let opened = j.api.delivery(trace).await["attempts"][1].clone();
    let page = jane.page(&format!("{PAGE}?open={}", text(&opened["id"]))).await;
    assert_eq!(page.attribute(".confirm time", "datetime"), text(&opened["sentAt"]));
    let (action, csrf, once) = form(&mut jane, &opened).await;
    jane.post(&action, &[("csrf", &csrf), ("once", &once)]).await.expect_status(303);
    assert_eq!(j.api.delivery_after_attempts(trace, 4).await["attempts"][3]["resendOf"], opened["id"]);
}

#[tokio::test]
async fn a_form_from_another_site_is_403() {
    let (j, row) = failed_delivery().await;
    let mut jane = viewer(&j).await;
    let (action, csrf, once) = form(&mut jane, &row).await;
    let mut joe = Visitor::new(&j);
    joe.get(&link(&j.api, "727", json!({"viewer": "joe@lender.example"})).await).await.expect_status(303);
    let (_, of_another_viewer, _) = form(&mut joe, &row).await;
    let ours = [("sec-fetch-site", "same-origin")];
    let good = [("csrf", csrf.as_str()), ("once", once.as_str())];
    type Pairs<'a> = &'a [(&'a str, &'a str)];
    let cases: [(Pairs<'_>, Pairs<'_>); 8] = [
        (&[], &ours),
        (&[("csrf", "")], &ours),
        (&[("csrf", &of_another_viewer)], &ours),
        (&good, &[]),
        (&good, &[("sec-fetch-site", "cross-site")]),
        (&good, &[("sec-fetch-site", "cross-site"), ("origin", &j.server.base_url().expect("it runs"))]),
        (&good, &[("origin", "https://evil.example")]),
        (&good, &[("origin", "null")]),
    ];
    for (fields, from) in cases {
        jane.post_from(&action, fields, from).await.expect_status(403);
    }
    assert_eq!(j.api.rows("727", "").await.len(), 1, "nothing was sent");
    // A browser that sends only the origin.
    jane.post_from(&action, &good, &[("origin", &j.server.base_url().expect("it runs"))])
        .await
        .expect_status(303);
    let sent = j.api.delivery_when(text(&row["traceId"]), |delivery| delivery["status"] == "succeeded").await;
    assert_eq!(attempts_of(&sent).len(), 2);
}

#[tokio::test]
async fn after_a_resend_the_filters_are_kept_and_a_notice_says_that_the_row_does_not_match() {
    let (j, row) = failed_delivery().await;
    let mut jane = viewer(&j).await;
    let page = jane.page(&format!("{PAGE}?outcome=failed&open={}", text(&row["id"]))).await;
    let action = page.attribute(".resend form", "action");
    let csrf = page.attribute(".resend input[name=csrf]", "value");
    let back = jane.post(&action, &[("csrf", &csrf)]).await.expect_status(303);
    assert!(back.header("location").starts_with(&format!("{PAGE}?outcome=failed&resent=")));
    j.api.delivery_after_attempts(text(&row["traceId"]), 2).await;
    let page = jane.page(back.header("location")).await;
    assert_eq!(page.rows().len(), 1);
    assert!(page.text("[role=status]").contains("It does not match the filters"));
}
