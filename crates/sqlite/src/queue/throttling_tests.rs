//! Rules of throttling: queues that a limit or a hold keeps back, and what wakes them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::fair_shares::PermitCounts;
use super::pace::ShareBounds;
use super::{NextQueue, QueueId, QueueScheduler, WirePermits};
use loanhook_core::model::flow::throttle::SentBefore;
use loanhook_core::model::flow::{EndedHold, FlowSettings, FlowState, HeldBy, Hold, Probe};
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::time::Timestamp;

const SECOND: Duration = Duration::from_secs(1);
const BOUNDS: ShareBounds = ShareBounds { initial: 16, most: 64 };

fn queue(number: u128, automatic: bool) -> QueueId {
    let tenant = TenantId::try_from("acme".to_owned()).expect("a tenant");
    QueueId { tenant, subscription: SubscriptionId::from_uuid(Uuid::from_u128(number)), automatic }
}

fn free() -> PermitCounts {
    PermitCounts { total: 256, free: 256 }
}

/// A scheduler whose first subscription has these settings.
fn scheduler(settings: FlowSettings) -> Arc<QueueScheduler> {
    let scheduler = Arc::new(QueueScheduler::default());
    let id = queue(1, true);
    scheduler.set_flow_settings((&id.tenant, id.subscription), settings, SentBefore::Nothing);
    scheduler
}

fn set_state(scheduler: &QueueScheduler, state: &FlowState) {
    let id = queue(1, true);
    scheduler.set_flow_state((&id.tenant, id.subscription), state);
}

fn held_by(by: HeldBy) -> FlowState {
    FlowState { hold: Some(Hold { by, since: Timestamp::now() }), ..FlowState::default() }
}

fn ended() -> FlowState {
    let now = Timestamp::now();
    FlowState { ended: Some(EndedHold { since: now, at: now }), ..FlowState::default() }
}

/// The permits of the next queue, where it is this one.
fn next(scheduler: &Arc<QueueScheduler>, expected: &QueueId) -> Option<WirePermits> {
    match scheduler.next_queue(BOUNDS.initial, free, Timestamp::now()) {
        NextQueue::Ready(found, reserved) => {
            assert_eq!(found, *expected);
            Some(WirePermits::reserved(scheduler, found, reserved))
        }
        NextQueue::Idle(_) => None,
    }
}

fn idle_until(scheduler: &QueueScheduler) -> Option<Timestamp> {
    match scheduler.next_queue(BOUNDS.initial, free, Timestamp::now()) {
        NextQueue::Idle(due) => due,
        NextQueue::Ready(queue, reserved) => panic!("{queue:?} may begin {}", reserved.count),
    }
}

/// Whether a first attempt would begin in the commit of its event.
fn is_admitted(scheduler: &Arc<QueueScheduler>) -> bool {
    let now = Timestamp::now();
    WirePermits::reserve_one(scheduler, queue(1, true), BOUNDS.initial, free(), now).is_some()
}

#[test]
fn a_queue_at_the_limit_of_its_subscription_goes_on_as_requests_end() {
    let scheduler = scheduler(FlowSettings { max_in_flight: Some(2), ..FlowSettings::default() });
    let (automatic, resends) = (queue(1, true), queue(1, false));
    scheduler.schedule(automatic.clone(), Timestamp::now());
    let mut permits = next(&scheduler, &automatic).expect("due");
    assert_eq!(permits.count, 2);
    scheduler.schedule(resends.clone(), Timestamp::now());
    scheduler.schedule(automatic.clone(), Timestamp::now());
    assert_eq!(idle_until(&scheduler), None, "nothing is asked again until a request ends");
    assert_eq!(permits.reserve_more(BOUNDS.initial, free()), 0);
    drop(permits.split_one());
    let resend = next(&scheduler, &resends).expect("room for one");
    assert_eq!(resend.count, 1);
    assert!(next(&scheduler, &automatic).is_none());
    drop(permits);
    assert_eq!(next(&scheduler, &automatic).map(|permits| permits.count), Some(1));
}

#[test]
fn a_queue_without_a_token_has_a_timer_and_other_queues_go_on() {
    let scheduler = scheduler(FlowSettings { max_per_second: Some(0.1), ..FlowSettings::default() });
    let id = queue(1, true);
    let start = Timestamp::now();
    scheduler.schedule(id.clone(), start);
    let sent = next(&scheduler, &id).expect("a token").split_one().expect("one").begin_sending(BOUNDS);
    drop(sent);
    scheduler.schedule(id.clone(), start);
    let timer = idle_until(&scheduler).expect("a timer");
    assert!(timer > start + 9 * SECOND && timer <= Timestamp::now() + 11 * SECOND, "{timer}");
    assert!(!is_admitted(&scheduler));
    // Another message of it changes nothing.
    scheduler.schedule(id, start);
    assert_eq!(idle_until(&scheduler), Some(timer));
    scheduler.schedule(queue(2, true), start);
    assert!(next(&scheduler, &queue(2, true)).is_some());
    scheduler.set_flow_settings(
        (&queue(1, true).tenant, queue(1, true).subscription),
        FlowSettings::default(),
        SentBefore::Unknown,
    );
    assert!(next(&scheduler, &queue(1, true)).is_some(), "without the limit it goes on at once");
}

#[test]
fn a_held_queue_has_no_timer_and_goes_on_once_it_is_released() {
    let scheduler = scheduler(FlowSettings::default());
    set_state(&scheduler, &held_by(HeldBy::Operator("Ann".into())));
    let (automatic, resends) = (queue(1, true), queue(1, false));
    scheduler.schedule(automatic.clone(), Timestamp::now());
    assert_eq!(idle_until(&scheduler), None);
    assert!(!is_admitted(&scheduler));
    scheduler.schedule(resends.clone(), Timestamp::now());
    assert!(next(&scheduler, &resends).is_some());
    assert_eq!(idle_until(&scheduler), None);
    set_state(&scheduler, &ended());
    let mut permits = next(&scheduler, &automatic).expect("released");
    assert_eq!(permits.count, 4, "slowly at first");
    assert_eq!(permits.reserve_more(BOUNDS.initial, free()), 0);
}

#[test]
fn a_probe_leaves_when_it_is_due_and_alone() {
    let scheduler = scheduler(FlowSettings { hold_after_failures: Some(3), ..FlowSettings::default() });
    let id = queue(1, true);
    scheduler.schedule(id.clone(), Timestamp::now());
    let later = Timestamp::now() + 20 * SECOND;
    set_state(&scheduler, &held_by(HeldBy::Failures(Probe { due: later, delay: 30 * SECOND })));
    assert_eq!(idle_until(&scheduler), Some(later));
    let due = Timestamp::now();
    set_state(&scheduler, &held_by(HeldBy::Failures(Probe { due, delay: 30 * SECOND })));
    let mut probe = next(&scheduler, &id).expect("a probe");
    assert_eq!((probe.count, probe.reserve_more(BOUNDS.initial, free())), (1, 0));
    let sending = probe.split_one().expect("one").begin_sending(BOUNDS);
    scheduler.schedule(id.clone(), due);
    assert_eq!(idle_until(&scheduler), None, "until it ends");
    drop(sending);
    let next_probe = idle_until(&scheduler).expect("not before its end is recorded");
    assert!(next_probe >= due + 59 * SECOND, "{next_probe}");
    scheduler.end_probe(id.subscription);
    assert_eq!(next(&scheduler, &id).map(|permits| permits.count), Some(1), "it was interrupted");
}

#[test]
fn a_probe_whose_message_led_to_no_request_puts_the_next_off_no_longer() {
    let scheduler = scheduler(FlowSettings { hold_after_failures: Some(3), ..FlowSettings::default() });
    let (id, due) = (queue(1, true), Timestamp::now());
    set_state(&scheduler, &held_by(HeldBy::Failures(Probe { due, delay: 30 * SECOND })));
    scheduler.schedule(id.clone(), due);
    let probe = next(&scheduler, &id).expect("a probe").split_one().expect("one");
    assert!(scheduler.begin_handling(&id, 1));
    probe.hand_over();
    scheduler.schedule(id.clone(), due);
    assert_eq!(idle_until(&scheduler), None, "until it ends");
    scheduler.end_handling(&id, 1);
    assert_eq!(next(&scheduler, &id).map(|permits| permits.count), Some(1));
}

#[test]
fn the_end_of_an_attempt_wakes_no_queue_that_waits_for_its_rate() {
    let scheduler = scheduler(FlowSettings { max_per_second: Some(0.1), ..FlowSettings::default() });
    let (id, now) = (queue(1, true), Timestamp::now());
    scheduler.schedule(id.clone(), now);
    let sent = next(&scheduler, &id).expect("a token").split_one().expect("one").begin_sending(BOUNDS);
    scheduler.schedule(id.clone(), now);
    assert!(idle_until(&scheduler).is_some());
    drop(sent);
    scheduler.end_probe(id.subscription);
    let other = WirePermits::reserve_one(&scheduler, queue(2, true), BOUNDS.initial, free(), now);
    assert!(other.is_some(), "no queue is ready");
}

#[test]
fn a_queue_without_a_token_goes_on_when_one_is_given_back() {
    let scheduler = scheduler(FlowSettings { max_per_second: Some(0.1), ..FlowSettings::default() });
    let (automatic, resends) = (queue(1, true), queue(1, false));
    scheduler.schedule(automatic.clone(), Timestamp::now());
    let unused = next(&scheduler, &automatic).expect("a token");
    scheduler.schedule(resends.clone(), Timestamp::now());
    assert!(next(&scheduler, &resends).is_none());
    drop(unused);
    assert!(next(&scheduler, &resends).is_some());
}

#[test]
fn a_probe_follows_a_clock_that_is_set() {
    let scheduler = scheduler(FlowSettings { hold_after_failures: Some(3), ..FlowSettings::default() });
    let due = Timestamp::now() + 20 * SECOND;
    set_state(&scheduler, &held_by(HeldBy::Failures(Probe { due, delay: 30 * SECOND })));
    scheduler.schedule(queue(1, true), Timestamp::now());
    assert_eq!(idle_until(&scheduler), Some(due));
    for millis in [3_600_000, -3_590_000] {
        let before = idle_until(&scheduler).expect("a timer");
        scheduler.shift_due_times(millis);
        assert_eq!(idle_until(&scheduler), Some(before.plus_millis(millis)));
    }
    // The hold has moved too: whatever wakes the queue, it is not earlier.
    let settings = FlowSettings { hold_after_failures: Some(3), ..FlowSettings::default() };
    let id = queue(1, true);
    scheduler.set_flow_settings((&id.tenant, id.subscription), settings, SentBefore::Unknown);
    assert_eq!(idle_until(&scheduler), Some(due + 10 * SECOND));
}

#[test]
fn a_throttle_of_a_deleted_subscription_stays_while_something_waits() {
    let (scheduler, id) = (scheduler(FlowSettings::default()), queue(1, true));
    let of = (&id.tenant, id.subscription);
    set_state(&scheduler, &held_by(HeldBy::Operator("Ann".into())));
    scheduler.schedule(id.clone(), Timestamp::now());
    assert_eq!(idle_until(&scheduler), None);
    scheduler.forget_flow_state(of);
    assert_eq!(next(&scheduler, &id).map(|permits| permits.count), Some(4), "slowly at first");
    set_state(&scheduler, &held_by(HeldBy::Operator("Ann".into())));
    scheduler.forget_flow_state(of);
    assert!(scheduler.state().throttles.is_empty(), "nothing waits");
}

#[test]
fn a_subscription_without_flow_has_no_throttle() {
    let scheduler = scheduler(FlowSettings { max_in_flight: Some(2), ..FlowSettings::default() });
    let id = queue(1, true);
    let of = (&id.tenant, id.subscription);
    scheduler.set_flow_settings(of, FlowSettings::default(), SentBefore::Unknown);
    scheduler.set_flow_settings(
        (&id.tenant, queue(2, true).subscription),
        FlowSettings::default(),
        SentBefore::Nothing,
    );
    scheduler.end_probe(id.subscription);
    scheduler.forget_flow_state(of);
    assert_eq!(scheduler.flows(&id.tenant, Timestamp::now()), BTreeMap::new());
    assert!(scheduler.state().throttles.is_empty());
}
