//! Failures in a row, recoveries and holds.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::model::flow::{EndedHold, FlowState, HeldBy, Hold, Probe};

const FAILED: EndOutcome = EndOutcome::Answered(503);
const TIMED_OUT: EndOutcome = EndOutcome::Unanswered("timeout");

/// The second in which something is told, and what.
type Told = (i64, OperationalKind);

/// The events that ends of these outcomes give, a second after each other.
fn told(outcomes: &[EndOutcome]) -> Vec<Told> {
    let mut state = OperationalState::default();
    let mut told = Vec::new();
    for (seconds, outcome) in (0..).zip(outcomes) {
        let event = state.record_end(&subject(), end(seconds, *outcome), None);
        told.extend(event.map(|event| (seconds, event.kind)));
    }
    told
}

#[test]
fn the_fourth_failure_in_a_row_is_told_once_until_a_success() {
    use EndOutcome::Succeeded;
    use OperationalKind::{SubscriptionFailing, SubscriptionRecovered};
    let table: [(&[EndOutcome], &[Told]); 7] = [
        (&[], &[]),
        (&[FAILED; 3], &[]),
        (&[FAILED; 4], &[(3, SubscriptionFailing)]),
        (&[TIMED_OUT; 9], &[(3, SubscriptionFailing)]),
        (&[FAILED, FAILED, FAILED, Succeeded, FAILED, FAILED, FAILED], &[]),
        (
            &[FAILED, FAILED, FAILED, FAILED, Succeeded, Succeeded],
            &[(3, SubscriptionFailing), (4, SubscriptionRecovered)],
        ),
        (
            &[FAILED, FAILED, FAILED, TIMED_OUT, Succeeded, FAILED, FAILED, FAILED, FAILED],
            &[(3, SubscriptionFailing), (4, SubscriptionRecovered), (8, SubscriptionFailing)],
        ),
    ];
    for (outcomes, expected) in table {
        assert_eq!(told(outcomes), expected, "{outcomes:?}");
    }
}

#[test]
fn what_is_told_of_failures_says_since_when_and_why() {
    for (last, code, error) in [
        (FAILED, 503.into(), serde_json::Value::Null),
        (TIMED_OUT, serde_json::Value::Null, "timeout".into()),
    ] {
        let mut state = OperationalState::default();
        for seconds in 0..3 {
            assert_eq!(state.record_end(&subject(), end(seconds, FAILED), None), None);
        }
        let event = state.record_end(&subject(), end(3, last), None).expect("the fourth");
        assert_eq!(fact(&event, "failures-in-a-row"), 4);
        assert_eq!(fact(&event, "since"), at(0).to_string());
        assert_eq!(fact(&event, "occurred-at"), at(3).to_string());
        assert_eq!((fact(&event, "last-response-code"), fact(&event, "last-error")), (code, error));
    }
}

#[test]
fn one_success_tells_one_recovery_whatever_is_over() {
    let hold = EndedHold { since: at(-60), at: at(9) };
    for (failures, ended, expected) in [
        (3, None, None),
        (3, Some(hold), Some((false, true))),
        (4, None, Some((true, false))),
        (4, Some(hold), Some((true, true))),
        (0, Some(hold), Some((false, true))),
    ] {
        let mut state = OperationalState::default();
        for seconds in 0..failures {
            state.record_end(&subject(), end(seconds, FAILED), None);
        }
        let event = state.record_end(&subject(), end(9, EndOutcome::Succeeded), ended);
        let told = event.as_ref().map(|event| {
            assert_eq!(event.kind, OperationalKind::SubscriptionRecovered);
            (!fact(event, "failing-since").is_null(), !fact(event, "held-since").is_null())
        });
        assert_eq!(told, expected, "{failures} failures, {ended:?}");
        assert!(state.is_default());
        // Who sees the hold alone makes the same event.
        if let (Some(event), Some(ended)) = (event, ended) {
            assert_eq!(OperationalEvent::recovered_from_hold(&subject(), ended).id, event.id);
        }
    }
}

#[test]
fn a_hold_is_told_when_it_begins() {
    let by_failures = HeldBy::Failures(Probe { due: at(30), delay: Duration::from_secs(30) });
    let held =
        |by: &HeldBy| FlowState { hold: Some(Hold { by: by.clone(), since: at(0) }), ..FlowState::default() };
    let by_hand = HeldBy::Operator("Ann".into());
    let free = FlowState::default();
    for (before, after, told) in [
        (&free, &held(&by_failures), Some("failures")),
        (&free, &held(&by_hand), Some("Ann")),
        (&held(&by_failures), &held(&by_hand), None),
        (&held(&by_hand), &held(&by_hand), None),
        (&held(&by_hand), &free, None),
        (&free, &free, None),
    ] {
        let event = OperationalEvent::held_by_change(&subject(), before, after);
        assert_eq!(event.map(|event| fact(&event, "by")), told.map(Into::into), "{before:?} {after:?}");
    }
}

proptest! {
    /// Failures and recoveries are told in turn, a run of four failures always, and nothing else; seen again, the same ends give
    /// events of the same IDs.
    #[test]
    fn failing_and_recovered_alternate(outcomes in proptest::collection::vec(prop::bool::weighted(0.3), 0..60)) {
        let run = || {
            let mut state = OperationalState::default();
            let ends = (0..).zip(&outcomes).map(|(seconds, succeeded)| {
                end(seconds, if *succeeded { EndOutcome::Succeeded } else { FAILED })
            });
            ends.filter_map(|end| state.record_end(&subject(), end, None)).collect::<Vec<_>>()
        };
        let events = run();
        let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
        for (index, kind) in kinds.iter().enumerate() {
            let expected = match index % 2 {
                0 => OperationalKind::SubscriptionFailing,
                _ => OperationalKind::SubscriptionRecovered,
            };
            prop_assert_eq!(*kind, expected);
        }
        let runs = outcomes.split(|succeeded| *succeeded).filter(|failures| failures.len() >= 4).count();
        prop_assert_eq!(kinds.len().div_ceil(2), runs);
        prop_assert_eq!(run(), events);
    }
}
