//! Automatic holds: failures in a row begin one, and the first success ends it.

use serde_json::{Value, json};

use super::{by_hand, hold_of, send};
use crate::harness::{Journey, Reply, attempts_of, event_named, eventually, text};

/// A webhook that three failures in a row hold, with retries 3 seconds and then an hour after a failure. Its receiver is
/// down, and it is held.
async fn held(j: &Journey) -> (Value, Vec<String>) {
    let settings = json!({"retry": {"delays": [3, 3600]}, "flow": {"holdAfterFailures": 3}});
    let subscription = j.subscribe("/hook", settings).await;
    j.receiver.always("/hook", Reply::status(503));
    let traces = send(j, 3).await;
    let hold = eventually("the webhook is held", async || {
        Some(hold_of(j, &subscription).await).filter(|hold| !hold.is_null())
    });
    assert_eq!(hold.await["by"], "failures");
    (subscription, traces)
}

#[tokio::test]
async fn failures_in_a_row_hold_a_webhook_and_the_success_of_a_resend_ends_it() {
    let j = Journey::start().await;
    let (subscription, traces) = held(&j).await;
    for trace in &traces {
        let delivery = j.api.delivery_when(trace, |delivery| delivery["waiting"]["reason"] == "hold").await;
        assert_eq!((&delivery["status"], attempts_of(&delivery).len()), (&json!("pending"), 1), "{delivery}");
    }
    let new = j.api.send_one(&event_named("Waits", "728")).await;
    super::assert_waits_unattempted(&j, &new, "hold").await;
    j.receiver.always("/hook", Reply::ok());
    j.api.resend(&traces[0]).await;
    for trace in &traces {
        let delivery = j.api.ended_delivery(trace).await;
        let numbers: Vec<_> = attempts_of(&delivery).iter().map(|row| &row["attemptNumber"]).collect();
        assert_eq!(
            (&delivery["status"], numbers.last()),
            (&json!("succeeded"), Some(&&json!(2))),
            "{numbers:?}"
        );
    }
    let delivery = j.api.ended_delivery(&new).await;
    assert_eq!(attempts_of(&delivery).len(), 1, "what waited used up no attempt");
    assert_eq!(hold_of(&j, &subscription).await, Value::Null);
}

/// The first probe leaves 30 seconds after the failure that began the hold.
#[tokio::test]
async fn a_probe_that_succeeds_ends_the_hold() {
    let j = Journey::start().await;
    let (subscription, traces) = held(&j).await;
    let sent = j.receiver.requests().len();
    assert_eq!(sent, 3, "the third failure holds it");
    j.receiver.always("/hook", Reply::ok());
    for trace in &traces {
        let delivery = j.api.ended_delivery(trace).await;
        assert_eq!((&delivery["status"], attempts_of(&delivery).len()), (&json!("succeeded"), 2));
    }
    assert_eq!(hold_of(&j, &subscription).await, Value::Null);
    let attempts = |trace: &String| {
        let requests = j.receiver.requests_of(trace);
        requests.iter().map(|request| request.attempt_number().to_owned()).collect::<Vec<_>>()
    };
    for trace in &traces {
        assert_eq!(attempts(trace), ["1", "2"]);
    }
}

#[tokio::test]
async fn an_automatic_hold_outlives_a_restart_and_can_be_released_or_taken_over_by_hand() {
    let Some(j) = Journey::on_own_process().await else { return };
    let (subscription, traces) = held(&j).await;
    let before = hold_of(&j, &subscription).await;
    j.server.stop().await;
    j.server.restart().await;
    assert_eq!(hold_of(&j, &subscription).await["since"], before["since"]);
    let taken_over = by_hand(&j, &subscription, "hold").await["hold"].clone();
    assert_eq!((&taken_over["by"], &taken_over["since"]), (&json!("journey"), &before["since"]));
    j.receiver.always("/hook", Reply::ok());
    j.api.resend(&traces[0]).await;
    let resent = |delivery: &Value| attempts_of(delivery).iter().any(|row| row["outcome"] == "succeeded");
    j.api.delivery_when(&traces[0], resent).await;
    assert_eq!(text(&hold_of(&j, &subscription).await["by"]), "journey", "it ends by hand only");
    by_hand(&j, &subscription, "release").await;
    for trace in &traces {
        assert_eq!(j.api.ended_delivery(trace).await["status"], "succeeded");
    }
}

#[tokio::test]
async fn failures_of_one_delivery_hold_nothing() {
    let j = Journey::start().await;
    let settings = json!({"retry": {"delays": [1, 1, 1]}, "flow": {"holdAfterFailures": 3}});
    let subscription = j.subscribe("/hook", settings).await;
    j.receiver.always("/hook", Reply::status(503));
    let trace = j.api.send_one(&event_named("Waits", "727")).await;
    let delivery = j.api.ended_delivery(&trace).await;
    assert_eq!((&delivery["status"], attempts_of(&delivery).len()), (&json!("failed"), 4));
    assert_eq!(hold_of(&j, &subscription).await, Value::Null);
}
