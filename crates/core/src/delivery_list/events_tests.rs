use proptest::prelude::*;

use super::*;
use crate::model::id::SubscriptionId;
use crate::model::ledger::{Decision, StoredContext, Verdict};
use crate::model::payload::PayloadKey;

const START: i64 = 1_795_428_000_000;

/// An event of so many deliveries, accepted so many milliseconds after the start.
fn event(millis: i64, deliveries: usize) -> LedgerEvent {
    let accepted_at = Timestamp::from_millis(START + millis);
    let id = EventId::at(accepted_at);
    let verdict = || {
        let subscription_id = SubscriptionId::at(accepted_at);
        let decision = Decision::Delivered(TraceId::of(id, subscription_id));
        Verdict { subscription_id, title: "Core".into(), version: 1, decision }
    };
    LedgerEvent {
        id,
        tenant: TenantId::try_from("acme".to_owned()).expect("a tenant"),
        loan_id: LoanId::try_from("727".to_owned()).expect("a loan"),
        name: "Payment".into(),
        occurred_at: None,
        accepted_at,
        test: false,
        context: StoredContext { payload: PayloadKey::of(b"{}"), offset: 0, bytes: 2 },
        verdicts: (0..deliveries).map(|_| verdict()).collect(),
    }
}

/// A part of the list, as an engine reads it.
fn part(events: &[LedgerEvent], span: &DeliverySpan, limit: usize) -> TracesOfEvents {
    let (oldest, before) = TracesOfEvents::bounds(span);
    let within = |event: &&LedgerEvent| {
        oldest.is_none_or(|oldest| oldest <= event.id) && before.is_none_or(|before| event.id < before)
    };
    let mut wanted = limit;
    loop {
        let read: Vec<_> = events.iter().filter(within).take(wanted).cloned().collect();
        let read_to = goes_on(&read, wanted, |event| event.accepted_at);
        if let Some(found) = TracesOfEvents::new(&read, read_to, span, limit) {
            return found;
        }
        wanted *= 2;
    }
}

proptest! {
    /// Events of few milliseconds, some without a delivery and some with many, read in parts of any length.
    #[test]
    fn parts_have_every_trace_within_the_span_once_the_newest_first(
        made in proptest::collection::vec((0..6_i64, 0..4_usize), 0..40),
        limit in 1..8_usize,
        from in proptest::option::of(0..6_i64),
    ) {
        let mut events: Vec<_> = made.into_iter().map(|(millis, deliveries)| event(millis, deliveries)).collect();
        events.sort_by_key(|event| Reverse(event.id));
        let from = from.map(|millis| Timestamp::from_millis(START + millis));
        let mut expected: Vec<_> = events
            .iter()
            .filter(|event| from.is_none_or(|from| from <= event.accepted_at))
            .flat_map(LedgerEvent::traces)
            .collect();
        expected.sort_unstable_by_key(|trace| Reverse(*trace));
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let TracesOfEvents { traces, goes_on } = part(&events, &DeliverySpan { from, before }, limit);
            prop_assert!(traces.len() <= limit);
            found.extend(traces);
            let Some(next) = goes_on else { break };
            prop_assert!(before.is_none_or(|before| next < before), "a part ends before the one before it");
            before = Some(next);
        }
        prop_assert_eq!(found, expected);
    }
}
