//! Notice of certificates.

use super::*;
use crate::model::subscription::ClientCertificate;

const DAY: i64 = 24 * 3600;

/// A certificate that ends so many days after the start, and its end.
fn certificate(days: i64) -> (ClientCertificate, Timestamp) {
    let mut parameters = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
    parameters.distinguished_name.push(rcgen::DnType::CommonName, "hooks");
    let end = chrono::DateTime::from_timestamp_millis(at(days * DAY).millis()).expect("a time");
    let date = |text: String| text.parse::<i32>().expect("a number");
    parameters.not_after = rcgen::date_time_ymd(
        date(end.format("%Y").to_string()),
        u8::try_from(date(end.format("%m").to_string())).expect("a month"),
        u8::try_from(date(end.format("%d").to_string())).expect("a day"),
    );
    let key = rcgen::KeyPair::generate().expect("a key");
    let made = parameters.self_signed(&key).expect("a certificate");
    let made = ClientCertificate { certificate: made.pem(), key: String::new() };
    let expires_at = made.expires_at().expect("an end");
    (made, expires_at)
}

#[test]
fn notice_is_given_once_for_each_threshold_the_nearest_alone() {
    let (certificate, end) = certificate(40);
    let mut state = OperationalState::default();
    let mut told = Vec::new();
    // Every half day, from 35 days before the end to 5 days after it.
    for half_days in -70..=10 {
        let now = end.plus_millis(half_days * DAY * 500);
        let due = state.next_due(Some(&certificate), EXHAUSTED_WINDOW).is_some_and(|due| due <= now);
        let events = state.advance(&subject(), Some(&certificate), EXHAUSTED_WINDOW, now);
        assert_eq!(!events.is_empty(), due, "{half_days}");
        told.extend(events.iter().map(|event| fact(event, "days-left")));
    }
    assert_eq!(told, [30, 7, 1]);
    assert_eq!(state.next_due(Some(&certificate), EXHAUSTED_WINDOW), None);

    for (left, expected) in [
        (31, None),
        (30, Some(30)),
        (20, Some(20)),
        (7, Some(7)),
        (3, Some(3)),
        (1, Some(1)),
        (0, Some(0)),
        (-9, Some(0)),
    ] {
        let now = end.plus_millis(-left * DAY * 1000);
        let events =
            OperationalState::default().advance(&subject(), Some(&certificate), EXHAUSTED_WINDOW, now);
        let left: Vec<_> = events.iter().map(|event| fact(event, "days-left")).collect();
        assert_eq!(left, expected.into_iter().map(serde_json::Value::from).collect::<Vec<_>>());
    }
}

#[test]
fn another_certificate_is_told_anew() {
    let ((first, end), (second, _)) = (certificate(40), certificate(40));
    let now = end.plus_millis(-DAY * 1000);
    let mut state = OperationalState::default();
    let mut ids = Vec::new();
    for certificate in [&first, &first, &second] {
        let events = state.advance(&subject(), Some(certificate), EXHAUSTED_WINDOW, now);
        ids.extend(events.iter().map(|event| event.id));
    }
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0], ids[1]);
    assert_eq!(state.advance(&subject(), None, EXHAUSTED_WINDOW, now), []);
    assert!(state.is_default(), "there is no certificate any more");
}

#[test]
fn a_notice_names_whose_certificate_it_is() {
    let (certificate, end) = certificate(40);
    let events = OperationalState::default().advance(&subject(), Some(&certificate), EXHAUSTED_WINDOW, end);
    assert_eq!(fact(&events[0], "subject"), "CN=hooks");
    assert_eq!(fact(&events[0], "expires-at"), end.to_string());
}
