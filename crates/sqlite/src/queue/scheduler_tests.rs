//! Rules of the scheduler, with permits as the dispatch holds them.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::fair_shares::PermitCounts;
use super::permits::ReservedPermits;
use super::{NextQueue, QueueId, QueueScheduler, WirePermits};
use loanhook_core::model::id::{SubscriptionId, TenantId, TraceId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DueWork, QueueMessage};

const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);
const SECOND: Duration = Duration::from_secs(1);

fn queue(number: u128) -> QueueId {
    QueueId {
        tenant: tenant(),
        subscription: SubscriptionId::from_uuid(Uuid::from_u128(number)),
        automatic: true,
    }
}

fn tenant() -> TenantId {
    TenantId::try_from("acme".to_owned()).expect("a tenant")
}

/// So many permits are free of 256.
fn free(free: usize) -> PermitCounts {
    PermitCounts { total: 256, free }
}

fn number(queue: &QueueId) -> u128 {
    queue.subscription.uuid().as_u128()
}

fn scheduler(due: &[(u128, Timestamp)]) -> Arc<QueueScheduler> {
    let queues = due.iter().map(|(number, due)| (queue(*number), *due));
    Arc::new(QueueScheduler::new(queues.collect()))
}

/// The next queue, and its permits.
fn next(scheduler: &Arc<QueueScheduler>, limit: usize) -> Option<(u128, WirePermits)> {
    match scheduler.next_queue(limit, || free(256), NOW) {
        NextQueue::Ready(queue, reserved) => {
            Some((number(&queue), WirePermits::reserved(scheduler, queue, reserved)))
        }
        NextQueue::Idle(_) => None,
    }
}

/// The next queue, and how many permits it had: they are given back at once.
fn next_returned(scheduler: &Arc<QueueScheduler>, limit: usize) -> Option<(u128, usize)> {
    next(scheduler, limit).map(|(number, permits)| (number, permits.count))
}

fn idle_until(scheduler: &QueueScheduler, limit: usize) -> Option<Timestamp> {
    match scheduler.next_queue(limit, || free(256), NOW) {
        NextQueue::Idle(due) => due,
        NextQueue::Ready(queue, _) => panic!("{queue:?} has something due"),
    }
}

/// A permit for a new attempt, which is no message.
fn reserve(scheduler: &Arc<QueueScheduler>, queue: QueueId, limit: usize) -> Option<WirePermits> {
    WirePermits::reserve_one(scheduler, queue, limit, free(256), NOW)
}

#[test]
fn queues_take_turns() {
    let scheduler = scheduler(&[(1, NOW), (2, NOW), (3, NOW)]);
    let mut turns = Vec::new();
    for _ in 0..7 {
        let (number, _) = next_returned(&scheduler, 16).expect("one is due");
        turns.push(number);
        // It has more.
        scheduler.schedule(queue(number), NOW);
    }
    assert_eq!(turns, [1, 2, 3, 1, 2, 3, 1]);
}

#[test]
fn a_queue_at_its_limit_is_skipped_until_a_permit_is_returned() {
    let scheduler = scheduler(&[(1, NOW), (2, NOW)]);
    let (_, mut permits) = next(&scheduler, 2).expect("due");
    scheduler.schedule(queue(1), NOW);
    assert_eq!(next_returned(&scheduler, 2), Some((2, 2)), "the first is at its limit");
    assert_eq!(idle_until(&scheduler, 2), None);
    drop(permits.split_one());
    assert_eq!(next_returned(&scheduler, 2), Some((1, 1)), "one permit was returned");
}

#[test]
fn no_more_permits_are_reserved_than_the_process_has_free() {
    let scheduler = scheduler(&[(1, NOW)]);
    scheduler.schedule(queue(2), NOW + SECOND);
    assert!(
        matches!(scheduler.next_queue(16, || free(0), NOW), NextQueue::Idle(Some(due)) if due == NOW + SECOND)
    );
    assert!(matches!(
        scheduler.next_queue(16, || free(3), NOW),
        NextQueue::Ready(_, ReservedPermits { count: 1, .. })
    ));
}

#[test]
fn permits_that_came_free_are_added_before_messages_are_read() {
    let scheduler = scheduler(&[(1, NOW)]);
    let (_, mut before) = next(&scheduler, 4).expect("due");
    scheduler.schedule(queue(1), NOW);
    let in_flight = [before.split_one(), before.split_one()];
    assert_eq!(before.reserve_more(4, free(252)), 0, "its share is used up");
    drop(in_flight);
    assert_eq!(before.reserve_more(4, free(9)), 1, "no more than its share of what is free");
    assert_eq!(before.count, 3);
    assert_eq!(before.reserve_more(4, free(253)), 1);
}

#[test]
fn a_message_has_one_handler_at_a_time() {
    let scheduler = scheduler(&[]);
    assert!(scheduler.begin_handling(&queue(1), 10));
    assert!(!scheduler.begin_handling(&queue(1), 10) && scheduler.is_handling(&queue(1), 10));
    scheduler.end_handling(&queue(1), 10);
    assert!(scheduler.begin_handling(&queue(1), 10));
}

#[test]
fn a_message_that_is_added_while_its_queue_is_read_is_not_missed() {
    let scheduler = scheduler(&[(1, NOW)]);
    let read = next(&scheduler, 16).expect("due");
    assert_eq!(next_returned(&scheduler, 16), None, "it counts as idle while it is read");
    let message = QueueMessage {
        tenant: tenant(),
        trace_id: TraceId::from_uuid(Uuid::nil()),
        subscription_id: queue(1).subscription,
        due: NOW,
        work: DueWork::Attempt(1),
    };
    scheduler.add_messages(&[message]);
    // The read ends before the next one.
    drop(read);
    assert_eq!(next_returned(&scheduler, 16), Some((1, 16)));
}

#[test]
fn the_earliest_due_time_of_a_queue_counts() {
    let scheduler = scheduler(&[(1, NOW + 5 * SECOND), (1, NOW + 3 * SECOND), (1, NOW + 4 * SECOND)]);
    assert_eq!(idle_until(&scheduler, 16), Some(NOW + 3 * SECOND));
    scheduler.schedule(queue(2), NOW + 2 * SECOND);
    assert_eq!(idle_until(&scheduler, 16), Some(NOW + 2 * SECOND));
    scheduler.schedule(queue(1), NOW);
    assert_eq!(next_returned(&scheduler, 16), Some((1, 16)));
}

#[test]
fn queues_with_nothing_due_or_in_flight_take_no_memory() {
    let scheduler = scheduler(&[]);
    for number in 0..100 {
        scheduler.schedule(queue(number), NOW);
        let (number, _permits) = next(&scheduler, 1).expect("due");
        assert!(scheduler.begin_handling(&queue(number), 1));
        scheduler.end_handling(&queue(number), 1);
        drop(reserve(&scheduler, queue(number + 1000), 1).expect("free"));
    }
    assert!(scheduler.state().queues.is_empty());
}

#[test]
fn a_new_attempt_gets_no_permit_before_what_is_due() {
    let scheduler = scheduler(&[(1, NOW), (2, NOW + SECOND)]);
    assert!(reserve(&scheduler, queue(1), 16).is_none(), "a message is due");
    assert!(matches!(scheduler.next_queue(16, || free(0), NOW), NextQueue::Idle(_)));
    assert!(reserve(&scheduler, queue(2), 16).is_none(), "another queue is ready");
    assert!(next_returned(&scheduler, 16).is_some());
    let resends = QueueId { automatic: false, ..queue(3) };
    scheduler.schedule(resends, NOW);
    assert!(reserve(&scheduler, queue(3), 16).is_none(), "a resend is due");
    let held: Vec<_> = (0..2).map(|_| reserve(&scheduler, queue(2), 2).expect("free")).collect();
    assert!(reserve(&scheduler, queue(2), 2).is_none(), "it is at its limit");
    drop(held);
    assert!(reserve(&scheduler, queue(2), 2).is_some());
}

#[test]
fn resends_and_automatic_attempts_share_the_limit_and_neither_starves() {
    let (automatic, resends) = (|| queue(1), || QueueId { automatic: false, ..queue(1) });
    let scheduler = Arc::new(QueueScheduler::default());
    let permits = |id: QueueId| match scheduler.next_queue(16, || free(256), NOW) {
        NextQueue::Ready(found, reserved) if found == id => WirePermits::reserved(&scheduler, id, reserved),
        next => panic!("{next:?}"),
    };
    scheduler.schedule(resends(), NOW);
    let mut resending = permits(resends());
    assert_eq!(resending.count, 4);
    // More resends are due, and so is an attempt: only it is below its limit.
    scheduler.schedule(resends(), NOW);
    scheduler.schedule(automatic(), NOW);
    let mut attempting = permits(automatic());
    assert_eq!(attempting.count, 12);
    scheduler.schedule(automatic(), NOW);
    assert_eq!(idle_until(&scheduler, 16), None);
    // A resend ends: its permit goes to the other queue first, that of attempts.
    drop(resending.split_one());
    let _one_more = permits(automatic());
    scheduler.schedule(automatic(), NOW);
    assert_eq!(idle_until(&scheduler, 16), None);
    // An attempt ends: its permit goes to the resends.
    drop(attempting.split_one());
    assert_eq!(permits(resends()).count, 1);
}
