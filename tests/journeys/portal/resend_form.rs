//! Resending from the page: who may, once each, and never for another site.

use serde_json::{Value, json};

use super::visitor::{Page, Visitor};
use super::{PAGE, SIGN_IN_TAKEN, link, viewer};
use crate::harness::{Journey, Reply, event, spoiled_by_emulator, text};

/// A journey with one delivery of loan 727 that failed, and its row.
async fn failed() -> (Journey, Value) {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    j.receiver.replies("/hook", [Reply::status(503)]);
    let delivery = j.api.settled(&j.api.send_one(&event("727")).await).await;
    (j, delivery["attempts"][0].clone())
}

/// The form of an open row: where it goes, and its two fields.
async fn form(visitor: &mut Visitor, row: &Value) -> (String, String, String) {
    let page = visitor.page(&format!("{PAGE}?open={}", text(&row["id"]))).await;
    let field = |name: &str| page.attribute(&format!(".resend input[name={name}]"), "value");
    (page.attribute(".resend form", "action"), field("csrf"), field("once"))
}

#[tokio::test]
async fn a_resend_asks_once_and_shows_its_row_at_once() {
    let (j, row) = failed().await;
    let mut jane = viewer(&j).await;
    let page = jane.page(&format!("{PAGE}?open={}", text(&row["id"]))).await;
    let question = page.text(".confirm strong");
    assert!(question.starts_with("Send exactly what was sent on "), "{question}");
    assert!(question.ends_with(&format!("again to {}?", text(&row["destination"]))), "{question}");

    let (action, csrf, once) = form(&mut jane, &row).await;
    let asked = jane.post(&action, &[("csrf", &csrf), ("once", &once)]).await.is(303);
    let page = jane.page(asked.header("location")).await;
    assert!(page.text("[role=status]").contains("Automatic retries go on as scheduled"));
    let rows = page.rows();
    assert_eq!(rows.len(), 2);
    assert!(asked.header("location").ends_with(&format!("?resent={}", rows[0])));

    let delivery = j.api.after_attempts(text(&row["traceId"]), 2).await;
    let manual = &delivery["attempts"][1];
    assert_eq!((&manual["id"], &manual["requestedBy"]), (&json!(rows[0]), &json!("jane@lender.example")));
    assert_eq!((&manual["manual"], &manual["resendOf"]), (&json!(true), &row["id"]));
    let (first, second) = (j.receiver.next().await, j.receiver.next().await);
    assert_eq!(first.frozen(), second.frozen());
    let page = jane.page(&format!("{PAGE}?open={}", text(&row["id"]))).await;
    assert!(page.fact("Manually retried").starts_with("by jane@lender.example, "));
}

#[tokio::test]
async fn a_form_that_is_sent_twice_resends_once() {
    let (j, row) = failed().await;
    let mut jane = viewer(&j).await;
    let (action, csrf, once) = form(&mut jane, &row).await;
    let first = jane.post(&action, &[("csrf", &csrf), ("once", &once)]).await.is(303);
    let second = jane.post(&action, &[("csrf", &csrf), ("once", &once)]).await.is(303);
    assert_eq!(first.header("location"), second.header("location"));
    // The form of a page that is loaded again asks again.
    let (action, csrf, once) = form(&mut jane, &row).await;
    jane.post(&action, &[("csrf", &csrf), ("once", &once)]).await.is(303);
    assert_eq!(j.api.after_attempts(text(&row["traceId"]), 3).await["attempts"][0]["resends"], 2);
}

#[tokio::test]
async fn a_form_that_is_open_is_good_after_the_loan_was_opened_again() {
    let (j, row) = failed().await;
    let minted = link(&j.api, "727", json!({"viewer": "jane@lender.example"})).await;
    let mut jane = Visitor::new(&j);
    jane.get(&minted).await.is(303);
    let (action, csrf, once) = form(&mut jane, &row).await;
    let first = jane.cookies.clone();
    let another = link(&j.api, "727", json!({"viewer": "jane@lender.example"})).await;
    for link in [&minted, &another] {
        jane.get(link).await.is(303);
    }
    assert_ne!(jane.cookies, first, "it is another session");
    jane.post(&action, &[("csrf", &csrf), ("once", &once)]).await.is(303);
    let delivery = j.api.after_attempts(text(&row["traceId"]), 2).await;
    assert_eq!(delivery["attempts"][1]["requestedBy"], "jane@lender.example");
    // The session that was replaced is over, for whoever kept its cookie.
    jane.cookies = first;
    jane.get(PAGE).await.is(303);
}

#[tokio::test]
async fn without_a_viewer_the_name_is_the_keys() {
    let (j, row) = failed().await;
    let lms = j.api.colleague("Servicing system", &["portal:write"]).await;
    let mut visitor = Visitor::new(&j);
    visitor.get(&link(&lms, "727", json!({})).await).await.is(303);
    let (action, csrf, once) = form(&mut visitor, &row).await;
    visitor.post(&action, &[("csrf", &csrf), ("once", &once)]).await.is(303);
    let delivery = j.api.after_attempts(text(&row["traceId"]), 2).await;
    assert_eq!(delivery["attempts"][1]["requestedBy"], "Servicing system");
}

#[tokio::test]
async fn who_may_only_look_cannot_resend() {
    let (j, row) = failed().await;
    let mut reader = Visitor::new(&j);
    reader.get(&link(&j.api, "727", json!({"scopes": ["history:read"]})).await).await.is(303);
    let page = reader.page(&format!("{PAGE}?open={}", text(&row["id"]))).await;
    assert!(page.all(".resend").is_empty());

    // Nor with the form of a session that may.
    let (action, csrf, once) = form(&mut viewer(&j).await, &row).await;
    const MAY_NOT: &str = "You may look, but not resend";
    let refused = reader.post(&action, &[("csrf", &csrf), ("once", &once)]).await.is(403);
    assert_eq!(Page::of(&refused).text("h1"), MAY_NOT);
    if !spoiled_by_emulator(SIGN_IN_TAKEN) {
        let signed_in = j.api.colleague("Reader", &["history:read"]).await;
        let mut signed = Visitor::new(&j);
        signed.post("/login", &[("loan", "727"), ("key", signed_in.key())]).await.is(303);
        let refused = signed.post(&action, &[("csrf", &csrf), ("once", &once)]).await.is(403);
        assert_eq!(Page::of(&refused).text("h1"), MAY_NOT);
    }
    assert_eq!(j.api.rows("727", "").await.len(), 1);
}

#[tokio::test]
async fn a_row_of_another_loan_is_not_resent_from_this_one() {
    let (j, row) = failed().await;
    j.api.settled(&j.api.send_one(&event("728")).await).await;
    let other = j.api.rows("728", "").await[0].clone();
    let mut jane = viewer(&j).await;
    let (_, csrf, once) = form(&mut jane, &row).await;
    let action = format!("{PAGE}/{}/resend", text(&other["id"]));
    jane.post(&action, &[("csrf", &csrf), ("once", &once)]).await.is(404);
    assert_eq!(j.api.rows("728", "").await.len(), 1);
}

#[tokio::test]
async fn a_resend_is_of_the_row_that_was_open() {
    let (j, row) = failed().await;
    let trace = text(&row["traceId"]);
    for attempts in [2, 3] {
        j.api.resend(trace).await;
        j.api.after_attempts(trace, attempts).await;
    }
    let mut jane = viewer(&j).await;
    let opened = j.api.delivery(trace).await["attempts"][1].clone();
    let page = jane.page(&format!("{PAGE}?open={}", text(&opened["id"]))).await;
    assert_eq!(page.attribute(".confirm time", "datetime"), text(&opened["sentAt"]));
    let (action, csrf, once) = form(&mut jane, &opened).await;
    jane.post(&action, &[("csrf", &csrf), ("once", &once)]).await.is(303);
    assert_eq!(j.api.after_attempts(trace, 4).await["attempts"][3]["resendOf"], opened["id"]);
}

#[tokio::test]
async fn a_form_of_another_site_does_nothing() {
    let (j, row) = failed().await;
    let mut jane = viewer(&j).await;
    let (action, csrf, once) = form(&mut jane, &row).await;
    let mut joe = Visitor::new(&j);
    joe.get(&link(&j.api, "727", json!({"viewer": "joe@lender.example"})).await).await.is(303);
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
        (&good, &[("sec-fetch-site", "cross-site"), ("origin", &j.target.base().expect("it runs"))]),
        (&good, &[("origin", "https://evil.example")]),
        (&good, &[("origin", "null")]),
    ];
    for (fields, from) in cases {
        jane.post_from(&action, fields, from).await.is(403);
    }
    assert_eq!(j.api.rows("727", "").await.len(), 1, "nothing was sent");
    // A browser that says no site, but the origin.
    jane.post_from(&action, &good, &[("origin", &j.target.base().expect("it runs"))]).await.is(303);
    let sent = j.api.delivery_when(text(&row["traceId"]), |delivery| delivery["status"] == "succeeded").await;
    assert_eq!(sent["attempts"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn after_a_resend_the_filters_stand_and_say_where_the_row_is() {
    let (j, row) = failed().await;
    let mut jane = viewer(&j).await;
    let page = jane.page(&format!("{PAGE}?outcome=failed&open={}", text(&row["id"]))).await;
    let action = page.attribute(".resend form", "action");
    let csrf = page.attribute(".resend input[name=csrf]", "value");
    let back = jane.post(&action, &[("csrf", &csrf)]).await.is(303);
    assert!(back.header("location").starts_with(&format!("{PAGE}?outcome=failed&resent=")));
    j.api.after_attempts(text(&row["traceId"]), 2).await;
    let page = jane.page(back.header("location")).await;
    assert_eq!(page.rows().len(), 1);
    assert!(page.text("[role=status]").contains("It does not match the filters"));
}
