//! Rules of the places, on a clock that stands still and is moved on where all wait for it.

use tokio::task::JoinSet;
use uuid::Uuid;

use super::super::adaptive_share::Answer;
use super::super::fair_shares::PermitCounts;
use super::super::permits::WirePermits;
use super::*;
use loanhook_core::model::id::{SubscriptionId, TenantId, TraceId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DueWork, QueueMessage};

const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

const BOUNDS: ShareBounds = ShareBounds { initial: 2, most: 256 };
/// Two in flight and two that wait; without a request none is in flight, and all of them are stored just now.
const PLACES: usize = 4;

fn queue_of(subscription: u128) -> QueueId {
    QueueId {
        tenant: TenantId::try_from("acme".to_owned()).expect("a tenant"),
        subscription: SubscriptionId::from_uuid(Uuid::from_u128(subscription)),
        automatic: true,
    }
}

fn queue() -> QueueId {
    queue_of(1)
}

async fn place(scheduler: &Arc<QueueScheduler>, bytes: usize, is_sending: bool) -> StoreResult<Place> {
    let places = Place::wait_for_all(scheduler, [queue()], bytes, BOUNDS, || is_sending).await;
    places.map(|mut places| places.remove(0))
}

/// A scheduler, and all places that there are.
async fn full() -> (Arc<QueueScheduler>, Vec<Place>) {
    let scheduler = Arc::new(QueueScheduler::default());
    let mut places = Vec::new();
    for _ in 0..PLACES {
        places.push(place(&scheduler, 1, true).await.expect("there is room"));
    }
    (scheduler, places)
}

#[tokio::test(start_paused = true)]
async fn an_event_that_has_waited_too_long_is_refused_and_leaves_nothing_behind() {
    let (scheduler, mut places) = full().await;
    let start = Instant::now();
    assert!(matches!(place(&scheduler, 1, true).await, Err(StoreError::Busy)));
    assert_eq!(start.elapsed(), MAX_WAIT);
    places.pop();
    let after = place(&scheduler, 1, true).await;
    assert!(after.is_ok(), "the place that became free is not given to the one that gave up");
    assert_eq!(start.elapsed(), MAX_WAIT, "at once");
}

#[tokio::test(start_paused = true)]
async fn events_get_places_in_the_order_in_which_they_came() {
    let (scheduler, mut places) = full().await;
    let mut waiting = JoinSet::new();
    for number in 0..3 {
        let scheduler = Arc::clone(&scheduler);
        waiting.spawn(async move { (number, place(&scheduler, 1, true).await.expect("a place")) });
        tokio::task::yield_now().await;
    }
    for expected in 0..3 {
        places.pop();
        let (number, place) = waiting.join_next().await.expect("one waits").expect("it does not panic");
        assert_eq!(number, expected);
        std::mem::forget(place);
    }
}

/// Polls an event that waits, and then again after `change`: only then it has its place.
async fn is_admitted_by(scheduler: &Arc<QueueScheduler>, change: impl FnOnce()) {
    let mut waiting = Box::pin(place(scheduler, 1, true));
    assert!(futures_util::poll!(&mut waiting).is_pending());
    change();
    assert!(matches!(futures_util::poll!(&mut waiting), std::task::Poll::Ready(Ok(_))));
}

#[tokio::test(start_paused = true)]
async fn an_answer_and_an_attempt_that_begins_make_room() {
    let scheduler = Arc::new(QueueScheduler::default());
    let permits = || PermitCounts { total: 256, free: 256 };
    let permit = || {
        let reserved = WirePermits::reserve_one(&scheduler, queue(), BOUNDS.initial, permits(), NOW);
        reserved.expect("it is free").begin_sending(BOUNDS)
    };
    let (first, _second) = (permit(), permit());
    let message = QueueMessage {
        tenant: queue().tenant,
        trace_id: TraceId::from_uuid(Uuid::nil()),
        subscription_id: queue().subscription,
        due: NOW,
        work: DueWork::Attempt(1),
    };
    scheduler.add_first_attempts(&[message.clone(), message.clone()]);
    is_admitted_by(&scheduler, || first.end(Answer::Moderate)).await;
    scheduler.add_first_attempts(&[message]);
    is_admitted_by(&scheduler, || scheduler.remove_queued(&queue(), 1, false)).await;
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_gives_its_place_to_the_next() {
    let (scheduler, mut places) = full().await;
    let mut gone = Box::pin(place(&scheduler, 1, true));
    let mut next = Box::pin(place(&scheduler, 1, true));
    assert!(futures_util::poll!(&mut gone).is_pending());
    assert!(futures_util::poll!(&mut next).is_pending());
    places.pop();
    // It has its place and does not know it.
    drop(gone);
    assert!(next.await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn only_so_many_bytes_wait_but_one_event_alone_may_have_more() {
    let (scheduler, _places) = full().await;
    let mut large = Box::pin(place(&scheduler, 5 << 20, true));
    assert!(futures_util::poll!(&mut large).is_pending());
    assert!(matches!(place(&scheduler, 1, true).await, Err(StoreError::Busy)));
    drop(large);
    let mut small = Box::pin(place(&scheduler, 1, true));
    assert!(futures_util::poll!(&mut small).is_pending());
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_where_nothing_is_sent_any_more() {
    let (scheduler, _places) = full().await;
    assert!(place(&scheduler, 1, false).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_event_that_waits_for_one_subscription_holds_no_place_of_another() {
    let (scheduler, mut places) = full().await;
    let both = || Place::wait_for_all(&scheduler, [queue_of(0), queue()], 1, BOUNDS, || true);
    let mut waiting: Vec<_> = (0..PLACES).map(|_| Box::pin(both())).collect();
    for event in &mut waiting {
        assert!(futures_util::poll!(event).is_pending());
    }
    let mut others = Vec::new();
    for _ in 0..PLACES {
        let mut other = Box::pin(Place::wait_for_all(&scheduler, [queue_of(0)], 1, BOUNDS, || true));
        match futures_util::poll!(&mut other) {
            std::task::Poll::Ready(Ok(place)) => others.push(place),
            _ => panic!("there is room for what needs only the other"),
        }
    }
    places.pop();
    assert_eq!(waiting.remove(0).await.expect("a place of each").len(), 2);
}
