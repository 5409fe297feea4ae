use std::time::Duration;

use uuid::Uuid;

use super::*;
use crate::queue::queue_states::QueueId;
use loanhook_core::model::id::{TenantId, TraceId};
use loanhook_core::ports::DueWork;

const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);
const SECOND: Duration = Duration::from_secs(1);

fn lane(number: u128) -> QueueId {
    QueueId {
        tenant: tenant(),
        subscription: SubscriptionId::from_uuid(Uuid::from_u128(number)),
        automatic: true,
    }
}

fn tenant() -> TenantId {
    TenantId::try_from("acme".to_owned()).expect("a tenant")
}

/// So many slots are free of 256.
fn free(free: usize) -> PermitCounts {
    PermitCounts { total: 256, free }
}

fn number(lane: &QueueId) -> u128 {
    lane.subscription.uuid().as_u128()
}

fn lanes(due: &[(u128, Timestamp)]) -> Arc<QueueScheduler> {
    let lanes = Arc::new(QueueScheduler::default());
    for (number, due) in due {
        lanes.schedule(lane(*number), *due);
    }
    lanes
}

/// The lane whose turn it is, and its places.
fn turn(lanes: &Arc<QueueScheduler>, most: usize) -> Option<(u128, WirePermits)> {
    match lanes.next_queue(most, || free(256), NOW) {
        NextQueue::Ready(lane, room) => Some((number(&lane), WirePermits::taken(lanes, lane, room))),
        NextQueue::Idle(_) => None,
    }
}

/// The same, where the places are given back at once.
fn glance(lanes: &Arc<QueueScheduler>, most: usize) -> Option<(u128, usize)> {
    turn(lanes, most).map(|(number, places)| (number, places.count))
}

fn waits_until(lanes: &QueueScheduler, most: usize) -> Option<Timestamp> {
    match lanes.next_queue(most, || free(256), NOW) {
        NextQueue::Idle(due) => due,
        NextQueue::Ready(lane, _) => panic!("{lane:?} has something due"),
    }
}

#[test]
fn lanes_take_turns() {
    let lanes = lanes(&[(1, NOW), (2, NOW), (3, NOW)]);
    let mut turns = Vec::new();
    for _ in 0..7 {
        let (number, _) = glance(&lanes, 16).expect("one is due");
        turns.push(number);
        // It has more.
        lanes.schedule(lane(number), NOW);
    }
    assert_eq!(turns, [1, 2, 3, 1, 2, 3, 1]);
}

#[test]
fn a_full_lane_is_skipped_and_wakes_nobody_until_it_has_room() {
    let lanes = lanes(&[(1, NOW), (2, NOW)]);
    let (_, mut under_way) = turn(&lanes, 2).expect("due");
    lanes.schedule(lane(1), NOW);
    assert_eq!(glance(&lanes, 2), Some((2, 2)), "the first is full");
    assert_eq!(waits_until(&lanes, 2), None);
    drop(under_way.split_one());
    assert_eq!(glance(&lanes, 2), Some((1, 1)), "there is room for one");
}

#[test]
fn no_more_are_given_than_are_free_of_all() {
    let lanes = lanes(&[(1, NOW)]);
    lanes.schedule(lane(2), NOW + SECOND);
    assert!(
        matches!(lanes.next_queue(16, || free(0), NOW), NextQueue::Idle(Some(due)) if due == NOW + SECOND)
    );
    assert!(matches!(lanes.next_queue(16, || free(3), NOW), NextQueue::Ready(_, 1)));
}

#[test]
fn a_message_is_in_one_hand_at_a_time() {
    let lanes = lanes(&[]);
    assert!(lanes.begin_handling(&lane(1), 10));
    assert!(!lanes.begin_handling(&lane(1), 10) && lanes.is_handling(&lane(1), 10));
    lanes.end_handling(&lane(1), 10);
    assert!(lanes.begin_handling(&lane(1), 10));
}

#[test]
fn a_message_that_is_added_while_its_lane_is_read_is_not_missed() {
    let lanes = lanes(&[(1, NOW)]);
    let read = turn(&lanes, 16).expect("due");
    assert_eq!(glance(&lanes, 16), None, "it counts as empty while it is read");
    let message = QueueMessage {
        tenant: tenant(),
        trace_id: TraceId::from_uuid(Uuid::nil()),
        subscription_id: lane(1).subscription,
        due: NOW,
        work: DueWork::Attempt(1),
    };
    lanes.add_messages(&[message]);
    // What was read is done with before anybody looks again.
    drop(read);
    assert_eq!(glance(&lanes, 16), Some((1, 16)));
}

#[test]
fn the_earliest_due_time_counts() {
    let lanes = lanes(&[(1, NOW + 5 * SECOND), (1, NOW + 3 * SECOND), (1, NOW + 4 * SECOND)]);
    assert_eq!(waits_until(&lanes, 16), Some(NOW + 3 * SECOND));
    lanes.schedule(lane(2), NOW + 2 * SECOND);
    assert_eq!(waits_until(&lanes, 16), Some(NOW + 2 * SECOND));
    lanes.schedule(lane(1), NOW);
    assert_eq!(glance(&lanes, 16), Some((1, 16)));
}

#[test]
fn lanes_with_nothing_left_take_no_memory() {
    let lanes = lanes(&[]);
    for number in 0..100 {
        lanes.schedule(lane(number), NOW);
        let (number, _places) = turn(&lanes, 1).expect("due");
        assert!(lanes.begin_handling(&lane(number), 1));
        lanes.end_handling(&lane(number), 1);
        drop(lanes.reserve_wire_permit(lane(number + 1000), 1, free(256), NOW).expect("free"));
    }
    assert!(lanes.state().queues.is_empty());
}

#[test]
fn what_comes_in_goes_before_nothing_that_waits() {
    let lanes = lanes(&[(1, NOW), (2, NOW + SECOND)]);
    assert!(lanes.reserve_wire_permit(lane(1), 16, free(256), NOW).is_none(), "a message is due");
    assert!(matches!(lanes.next_queue(16, || free(0), NOW), NextQueue::Idle(_)));
    assert!(lanes.reserve_wire_permit(lane(2), 16, free(256), NOW).is_none(), "another has its turn before");
    assert!(glance(&lanes, 16).is_some());
    let resends = QueueId { automatic: false, ..lane(3) };
    lanes.schedule(resends, NOW);
    assert!(lanes.reserve_wire_permit(lane(3), 16, free(256), NOW).is_none(), "a resend is due");
    let held: Vec<_> =
        (0..2).map(|_| lanes.reserve_wire_permit(lane(2), 2, free(256), NOW).expect("free")).collect();
    assert!(lanes.reserve_wire_permit(lane(2), 2, free(256), NOW).is_none(), "it is full");
    drop(held);
    assert!(lanes.reserve_wire_permit(lane(2), 2, free(256), NOW).is_some());
}

#[test]
fn resends_and_automatic_attempts_share_a_subscription_and_neither_shuts_the_other_out() {
    let (automatic, resends) = (|| lane(1), || QueueId { automatic: false, ..lane(1) });
    let lanes = Arc::new(QueueScheduler::default());
    let places = |id: QueueId| match lanes.next_queue(16, || free(256), NOW) {
        NextQueue::Ready(found, room) if found == id => WirePermits::taken(&lanes, id, room),
        turn => panic!("{turn:?}"),
    };
    lanes.schedule(resends(), NOW);
    let mut resending = places(resends());
    assert_eq!(resending.count, 4);
    // More resends are due, and so is an attempt: only it has room.
    lanes.schedule(resends(), NOW);
    lanes.schedule(automatic(), NOW);
    let mut attempting = places(automatic());
    assert_eq!(attempting.count, 12);
    lanes.schedule(automatic(), NOW);
    assert_eq!(waits_until(&lanes, 16), None);
    // A resend ends: the place is the attempt's, as both wait and it was not its turn before.
    drop(resending.split_one());
    let _one_more = places(automatic());
    lanes.schedule(automatic(), NOW);
    assert_eq!(waits_until(&lanes, 16), None);
    // An attempt ends: the place is the resend's.
    drop(attempting.split_one());
    assert_eq!(places(resends()).count, 1);
}
