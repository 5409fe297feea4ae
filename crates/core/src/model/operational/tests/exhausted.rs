//! Windows of exhausted deliveries.

use super::*;
use crate::model::id::TraceId;

fn trace(number: u128) -> TraceId {
    TraceId::from_uuid(Uuid::from_u128(number))
}

/// The schedule of the delivery of this number ended so many seconds after the start: what that tells.
fn exhaust(state: &mut OperationalState, number: u128, seconds: i64) -> Option<OperationalEvent> {
    state.record_exhausted(&subject(), (trace(number), at(seconds)), EXHAUSTED_WINDOW)
}

#[test]
fn deliveries_of_five_minutes_are_told_together() {
    let mut state = OperationalState::default();
    for (seconds, number) in (0..30).zip(1..) {
        assert_eq!(exhaust(&mut state, number, 10 * seconds), None);
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
        assert_eq!(exhaust(&mut state, number, seconds), None);
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
    assert_eq!(exhaust(&mut state, 1, 0), None);
    state.forget_receiver();
    assert_eq!(state.failing, None);
    let renamed = Subject { title: "Another".into(), ..subject() };
    let events = state.advance(&renamed, None, EXHAUSTED_WINDOW, at(300));
    assert_eq!(events.iter().map(|event| fact(event, "title")).collect::<Vec<_>>(), [subject().title]);
    assert!(state.is_default());
}

/// Who is late to look at time counts no delivery into a window that it ended after.
#[test]
fn a_delivery_that_ends_after_the_window_tells_that_and_opens_another() {
    let from_and_count =
        |event: OperationalEvent| (fact(&event, "from"), fact(&event, "count"), event.occurred_at);
    let window =
        |from: i64, count: u32| (at(from).to_string().into(), count.into(), at(from) + EXHAUSTED_WINDOW);
    // When deliveries end, what the last tells, and the window that is open then.
    for (ends, told, open) in [
        (&[0, 299][..], None, (0, 2)),
        (&[0, 299, 300], Some((0, 2)), (300, 1)),
        (&[0, 10, 20, 1000], Some((0, 3)), (1000, 1)),
        (&[0, 1000, 1299], None, (1000, 2)),
        (&[0, 1000, 1300], Some((1000, 1)), (1300, 1)),
        // One that was seen late is told with the open ones.
        (&[0, 1000, 200], None, (1000, 2)),
    ] {
        let mut state = OperationalState::default();
        let last = ends.iter().zip(1..).map(|(end, number)| exhaust(&mut state, number, *end)).last();
        assert_eq!(
            last.flatten().map(from_and_count),
            told.map(|(from, count)| window(from, count)),
            "{ends:?}"
        );
        let left = state.advance(&subject(), None, EXHAUSTED_WINDOW, at(10_000));
        let left: Vec<_> = left.into_iter().map(from_and_count).collect();
        assert_eq!(left, [window(open.0, open.1)], "{ends:?}");
    }
}
