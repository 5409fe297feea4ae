//! Operational events as readers see them: they belong to no loan.

use serde_json::{Value, json};

use super::{observer, send, told};
use crate::harness::{Journey, Reply, attempts_of, items_of, report_skipped, subscription_path, text};

/// The trace of the delivery that told a failing webhook to `/ops`.
async fn failing(j: &Journey) -> (Value, String) {
    let pager = observer(j, &["subscription.failing"]).await;
    j.subscribe("/hook", json!({})).await;
    send(j, 4, 503).await;
    told(j, &pager).await;
    let path = format!("/v1/webhooks?eventName=subscription.failing&subscriptionId={}", text(&pager["id"]));
    let list = j.api.get(&path).await.expect_status(200).json();
    let items = items_of(&list);
    assert_eq!(items.len(), 1, "{list}");
    assert_eq!((&items[0]["loanId"], &items[0]["newestAttempt"]["loanId"]), (&Value::Null, &Value::Null));
    (pager, text(&items[0]["traceId"]).to_owned())
}

#[tokio::test]
async fn a_delivery_and_its_rows_have_no_loan_and_are_read_by_the_trace() {
    let j = Journey::start().await;
    let (pager, trace) = failing(&j).await;
    let delivery = j.api.ended_delivery(&trace).await;
    assert_eq!((&delivery["loanId"], &delivery["eventTitle"]), (&Value::Null, &json!("Pager")));
    let row = &attempts_of(&delivery)[0];
    assert_eq!((&row["loanId"], &row["outcome"]), (&Value::Null, &json!("succeeded")));
    let request = &j.receiver.requests_of(&trace)[0];
    assert_eq!(
        (request.header("loanhook-loan"), request.header("loanhook-event")),
        (None, Some("subscription%2Efailing"))
    );

    // By its links: the row with the headers of its answer, what was sent, what came back.
    let path = format!("/v1/webhooks/{trace}/attempts/{}", text(&row["id"]));
    assert_eq!(row["source"]["href"], format!("{path}/source"));
    let whole = j.api.get(&path).await.expect_status(200).json();
    assert_eq!((&whole["id"], &whole["traceId"]), (&row["id"], &row["traceId"]));
    assert!(whole["response"]["headers"].is_array(), "{whole}");
    let sent = j.api.get(text(&row["source"]["href"])).await.expect_status(200);
    assert_eq!(sent.body, request.body);
    j.api.get(text(&row["response"]["href"])).await.expect_status(200);
    let other = format!("/v1/webhooks/{}/attempts/{}", uuid::Uuid::new_v4(), text(&row["id"]));
    j.api.get(&other).await.expect_problem(404);
    j.other_tenant().await.get(&path).await.expect_problem(404);

    // The event, with its verdict and its variables.
    let event =
        j.api.get(&format!("/v1/events/{}", text(&delivery["eventId"]))).await.expect_status(200).json();
    assert_eq!((&event["loanId"], &event["verdicts"][0]["subscriptionId"]), (&Value::Null, &pager["id"]));
    let context = j.api.get(text(&event["context"]["href"])).await.expect_status(200).json();
    assert_eq!(
        (&context["event-name"], &context["failures-in-a-row"]),
        (&json!("subscription.failing"), &json!(4))
    );
    let export = j.api.request("GET", "/v1/webhooks").header("accept", "text/csv").send().await;
    let csv = String::from_utf8(export.expect_status(200).body.to_vec()).expect("UTF-8");
    assert!(csv.contains(&format!("{trace},,")), "an empty loan: {csv}");
}

/// The path of no loan leads there.
#[tokio::test]
async fn no_loan_has_the_events() {
    let j = Journey::start().await;
    let (_, trace) = failing(&j).await;
    for loan in ["%23operational", "null", "727"] {
        for list in ["webhooks", "events"] {
            let answer = j.api.get(&format!("/v1/loans/{loan}/{list}?limit=200")).await;
            if answer.status == 200 {
                let page = answer.json();
                assert!(!page.to_string().contains("subscription.failing"), "{page}");
            } else {
                answer.expect_problem(404);
            }
        }
    }
    j.api.get("/v1/webhooks?loanId=%23operational").await.expect_problem(422);
    let event = json!({"eventName": "Payment", "loanId": "#operational", "context": {}});
    j.api.post("/v1/events", &event).await.expect_problem(422);
    let row = attempts_of(&j.api.ended_delivery(&trace).await)[0].clone();
    j.api.get(&format!("/v1/loans/727/webhooks/{}", text(&row["id"]))).await.expect_problem(404);
}

#[tokio::test]
async fn one_that_failed_can_be_resent_by_itself_and_by_a_job_and_canceled() {
    let j = Journey::start().await;
    j.receiver.always("/ops", Reply::status(500));
    let (pager, trace) = failing(&j).await;
    assert_eq!(j.api.ended_delivery(&trace).await["status"], "failed");
    j.receiver.always("/ops", Reply::ok());
    j.api.resend(&trace).await;
    let resent = j.api.delivery_after_attempts(&trace, 2).await;
    assert_eq!((&resent["status"], &resent["attempts"][1]["manual"]), (&json!("succeeded"), &json!(true)));
    let requests = j.receiver.requests_of(&trace);
    assert_eq!(requests[0].body, requests[1].body);
    let to_current = j.api.post(&format!("/v1/webhooks/{trace}/resend"), &json!({"to": "current"})).await;
    to_current.expect_status(202);
    j.api.delivery_after_attempts(&trace, 3).await;

    // Two that failed, of no loan: neither is newer than the other.
    j.receiver.always("/ops", Reply::status(500));
    send(&j, 1, 200).await;
    send(&j, 4, 503).await;
    told(&j, &pager).await;
    let filter = json!({"subscriptionId": pager["id"], "status": "failed"});
    let failed = crate::harness::eventually("all have failed", async || {
        let path = format!("/v1/webhooks?status=pending&subscriptionId={}", text(&pager["id"]));
        let pending = j.api.get(&path).await.expect_status(200).json();
        items_of(&pending).is_empty().then_some(())?;
        let path = format!("/v1/webhooks?status=failed&subscriptionId={}", text(&pager["id"]));
        Some(items_of(&j.api.get(&path).await.expect_status(200).json()).len())
    })
    .await;
    assert!(failed >= 2);
    j.receiver.always("/ops", Reply::ok());
    let body = json!({"filter": filter, "newestPerLoan": true, "perSecond": 100});
    let mut dry = body.clone();
    dry["dryRun"] = json!(true);
    let plan = j.api.post("/v1/resends", &dry).await.expect_status(200).json();
    assert_eq!((&plan["count"], &plan["loans"]), (&json!(failed), &json!(0)), "{plan}");
    let job = crate::recovery::make_job(&j.api, "resends", &body).await;
    let ended = crate::recovery::ended_job(&j.api, "resends", text(&job["id"])).await;
    assert_eq!((&ended["succeeded"], &ended["superseded"]), (&json!(failed), &json!(0)), "{ended}");
    let items = crate::recovery::items(&j.api, "resends", text(&job["id"]), "").await;
    assert!(items.iter().all(|item| item["loanId"].is_null()), "{items:#?}");

    let retried = json!({"retry": {"delays": [3600]}});
    j.api.patch(&subscription_path(&pager), &retried).await.expect_status(200);
    j.receiver.always("/ops", Reply::status(500));
    send(&j, 1, 200).await;
    send(&j, 4, 503).await;
    told(&j, &pager).await;
    let path = format!(
        "/v1/webhooks?status=pending&eventName=subscription.failing&subscriptionId={}",
        text(&pager["id"])
    );
    let pending = j.api.get(&path).await.expect_status(200).json();
    let waiting = text(&items_of(&pending)[0]["traceId"]).to_owned();
    let canceled =
        j.api.post_without_body(&format!("/v1/webhooks/{waiting}/cancel")).await.expect_status(200);
    assert_eq!(canceled.json()["status"], "canceled");
}

/// A lender reads in a report what became of the events of loans.
#[tokio::test]
async fn reports_leave_them_out() {
    let j = Journey::start().await;
    let (_, trace) = failing(&j).await;
    j.api.ended_delivery(&trace).await;
    let day = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now()).format("%Y-%m-%d");
    let path = format!("/v1/reports/deliveries?by=day&group=none&from={day}T00:00:00Z&to={day}T23:59:59Z");
    let report = j.api.get(&path).await.expect_status(200).json();
    let items = items_of(&report);
    if items.len() != 1 {
        report_skipped("the day ended meanwhile");
        return;
    }
    assert_eq!(
        (&items[0]["eventsAccepted"], &items[0]["deliveriesAccepted"]),
        (&json!(4), &json!(4)),
        "{report}"
    );
    let attempts = &items[0]["attempts"];
    assert_eq!((&attempts["5xx"], &attempts["2xx"]), (&json!(4), &json!(0)), "{report}");
}
