//! The bounds of a retry policy, and what its forms make of a failure.

use serde_json::{Value, json};

use crate::harness::api::rows_of;
use crate::harness::rows::ROUNDING;
use crate::harness::{Journey, Reply, event, subscription, wait};

const WEEK: u64 = 604_800;

fn interval(seconds: u64, retries: u64) -> Value {
    json!({"interval": seconds, "maxRetries": retries})
}

fn exponential(base: u64, factor: f64, cap: u64, retries: u64, jitter: f64) -> Value {
    json!({"exponential": {"base": base, "factor": factor, "cap": cap, "maxRetries": retries, "jitter": jitter}})
}

#[tokio::test]
async fn what_is_within_the_bounds_is_taken() {
    let j = Journey::begin().await;
    for retry in [
        json!({"delays": []}),
        json!({"delays": [1]}),
        json!({"delays": vec![1; 24]}),
        json!({"delays": [WEEK, WEEK, WEEK, WEEK, 2 * 86_400]}),
        interval(1, 0),
        interval(1, 24),
        interval(WEEK, 4),
        exponential(1, 1.0, 1, 24, 0.0),
        exponential(1, 10.0, WEEK, 3, 1.0),
        exponential(WEEK, 1.0, WEEK, 4, 0.0),
    ] {
        let body = subscription(&j.receiver.url("/hook"), json!({"retry": retry}));
        let answer = j.api.post("/v1/subscriptions", &body).await;
        assert_eq!(answer.status, 201, "{retry}: {answer:?}");
    }
}

#[tokio::test]
async fn what_is_beyond_the_bounds_is_422() {
    let j = Journey::begin().await;
    for retry in [
        json!({"delays": [0]}),
        json!({"delays": [-1]}),
        json!({"delays": [1.5]}),
        json!({"delays": ["60"]}),
        json!({"delays": [WEEK + 1]}),
        json!({"delays": vec![1; 25]}),
        json!({"delays": 60}),
        interval(0, 3),
        interval(WEEK + 1, 1),
        interval(60, 25),
        json!({"interval": 60}),
        json!({"maxRetries": 3}),
        exponential(0, 2.0, 60, 3, 0.0),
        exponential(1, 0.9, 60, 3, 0.0),
        exponential(1, 10.1, 60, 3, 0.0),
        exponential(1, 2.0, WEEK + 1, 3, 0.0),
        exponential(1, 2.0, 60, 25, 0.0),
        exponential(1, 2.0, 60, 3, 1.1),
        exponential(1, 2.0, 60, 3, -0.1),
        json!({"exponential": {"base": 1}}),
        json!({"delays": [1], "interval": 1, "maxRetries": 1}),
        json!({"delays": [1], "more": 1}),
        json!({}),
        json!([1, 2]),
    ] {
        refused(&j, &retry).await;
    }
}

#[tokio::test]
async fn a_schedule_in_any_form_spans_at_most_30_days() {
    let j = Journey::begin().await;
    for retry in [
        json!({"delays": [WEEK, WEEK, WEEK, WEEK, 2 * 86_400 + 1]}),
        interval(WEEK, 5),
        interval(2 * 86_400, 16),
        exponential(WEEK, 1.0, WEEK, 5, 0.0),
        exponential(86_400, 10.0, WEEK, 6, 0.0),
    ] {
        refused(&j, &retry).await;
    }
}

async fn refused(j: &Journey, retry: &Value) {
    let body = subscription(&j.receiver.url("/hook"), json!({"retry": retry}));
    let answer = j.api.post("/v1/subscriptions", &body).await;
    assert_eq!(answer.status, 422, "{retry}: {answer:?}");
    let problem = answer.problem(422);
    let errors = problem["errors"].as_array().unwrap_or_else(|| panic!("{retry}: {problem}"));
    let at_retry =
        |error: &Value| error["pointer"].as_str().is_some_and(|pointer| pointer.starts_with("/retry"));
    assert!(errors.iter().all(at_retry), "{retry}: {problem}");
}

/// The waits that a policy makes of `failures` failures, in seconds.
async fn waits(retry: Value, failures: usize) -> Vec<f64> {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({"retry": retry})).await;
    j.receiver.replies("/hook", vec![Reply::status(500); failures]);
    let trace = j.api.send_one(&event("727")).await;
    // The next attempt may leave before this is looked at.
    let failed = |delivery: &Value| rows_of(delivery).iter().filter(|row| row["outcome"] == "failed").count();
    let delivery = j.api.delivery_when(&trace, |delivery| failed(delivery) == failures).await;
    rows_of(&delivery).iter().take(failures).map(wait).collect()
}

#[track_caller]
fn about(wait: f64, seconds: f64) {
    assert!((wait - seconds).abs() <= ROUNDING, "a wait of {wait} s is not one of {seconds} s");
}

#[tokio::test]
async fn delays_are_waited_one_after_the_other() {
    let waits = waits(json!({"delays": [1, 2, 300]}), 3).await;
    about(waits[0], 1.0);
    about(waits[1], 2.0);
    about(waits[2], 300.0);
}

#[tokio::test]
async fn an_interval_is_waited_each_time() {
    let waits = waits(interval(1, 3), 3).await;
    waits.iter().for_each(|wait| about(*wait, 1.0));
}

#[tokio::test]
async fn exponential_waits_grow_by_the_factor() {
    let waits = waits(exponential(1, 2.0, 3_600, 4, 0.0), 3).await;
    about(waits[0], 1.0);
    about(waits[1], 2.0);
    about(waits[2], 4.0);
}

#[tokio::test]
async fn exponential_waits_grow_no_further_than_the_cap() {
    let waits = waits(exponential(1, 10.0, 2, 3, 0.0), 2).await;
    about(waits[1], 2.0);
}

/// The waits after the first attempts of so many deliveries, each from the end of that attempt, in seconds.
async fn waits_after_the_end(retry: Value, deliveries: usize) -> Vec<f64> {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({"retry": retry})).await;
    j.receiver.always("/hook", Reply::status(500));
    let mut waits = Vec::new();
    for _ in 0..deliveries {
        let delivery = j.api.after_attempts(&j.api.send_one(&event("727")).await, 1).await;
        let row = &delivery["attempts"][0];
        assert_eq!(delivery["nextAttemptAt"], row["nextAttemptAt"]);
        waits.push(wait(row));
    }
    waits
}

#[tokio::test]
async fn jitter_1_spreads_a_wait_over_all_of_it_but_leaves_a_second() {
    let waits = waits_after_the_end(exponential(1_000, 1.0, 1_000, 1, 1.0), 12).await;
    let whole = 1.0 - ROUNDING..=1_000.0 + ROUNDING;
    assert!(waits.iter().all(|wait| whole.contains(wait)), "{waits:?}");
    assert!(waits.iter().any(|wait| (wait - waits[0]).abs() > 1.0), "they are spread: {waits:?}");
    assert!(waits.iter().any(|wait| *wait < 900.0), "over the whole, not a share of it: {waits:?}");
}

#[tokio::test]
async fn jitter_moves_a_wait_by_no_more_than_its_share() {
    let waits = waits_after_the_end(exponential(1_000, 1.0, 1_000, 1, 0.25), 12).await;
    let share = 750.0 - ROUNDING..=1_000.0 + ROUNDING;
    assert!(waits.iter().all(|wait| share.contains(wait)), "{waits:?}");
    assert!(waits.iter().any(|wait| (wait - waits[0]).abs() > 1.0), "they are spread: {waits:?}");
}

#[tokio::test]
async fn without_jitter_a_wait_is_exactly_what_was_set() {
    for retry in [exponential(1_000, 1.0, 1_000, 1, 0.0), interval(1_000, 1), json!({"delays": [1_000]})] {
        let waits = waits_after_the_end(retry, 4).await;
        assert!(waits.iter().all(|wait| (wait - 1_000.0).abs() <= ROUNDING), "{waits:?}");
    }
}
