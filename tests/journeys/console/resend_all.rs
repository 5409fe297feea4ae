//! Bulk resend of all loans: its count before, its progress after, and its stop.

use serde_json::{Value, json};

use super::{signed_in, signed_in_as};
use crate::harness::{Gate, Journey, Reply, event, eventually, subscription_path};
use crate::portal::link;
use crate::portal::visitor::{Page, Visitor};
use crate::recovery::{failed, id, make_job, resends};

fn form(question: &Page) -> (String, String, String) {
    let field = |name: &str| question.attribute(&format!(".bulk > form input[name={name}]"), "value");
    (question.attribute(".bulk > form", "action"), field("csrf"), field("once"))
}

async fn ended(visitor: &mut Visitor, path: &str) -> Page {
    loop {
        let page = visitor.page(path).await;
        if page.all("#job[data-running]").is_empty() {
            return page;
        }
    }
}

async fn jobs(j: &Journey) -> Vec<Value> {
    j.api.get("/v1/resends").await.expect_status(200).json()["items"].as_array().expect("items").clone()
}

#[tokio::test]
async fn all_that_match_in_all_loans_are_counted_confirmed_once_and_followed_to_their_outcome() {
    let (j, traces) = failed(&["727", "728", "727"]).await;
    let mut visitor = signed_in(&j).await;
    assert!(visitor.page("/webhooks").await.all(".all a").is_empty(), "without a filter nothing is offered");
    visitor.get("/webhooks/resend-all").await.expect_status(303);
    let list = visitor.page("/webhooks?status=failed&limit=100").await;
    let question = visitor.page(&list.attribute(".all a", "href")).await;
    assert_eq!(question.text(".bulk h2"), "Send 3 webhooks again?");
    assert!(question.text(".bulk").contains("They are all webhooks of 2 loans that are like this:"));
    assert_eq!(question.texts(".bulk li"), ["It failed, and no automatic retry is left."]);
    assert_eq!(question.attribute(".bulk a.button", "href"), "/webhooks?status=failed&limit=100");
    assert_eq!(jobs(&j).await, Vec::<Value>::new(), "nothing was done yet");

    let (action, csrf, once) = form(&question);
    let fields = [("csrf", csrf.as_str()), ("once", once.as_str())];
    let begun = visitor.post(&action, &fields).await.expect_status(303).header("location").to_owned();
    let again = visitor.post(&action, &fields).await.expect_status(303);
    assert_eq!(again.header("location"), begun, "a form that is sent twice makes one job");
    let page = ended(&mut visitor, &begun).await;
    assert_eq!(page.text("#job h2"), "Done: 3 of 3 deliveries");
    assert_eq!(page.texts("#job li"), ["3 arrived"]);
    assert!(page.all("#job form").is_empty(), "there is nothing to stop any more");
    assert_eq!(resends(&j.api, &traces).await, [1, 1, 1]);
    let question = visitor.page("/webhooks/resend-all?status=failed").await;
    assert_eq!(question.text(".bulk h2"), "There is nothing to send again");
}

#[tokio::test]
async fn what_failed_at_an_old_address_arrives_at_the_one_that_its_webhook_has_now() {
    let (j, traces) = failed(&["727", "728"]).await;
    let webhook = j.api.get("/v1/subscriptions").await.json()["items"][0].clone();
    let patch = json!({"request": {"url": j.receiver.url("/new")}});
    j.api.patch(&subscription_path(&webhook), &patch).await.expect_status(200);
    let mut visitor = signed_in(&j).await;
    let question = visitor.page("/webhooks/resend-all?status=failed").await;
    assert!(question.all(".bulk input[name=to][checked]").is_empty(), "it is chosen by who wants it");
    let (action, csrf, once) = form(&question);
    let fields = [("csrf", csrf.as_str()), ("once", once.as_str()), ("to", "current")];
    let begun = visitor.post(&action, &fields).await.expect_status(303).header("location").to_owned();
    let page = ended(&mut visitor, &begun).await;
    assert_eq!(page.text("#job h2"), "Done: 2 of 2 deliveries");
    assert_eq!(resends(&j.api, &traces).await, [1, 1]);
    for _ in &traces {
        assert_eq!(j.receiver.next_request().await.path_and_query, "/new");
    }
    assert_eq!(jobs(&j).await[0]["to"], "current");
}

#[tokio::test]
async fn the_question_says_every_filter_in_words() {
    let (j, traces) = failed(&["727"]).await;
    let delivery = j.api.delivery(&traces[0]).await;
    let (subscription, title) = (&delivery["subscriptionId"], &delivery["eventTitle"]);
    let query = format!(
        "status=failed&subscriptionId={}&eventName=Payment+Posted+to+Account&loanId=727&responseCode=503&test=false&from=2020-01-01T00:00",
        subscription.as_str().expect("an ID")
    );
    let mut visitor = signed_in(&j).await;
    let question = visitor.page(&format!("/webhooks/resend-all?{query}")).await;
    assert_eq!(question.text(".bulk h2"), "Send 1 webhook again?");
    assert_eq!(
        question.texts(".bulk li"),
        [
            "It failed, and no automatic retry is left.".to_owned(),
            format!("Its webhook is {}.", title.as_str().expect("a title")),
            "Its event is Payment Posted to Account.".to_owned(),
            "It is of loan 727.".to_owned(),
            "Its newest attempt was answered with 503.".to_owned(),
            "It is no test.".to_owned(),
            "It was accepted at or after 2020-01-01T00:00:00Z.".to_owned(),
        ]
    );
    let (action, csrf, once) = form(&question);
    visitor.post(&action, &[("csrf", &csrf), ("once", &once)]).await.expect_status(303);
    let filter = &jobs(&j).await[0]["filter"];
    assert_eq!((&filter["loanId"], &filter["subscriptionId"]), (&json!("727"), subscription));
    // The same form with other filters is refused: it was for those that were counted.
    visitor.post(&action.replace("503", "5xx"), &[("csrf", &csrf), ("once", &once)]).await.expect_status(409);
}

#[tokio::test]
async fn a_job_is_stopped_by_its_page_and_what_was_sent_stays_sent() {
    let (j, traces) = failed(&["727", "727", "727"]).await;
    let mut visitor = signed_in(&j).await;
    // Those of one loan are sent one after the other, and the first waits for its answer.
    let gate = Gate::closed();
    j.receiver.always("/hook", Reply::ok().held(&gate));
    let question = visitor.page("/webhooks/resend-all?status=failed").await;
    let (action, csrf, once) = form(&question);
    let begun = visitor.post(&action, &[("csrf", &csrf), ("once", &once)]).await.expect_status(303);
    let begun = begun.header("location").to_owned();
    j.receiver.next_request().await;
    let page = visitor.page(&begun).await;
    assert_eq!(page.text("#job summary"), "Stop");
    let (stop, csrf) =
        (page.attribute("#job form", "action"), page.attribute("#job input[name=csrf]", "value"));
    visitor.post(&stop, &[("csrf", "x")]).await.expect_status(403);
    visitor
        .post_from(&stop, &[("csrf", &csrf)], &[("sec-fetch-site", "cross-site")])
        .await
        .expect_status(403);
    let back = visitor.post(&stop, &[("csrf", &csrf)]).await.expect_status(303);
    assert_eq!(back.header("location"), begun);
    gate.open();
    let page = eventually("it is stopped", async || {
        let page = visitor.page(&begun).await;
        (page.texts("#job li") == ["1 arrived", "2 not sent"]).then_some(page)
    })
    .await;
    assert_eq!(page.text("#job h2"), "Stopped: 1 of 3 deliveries");
    assert_eq!(resends(&j.api, &traces).await.iter().sum::<usize>(), 1);
}

#[tokio::test]
async fn a_job_of_all_loans_needs_the_scope_and_is_not_shown_to_a_link() {
    let (j, traces) = failed(&["727", "728"]).await;
    let reader = j.api.with_new_key("Reader", &["history:read"]).await;
    let mut visitor = signed_in_as(&j, &reader).await;
    assert!(visitor.page("/webhooks?status=failed").await.all(".all").is_empty(), "it is not offered");
    visitor.get("/webhooks/resend-all?status=failed").await.expect_status(403);
    let job = make_job(&j.api, "resends", &json!({"filter": {"status": "failed"}, "perSecond": 50})).await;
    let path = format!("/resends/{}", id(&job));
    visitor.get(&path).await.expect_status(403);
    let mut writer = signed_in(&j).await;
    assert_eq!(ended(&mut writer, &path).await.text("#job h2"), "Done: 2 of 2 deliveries");
    writer.get(&format!("/resends/{}", traces[0])).await.expect_status(404);
    let mut jane = Visitor::new(&j);
    jane.get(&link(&j.api, "727", json!({})).await).await.expect_status(303);
    jane.get(&path).await.expect_status(403);
    jane.get(&format!("/loans/727{path}")).await.expect_status(404);
    // Another tenant has no such job.
    let stranger = j.other_tenant().await;
    let mut other = signed_in_as(&j, &stranger).await;
    other.get(&path).await.expect_status(404);
    j.api.send_one(&event("727")).await;
}
