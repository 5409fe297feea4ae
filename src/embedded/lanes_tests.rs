use std::time::Duration;

use uuid::Uuid;

use super::*;
use crate::model::id::{TenantId, TraceId};
use crate::ports::Due;

const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);
const SECOND: Duration = Duration::from_secs(1);

fn subscription(number: u128) -> SubscriptionId {
    SubscriptionId::from_uuid(Uuid::from_u128(number))
}

fn lanes(due: &[(u128, Timestamp)]) -> Lanes {
    let lanes = Lanes::default();
    for (number, due) in due {
        lanes.due(subscription(*number), *due);
    }
    lanes
}

/// The lane whose turn it is, and its room.
fn turn(lanes: &Lanes, last: Option<u128>, most: usize) -> Option<(u128, usize)> {
    match lanes.next(last.map(subscription), most, NOW) {
        Turn::Lane(lane, room) => Some((lane.uuid().as_u128(), room)),
        Turn::Nothing(_) => None,
    }
}

fn waits_until(lanes: &Lanes, most: usize) -> Option<Timestamp> {
    match lanes.next(None, most, NOW) {
        Turn::Nothing(due) => due,
        Turn::Lane(lane, _) => panic!("{lane} has something due"),
    }
}

#[test]
fn lanes_take_turns() {
    let lanes = lanes(&[(1, NOW), (2, NOW), (3, NOW)]);
    let mut last = None;
    let mut turns = Vec::new();
    for _ in 0..7 {
        let (lane, _) = turn(&lanes, last, 16).expect("one is due");
        turns.push(lane);
        last = Some(lane);
        // It has more.
        lanes.due(subscription(lane), NOW);
    }
    assert_eq!(turns, [1, 2, 3, 1, 2, 3, 1]);
    // The turn goes on from a lane that is gone.
    assert_eq!(turn(&lanes, Some(0), 16), Some((1, 16)));
    assert_eq!(turn(&lanes, Some(9), 16), Some((2, 16)));
}

#[test]
fn a_full_lane_is_skipped_and_wakes_nobody_until_it_has_room() {
    let lanes = lanes(&[(1, NOW), (2, NOW)]);
    for row in [10, 11] {
        assert!(lanes.take(subscription(1), row));
    }
    assert_eq!(lanes.held(subscription(1)), 2);
    assert_eq!(turn(&lanes, None, 3), Some((1, 1)), "there is room for one");
    lanes.due(subscription(1), NOW);
    assert_eq!(turn(&lanes, None, 2), Some((2, 2)), "the first is full");
    assert_eq!(waits_until(&lanes, 2), None);
    lanes.put_down(subscription(1), 10, None);
    assert_eq!(turn(&lanes, None, 2), Some((1, 1)));
}

#[test]
fn a_message_is_in_one_hand_at_a_time() {
    let lanes = lanes(&[(1, NOW)]);
    assert!(lanes.take(subscription(1), 10));
    assert!(!lanes.take(subscription(1), 10));
    lanes.put_down(subscription(1), 10, None);
    assert!(lanes.take(subscription(1), 10));
}

#[test]
fn a_message_that_is_added_while_its_lane_is_read_is_not_missed() {
    let lanes = lanes(&[(1, NOW)]);
    assert_eq!(turn(&lanes, None, 16), Some((1, 16)));
    assert_eq!(turn(&lanes, None, 16), None, "it counts as empty while it is read");
    let wake = Wake {
        tenant: TenantId::try_from("acme".to_owned()).expect("a tenant"),
        trace_id: TraceId::from_uuid(Uuid::nil()),
        subscription_id: subscription(1),
        due: NOW,
        what: Due::Attempt(1),
    };
    lanes.add(&[wake]);
    // What was read is done with before anybody looks again.
    assert!(lanes.take(subscription(1), 10));
    lanes.put_down(subscription(1), 10, None);
    assert_eq!(turn(&lanes, None, 16), Some((1, 16)));
}

#[test]
fn the_earliest_due_time_counts() {
    let lanes = lanes(&[(1, NOW + 5 * SECOND), (1, NOW + 3 * SECOND), (1, NOW + 4 * SECOND)]);
    assert_eq!(waits_until(&lanes, 16), Some(NOW + 3 * SECOND));
    lanes.due(subscription(2), NOW + 2 * SECOND);
    assert_eq!(waits_until(&lanes, 16), Some(NOW + 2 * SECOND));
    lanes.due(subscription(1), NOW);
    assert_eq!(turn(&lanes, None, 16), Some((1, 16)));
}

#[test]
fn a_message_that_was_not_done_with_is_due_again() {
    let lanes = lanes(&[(1, NOW)]);
    assert_eq!(turn(&lanes, None, 16), Some((1, 16)));
    assert!(lanes.take(subscription(1), 10));
    lanes.put_down(subscription(1), 10, Some(NOW + SECOND));
    assert_eq!(waits_until(&lanes, 16), Some(NOW + SECOND));
    assert!(lanes.take(subscription(1), 11));
    lanes.put_down(subscription(1), 11, Some(NOW + 9 * SECOND));
    assert_eq!(waits_until(&lanes, 16), Some(NOW + SECOND));
}

#[test]
fn lanes_with_nothing_left_take_no_memory() {
    let lanes = lanes(&[]);
    for number in 0..100 {
        lanes.due(subscription(number), NOW);
        let (lane, _) = turn(&lanes, None, 1).expect("due");
        assert!(lanes.take(subscription(lane), 1));
        lanes.put_down(subscription(lane), 1, None);
    }
    assert!(lanes.lanes().is_empty());
}
