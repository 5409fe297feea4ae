//! How much room a transaction leaves for what was gathered.

use std::collections::BTreeSet;
use std::time::Duration;

use uuid::Uuid;

use super::super::happening::ScheduleEnd;
use super::super::observers::{IsObserver, Observed, Observers};
use super::super::states::StoredState;
use super::*;
use crate::cache::SubscriptionList;
use loanhook_core::model::id::{AttemptId, LoanId, SubscriptionId, TraceId};
use loanhook_core::model::operational::{AttemptEnd, EndOutcome, FailingRun, OperationalState};

fn ended(subscription: u128, outcome: EndOutcome) -> Happening {
    let tenant = TenantId::try_from("acme".to_owned()).expect("a tenant");
    let of = Receiver { tenant, subscription_id: SubscriptionId::from_uuid(Uuid::from_u128(subscription)) };
    let at = Timestamp::from_millis(1_795_428_000_000);
    Happening::Ended {
        of,
        title: "Core".into(),
        end: AttemptEnd { ended_at: at, attempt: AttemptId::at(at), outcome },
    }
}

#[test]
fn successes_take_no_room_and_failures_that_of_a_state_and_their_events() {
    let states = States::default();
    let mut gathered = Gathered::default();
    let (success, failure) = (EndOutcome::Succeeded, EndOutcome::Answered(500));
    for (subscription, outcome, items) in [
        (1, success, 0),
        (1, success, 0),
        // The state, an event of four failures, one of the success after them, and one for a run that was told before.
        (1, failure, 4),
        (1, failure, 4),
        (1, failure, 4),
        (1, failure, 4),
        (1, failure, 6),
        (2, success, 6),
        (3, failure, 10),
    ] {
        gathered.add(ended(subscription, outcome), &states);
        assert_eq!(gathered.item_count(), items, "{subscription} {outcome:?}");
    }
}

#[test]
fn a_failure_of_a_run_that_was_told_takes_no_room_before_a_success() {
    let (success, failure) = (EndOutcome::Succeeded, EndOutcome::Answered(500));
    let told_at = Timestamp::from_millis(1_795_428_000_000);
    // By when somebody began to observe: a run that is older is forgotten.
    for (since, expected) in [(told_at, [0, 0, 4, 4, 4]), (told_at + Duration::from_millis(1), [4; 5])] {
        let mut states = States::default();
        let of = ended(1, failure).receiver().expect("a subscription").clone();
        let failing = Some(FailingRun { count: 4, since: told_at });
        let state = OperationalState { failing, ..OperationalState::default() };
        let observers = Observers::new(since, []);
        let (subscriptions, unread) = (SubscriptionList::default(), BTreeSet::new());
        let observed = Observed { observers, subscriptions, unread };
        states.put_observed(of.tenant.clone(), Some(observed));
        states.put(of, StoredState::followed_by(state).expect("a document"));
        let mut gathered = Gathered::default();
        for (outcome, items) in [failure, failure, success, failure, failure].into_iter().zip(expected) {
            gathered.add(ended(1, outcome), &states);
            assert_eq!(gathered.item_count(), items, "{outcome:?} {since}");
        }
    }
}

#[test]
fn exhausted_deliveries_have_room_for_each_window_that_may_end() {
    let (states, mut gathered) = (States::default(), Gathered::default());
    let of = ended(1, EndOutcome::Succeeded).receiver().expect("a subscription").clone();
    let start = Timestamp::from_millis(1_795_428_000_000);
    // The state, an event of a success, and a window that was open before.
    for (seconds, items) in [(300, 3), (599, 3), (600, 4), (300, 4), (1, 4), (901, 6)] {
        let at = Some(start.plus_millis(1000 * seconds));
        let attempt = AttemptId::from_uuid(Uuid::from_u128(9));
        let end = ScheduleEnd { loan: LoanId::operational(), attempt, at };
        let trace = TraceId::from_uuid(Uuid::from_u128(9));
        let happening = Happening::Exhausted { of: of.clone(), title: "Core".into(), trace, end };
        gathered.add(happening, &states);
        assert_eq!(gathered.item_count(), items, "{seconds}");
    }
}

#[test]
fn a_changed_tenant_is_a_look_and_its_observers_however_often_it_changes() {
    let (states, mut gathered) = (States::default(), Gathered::default());
    let tenant = TenantId::try_from("acme".to_owned()).expect("a tenant");
    for number in 0..3 {
        let subscription = SubscriptionId::from_uuid(Uuid::from_u128(number));
        let change = SettingsChange { tenant: tenant.clone(), subscription, is_observer: IsObserver::No };
        gathered.add(Happening::SettingsChanged(change), &states);
    }
    assert_eq!((gathered.item_count(), gathered.settings_changes().count()), (2, 3));
}
