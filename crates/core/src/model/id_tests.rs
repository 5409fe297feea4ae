//! Identifiers by table.

use std::time::Duration;

use super::*;

#[test]
fn attempts_sort_by_time() {
    let time = Timestamp::from_millis(1_795_428_000_123);
    let later = Timestamp::from_millis(1_795_428_000_124);
    assert!(AttemptId::first_at(time) <= AttemptId::at(time));
    assert!(AttemptId::at(time) < AttemptId::first_at(later));
}

#[test]
fn attempts_of_a_delivery_sort_as_they_began() {
    let time = Timestamp::from_millis(1_795_428_000_123);
    let in_one_millisecond = (0..20).scan(None, |newest, _| {
        let id = AttemptId::at_or_after(time, *newest);
        newest.replace(id);
        Some(id)
    });
    assert!(in_one_millisecond.collect::<Vec<_>>().is_sorted_by(|before, after| before < after));
    let hour = Duration::from_secs(3600);
    let newest = AttemptId::at(time);
    assert!(AttemptId::at_or_after(time.minus(hour), Some(newest)) > newest);
    let later = AttemptId::at_or_after(time + hour, Some(newest));
    assert!(later > newest && later >= AttemptId::first_at(time + hour));
    let first = AttemptId::at_or_after(time, None);
    assert!(first >= AttemptId::first_at(time) && first < AttemptId::first_at(time + hour));
}

#[test]
fn traces_sort_by_time_and_are_spread_evenly() {
    let time = Timestamp::from_millis(1_795_428_000_123);
    let (event, one, other) = (EventId::at(time), SubscriptionId::at(time), SubscriptionId::at(time));
    assert_eq!(TraceId::of(event, one), TraceId::of(event, one));
    assert_ne!(TraceId::of(event, one), TraceId::of(event, other));
    assert!(TraceId::of(event, one) < TraceId::of(EventId::at(time + Duration::from_millis(1)), one));
    let spread = |_| TraceId::of(EventId::at(time), one).spread_byte();
    let found: std::collections::HashSet<_> = (0..4096).map(spread).collect();
    assert!(found.len() > 240, "{}", found.len());
}

#[test]
fn a_trace_begins_with_the_time_of_its_event() {
    let time = Timestamp::from_millis(1_795_428_000_123);
    let trace = TraceId::of(EventId::at(time), SubscriptionId::at(time));
    assert!(trace.begins_with(time) && !trace.begins_with(time.plus_millis(1)));
    assert!(TraceId::first_at(time) <= trace && trace < TraceId::first_at(time.plus_millis(1)));
    let older = EventId::from_uuid(uuid_at(time));
    assert!(!TraceId::of(older, SubscriptionId::at(time)).begins_with(time));
}

#[test]
fn the_trace_of_an_older_event_is_what_it_was() {
    let event = "01a226c1-a0cb-7883-b5a4-e7e7f3d0b716".parse().expect("a UUID");
    let subscription = "01a226c1-9c57-7d69-bcf7-6575e65e5fe3".parse().expect("a UUID");
    let trace = TraceId::of(event, subscription);
    assert_eq!(trace.to_string(), "277b0cc3-527c-53bc-9eb4-2f70f1c541ee");
    assert_eq!(trace.spread_byte(), 0x27);
}

#[test]
fn tenants_and_loans_by_table() {
    for (text, ok) in [("a", true), ("acme-2", true), ("", false), ("Acme", false), ("a b", false)] {
        assert_eq!(TenantId::try_from(text.to_owned()).is_ok(), ok, "{text:?}");
    }
    assert!(TenantId::try_from("a".repeat(65)).is_err());
    for (text, ok) in [
        ("727", true),
        ("Loan 7 (ü)", true),
        ("..7", true),
        ("", false),
        (".", false),
        ("..", false),
        ("a/b", false),
        ("a%2fb", false),
        ("a\u{7f}", false),
        ("a\u{85}", false),
    ] {
        assert_eq!(LoanId::try_from(text.to_owned()).is_ok(), ok, "{text:?}");
    }
    assert!(LoanId::try_from("ü".repeat(256)).is_ok());
    assert!(LoanId::try_from("ü".repeat(257)).is_err());
}

#[test]
fn the_loan_of_operational_events_is_none_that_a_caller_can_name_or_is_shown() {
    let operational = LoanId::operational();
    assert!(operational.is_operational());
    assert_eq!(operational.shown(), None);
    assert!(LoanId::try_from(operational.as_str().to_owned()).is_err());
    assert_eq!(LoanId::stored(operational.as_str().to_owned()), Ok(operational));
    for (text, is_loan) in [("727", true), ("operational", true), ("#other", false), ("", false)] {
        let loan = LoanId::stored(text.to_owned());
        assert_eq!(loan.as_ref().ok().and_then(LoanId::shown), is_loan.then_some(text), "{text}");
    }
}
