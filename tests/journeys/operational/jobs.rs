//! Recovery jobs that end.

use serde_json::{Value, json};

use super::{observer, send, told};
use crate::harness::{Journey, Reply, text};
use crate::recovery::{ended_job, id, make_job};

fn facts(event: &Value) -> Value {
    let names = [
        "eventName",
        "subscriptionId",
        "title",
        "jobKind",
        "status",
        "total",
        "succeeded",
        "failed",
        "skipped",
    ];
    names.iter().map(|name| event[*name].clone()).collect()
}

async fn job(j: &Journey, kind: &str, traces: &[String]) -> Value {
    let job = make_job(&j.api, kind, &json!({"filter": {"traceIds": traces}})).await;
    ended_job(&j.api, kind, id(&job)).await
}

#[tokio::test]
async fn a_job_is_told_when_it_is_over() {
    let j = Journey::start().await;
    let pager = observer(&j, &["job.finished"]).await;
    j.subscribe("/hook", json!({})).await;
    let traces = send(&j, 3, 503).await;
    j.receiver.always("/hook", Reply::ok());
    let resend = job(&j, "resends", &traces).await;
    let cancel = job(&j, "cancels", &traces).await;
    let events = told(&j, &pager).await;
    let told: Vec<_> = events.iter().map(facts).collect();
    assert_eq!(
        told,
        [
            json!(["job.finished", null, null, "resend", "done", 3, 3, 0, 0]),
            json!(["job.finished", null, null, "cancel", "done", 3, 0, 0, 3]),
        ]
    );
    for (event, job) in events.iter().zip([&resend, &cancel]) {
        assert_eq!((&event["jobId"], &event["endedAt"]), (&job["id"], &job["endedAt"]), "{event}");
        assert_eq!((&event["requestedBy"], &event["left"]), (&json!("journey"), &json!(0)));
    }
}

#[tokio::test]
async fn a_job_that_is_stopped_is_told_once() {
    let j = Journey::start().await;
    let pager = observer(&j, &["job.finished"]).await;
    j.subscribe("/hook", json!({})).await;
    let traces = send(&j, 3, 503).await;
    let body = json!({"filter": {"traceIds": traces}, "perSecond": 0.1});
    let job = make_job(&j.api, "resends", &body).await;
    let path = format!("/v1/resends/{}", text(&job["id"]));
    for _ in 0..2 {
        j.api.delete(&path).await.expect_status(200);
    }
    let ended = ended_job(&j.api, "resends", id(&job)).await;
    let events = told(&j, &pager).await;
    let [event] = &events[..] else { panic!("{events:#?}") };
    assert_eq!((&event["status"], &event["left"]), (&json!("stopped"), &ended["left"]));
}
