//! Bulk cancels: the automatic attempts of what is pending end.

use serde_json::{Value, json};

use super::{counts, ended_job, id, items, make_job};
use crate::harness::{Journey, Reply, event, text};

#[tokio::test]
async fn a_bulk_cancel_ends_what_is_pending_and_nothing_else() {
    let j = Journey::start().await;
    let subscription = j.subscribe("/hook", json!({"retry": {"delays": [3600]}})).await;
    j.receiver.replies("/hook", [Reply::ok(), Reply::status(503), Reply::status(503)]);
    let mut traces = Vec::new();
    for loan in ["1", "2", "3"] {
        let trace = j.api.send_one(&event(loan)).await;
        j.api.delivery_when(&trace, |delivery| !delivery["attempts"][0]["responseCode"].is_null()).await;
        traces.push(trace);
    }
    let body = json!({"filter": {"subscriptionId": subscription["id"]}, "perSecond": 100, "dryRun": true});
    let planned = j.api.post("/v1/cancels", &body).await.expect_status(200).json();
    assert_eq!((&planned["count"], &planned["loans"]), (&json!(2), &json!(2)));
    let mut body = body;
    body["dryRun"] = json!(false);
    let made = make_job(&j.api, "cancels", &body).await;
    assert_eq!((&made["filter"]["status"], made.get("to")), (&json!("pending"), None));
    let ended = ended_job(&j.api, "cancels", id(&made)).await;
    assert_eq!((text(&ended["status"]), counts(&ended)), ("done", [2, 2, 0, 0, 0, 0]));
    let mut statuses = Vec::new();
    for trace in &traces {
        statuses.push(text(&j.api.delivery(trace).await["status"]).to_owned());
    }
    assert_eq!(statuses, ["succeeded", "canceled", "canceled"]);
    let listed = items(&j.api, "cancels", id(&made), "").await;
    assert!(listed.iter().all(|item| item["outcome"] == "succeeded" && item["attemptId"] == Value::Null));
    assert_eq!(j.api.get("/v1/cancels").await.expect_status(200).json()["items"], json!([ended]));

    // Each kind has its own routes.
    let path = |kind: &str| format!("/v1/{kind}/{}", id(&made));
    j.api.get(&path("resends")).await.expect_problem(404);
    j.api.delete(&path("resends")).await.expect_problem(404);
    assert_eq!(j.api.delete(&path("cancels")).await.expect_status(200).json(), ended);

    // What is not pending is skipped where it is named.
    let made = make_job(&j.api, "cancels", &json!({"filter": {"traceIds": traces}})).await;
    let ended = ended_job(&j.api, "cancels", id(&made)).await;
    assert_eq!(counts(&ended), [3, 0, 0, 3, 0, 0]);
    let skipped = items(&j.api, "cancels", id(&made), "&outcome=skipped").await;
    assert!(skipped.iter().all(|item| item["reason"] == "not-pending"), "{skipped:?}");
}
