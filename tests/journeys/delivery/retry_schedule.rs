//! The automatic schedule: one attempt of each number, in order, none before its time.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::rows::{ROUNDING, clock, one_millisecond, well_formed};
use crate::harness::{Gate, Journey, Reply, event, instant, late, text, wait};

fn attempts(delivery: &Value) -> &[Value] {
    delivery["attempts"].as_array().expect("attempts")
}

#[tokio::test]
async fn success_on_the_third_retry_is_attempt_4() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({"retry": {"delays": [1, 1, 1, 1]}})).await;
    j.receiver.replies("/hook", [Reply::status(500), Reply::status(503), Reply::reset()]);

    let trace = j.api.send_one(&event("727")).await;
    let delivery = j.api.settled(&trace).await;

    assert_eq!(delivery["status"], "succeeded");
    let rows = attempts(&delivery);
    rows.iter().for_each(well_formed);
    let numbers: Vec<_> = rows.iter().map(|row| &row["attemptNumber"]).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
    assert_eq!(rows[3]["outcome"], "succeeded");
    assert!(rows.iter().all(|row| row["traceId"] == trace && row["manual"] == false));
    let seen = j.receiver.seen_of(&trace);
    let sent: Vec<_> = seen.iter().map(|request| (request.attempt(), request.attempt_id())).collect();
    let told: Vec<_> =
        ["1", "2", "3", "4"].into_iter().zip(rows.iter().map(|row| text(&row["id"]))).collect();
    assert_eq!(sent, told, "the receiver saw each row once, in order");
}

#[tokio::test]
async fn no_attempt_leaves_before_its_due_time() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({"retry": {"delays": [1, 2, 1]}})).await;
    j.receiver.always("/hook", Reply::status(500));

    let trace = j.api.send_one(&event("727")).await;
    let delivery = j.api.settled(&trace).await;

    assert_eq!(delivery["status"], "failed");
    let rows = attempts(&delivery);
    assert_eq!(rows.len(), 4);
    let seen = j.receiver.seen_of(&trace);
    for (place, delay) in [(0, 1), (1, 2), (2, 1)] {
        let due = instant(&rows[place]["nextAttemptAt"]);
        assert!(due - instant(&rows[place]["sentAt"]) >= TimeDelta::seconds(delay));
        assert!(instant(&rows[place + 1]["sentAt"]) + one_millisecond() >= due);
        assert!(clock(seen[place + 1].at) + one_millisecond() >= due);
    }
    assert!(rows[3]["nextAttemptAt"].is_null(), "the last attempt has none after it");
    assert!(delivery["nextAttemptAt"].is_null());
}

#[tokio::test]
async fn the_clock_of_a_retry_starts_when_the_failed_attempt_ended() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({"retry": {"delays": [60]}, "timeoutSeconds": 1})).await;
    let gate = Gate::closed();
    j.receiver.always("/hook", Reply::ok().held(&gate));

    let delivery = j.api.after_attempts(&j.api.send_one(&event("727")).await, 1).await;

    let row = &attempts(&delivery)[0];
    assert_eq!(row["error"]["kind"], "timeout");
    assert!(late(row) >= 61.0, "a second of timeout, then a minute: {row:#}");
    assert_eq!(delivery["nextAttemptAt"], row["nextAttemptAt"]);
    assert_eq!(delivery["status"], "pending");
}

#[tokio::test]
async fn without_retries_one_failure_is_the_end() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({"retry": {"delays": []}})).await;
    j.receiver.always("/hook", Reply::status(500));
    let delivery = j.api.settled(&j.api.send_one(&event("727")).await).await;
    assert_eq!(delivery["status"], "failed");
    assert_eq!(attempts(&delivery).len(), 1);
    assert!(attempts(&delivery)[0]["nextAttemptAt"].is_null());
}

/// The row of a first failure with this answer, where the schedule says a minute.
async fn failed_by(reply: Reply) -> Value {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({"retry": {"delays": [60]}})).await;
    j.receiver.replies("/hook", [reply]);
    let delivery = j.api.after_attempts(&j.api.send_one(&event("727")).await, 1).await;
    attempts(&delivery)[0].clone()
}

/// After a first failure with this answer, so many seconds are waited, where the schedule says a minute.
async fn is_waited(reply: Reply, seconds: f64) {
    let row = failed_by(reply).await;
    assert!((wait(&row) - seconds).abs() <= ROUNDING, "{seconds}: {row:#}");
}

fn retry_after(status: u16, value: &str) -> Reply {
    Reply::with(status, &[("Retry-After", value)], b"")
}

#[tokio::test]
async fn retry_after_on_429_and_503_makes_a_retry_later() {
    for status in [429, 503] {
        is_waited(retry_after(status, "120"), 120.0).await;
    }
}

#[tokio::test]
async fn retry_after_may_be_an_http_date() {
    let date = std::time::SystemTime::now() + std::time::Duration::from_secs(3600);
    let row = failed_by(retry_after(503, &httpdate::fmt_http_date(date))).await;
    // Such a date has whole seconds.
    assert_eq!(instant(&row["nextAttemptAt"]).timestamp(), clock(date).timestamp(), "{row:#}");
    // One that is past changes nothing.
    is_waited(retry_after(503, &httpdate::fmt_http_date(std::time::UNIX_EPOCH)), 60.0).await;
}

#[tokio::test]
async fn retry_after_makes_no_retry_earlier_and_none_later_than_24_hours() {
    is_waited(retry_after(503, "0"), 60.0).await;
    is_waited(retry_after(429, "604800"), 86_400.0).await;
    // What is neither a number nor a date changes nothing.
    is_waited(retry_after(503, "soon"), 60.0).await;
    let row = failed_by(retry_after(429, "99999999999999999999")).await;
    assert!(wait(&row) <= 86_400.0 + ROUNDING, "{row:#}");
}

#[tokio::test]
async fn retry_after_on_any_other_answer_changes_nothing() {
    for status in [301, 400, 500, 502] {
        is_waited(retry_after(status, "3600"), 60.0).await;
    }
}

#[tokio::test]
async fn a_retry_that_was_put_off_is_really_waited_for() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({"retry": {"delays": [1]}})).await;
    j.receiver.replies("/hook", [retry_after(429, "3")]);
    let trace = j.api.send_one(&event("727")).await;

    let delivery = j.api.settled(&trace).await;

    assert_eq!(delivery["status"], "succeeded");
    let rows = attempts(&delivery);
    let waited = instant(&rows[1]["sentAt"]) - instant(&rows[0]["sentAt"]);
    assert!(waited + one_millisecond() >= TimeDelta::seconds(3), "{waited}");
}

#[tokio::test]
async fn the_delivery_says_what_is_due_now() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({"retry": {"delays": [300]}})).await;
    j.receiver.always("/hook", Reply::status(500));
    let before = clock(std::time::SystemTime::now());
    let trace = j.api.send_one(&event("727")).await;
    let delivery = j.api.after_attempts(&trace, 1).await;
    assert_eq!(delivery["status"], "pending");
    let failed = instant(&delivery["nextAttemptAt"]) - TimeDelta::seconds(300);
    assert!(
        before <= failed + one_millisecond()
            && failed <= clock(std::time::SystemTime::now()) + one_millisecond(),
        "{delivery:#}"
    );
}
