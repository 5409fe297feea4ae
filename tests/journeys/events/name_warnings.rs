//! What intake tells a sender who may have made a mistake.

use serde_json::{Value, json};

use crate::harness::request_bodies::named;
use crate::harness::{Journey, text};

#[track_caller]
fn names(warnings: &Value, other: &str) {
    let warnings = warnings.as_array().expect("a list");
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(text(&warnings[0]).contains(&format!("{other:?}")), "{warnings:?}");
}

#[tokio::test]
async fn a_name_that_differs_from_one_in_use_only_in_case_or_form_is_warned_of() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({"criteria": {"events": ["Börse closed"]}})).await;
    let send = async |name: &str| {
        let accepted = j.api.post("/v1/events", &named(name, "727")).await.is(202).json();
        (accepted["deliveries"].as_array().map(Vec::len), accepted["warnings"].clone())
    };
    assert_eq!(send("Börse closed").await, (Some(1), json!([])));
    assert_eq!(send("Something else").await, (Some(0), json!([])));
    for nearly in ["BÖRSE CLOSED", "Bo\u{308}rse closed"] {
        let (deliveries, warnings) = send(nearly).await;
        assert_eq!(deliveries, Some(0), "names are compared exactly");
        names(&warnings, "Börse closed");
    }
    let (_, warnings) = send("payment posted to account").await;
    names(&warnings, "Payment Posted to Account");
}

#[tokio::test]
async fn each_event_of_a_batch_has_its_own_warnings_and_a_repeated_one_the_same() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({"criteria": {"events": ["Closed"]}})).await;
    let batch = json!({"events": [named("Closed", "727"), named("closed", "727"), named("", "727")]});
    let answer = j.api.post("/v1/events/batch", &batch).await.is(200).json();
    assert_eq!(answer["results"][0]["warnings"], json!([]));
    names(&answer["results"][1]["warnings"], "Closed");
    assert!(answer["results"][2].get("warnings").is_none(), "a problem has none: {answer}");

    let post = async || {
        let asked = j.api.request("POST", "/v1/events").header("idempotency-key", "k");
        asked.json(&named("closed", "727")).answer().await.is(202).json()
    };
    let first = post().await;
    names(&first["warnings"], "Closed");
    assert_eq!(post().await, first);
}
