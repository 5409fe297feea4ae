//! Test sends of a subscription: they are marked everywhere and cannot pass for an event of the loan.

use serde_json::{Value, json};

use crate::harness::{Journey, event, subscription_path, text};

fn test_of(subscription: &Value) -> String {
    format!("{}/test", subscription_path(subscription))
}

#[tokio::test]
async fn a_test_is_marked_in_the_request_and_in_the_history() {
    let j = Journey::start().await;
    let created = j.subscribe("/hook", json!({})).await;
    let real = j.api.send_one(&event("727")).await;
    let request = j.receiver.next_request().await;
    assert_eq!(request.header("loanhook-test"), None);
    assert_eq!(j.api.ended_delivery(&real).await["test"], false);

    let accepted = j.api.post(&test_of(&created), &json!({"loanId": "727"})).await.expect_status(202).json();
    let trace = text(&accepted["deliveries"][0]["traceId"]);
    assert_eq!(j.receiver.next_request().await.header("loanhook-test"), Some("1"));
    let delivery = j.api.ended_delivery(trace).await;
    assert_eq!((&delivery["test"], &delivery["eventName"]), (&json!(true), &json!("Test")));
    // A resend of a test is a test too.
    j.api.resend(trace).await;
    assert_eq!(j.receiver.next_request().await.header("loanhook-test"), Some("1"));
    j.api.delivery_after_attempts(trace, 2).await;
    let tests: Vec<_> = j.api.rows("727", "").await.iter().map(|row| row["test"].clone()).collect();
    assert_eq!(tests, [true, true, false]);
}

#[tokio::test]
async fn a_test_with_an_event_name_in_use_needs_the_scope_events_write() {
    let j = Journey::start().await;
    let created = j.subscribe("/hook", json!({})).await;
    j.subscribe("/other", json!({"enabled": false, "criteria": {"events": ["Our Own Event"]}})).await;
    let author = j.api.with_new_key("Author", &["subscriptions:write"]).await;
    let asked = |name: &str| json!({"loanId": "727", "eventName": name, "context": {"last-payment-amount": 9_999_999}});
    for name in ["Payment Posted to Account", "payment posted to account ", "Our Own Event", "OUR OWN EVENT"]
    {
        let refused = author.post(&test_of(&created), &asked(name)).await.expect_problem(403);
        assert!(text(&refused["detail"]).contains("events:write"), "{refused}");
    }
    assert!(j.receiver.requests().is_empty());
    author.post(&test_of(&created), &asked("Trial")).await.expect_status(202);
    assert_eq!(j.receiver.next_request().await.json()["eventName"], "Trial");
    author.post(&test_of(&created), &json!({"loanId": "727"})).await.expect_status(202);
    assert_eq!(j.receiver.next_request().await.json()["eventName"], "Test");
    let sender = j.api.with_new_key("Sender", &["subscriptions:write", "events:write"]).await;
    sender.post(&test_of(&created), &asked("Our Own Event")).await.expect_status(202);
    let request = j.receiver.next_request().await;
    assert_eq!(
        (&request.json()["eventName"], request.header("loanhook-test")),
        (&json!("Our Own Event"), Some("1"))
    );
}

#[tokio::test]
async fn a_test_does_not_change_trigger_state() {
    let j = Journey::start().await;
    let criteria = json!({"trigger": "(> days 30)", "fire": "on-change"});
    let created = j.subscribe("/hook", json!({"criteria": criteria})).await;
    let days = |days: u32| {
        let mut event = event("727");
        event["context"] = json!({"days": days});
        event
    };
    let test = |days: u32| json!({"loanId": "727", "context": {"days": days}});
    assert!(j.api.send_event(&days(10)).await.is_empty());
    j.api.post(&test_of(&created), &test(40)).await.expect_status(202);
    assert_eq!(j.api.send_event(&days(40)).await.len(), 1, "for the loan it becomes true only now");
    j.api.post(&test_of(&created), &test(10)).await.expect_status(202);
    assert!(j.api.send_event(&days(50)).await.is_empty(), "for the loan it was true all the time");
}

#[tokio::test]
async fn a_test_sends_a_sample_to_its_subscription_alone_whatever_its_criteria_or_state() {
    let j = Journey::start().await;
    let off = j
        .subscribe("/off", json!({"title": "Off", "enabled": false, "criteria": {"events": ["Never"]}}))
        .await;
    j.subscribe("/all", json!({})).await;
    let test = format!("{}/test", subscription_path(&off));

    let full = json!({"loanId": "727", "eventName": "Payment Reversed", "context": {"a": 1}});
    let accepted = j.api.post(&test, &full).await.expect_status(202).json();
    assert_eq!(accepted["deliveries"].as_array().map(Vec::len), Some(1));
    assert_eq!(accepted["deliveries"][0]["subscriptionId"], off["id"]);
    assert_eq!(accepted["deliveries"][0]["eventTitle"], "Off");
    let request = j.receiver.next_request().await;
    assert_eq!(request.path_and_query, "/off");
    assert_eq!(request.json(), json!({"eventName": "Payment Reversed", "context": {"a": 1}}));

    let accepted = j.api.post(&test, &json!({"loanId": "728"})).await.expect_status(202).json();
    let delivery = j.api.ended_delivery(text(&accepted["deliveries"][0]["traceId"])).await;
    assert_eq!(delivery["status"], "succeeded");
    assert_eq!(delivery["loanId"], "728");
    assert!(!text(&delivery["eventName"]).is_empty(), "a sample has a name");
    assert_eq!(j.api.rows("728", "").await.len(), 1, "a test stands in the loan's history");

    j.api.post(&test, &json!({})).await.expect_errors_at(&["/loanId"]);
    j.api.post(&test, &json!({"loanId": "727", "what": 1})).await.expect_errors_at(&["/what"]);
    j.api.post(&test, &json!({"loanId": "a/b"})).await.expect_errors_at(&["/loanId"]);
}
