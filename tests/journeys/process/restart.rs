//! Restart after a kill: what was accepted is still there, and due retries are sent.

use serde_json::json;

use crate::harness::{Journey, Reply, attempts_of, event, instant, subscription_path, text};

#[tokio::test]
async fn accepted_events_history_and_subscriptions_survive_a_kill() {
    let Some(j) = Journey::on_own_process().await else { return };
    let created = j.subscribe("/hook", json!({})).await;
    let trace = j.api.send_one(&event("727")).await;
    let before = j.api.ended_delivery(&trace).await;
    let rows = j.api.rows("727", "").await;

    j.server.kill();
    j.server.restart().await;

    assert_eq!(j.api.delivery(&trace).await, before);
    assert_eq!(j.api.rows("727", "").await, rows);
    let source = j.api.get(text(&rows[0]["source"]["href"])).await.expect_status(200);
    assert_eq!(source.body, j.receiver.requests()[0].body);
    j.api.get(&subscription_path(&created)).await.expect_status(200);
    let again = j.api.resend(&trace).await;
    assert_eq!(j.api.delivery_after_attempts(&trace, 2).await["attempts"][1]["id"], again);
}

#[tokio::test]
async fn a_restart_sends_due_retries_and_no_others() {
    let Some(j) = Journey::on_own_process().await else { return };
    j.subscribe("/soon", json!({"retry": {"delays": [1]}})).await;
    j.subscribe("/late", json!({"retry": {"delays": [3600]}})).await;
    for path in ["/soon", "/late"] {
        j.receiver.replies(path, [Reply::status(500)]);
    }
    let traces = j.api.send_event(&event("727")).await;
    for trace in &traces {
        j.api.delivery_when(trace, |delivery| delivery["attempts"][0]["outcome"] == "failed").await;
    }
    j.server.kill();
    j.server.restart().await;

    for trace in &traces {
        if j.receiver.requests_of(trace)[0].path_and_query == "/soon" {
            let delivery = j.api.ended_delivery(trace).await;
            assert_eq!(delivery["status"], "succeeded");
            assert_eq!(attempts_of(&delivery).len(), 2);
            assert!(
                instant(&delivery["attempts"][1]["sentAt"])
                    >= instant(&delivery["attempts"][0]["nextAttemptAt"])
            );
        }
    }
    let late = traces
        .iter()
        .find(|trace| j.receiver.requests_of(trace)[0].path_and_query == "/late")
        .expect("the late one");
    let late = j.api.delivery(late).await;
    assert_eq!((&late["status"], late["attempts"].as_array().map(Vec::len)), (&json!("pending"), Some(1)));
    assert_eq!(late["nextAttemptAt"], late["attempts"][0]["nextAttemptAt"]);
}
