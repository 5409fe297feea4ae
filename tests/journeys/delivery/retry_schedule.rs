//! The retry schedule: one attempt of each number, in order, none before its due time.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::rows::{ROUNDING_SECONDS, assert_well_formed, one_millisecond};
use crate::harness::{
    Gate, Journey, Reply, attempt_numbers, attempts_of, event, instant, retry_wait_seconds,
    seconds_until_next_attempt, text, utc,
};

#[tokio::test]
async fn success_on_the_third_retry_is_attempt_4() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"retry": {"delays": [1, 1, 1, 1]}})).await;
    j.receiver.replies("/hook", [Reply::status(500), Reply::status(503), Reply::reset()]);

    let trace = j.api.send_one(&event("727")).await;
    let delivery = j.api.ended_delivery(&trace).await;

    assert_eq!(delivery["status"], "succeeded");
    let rows = attempts_of(&delivery);
    rows.iter().for_each(assert_well_formed);
    let numbers = attempt_numbers(&delivery);
    assert_eq!(numbers, [1, 2, 3, 4]);
    assert_eq!(rows[3]["outcome"], "succeeded");
    assert!(rows.iter().all(|row| row["traceId"] == trace && row["manual"] == false));
    let seen = j.receiver.requests_of(&trace);
    let sent: Vec<_> = seen.iter().map(|request| (request.attempt_number(), request.attempt_id())).collect();
    let recorded: Vec<_> =
        ["1", "2", "3", "4"].into_iter().zip(rows.iter().map(|row| text(&row["id"]))).collect();
    assert_eq!(sent, recorded, "the receiver saw each row once, in order");
}

#[tokio::test]
async fn no_attempt_leaves_before_its_due_time() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"retry": {"delays": [1, 2, 1]}})).await;
    j.receiver.always("/hook", Reply::status(500));

    let trace = j.api.send_one(&event("727")).await;
    let delivery = j.api.ended_delivery(&trace).await;

    assert_eq!(delivery["status"], "failed");
    let rows = attempts_of(&delivery);
    assert_eq!(rows.len(), 4);
    let seen = j.receiver.requests_of(&trace);
    for (place, delay) in [(0, 1), (1, 2), (2, 1)] {
        let due = instant(&rows[place]["nextAttemptAt"]);
        assert!(due - instant(&rows[place]["sentAt"]) >= TimeDelta::seconds(delay));
        assert!(instant(&rows[place + 1]["sentAt"]) + one_millisecond() >= due);
        assert!(utc(seen[place + 1].at) + one_millisecond() >= due);
    }
    assert!(rows[3]["nextAttemptAt"].is_null(), "the last attempt has none after it");
    assert!(delivery["nextAttemptAt"].is_null());
}

#[tokio::test]
async fn a_retry_delay_starts_at_the_end_of_the_failed_attempt() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"retry": {"delays": [60]}, "timeoutSeconds": 1})).await;
    let gate = Gate::closed();
    j.receiver.always("/hook", Reply::ok().held(&gate));

    let delivery = j.api.delivery_after_attempts(&j.api.send_one(&event("727")).await, 1).await;

    let row = &attempts_of(&delivery)[0];
    assert_eq!(row["error"]["kind"], "timeout");
    assert!(seconds_until_next_attempt(row) >= 61.0, "a second of timeout, then a minute: {row:#}");
    assert_eq!(delivery["nextAttemptAt"], row["nextAttemptAt"]);
    assert_eq!(delivery["status"], "pending");
}

#[tokio::test]
async fn without_retries_one_failure_exhausts_the_delivery() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"retry": {"delays": []}})).await;
    j.receiver.always("/hook", Reply::status(500));
    let delivery = j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    assert_eq!(delivery["status"], "failed");
    assert_eq!(attempts_of(&delivery).len(), 1);
    assert!(attempts_of(&delivery)[0]["nextAttemptAt"].is_null());
}

/// The row of a first attempt that failed with this reply, where the schedule says a minute.
async fn row_failed_with(reply: Reply) -> Value {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"retry": {"delays": [60]}})).await;
    j.receiver.replies("/hook", [reply]);
    let delivery = j.api.delivery_after_attempts(&j.api.send_one(&event("727")).await, 1).await;
    attempts_of(&delivery)[0].clone()
}

/// After a first failure with this reply the retry waits this many seconds, where the schedule says a minute.
async fn assert_retry_wait(reply: Reply, seconds: f64) {
    let row = row_failed_with(reply).await;
    assert!((retry_wait_seconds(&row) - seconds).abs() <= ROUNDING_SECONDS, "{seconds}: {row:#}");
}

fn retry_after(status: u16, value: &str) -> Reply {
    Reply::with(status, &[("Retry-After", value)], b"")
}

#[tokio::test]
async fn retry_after_on_429_and_503_makes_a_retry_later() {
    for status in [429, 503] {
        assert_retry_wait(retry_after(status, "120"), 120.0).await;
    }
}

#[tokio::test]
async fn retry_after_may_be_an_http_date() {
    let date = std::time::SystemTime::now() + std::time::Duration::from_secs(3600);
    let row = row_failed_with(retry_after(503, &httpdate::fmt_http_date(date))).await;
    // An HTTP date has whole seconds.
    assert_eq!(instant(&row["nextAttemptAt"]).timestamp(), utc(date).timestamp(), "{row:#}");
    // A date in the past is ignored.
    assert_retry_wait(retry_after(503, &httpdate::fmt_http_date(std::time::UNIX_EPOCH)), 60.0).await;
}

#[tokio::test]
async fn retry_after_never_shortens_a_delay_and_is_capped_at_24_hours() {
    assert_retry_wait(retry_after(503, "0"), 60.0).await;
    assert_retry_wait(retry_after(429, "604800"), 86_400.0).await;
    // What is neither a number nor a date is ignored.
    assert_retry_wait(retry_after(503, "soon"), 60.0).await;
    let row = row_failed_with(retry_after(429, "99999999999999999999")).await;
    assert!(retry_wait_seconds(&row) <= 86_400.0 + ROUNDING_SECONDS, "{row:#}");
}

#[tokio::test]
async fn retry_after_on_any_other_status_is_ignored() {
    for status in [301, 400, 500, 502] {
        assert_retry_wait(retry_after(status, "3600"), 60.0).await;
    }
}

#[tokio::test]
async fn a_retry_leaves_after_the_delay_of_retry_after() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"retry": {"delays": [1]}})).await;
    j.receiver.replies("/hook", [retry_after(429, "3")]);
    let trace = j.api.send_one(&event("727")).await;

    let delivery = j.api.ended_delivery(&trace).await;

    assert_eq!(delivery["status"], "succeeded");
    let rows = attempts_of(&delivery);
    let waited = instant(&rows[1]["sentAt"]) - instant(&rows[0]["sentAt"]);
    assert!(waited + one_millisecond() >= TimeDelta::seconds(3), "{waited}");
}

#[tokio::test]
async fn next_attempt_at_of_a_delivery_is_what_is_due_now() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"retry": {"delays": [300]}})).await;
    j.receiver.always("/hook", Reply::status(500));
    let before = utc(std::time::SystemTime::now());
    let trace = j.api.send_one(&event("727")).await;
    let delivery = j.api.delivery_after_attempts(&trace, 1).await;
    assert_eq!(delivery["status"], "pending");
    let failed = instant(&delivery["nextAttemptAt"]) - TimeDelta::seconds(300);
    assert!(
        before <= failed + one_millisecond()
            && failed <= utc(std::time::SystemTime::now()) + one_millisecond(),
        "{delivery:#}"
    );
}
