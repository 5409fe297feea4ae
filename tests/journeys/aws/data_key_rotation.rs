//! The operator's command that rotates the data key (`infra/seal_secrets.py`), while webhooks are sent.
//!
//! It waits for two minutes, until nothing can be sealed with the former key any more, and other journeys may wait for all
//! senders. So it is run alone, by its name, as `infra/stack.py journeys` does.

use std::path::Path;

use serde_json::json;
use tokio::process::Command;

use crate::harness::{Journey, event, report_skipped};

#[tokio::test]
#[ignore = "takes two minutes, and rotates the data key of the stack LOANHOOK_TEST_STACK: run it alone"]
async fn webhooks_are_sent_as_before_while_and_after_the_data_key_is_rotated() {
    let Ok(stack) = std::env::var("LOANHOOK_TEST_STACK") else {
        report_skipped("it runs a command on a stack, and LOANHOOK_TEST_STACK names none");
        return;
    };
    let j = Journey::start().await;
    let headers = json!({"Authorization": "Bearer before and after", "X-Loan": "loan [[v('loan-id')]]"});
    j.subscribe("/hook", json!({"request": {"headers": headers}})).await;
    let sends = async || {
        let trace = j.api.send_one(&event("727")).await;
        j.api.ended_delivery(&trace).await;
        let sent = j.receiver.requests_of(&trace).remove(0);
        assert_eq!(sent.header("authorization"), Some("Bearer before and after"));
        assert_eq!(sent.header("x-loan"), Some("loan 727"));
        assert!(sent.header("webhook-signature").is_some_and(|signature| signature.starts_with("v1,")));
    };
    sends().await;

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("infra/seal_secrets.py");
    let mut rotation = Command::new("python3");
    let rotation = rotation.arg(script).args([&stack, "rotate"]).output();
    let (output, ()) = tokio::join!(rotation, sends());
    let output = output.expect("the command runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("is the only one"), "{said}");
    assert!(said.contains(" 0 sealed, 0 failed"), "{said}");
    sends().await;
}
