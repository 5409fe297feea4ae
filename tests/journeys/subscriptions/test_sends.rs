//! A subscription's test: it is told from an event of the loan everywhere, and may not pass for one.

use serde_json::{Value, json};

use crate::harness::{Journey, event, text};

fn test_of(subscription: &Value) -> String {
    format!("/v1/subscriptions/{}/test", text(&subscription["id"]))
}

#[tokio::test]
async fn the_receiver_and_the_history_tell_a_test_from_an_event() {
    let j = Journey::begin().await;
    let made = j.subscribe("/hook", json!({})).await;
    let real = j.api.send_one(&event("727")).await;
    let request = j.receiver.next().await;
    assert_eq!(request.header("loanhook-test"), None);
    assert_eq!(j.api.settled(&real).await["test"], false);

    let accepted = j.api.post(&test_of(&made), &json!({"loanId": "727"})).await.is(202).json();
    let trace = text(&accepted["deliveries"][0]["traceId"]);
    assert_eq!(j.receiver.next().await.header("loanhook-test"), Some("1"));
    let delivery = j.api.settled(trace).await;
    assert_eq!((&delivery["test"], &delivery["eventName"]), (&json!(true), &json!("Test")));
    // A resend of it is one too.
    j.api.resend(trace).await;
    assert_eq!(j.receiver.next().await.header("loanhook-test"), Some("1"));
    j.api.after_attempts(trace, 2).await;
    let tests: Vec<_> = j.api.rows("727", "").await.iter().map(|row| row["test"].clone()).collect();
    assert_eq!(tests, [true, true, false]);
}

#[tokio::test]
async fn a_test_of_a_real_events_name_needs_a_key_that_may_send_events() {
    let j = Journey::begin().await;
    let made = j.subscribe("/hook", json!({})).await;
    j.subscribe("/other", json!({"enabled": false, "criteria": {"events": ["Our Own Event"]}})).await;
    let author = j.api.colleague("Author", &["subscriptions:write"]).await;
    let asked = |name: &str| json!({"loanId": "727", "eventName": name, "context": {"last-payment-amount": 9_999_999}});
    for name in ["Payment Posted to Account", "payment posted to account ", "Our Own Event", "OUR OWN EVENT"]
    {
        let refused = author.post(&test_of(&made), &asked(name)).await.problem(403);
        assert!(text(&refused["detail"]).contains("events:write"), "{refused}");
    }
    assert!(j.receiver.seen().is_empty());
    author.post(&test_of(&made), &asked("Trial")).await.is(202);
    assert_eq!(j.receiver.next().await.json()["eventName"], "Trial");
    author.post(&test_of(&made), &json!({"loanId": "727"})).await.is(202);
    assert_eq!(j.receiver.next().await.json()["eventName"], "Test");
    let sender = j.api.colleague("Sender", &["subscriptions:write", "events:write"]).await;
    sender.post(&test_of(&made), &asked("Our Own Event")).await.is(202);
    let request = j.receiver.next().await;
    assert_eq!(
        (&request.json()["eventName"], request.header("loanhook-test")),
        (&json!("Our Own Event"), Some("1"))
    );
}

#[tokio::test]
async fn no_trigger_remembers_a_test() {
    let j = Journey::begin().await;
    let criteria = json!({"trigger": "(> days 30)", "fire": "on-change"});
    let made = j.subscribe("/hook", json!({"criteria": criteria})).await;
    let days = |days: u32| {
        let mut event = event("727");
        event["context"] = json!({"days": days});
        event
    };
    let test = |days: u32| json!({"loanId": "727", "context": {"days": days}});
    assert!(j.api.send(&days(10)).await.is_empty());
    j.api.post(&test_of(&made), &test(40)).await.is(202);
    assert_eq!(j.api.send(&days(40)).await.len(), 1, "for the loan it becomes true only now");
    j.api.post(&test_of(&made), &test(10)).await.is(202);
    assert!(j.api.send(&days(50)).await.is_empty(), "for the loan it was true all the time");
}
