//! Documents from before version 1 was complete: fields that they do not have, and what their absence means.

use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::DeliverySnapshot;
use loanhook_core::model::key::{Key, KeySource};
use loanhook_core::model::retry::{Exponential, RetryPolicy};
use loanhook_core::model::time::Timestamp;

use crate::{Document, read};

/// A golden file without a text that is in it.
fn without<D: Document>(golden: &str, text: &str) -> D {
    assert!(golden.contains(text), "{text}");
    read(&golden.replace(text, "")).expect(text)
}

#[test]
fn an_attempt_says_nothing_of_dropped_header_lines_where_none_were_counted() {
    let golden = include_str!("../../tests/golden/attempt.headers-dropped.json");
    let row: Attempt = without(golden, r#","headers_dropped":1"#);
    let response = row.completion().and_then(|completion| completion.response.clone());
    assert_eq!(response.map(|response| response.headers_dropped), Some(0));
}

#[test]
fn a_failure_without_a_phase_is_one_of_which_nobody_knows_the_phase() {
    let golden = include_str!("../../tests/golden/attempt.error-dns-resolve.json");
    let row: Attempt = without(golden, r#""phase":"resolve","#);
    let error = row.completion().and_then(|completion| completion.error().cloned());
    assert_eq!(error.map(|error| error.phase), Some(None));
}

#[test]
fn keys_that_were_stored_without_a_source_or_an_end_are_read() {
    let stored = r#"{"id":"0193b2a4-0000-7000-8000-000000000001","tenant":"default","name":"admin",
        "scopes":["admin"],"createdAt":"2026-11-23T10:00:00.000Z"}"#;
    let key: Key = read(stored).expect("a key");
    assert_eq!((key.source, key.expires_at), (KeySource::Api, None));
    assert!(key.is_valid_at(Timestamp::from_millis(i64::MAX)));
}

#[test]
fn an_exponential_policy_without_jitter_has_none() {
    let golden = include_str!("../../tests/golden/snapshot.exponential-without-jitter.json");
    let snapshot: DeliverySnapshot = without(golden, r#","jitter":0.0"#);
    let RetryPolicy::Exponential { exponential: Exponential { jitter, .. } } = snapshot.retry else {
        panic!("another form: {:?}", snapshot.retry);
    };
    assert!(jitter.abs() < f64::EPSILON);
}

#[test]
fn a_field_that_is_not_known_is_ignored_but_in_an_exponential_policy() {
    let golden = include_str!("../../tests/golden/snapshot.exponential-without-jitter.json");
    let with = |place: &str| golden.replacen(place, &format!(r#"{place}"not known":1,"#), 1);
    assert!(read::<DeliverySnapshot>(&with("{")).is_ok());
    assert!(read::<DeliverySnapshot>(&with(r#""request":{"#)).is_ok());
    assert!(read::<DeliverySnapshot>(&with(r#""exponential":{"#)).is_err());
}
