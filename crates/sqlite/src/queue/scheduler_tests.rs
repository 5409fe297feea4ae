use std::time::Duration;

use uuid::Uuid;

use super::*;
use crate::queue::queue_states::LaneId;
use loanhook_core::model::id::{TenantId, TraceId};
use loanhook_core::ports::DueWork;

const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);
const SECOND: Duration = Duration::from_secs(1);

fn lane(number: u128) -> LaneId {
    LaneId {
        tenant: tenant(),
        subscription: SubscriptionId::from_uuid(Uuid::from_u128(number)),
        automatic: true,
    }
}

fn tenant() -> TenantId {
    TenantId::try_from("acme".to_owned()).expect("a tenant")
}

/// So many slots are free of 256.
fn free(free: usize) -> Slots {
    Slots { in_all: 256, free }
}

fn number(lane: &LaneId) -> u128 {
    lane.subscription.uuid().as_u128()
}

fn lanes(due: &[(u128, Timestamp)]) -> Arc<Lanes> {
    let lanes = Arc::new(Lanes::default());
    for (number, due) in due {
        lanes.due(lane(*number), *due);
    }
    lanes
}

/// The lane whose turn it is, and its places.
fn turn(lanes: &Arc<Lanes>, most: usize) -> Option<(u128, Places)> {
    match lanes.next(most, || free(256), NOW) {
        Turn::Lane(lane, room) => Some((number(&lane), Places::taken(lanes, lane, room))),
        Turn::Nothing(_) => None,
    }
}

/// The same, where the places are given back at once.
fn glance(lanes: &Arc<Lanes>, most: usize) -> Option<(u128, usize)> {
    turn(lanes, most).map(|(number, places)| (number, places.count))
}

fn waits_until(lanes: &Lanes, most: usize) -> Option<Timestamp> {
    match lanes.next(most, || free(256), NOW) {
        Turn::Nothing(due) => due,
        Turn::Lane(lane, _) => panic!("{lane:?} has something due"),
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
        lanes.due(lane(number), NOW);
    }
    assert_eq!(turns, [1, 2, 3, 1, 2, 3, 1]);
}

#[test]
fn a_full_lane_is_skipped_and_wakes_nobody_until_it_has_room() {
    let lanes = lanes(&[(1, NOW), (2, NOW)]);
    let (_, mut under_way) = turn(&lanes, 2).expect("due");
    lanes.due(lane(1), NOW);
    assert_eq!(glance(&lanes, 2), Some((2, 2)), "the first is full");
    assert_eq!(waits_until(&lanes, 2), None);
    drop(under_way.split_one());
    assert_eq!(glance(&lanes, 2), Some((1, 1)), "there is room for one");
}

#[test]
fn no_more_are_given_than_are_free_of_all() {
    let lanes = lanes(&[(1, NOW)]);
    lanes.due(lane(2), NOW + SECOND);
    assert!(matches!(lanes.next(16, || free(0), NOW), Turn::Nothing(Some(due)) if due == NOW + SECOND));
    assert!(matches!(lanes.next(16, || free(3), NOW), Turn::Lane(_, 1)));
}

#[test]
fn a_message_is_in_one_hand_at_a_time() {
    let lanes = lanes(&[]);
    assert!(lanes.take(&lane(1), 10));
    assert!(!lanes.take(&lane(1), 10) && lanes.holds(&lane(1), 10));
    lanes.put_down(&lane(1), 10);
    assert!(lanes.take(&lane(1), 10));
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
    lanes.add(&[message]);
    // What was read is done with before anybody looks again.
    drop(read);
    assert_eq!(glance(&lanes, 16), Some((1, 16)));
}

#[test]
fn the_earliest_due_time_counts() {
    let lanes = lanes(&[(1, NOW + 5 * SECOND), (1, NOW + 3 * SECOND), (1, NOW + 4 * SECOND)]);
    assert_eq!(waits_until(&lanes, 16), Some(NOW + 3 * SECOND));
    lanes.due(lane(2), NOW + 2 * SECOND);
    assert_eq!(waits_until(&lanes, 16), Some(NOW + 2 * SECOND));
    lanes.due(lane(1), NOW);
    assert_eq!(glance(&lanes, 16), Some((1, 16)));
}

#[test]
fn lanes_with_nothing_left_take_no_memory() {
    let lanes = lanes(&[]);
    for number in 0..100 {
        lanes.due(lane(number), NOW);
        let (number, _places) = turn(&lanes, 1).expect("due");
        assert!(lanes.take(&lane(number), 1));
        lanes.put_down(&lane(number), 1);
        drop(lanes.take_free_place(lane(number + 1000), 1, free(256), NOW).expect("free"));
    }
    assert!(lanes.state().lanes.is_empty());
}

#[test]
fn what_comes_in_goes_before_nothing_that_waits() {
    let lanes = lanes(&[(1, NOW), (2, NOW + SECOND)]);
    assert!(lanes.take_free_place(lane(1), 16, free(256), NOW).is_none(), "a message is due");
    assert!(matches!(lanes.next(16, || free(0), NOW), Turn::Nothing(_)));
    assert!(lanes.take_free_place(lane(2), 16, free(256), NOW).is_none(), "another has its turn before");
    assert!(glance(&lanes, 16).is_some());
    let resends = LaneId { automatic: false, ..lane(3) };
    lanes.due(resends, NOW);
    assert!(lanes.take_free_place(lane(3), 16, free(256), NOW).is_none(), "a resend is due");
    let held: Vec<_> =
        (0..2).map(|_| lanes.take_free_place(lane(2), 2, free(256), NOW).expect("free")).collect();
    assert!(lanes.take_free_place(lane(2), 2, free(256), NOW).is_none(), "it is full");
    drop(held);
    assert!(lanes.take_free_place(lane(2), 2, free(256), NOW).is_some());
}

#[test]
fn resends_and_automatic_attempts_share_a_subscription_and_neither_shuts_the_other_out() {
    let (automatic, resends) = (|| lane(1), || LaneId { automatic: false, ..lane(1) });
    let lanes = Arc::new(Lanes::default());
    let places = |id: LaneId| match lanes.next(16, || free(256), NOW) {
        Turn::Lane(found, room) if found == id => Places::taken(&lanes, id, room),
        turn => panic!("{turn:?}"),
    };
    lanes.due(resends(), NOW);
    let mut resending = places(resends());
    assert_eq!(resending.count, 4);
    // More resends are due, and so is an attempt: only it has room.
    lanes.due(resends(), NOW);
    lanes.due(automatic(), NOW);
    let mut attempting = places(automatic());
    assert_eq!(attempting.count, 12);
    lanes.due(automatic(), NOW);
    assert_eq!(waits_until(&lanes, 16), None);
    // A resend ends: the place is the attempt's, as both wait and it was not its turn before.
    drop(resending.split_one());
    let _one_more = places(automatic());
    lanes.due(automatic(), NOW);
    assert_eq!(waits_until(&lanes, 16), None);
    // An attempt ends: the place is the resend's.
    drop(attempting.split_one());
    assert_eq!(places(resends()).count, 1);
}
