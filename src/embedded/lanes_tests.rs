use std::time::Duration;

use uuid::Uuid;

use super::*;
use crate::model::id::{TenantId, TraceId};
use crate::ports::Due;

const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);
const SECOND: Duration = Duration::from_secs(1);

fn lane(number: u128) -> LaneId {
    LaneId { subscription: SubscriptionId::from_uuid(Uuid::from_u128(number)), automatic: true }
}

fn number(lane: LaneId) -> u128 {
    lane.subscription.uuid().as_u128()
}

fn lanes(due: &[(u128, Timestamp)]) -> Lanes {
    let lanes = Lanes::default();
    for (number, due) in due {
        lanes.due(lane(*number), *due);
    }
    lanes
}

/// The lane whose turn it is, and its room.
fn turn(lanes: &Lanes, most: usize) -> Option<(u128, usize)> {
    match lanes.next(most, NOW) {
        Turn::Lane(lane, room) => Some((number(lane), room)),
        Turn::Nothing(_) => None,
    }
}

fn waits_until(lanes: &Lanes, most: usize) -> Option<Timestamp> {
    match lanes.next(most, NOW) {
        Turn::Nothing(due) => due,
        Turn::Lane(lane, _) => panic!("{lane:?} has something due"),
    }
}

#[test]
fn lanes_take_turns() {
    let lanes = lanes(&[(1, NOW), (2, NOW), (3, NOW)]);
    let mut turns = Vec::new();
    for _ in 0..7 {
        let (number, _) = turn(&lanes, 16).expect("one is due");
        turns.push(number);
        // It has more.
        lanes.due(lane(number), NOW);
    }
    assert_eq!(turns, [1, 2, 3, 1, 2, 3, 1]);
}

#[test]
fn a_full_lane_is_skipped_and_wakes_nobody_until_it_has_room() {
    let lanes = lanes(&[(1, NOW), (2, NOW)]);
    for row in [10, 11] {
        assert!(lanes.take(lane(1), row));
    }
    assert_eq!(lanes.held(lane(1)), 2);
    assert_eq!(turn(&lanes, 3), Some((1, 1)), "there is room for one");
    lanes.due(lane(1), NOW);
    assert_eq!(turn(&lanes, 2), Some((2, 2)), "the first is full");
    assert_eq!(waits_until(&lanes, 2), None);
    lanes.put_down(lane(1), 10, None);
    assert_eq!(turn(&lanes, 2), Some((1, 1)));
}

#[test]
fn a_message_is_in_one_hand_at_a_time() {
    let lanes = lanes(&[(1, NOW)]);
    assert!(lanes.take(lane(1), 10));
    assert!(!lanes.take(lane(1), 10));
    lanes.put_down(lane(1), 10, None);
    assert!(lanes.take(lane(1), 10));
}

#[test]
fn a_message_that_is_added_while_its_lane_is_read_is_not_missed() {
    let lanes = lanes(&[(1, NOW)]);
    assert_eq!(turn(&lanes, 16), Some((1, 16)));
    assert_eq!(turn(&lanes, 16), None, "it counts as empty while it is read");
    let wake = Wake {
        tenant: TenantId::try_from("acme".to_owned()).expect("a tenant"),
        trace_id: TraceId::from_uuid(Uuid::nil()),
        subscription_id: lane(1).subscription,
        due: NOW,
        what: Due::Attempt(1),
    };
    lanes.add(&[wake]);
    // What was read is done with before anybody looks again.
    assert!(lanes.take(lane(1), 10));
    lanes.put_down(lane(1), 10, None);
    assert_eq!(turn(&lanes, 16), Some((1, 16)));
}

#[test]
fn the_earliest_due_time_counts() {
    let lanes = lanes(&[(1, NOW + 5 * SECOND), (1, NOW + 3 * SECOND), (1, NOW + 4 * SECOND)]);
    assert_eq!(waits_until(&lanes, 16), Some(NOW + 3 * SECOND));
    lanes.due(lane(2), NOW + 2 * SECOND);
    assert_eq!(waits_until(&lanes, 16), Some(NOW + 2 * SECOND));
    lanes.due(lane(1), NOW);
    assert_eq!(turn(&lanes, 16), Some((1, 16)));
}

#[test]
fn a_message_that_was_not_done_with_is_due_again() {
    let lanes = lanes(&[(1, NOW)]);
    assert_eq!(turn(&lanes, 16), Some((1, 16)));
    assert!(lanes.take(lane(1), 10));
    lanes.put_down(lane(1), 10, Some(NOW + SECOND));
    assert_eq!(waits_until(&lanes, 16), Some(NOW + SECOND));
    assert!(lanes.take(lane(1), 11));
    lanes.put_down(lane(1), 11, Some(NOW + 9 * SECOND));
    assert_eq!(waits_until(&lanes, 16), Some(NOW + SECOND));
}

#[test]
fn lanes_with_nothing_left_take_no_memory() {
    let lanes = lanes(&[]);
    for number in 0..100 {
        lanes.due(lane(number), NOW);
        let (number, _) = turn(&lanes, 1).expect("due");
        assert!(lanes.take(lane(number), 1));
        lanes.put_down(lane(number), 1, None);
        // One whose read finds nothing.
        lanes.due(lane(number), NOW);
        turn(&lanes, 1).expect("due");
        lanes.was_read(lane(number));
    }
    assert!(lanes.state().lanes.is_empty());
}

#[test]
fn resends_and_automatic_attempts_share_a_subscription_and_neither_shuts_the_other_out() {
    let (automatic, resends) = (lane(1), LaneId { automatic: false, ..lane(1) });
    let lanes = Lanes::default();
    lanes.due(resends, NOW);
    assert!(matches!(lanes.next(16, NOW), Turn::Lane(id, 4) if id == resends));
    for row in 0..4 {
        assert!(lanes.take(resends, row));
    }
    // More resends are due, and so is an attempt: only it has room.
    lanes.due(resends, NOW);
    lanes.due(automatic, NOW);
    assert!(matches!(lanes.next(16, NOW), Turn::Lane(id, 12) if id == automatic));
    for row in 4..16 {
        assert!(lanes.take(automatic, row));
    }
    lanes.due(automatic, NOW);
    assert_eq!(waits_until(&lanes, 16), None);
    // A resend ends: the place is the attempt's, as both wait and it was not its turn before.
    lanes.put_down(resends, 0, None);
    assert!(matches!(lanes.next(16, NOW), Turn::Lane(id, 1) if id == automatic));
    assert!(lanes.take(automatic, 16));
    lanes.due(automatic, NOW);
    assert_eq!(waits_until(&lanes, 16), None);
    // An attempt ends: the place is the resend's.
    lanes.put_down(automatic, 4, None);
    assert!(matches!(lanes.next(16, NOW), Turn::Lane(id, 1) if id == resends));
}
