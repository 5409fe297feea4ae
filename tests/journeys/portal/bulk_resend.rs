//! Bulk resend of the page: all of the loan that match the filters, counted, confirmed once, and with their outcome.

use serde_json::{Value, json};

use super::visitor::{Page, Visitor};
use super::{PAGE, link, viewer};
use crate::harness::{Journey, attempts_of, event_named, eventually};
use crate::recovery::{failed, id, make_job, resends};

/// The form of a question: its action, and its fields `csrf` and `once`.
fn form(question: &Page) -> (String, String, String) {
    let field = |name: &str| question.attribute(&format!(".bulk input[name={name}]"), "value");
    (question.attribute(".bulk form", "action"), field("csrf"), field("once"))
}

/// The page of a bulk resend when all of it has an outcome.
async fn ended(j: &Journey, visitor: &Visitor, path: &str) -> Page {
    let cookies = visitor.cookies.clone();
    eventually("the outcome", async || {
        let mut visitor = Visitor::new(j);
        visitor.cookies.clone_from(&cookies);
        let page = visitor.page(path).await;
        page.all("#job[data-running]").is_empty().then_some(page)
    })
    .await
}

async fn jobs(j: &Journey) -> Vec<Value> {
    let list = j.api.get("/v1/resends").await.expect_status(200).json();
    list["items"].as_array().expect("items").clone()
}

#[tokio::test]
async fn all_that_match_are_counted_confirmed_once_and_followed_to_their_outcome() {
    let (j, traces) = failed(&["727", "728", "727"]).await;
    let delivered = j.api.send_one(&event_named("Paid", "727")).await;
    j.api.ended_delivery(&delivered).await;
    j.receiver.next_request().await;
    let mut jane = viewer(&j).await;
    let list = jane.page(&format!("{PAGE}?outcome=failed&limit=50")).await;
    let question = jane.page(&list.attribute(".all a", "href")).await;
    assert_eq!(question.text("h2"), "Send 2 webhooks again?");
    assert_eq!(question.texts(".bulk li"), ["It failed, and no automatic retry is left."]);
    assert!(question.text("p.quiet").contains("the oldest first, one after the other"));
    let back = question.attribute(".bulk a.button", "href");
    assert_eq!(back, format!("{PAGE}?outcome=failed&limit=50"));
    assert_eq!(jobs(&j).await, Vec::<Value>::new(), "nothing was done yet");

    let (action, csrf, once) = form(&question);
    let fields = [("csrf", csrf.as_str()), ("once", once.as_str())];
    let begun = jane.post(&action, &fields).await.expect_status(303).header("location").to_owned();
    let again = jane.post(&action, &fields).await.expect_status(303);
    assert_eq!(again.header("location"), begun, "a form that is sent twice makes one job");
    let page = ended(&j, &jane, &begun).await;
    assert_eq!(page.text("#job h2"), "Done: 2 of 2 deliveries");
    assert_eq!(page.texts("#job li"), ["2 arrived"]);
    assert!(page.text(".bulk > .quiet").starts_with("Asked for by jane@lender.example, "));
    assert_eq!(resends(&j.api, &traces).await, [1, 0, 1], "the other loan is not touched");
    assert_eq!(resends(&j.api, &[delivered]).await, [0]);
    let resent = j.api.delivery(&traces[0]).await;
    assert_eq!(attempts_of(&resent)[1]["requestedBy"], "jane@lender.example");
    let made = jobs(&j).await;
    assert_eq!((made.len(), &made[0]["filter"]["loanId"]), (1, &json!("727")));
    let shown = jane.page(&page.attribute(".bulk .actions a", "href")).await;
    assert_eq!(shown.rows().len(), 2, "the resends");

    let question = jane.page(&format!("{PAGE}/resend-all?outcome=failed")).await;
    assert_eq!(question.text("h2"), "There is nothing to send again");
    assert!(question.all(".bulk form").is_empty());
}

#[tokio::test]
async fn every_filter_of_deliveries_is_in_the_question_and_the_job() {
    let (j, traces) = failed(&["727", "727"]).await;
    let subscription = j.api.delivery(&traces[0]).await["subscriptionId"].clone();
    let subscription = subscription.as_str().expect("an ID");
    let mut jane = viewer(&j).await;
    let query = format!("eventName=Payment+Posted+to+Account&subscriptionId={subscription}&responseCode=5xx");
    let question = jane.page(&format!("{PAGE}/resend-all?{query}")).await;
    assert_eq!(question.text("h2"), "Send 2 webhooks again?");
    assert_eq!(
        question.texts(".bulk li"),
        [
            "Its event is Payment Posted to Account.".to_owned(),
            "Its webhook is Core banking: payment posted.".to_owned(),
            "Its newest attempt was answered with 5xx.".to_owned(),
        ]
    );
    let (action, csrf, once) = form(&question);
    jane.post(&action, &[("csrf", &csrf), ("once", &once)]).await.expect_status(303);
    let made = &jobs(&j).await[0];
    for (name, value) in [
        ("loanId", json!("727")),
        ("eventName", json!("Payment Posted to Account")),
        ("subscriptionId", json!(subscription)),
        ("responseCode", json!("5xx")),
        ("status", json!(null)),
    ] {
        assert_eq!(made["filter"][name], value, "{name}: {made}");
    }
    // The same form with other filters is refused: it was for those that were counted.
    let other = action.replace("5xx", "4xx");
    jane.post(&other, &[("csrf", &csrf), ("once", &once)]).await.expect_status(409);
    let question = jane.page(&format!("{PAGE}/resend-all?error=dns")).await;
    assert_eq!(question.texts(".bulk li"), ["Its newest attempt ended with the error DNS."]);
}

#[tokio::test]
async fn filters_of_single_attempts_offer_no_bulk_resend_and_say_why() {
    let (j, _) = failed(&["727"]).await;
    let mut jane = viewer(&j).await;
    assert!(jane.page(PAGE).await.all(".all").is_empty(), "without a filter nothing is offered");
    for (query, named) in
        [("attempt=auto&method=POST", "not by method, attempt."), ("from=2026-01-01T00:00", "not by from.")]
    {
        let page = jane.page(&format!("{PAGE}?{query}")).await;
        assert!(page.text(".all").ends_with(named), "{}", page.text(".all"));
        assert!(page.all(".all a").is_empty());
        let asked = jane.get(&format!("{PAGE}/resend-all?{query}")).await.expect_status(303);
        assert!(asked.header("location").starts_with(&format!("{PAGE}?")));
    }
    assert!(jane.page(&format!("{PAGE}?error=dns")).await.all(".all").is_empty(), "nothing matches");
    let wrong = jane.get(&format!("{PAGE}/resend-all?responseCode=x")).await.expect_status(303);
    jane.get(wrong.header("location")).await.expect_status(422);
}

#[tokio::test]
async fn a_bulk_resend_needs_the_scope_the_form_and_the_session_of_its_loan() {
    let (j, traces) = failed(&["727", "728"]).await;
    let ask = format!("{PAGE}/resend-all?outcome=failed");
    let mut jane = viewer(&j).await;
    let (action, csrf, once) = form(&jane.page(&ask).await);
    let good = [("csrf", csrf.as_str()), ("once", once.as_str())];

    let mut reader = Visitor::new(&j);
    reader.get(&link(&j.api, "727", json!({"scopes": ["history:read"]})).await).await.expect_status(303);
    assert!(reader.page(&format!("{PAGE}?outcome=failed")).await.all(".all").is_empty());
    reader.get(&ask).await.expect_status(403);
    reader.post(&action, &good).await.expect_status(403);
    jane.post_from(&action, &good, &[("sec-fetch-site", "cross-site")]).await.expect_status(403);
    jane.post(&action, &[("csrf", "x"), ("once", &once)]).await.expect_status(403);
    // A link is limited to its loan.
    for path in ["/loans/728/webhooks/resend-all?outcome=failed", "/loans/728/webhooks"] {
        jane.get(path).await.expect_status(404);
    }
    jane.post("/loans/728/webhooks/resend-all?outcome=failed", &good).await.expect_status(404);
    assert_eq!(jobs(&j).await, Vec::<Value>::new(), "nothing was done");

    let begun = jane.post(&action, &good).await.expect_status(303).header("location").to_owned();
    ended(&j, &jane, &begun).await;
    assert_eq!(resends(&j.api, &traces).await, [1, 0]);
    reader.get(&begun).await.expect_status(403);
    let of_all = make_job(&j.api, "resends", &json!({"filter": {"status": "failed"}, "perSecond": 50})).await;
    jane.get(&format!("/loans/727/resends/{}", id(&of_all))).await.expect_status(404);
    let mut joe = Visitor::new(&j);
    joe.get(&link(&j.api, "728", json!({})).await).await.expect_status(303);
    joe.get(&begun).await.expect_status(404);
    joe.get(&begun.replace("/727/", "/728/")).await.expect_status(404);
}
