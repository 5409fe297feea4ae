//! Windows of exhausted deliveries.

use super::*;
use crate::model::id::TraceId;

fn trace(number: u128) -> TraceId {
    TraceId::from_uuid(Uuid::from_u128(number))
}

#[test]
fn deliveries_of_five_minutes_are_told_together() {
    let mut state = OperationalState::default();
    for (seconds, number) in (0..30).zip(1..) {
        state.record_exhausted(&subject(), trace(number), at(10 * seconds));
    }
    assert_eq!(state.next_due(None, EXHAUSTED_WINDOW), Some(at(300)));
    let before = at(300).plus_millis(-1);
    assert_eq!(state.advance(&subject(), None, EXHAUSTED_WINDOW, before), []);
    let events = state.advance(&subject(), None, EXHAUSTED_WINDOW, at(300));
    let [event] = &events[..] else { panic!("{events:?}") };
    assert_eq!(event.kind, OperationalKind::DeliveryExhausted);
    assert_eq!(fact(event, "count"), 30);
    let first: Vec<_> = (1..=20).map(|number| trace(number).to_string()).collect();
    assert_eq!(fact(event, "trace-ids"), serde_json::Value::from(first));
    assert_eq!(
        (fact(event, "from"), fact(event, "to")),
        (at(0).to_string().into(), at(300).to_string().into())
    );
    assert!(state.is_default());
    assert_eq!(state.next_due(None, EXHAUSTED_WINDOW), None);
}

#[test]
fn each_window_is_an_event_of_its_own() {
    let mut state = OperationalState::default();
    let mut told = |number, seconds| {
        state.record_exhausted(&subject(), trace(number), at(seconds));
        state.advance(&subject(), None, EXHAUSTED_WINDOW, at(seconds + 300)).remove(0)
    };
    let (first, again, second) = (told(1, 0), told(1, 0), told(2, 400));
    assert_eq!(first, again);
    assert_ne!(first.id, second.id);
}

#[test]
fn a_deleted_subscription_still_tells_what_was_exhausted() {
    let mut state = OperationalState::default();
    state.record_end(&subject(), end(0, EndOutcome::Answered(500)), None);
    state.record_exhausted(&subject(), trace(1), at(0));
    state.forget_receiver();
    assert_eq!(state.failing, None);
    let renamed = Subject { title: "Another".into(), ..subject() };
    let events = state.advance(&renamed, None, EXHAUSTED_WINDOW, at(300));
    assert_eq!(events.iter().map(|event| fact(event, "title")).collect::<Vec<_>>(), [subject().title]);
    assert!(state.is_default());
}
