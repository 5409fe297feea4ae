//! Holds and crashes: a webhook that is held while the process is killed sends nothing, and loses nothing.

use serde_json::json;

use super::{by_hand, hold_of, send, waiting};
use crate::harness::{Journey, attempts_of};

const KILLS: usize = 3;
const EVENTS_BETWEEN: usize = 10;

#[tokio::test]
async fn a_held_webhook_loses_nothing_while_the_process_is_killed() {
    let Some(j) = Journey::on_own_process().await else { return };
    let flow = json!({"maxInFlight": 4, "maxPerSecond": 100, "holdAfterFailures": 1000});
    let subscription = j.subscribe("/hook", json!({"flow": flow, "retry": {"delays": [1, 1, 1]}})).await;
    by_hand(&j, &subscription, "hold").await;
    let mut traces = Vec::new();
    for _ in 0..KILLS {
        traces.extend(send(&j, EVENTS_BETWEEN).await);
        j.server.kill();
        j.server.restart().await;
        assert_eq!(hold_of(&j, &subscription).await["waiting"], traces.len());
    }
    assert!(j.receiver.requests().is_empty());

    by_hand(&j, &subscription, "release").await;
    for _ in 0..2 {
        j.receiver.next_request().await;
        j.server.kill();
        j.server.restart().await;
        assert_eq!(hold_of(&j, &subscription).await, json!(null), "the release outlives the process");
    }
    for trace in &traces {
        let delivery = j.api.ended_delivery(trace).await;
        assert_eq!(delivery["status"], "succeeded", "{delivery}");
        let interrupted =
            attempts_of(&delivery).iter().filter(|row| row["error"]["kind"] == "interrupted").count();
        assert_eq!(attempts_of(&delivery).len(), interrupted + 1, "{delivery}");
    }
    assert_eq!(waiting(&j, "hold").await, Vec::<String>::new());
}
