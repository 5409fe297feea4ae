//! Bulk resends: everything is sent again, once, and the job says what became of it.

use serde_json::{Value, json};

use super::{counts, ended_job, failed, failed_on_own_process, id, items, make_job, resends};
use crate::harness::{
    Gate, Journey, Reply, attempts_of, event, eventually, items_of, subscription_path, text, trace_ids,
};

const FAILED: &str = "failed";

#[tokio::test]
async fn a_bulk_resend_sends_each_delivery_once_and_says_what_became_of_it() {
    let Some((j, traces)) = failed_on_own_process(&["1", "2", "3", "4", "5"]).await else { return };
    j.receiver.replies("/hook", [Reply::status(500)]);
    let body = json!({"filter": {"status": FAILED, "from": "2026-01-01T00:00:00Z"}, "perSecond": 100});
    let made = make_job(&j.api, "resends", &body).await;
    let expected = json!({
        "id": made["id"], "status": "running", "reason": null, "total": 5, "succeeded": 0, "failed": 0,
        "skipped": 0, "superseded": 0, "left": 5, "listComplete": true, "perSecond": 100.0,
        "filter": {"status": FAILED, "waiting": null, "subscriptionId": null, "eventName": null, "loanId": null,
            "responseCode": null, "error": null, "test": null, "from": "2026-01-01T00:00:00Z", "to": null},
        "requestedBy": "journey", "createdAt": made["createdAt"], "endedAt": null,
        "to": "original", "newestPerLoan": false, "stopAfterFailures": null, "force": false,
    });
    assert_eq!(made, expected);
    let ended = ended_job(&j.api, "resends", id(&made)).await;
    assert_eq!((text(&ended["status"]), counts(&ended)), ("done", [5, 4, 1, 0, 0, 0]));
    assert_eq!(resends(&j.api, &traces).await, [1; 5]);
    for trace in &traces {
        let [first, second] = &j.receiver.requests_of(trace)[..] else { panic!("two requests of {trace}") };
        assert_eq!((first.frozen_parts(), second.attempt_number()), (second.frozen_parts(), "manual"));
    }
    let listed = items(&j.api, "resends", id(&made), "").await;
    let newest_first: Vec<_> = traces.iter().rev().map(String::as_str).collect();
    assert_eq!(listed.iter().map(|item| text(&item["traceId"])).collect::<Vec<_>>(), newest_first);
    for item in &listed {
        let delivery = j.api.delivery(text(&item["traceId"])).await;
        let row = &attempts_of(&delivery)[1];
        let expected = json!({
            "traceId": row["traceId"], "loanId": row["loanId"], "subscriptionId": row["subscriptionId"],
            "outcome": row["outcome"], "reason": null, "attemptId": row["id"],
        });
        assert_eq!(*item, expected);
        assert_eq!((&row["requestedBy"], &row["manual"]), (&json!("journey"), &json!(true)));
    }
    let failures = items(&j.api, "resends", id(&made), "&outcome=failed").await;
    assert_eq!((failures.len(), &failures[0]), (1, &listed[4]), "the oldest was sent first");
    let csv = j.api.request("GET", &format!("/v1/resends/{}/items?outcome=failed", id(&made)));
    let csv = csv.header("accept", "text/csv").send().await.expect_status(200);
    let expected = format!(
        "traceId,loanId,subscriptionId,outcome,reason,attemptId\r\n{},1,{},failed,,{}\r\n",
        text(&failures[0]["traceId"]),
        text(&failures[0]["subscriptionId"]),
        text(&failures[0]["attemptId"])
    );
    assert_eq!(String::from_utf8(csv.body).expect("UTF-8"), expected);
    let jobs = j.api.get("/v1/resends").await.expect_status(200).json();
    assert_eq!(jobs, json!({"items": [ended], "next": null}));
}

#[tokio::test]
async fn a_bulk_resend_to_the_current_address_skips_what_has_none() {
    let (j, traces) = failed(&["1"]).await;
    let deleted = j.subscribe("/deleted", json!({})).await;
    j.receiver.replies("/deleted", [Reply::status(503)]);
    let sent = trace_ids(&j.api.post("/v1/events", &event("2")).await.expect_status(202).json());
    for trace in &sent {
        j.api.ended_delivery(trace).await;
    }
    j.api.delete(&subscription_path(&deleted)).await.expect_status(204);
    let moved = text(&j.api.delivery(&traces[0]).await["subscriptionId"]).to_owned();
    let url = json!({"request": {"url": j.receiver.url("/moved")}});
    j.api.patch(&format!("/v1/subscriptions/{moved}"), &url).await.expect_status(200);

    let body = json!({"filter": {"status": FAILED}, "to": "current", "perSecond": 100});
    let made = make_job(&j.api, "resends", &body).await;
    let ended = ended_job(&j.api, "resends", id(&made)).await;
    assert_eq!((text(&ended["status"]), counts(&ended)), ("done", [2, 1, 0, 1, 0, 0]));
    let listed = items(&j.api, "resends", id(&made), "").await;
    let reasons: Vec<_> = listed.iter().map(|item| &item["reason"]).collect();
    assert_eq!(reasons, [&json!("no-current-address"), &Value::Null]);
    let requests = j.receiver.requests_of(&traces[0]);
    assert_eq!(requests.last().map(|request| request.path_and_query.as_str()), Some("/moved"));
}

#[tokio::test]
async fn a_stopped_bulk_resend_sends_nothing_more() {
    let (j, traces) = failed(&["1", "2", "3"]).await;
    let gate = Gate::closed();
    j.receiver.replies("/hook", [Reply::ok().held(&gate)]);
    let body = json!({"filter": {"status": FAILED}, "perSecond": 0.1});
    let made = make_job(&j.api, "resends", &body).await;
    j.receiver.next_request().await;
    let path = format!("/v1/resends/{}", id(&made));
    let stopped = j.api.delete(&path).await.expect_status(200).json();
    let expected = (&json!("stopped"), &json!("requested"), &Value::Null);
    assert_eq!((&stopped["status"], &stopped["reason"], &stopped["endedAt"]), expected);
    gate.open();
    let ended = ended_job(&j.api, "resends", id(&made)).await;
    assert_eq!((text(&ended["status"]), counts(&ended)), ("stopped", [3, 1, 0, 0, 0, 2]));
    assert_eq!(j.api.delete(&path).await.expect_status(200).json(), ended, "it stays as it is");
    assert_eq!(resends(&j.api, &traces).await, [1, 0, 0]);
}

#[tokio::test]
async fn failures_in_a_row_stop_a_bulk_resend() {
    let Some((j, traces)) = failed_on_own_process(&["1", "2", "3", "4"]).await else { return };
    j.receiver.always("/hook", Reply::status(503));
    let body = json!({"filter": {"status": FAILED}, "perSecond": 2, "stopAfterFailures": 1});
    let made = make_job(&j.api, "resends", &body).await;
    let ended = ended_job(&j.api, "resends", id(&made)).await;
    assert_eq!((text(&ended["status"]), text(&ended["reason"])), ("stopped", "failures"));
    assert!(ended["left"].as_u64() > Some(0), "{ended}");
    assert_eq!(resends(&j.api, &traces).await.iter().sum::<usize>() as u64, ended["failed"]);
}

#[tokio::test]
async fn only_the_newest_delivery_of_a_loan_is_resent_where_that_is_asked_for() {
    let (j, traces) = failed(&["1", "2", "1", "1"]).await;
    let body = json!({"filter": {"status": FAILED}, "perSecond": 100, "newestPerLoan": true});
    let made = make_job(&j.api, "resends", &body).await;
    let ended = ended_job(&j.api, "resends", id(&made)).await;
    assert_eq!(counts(&ended), [4, 2, 0, 0, 2, 0]);
    assert_eq!(resends(&j.api, &traces).await, [0, 1, 0, 1]);
    let left_out = items(&j.api, "resends", id(&made), "&outcome=superseded").await;
    assert_eq!(left_out.len(), 2);
}

#[tokio::test]
async fn a_dry_run_says_what_a_job_would_do_and_makes_none() {
    let (j, traces) = failed(&["1", "2", "1"]).await;
    let body = |newest: bool| json!({"filter": {"status": FAILED}, "perSecond": 0.5, "newestPerLoan": newest, "dryRun": true});
    for (newest, count, superseded, first, seconds) in [(false, 3, 0, 0, 4.0), (true, 2, 1, 1, 2.0)] {
        let planned = j.api.post("/v1/resends", &body(newest)).await.expect_status(200).json();
        let shown = planned["deliveries"].as_array().expect("deliveries");
        let shown: Vec<_> = shown.iter().map(|delivery| text(&delivery["traceId"])).collect();
        assert_eq!(shown, traces[first..], "the oldest first");
        let mut rest = planned.clone();
        rest.as_object_mut().expect("an object").remove("deliveries");
        let expected =
            json!({"count": count, "more": false, "superseded": superseded, "loans": 2, "seconds": seconds});
        assert_eq!(rest, expected);
    }
    assert_eq!(j.api.get("/v1/resends").await.expect_status(200).json()["items"], json!([]));
    assert_eq!(resends(&j.api, &traces).await, [0; 3]);
}

/// Its own retry is answered well while the job has not come to it.
#[tokio::test]
async fn what_succeeds_by_its_own_schedule_is_skipped() {
    let Some(j) = Journey::on_own_process().await else { return };
    j.subscribe("/hook", json!({"retry": {"delays": [2]}})).await;
    j.receiver.replies("/hook", [Reply::status(503), Reply::status(503)]);
    let (first, second) = (j.api.send_one(&event("1")).await, j.api.send_one(&event("1")).await);
    for trace in [&first, &second] {
        let failed_once = |delivery: &Value| delivery["attempts"][0]["outcome"] == "failed";
        j.api.delivery_when(trace, failed_once).await;
    }
    // The resend of the first one takes longer than the retry of the second, which waits for it.
    let gate = Gate::closed();
    j.receiver.replies("/hook", [Reply::status(500).held(&gate)]);
    let body = json!({"filter": {"traceIds": [first, second]}, "perSecond": 100});
    let made = make_job(&j.api, "resends", &body).await;
    eventually("the success of the second", async || {
        (j.api.delivery(&second).await["status"] == "succeeded").then_some(())
    })
    .await;
    gate.open();
    let ended = ended_job(&j.api, "resends", id(&made)).await;
    assert_eq!(counts(&ended), [2, 0, 1, 1, 0, 0]);
    let skipped = items(&j.api, "resends", id(&made), "&outcome=skipped").await;
    assert_eq!((&skipped[0]["traceId"], &skipped[0]["reason"]), (&json!(second), &json!("succeeded")));
    assert_eq!(resends(&j.api, &[first, second]).await, [1, 0]);
}

#[tokio::test]
async fn jobs_are_listed_newest_first_in_pages() {
    let (j, traces) = failed(&["1"]).await;
    let mut made = Vec::new();
    for _ in 0..3 {
        let body = json!({"filter": {"traceIds": traces}});
        made.push(id(&make_job(&j.api, "resends", &body).await).to_owned());
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = j.api.get(&format!("/v1/resends?limit=2{cursor}")).await.expect_status(200).json();
        seen.extend(items_of(&page).iter().map(|job| id(job).to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    made.sort_unstable();
    made.reverse();
    assert_eq!(seen, made);
}
