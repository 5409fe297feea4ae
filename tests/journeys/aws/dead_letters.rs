//! `/v1/dead-letters` on AWS: messages in the dead-letter queue of a deployed stack.

use serde_json::{Value, json};

use super::function_events::Deployed;
use crate::harness::{Api, Journey, eventually, items_of, text};

/// Puts a message with this body into the dead-letter queue, as the delivery function does with what it cannot read.
async fn put_aside(deployed: &Deployed, body: &str) {
    let record = json!({
        "messageId": uuid::Uuid::new_v4(), "receiptHandle": "none", "body": body, "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {}, "eventSource": "aws:sqs", "awsRegion": "us-east-1",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:loanhook-Queue",
    });
    let handled = deployed.invoke("delivery", &json!({"Records": [record]}).to_string()).await;
    assert_eq!(handled.expect("an answer"), json!({"batchItemFailures": []}));
}

/// A dead letter that was not there before. Others may look at the queue at the same time, and hide it for a moment.
async fn new_letter(operator: &Api, known: &[Value]) -> Value {
    eventually("there is another dead letter", async || {
        let list = operator.get("/v1/dead-letters").await.expect_status(200).json();
        items_of(&list).iter().find(|letter| !known.contains(letter)).cloned()
    })
    .await
}

#[tokio::test]
async fn a_message_that_is_none_of_ours_is_listed_and_deleted() {
    let Some(deployed) = Deployed::from_environment() else { return };
    let j = Journey::start().await;
    let operator = j.api.with_key(Some(j.server.operator_key()));
    let before = operator.get("/v1/dead-letters").await.expect_status(200).json();
    put_aside(&deployed, "this is no message of loanhook").await;
    let letter = new_letter(&operator, items_of(&before)).await;
    assert_eq!((&letter["reason"], &letter["tenant"]), (&json!("unreadable"), &Value::Null), "{letter}");
    assert!(letter["since"].is_string(), "{letter}");
    let path = format!("/v1/dead-letters/{}", text(&letter["id"]));
    let status = async |method: &str, path: &str, awaited: u16| {
        eventually(&format!("{method} {path} answers {awaited}"), async || {
            (operator.request(method, path).send().await.status == awaited).then_some(())
        })
        .await;
    };
    status("POST", &format!("{path}/redrive"), 409).await;
    status("DELETE", &path, 204).await;
    status("DELETE", &path, 404).await;
}
