//! Warnings of event names that were probably misspelt.

use serde_json::{Value, json};

use crate::harness::{Journey, event_named, text};

#[track_caller]
fn assert_one_warning_naming(warnings: &Value, other: &str) {
    let warnings = warnings.as_array().expect("a list");
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(text(&warnings[0]).contains(&format!("{other:?}")), "{warnings:?}");
}

#[tokio::test]
async fn an_event_name_that_differs_only_in_case_or_unicode_form_gets_a_warning() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"criteria": {"events": ["Börse closed"]}})).await;
    let send = async |name: &str| {
        let accepted = j.api.post("/v1/events", &event_named(name, "727")).await.expect_status(202).json();
        (accepted["deliveries"].as_array().map(Vec::len), accepted["warnings"].clone())
    };
    assert_eq!(send("Börse closed").await, (Some(1), json!([])));
    assert_eq!(send("Something else").await, (Some(0), json!([])));
    for nearly in ["BÖRSE CLOSED", "Bo\u{308}rse closed"] {
        let (deliveries, warnings) = send(nearly).await;
        assert_eq!(deliveries, Some(0), "names are compared exactly");
        assert_one_warning_naming(&warnings, "Börse closed");
    }
    let (_, warnings) = send("payment posted to account").await;
    assert_one_warning_naming(&warnings, "Payment Posted to Account");
}

#[tokio::test]
async fn warnings_are_given_for_each_event_of_a_batch_and_repeated_in_a_replay() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"criteria": {"events": ["Closed"]}})).await;
    let batch = json!({"events": [event_named("Closed", "727"), event_named("closed", "727"), event_named("", "727")]});
    let answer = j.api.post("/v1/events/batch", &batch).await.expect_status(200).json();
    assert_eq!(answer["results"][0]["warnings"], json!([]));
    assert_one_warning_naming(&answer["results"][1]["warnings"], "Closed");
    assert!(answer["results"][2].get("warnings").is_none(), "a problem has none: {answer}");

    let post = async || {
        let asked = j.api.request("POST", "/v1/events").header("idempotency-key", "k");
        asked.json(&event_named("closed", "727")).send().await.expect_status(202).json()
    };
    let first = post().await;
    assert_one_warning_naming(&first["warnings"], "Closed");
    assert_eq!(post().await, first);
}
