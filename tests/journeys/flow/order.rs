//! Order of the deliveries of a loan: the first attempt of each waits for the earlier ones, and other loans do not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use serde_json::{Value, json};

use super::{assert_waits_unattempted, by_hand, hold_of, waiting};
use crate::harness::wait::eventually_within;
use crate::harness::{
    Gate, Journey, Received, Receiver, Reply, attempts_of, event_named, eventually, subscription,
    subscription_path, text,
};

/// Sends so many events of a loan, one after the other; the traces of their deliveries.
async fn send_in_order(j: &Journey, loan: &str, count: usize) -> Vec<String> {
    let mut traces = Vec::new();
    for _ in 0..count {
        traces.push(j.api.send_one(&event_named("Waits", loan)).await);
    }
    traces
}

fn loan_of(request: &Received) -> &str {
    request.header("loanhook-loan").expect("a loan")
}

/// The numbers of the requests of a loan, as they came.
fn sequences(requests: &[Received], loan: &str) -> Vec<u64> {
    let of_loan = requests.iter().filter(|request| loan_of(request) == loan);
    of_loan
        .map(|request| request.header("loanhook-sequence").expect("a number").parse().expect("a number"))
        .collect()
}

/// A receiver that fails for loan 727 until it is well.
async fn failing_for_one_loan(is_well: &Arc<AtomicBool>) -> Receiver {
    let is_well = Arc::clone(is_well);
    Receiver::replying_by(move |request| {
        let fails = loan_of(request) == "727" && !is_well.load(SeqCst);
        if fails { Reply::status(503) } else { Reply::ok() }
    })
    .await
}

#[tokio::test]
async fn later_deliveries_of_a_loan_wait_for_the_one_that_fails_and_other_loans_do_not() {
    // A process of its own is restarted meanwhile.
    let own = Journey::on_own_process().await;
    let restarts = own.is_some();
    let j = match own {
        Some(j) => j,
        None => Journey::start().await,
    };
    let is_well = Arc::default();
    let receiver = failing_for_one_loan(&is_well).await;
    let settings = json!({"flow": {"order": "loan"}, "retry": {"delays": vec![2; 24]}});
    j.api.subscribe(&subscription(&receiver.url("/hook"), settings)).await;
    let stuck = send_in_order(&j, "727", 4).await;
    let free = send_in_order(&j, "728", 4).await;
    for trace in &free {
        assert_eq!(j.api.ended_delivery(trace).await["status"], "succeeded");
    }
    assert_eq!(sequences(&receiver.requests(), "728"), [1, 2, 3, 4]);
    let has_failed = |delivery: &Value| attempts_of(delivery).iter().any(|row| row["outcome"] == "failed");
    let first = j.api.delivery_when(&stuck[0], has_failed).await;
    assert_eq!((&first["sequence"], &first["status"]), (&json!(1), &json!("pending")));
    for (trace, sequence) in stuck.iter().zip(1..).skip(1) {
        assert_waits_unattempted(&j, trace, "order").await;
        let delivery = j.api.delivery(trace).await;
        assert_eq!(delivery["sequence"], sequence);
        assert_eq!(delivery["waiting"]["since"], delivery["acceptedAt"]);
    }
    assert_eq!(waiting(&j, "order").await, stuck[1..].iter().rev().cloned().collect::<Vec<_>>());
    let listed = j.api.get("/v1/webhooks?limit=1&loanId=727").await.expect_status(200).json();
    assert_eq!(listed["items"][0]["sequence"], 4);

    if restarts {
        j.server.stop().await;
        j.server.restart().await;
        assert_waits_unattempted(&j, &stuck[3], "order").await;
    }
    // A canceled one never leaves: a gap that the receiver can see.
    j.api.post_without_body(&format!("/v1/webhooks/{}/cancel", stuck[1])).await.expect_status(200);
    is_well.store(true, SeqCst);
    for trace in [&stuck[0], &stuck[2], &stuck[3]] {
        assert_eq!(j.api.ended_delivery(trace).await["status"], "succeeded");
    }
    let came = sequences(&receiver.requests(), "727");
    assert!(came.is_sorted(), "{came:?}");
    assert_eq!(&came[came.len() - 3..], [1, 3, 4]);
    assert_eq!(attempts_of(&j.api.delivery(&stuck[3]).await).len(), 1, "what waited used up no attempt");

    // A resend has the number of its delivery.
    j.api.resend(&stuck[2]).await;
    j.api.delivery_after_attempts(&stuck[2], 2).await;
    assert_eq!(sequences(&receiver.requests(), "727").last(), Some(&3));
}

#[tokio::test]
async fn a_delivery_that_is_exhausted_or_cannot_be_rendered_lets_the_next_go() {
    let j = Journey::start().await;
    let request =
        json!({"method": "POST", "url": j.receiver.url("/hook"), "payload": "{\"days\": [[v('days')]]}"});
    let settings = json!({"flow": {"order": "loan"}, "retry": {"delays": [1]}, "request": request});
    j.subscribe("/hook", settings).await;
    let event = |context: Value| json!({"eventName": "Waits", "loanId": "727", "context": context});
    let gate = Gate::closed();
    j.receiver.replies("/hook", [Reply::status(500).held(&gate), Reply::status(500)]);
    let exhausted = j.api.send_one(&event(json!({"days": 1}))).await;
    let unrendered = j.api.send_one(&event(json!({}))).await;
    let last = j.api.send_one(&event(json!({"days": 3}))).await;
    assert_waits_unattempted(&j, &unrendered, "order").await;
    gate.open();
    for (trace, status) in [(&exhausted, "failed"), (&unrendered, "failed"), (&last, "succeeded")] {
        assert_eq!(j.api.ended_delivery(trace).await["status"], status);
    }
    let came = sequences(&j.receiver.requests(), "727");
    assert_eq!(came, [1, 1, 3], "the second never left");
}

/// A minute is the shortest time after which one that is stuck may step aside.
#[tokio::test]
async fn a_delivery_that_is_stuck_for_too_long_steps_aside() {
    // A process of its own is killed meanwhile.
    let own = Journey::on_own_process().await;
    let dies = own.is_some();
    let j = match own {
        Some(j) => j,
        None => Journey::start().await,
    };
    let flow = json!({"order": "loan", "stepAsideAfterSeconds": 60});
    j.subscribe("/hook", json!({"flow": flow, "retry": {"delays": [3600]}})).await;
    j.receiver.replies("/hook", [Reply::status(503)]);
    let traces = send_in_order(&j, "727", 3).await;
    for trace in &traces[1..] {
        assert_waits_unattempted(&j, trace, "order").await;
    }
    if dies {
        j.server.kill();
        j.server.restart().await;
    }
    for trace in &traces[1..] {
        eventually_within(Duration::from_secs(120), "its turn comes", async || {
            (j.api.delivery(trace).await["status"] == "succeeded").then_some(())
        })
        .await;
    }
    let first = j.api.delivery(&traces[0]).await;
    assert_eq!((&first["status"], attempts_of(&first).len()), (&json!("pending"), 1));
    assert_eq!(sequences(&j.receiver.requests(), "727"), [1, 2, 3]);
}

#[tokio::test]
async fn an_order_goes_with_a_hold_and_a_limit() {
    let Some(j) = Journey::on_own_process().await else { return };
    let settings = json!({"flow": {"order": "loan", "maxPerSecond": 100}});
    let ordered = j.subscribe("/hook", settings).await;
    by_hand(&j, &ordered, "hold").await;
    let held = send_in_order(&j, "727", 3).await;
    assert_waits_unattempted(&j, &held[0], "hold").await;
    assert_waits_unattempted(&j, &held[1], "order").await;
    assert_eq!(hold_of(&j, &ordered).await["waiting"], 3, "the hold holds up all");
    by_hand(&j, &ordered, "release").await;
    for trace in &held {
        j.api.ended_delivery(trace).await;
    }
    assert_eq!(sequences(&j.receiver.requests(), "727"), [1, 2, 3]);
}

#[tokio::test]
async fn an_order_ends_when_it_is_turned_off() {
    let j = Journey::start().await;
    let ordered = j.subscribe("/hook", json!({"flow": {"order": "loan"}})).await;
    let gate = Gate::closed();
    j.receiver.replies("/hook", [Reply::ok().held(&gate)]);
    let traces = send_in_order(&j, "727", 3).await;
    assert_waits_unattempted(&j, &traces[2], "order").await;
    eventually("the first is under way", async || (j.receiver.requests().len() == 1).then_some(())).await;
    let test = format!("{}/test", subscription_path(&ordered));
    let accepted = j.api.post(&test, &json!({"loanId": "727"})).await.expect_status(202).json();
    let test_trace = text(&accepted["deliveries"][0]["traceId"]);
    let sent = j.api.ended_delivery(test_trace).await;
    assert_eq!(
        (&sent["status"], &sent["sequence"]),
        (&json!("succeeded"), &Value::Null),
        "a test waits for none"
    );
    assert_eq!(j.receiver.requests_of(test_trace)[0].header("loanhook-sequence"), None);

    j.api.patch(&subscription_path(&ordered), &json!({"flow": {"order": "none"}})).await.expect_status(200);
    for trace in &traces[1..] {
        assert_eq!(j.api.ended_delivery(trace).await["status"], "succeeded", "nothing waits any more");
    }
    let unnumbered = j.api.send_one(&event_named("Waits", "727")).await;
    assert_eq!(j.api.ended_delivery(&unnumbered).await["sequence"], Value::Null);
    assert_eq!(j.receiver.requests_of(&unnumbered)[0].header("loanhook-sequence"), None);
    gate.open();
    assert_eq!(j.api.ended_delivery(&traces[0]).await["status"], "succeeded");
}

/// Far more than may wait of a receiver that answers promptly: none is refused as busy.
#[tokio::test]
async fn what_waits_for_its_loan_holds_up_no_event() {
    // Intake waits for sending in the one process alone; and a queue takes a while for each of eighty, one after the other.
    let Some(j) = Journey::on_own_process().await else { return };
    j.subscribe("/hook", json!({"flow": {"order": "loan"}})).await;
    let gate = Gate::closed();
    j.receiver.replies("/hook", [Reply::ok().held(&gate)]);
    let traces = send_in_order(&j, "727", 80).await;
    assert_eq!(waiting(&j, "order").await.len(), 79);
    gate.open();
    j.api.ended_delivery(&traces[79]).await;
    assert_eq!(sequences(&j.receiver.requests(), "727"), (1..=80).collect::<Vec<_>>());
}
