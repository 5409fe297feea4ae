//! Retry policies: the limits of each form, and the delays that it gives.

use serde_json::{Value, json};

use crate::harness::rows::ROUNDING_SECONDS;
use crate::harness::{Journey, Reply, attempts_of, event, retry_wait_seconds, subscription};

const WEEK: u64 = 604_800;

fn interval(seconds: u64, retries: u64) -> Value {
    json!({"interval": seconds, "maxRetries": retries})
}

fn exponential(base: u64, factor: f64, cap: u64, retries: u64, jitter: f64) -> Value {
    json!({"exponential": {"base": base, "factor": factor, "cap": cap, "maxRetries": retries, "jitter": jitter}})
}

#[tokio::test]
async fn a_retry_policy_within_the_limits_is_accepted() {
    let j = Journey::start().await;
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
async fn a_retry_policy_beyond_the_limits_is_422() {
    let j = Journey::start().await;
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
        assert_refused(&j, &retry).await;
    }
}

#[tokio::test]
async fn a_schedule_in_any_form_spans_at_most_30_days() {
    let j = Journey::start().await;
    for retry in [
        json!({"delays": [WEEK, WEEK, WEEK, WEEK, 2 * 86_400 + 1]}),
        interval(WEEK, 5),
        interval(2 * 86_400, 16),
        exponential(WEEK, 1.0, WEEK, 5, 0.0),
        exponential(86_400, 10.0, WEEK, 6, 0.0),
    ] {
        assert_refused(&j, &retry).await;
    }
}

async fn assert_refused(j: &Journey, retry: &Value) {
    let body = subscription(&j.receiver.url("/hook"), json!({"retry": retry}));
    let answer = j.api.post("/v1/subscriptions", &body).await;
    assert_eq!(answer.status, 422, "{retry}: {answer:?}");
    let problem = answer.expect_problem(422);
    let errors = problem["errors"].as_array().unwrap_or_else(|| panic!("{retry}: {problem}"));
    let at_retry =
        |error: &Value| error["pointer"].as_str().is_some_and(|pointer| pointer.starts_with("/retry"));
    assert!(errors.iter().all(at_retry), "{retry}: {problem}");
}

/// The delays after this many failures, in seconds.
async fn delays_after_failures(retry: Value, failures: usize) -> Vec<f64> {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"retry": retry})).await;
    j.receiver.replies("/hook", vec![Reply::status(500); failures]);
    let trace = j.api.send_one(&event("727")).await;
    // The next attempt may leave before this delivery is read.
    let failed =
        |delivery: &Value| attempts_of(delivery).iter().filter(|row| row["outcome"] == "failed").count();
    let delivery = j.api.delivery_when(&trace, |delivery| failed(delivery) == failures).await;
    attempts_of(&delivery).iter().take(failures).map(retry_wait_seconds).collect()
}

#[track_caller]
fn assert_delay(wait: f64, seconds: f64) {
    assert!((wait - seconds).abs() <= ROUNDING_SECONDS, "a wait of {wait} s is not one of {seconds} s");
}

#[tokio::test]
async fn delays_are_used_in_order() {
    let waits = delays_after_failures(json!({"delays": [1, 2, 300]}), 3).await;
    assert_delay(waits[0], 1.0);
    assert_delay(waits[1], 2.0);
    assert_delay(waits[2], 300.0);
}

#[tokio::test]
async fn an_interval_is_used_for_every_retry() {
    let waits = delays_after_failures(interval(1, 3), 3).await;
    waits.iter().for_each(|wait| assert_delay(*wait, 1.0));
}

#[tokio::test]
async fn exponential_delays_grow_by_the_factor() {
    let waits = delays_after_failures(exponential(1, 2.0, 3_600, 4, 0.0), 3).await;
    assert_delay(waits[0], 1.0);
    assert_delay(waits[1], 2.0);
    assert_delay(waits[2], 4.0);
}

#[tokio::test]
async fn exponential_delays_stop_at_the_cap() {
    let waits = delays_after_failures(exponential(1, 10.0, 2, 3, 0.0), 2).await;
    assert_delay(waits[1], 2.0);
}

/// The delays after the first attempts of this many deliveries, each from the end of that attempt, in seconds.
async fn delays_of_first_retries(retry: Value, deliveries: usize) -> Vec<f64> {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"retry": retry})).await;
    j.receiver.always("/hook", Reply::status(500));
    let mut waits = Vec::new();
    for _ in 0..deliveries {
        let delivery = j.api.delivery_after_attempts(&j.api.send_one(&event("727")).await, 1).await;
        let row = &delivery["attempts"][0];
        assert_eq!(delivery["nextAttemptAt"], row["nextAttemptAt"]);
        waits.push(retry_wait_seconds(row));
    }
    waits
}

#[tokio::test]
async fn jitter_1_spreads_a_delay_between_1_second_and_the_whole() {
    let waits = delays_of_first_retries(exponential(1_000, 1.0, 1_000, 1, 1.0), 12).await;
    let whole = 1.0 - ROUNDING_SECONDS..=1_000.0 + ROUNDING_SECONDS;
    assert!(waits.iter().all(|wait| whole.contains(wait)), "{waits:?}");
    assert!(waits.iter().any(|wait| (wait - waits[0]).abs() > 1.0), "they are spread: {waits:?}");
    assert!(waits.iter().any(|wait| *wait < 900.0), "over the whole, not a share of it: {waits:?}");
}

#[tokio::test]
async fn jitter_shortens_a_delay_by_at_most_its_share() {
    let waits = delays_of_first_retries(exponential(1_000, 1.0, 1_000, 1, 0.25), 12).await;
    let share = 750.0 - ROUNDING_SECONDS..=1_000.0 + ROUNDING_SECONDS;
    assert!(waits.iter().all(|wait| share.contains(wait)), "{waits:?}");
    assert!(waits.iter().any(|wait| (wait - waits[0]).abs() > 1.0), "they are spread: {waits:?}");
}

#[tokio::test]
async fn without_jitter_a_delay_is_exact() {
    for retry in [exponential(1_000, 1.0, 1_000, 1, 0.0), interval(1_000, 1), json!({"delays": [1_000]})] {
        let waits = delays_of_first_retries(retry, 4).await;
        assert!(waits.iter().all(|wait| (wait - 1_000.0).abs() <= ROUNDING_SECONDS), "{waits:?}");
    }
}
