//! Operational events: what the ends of attempts and deliveries, holds and time tell, each once.

use loanhook_core::delivery_list::DeliveryFilter;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::operational::OperationalKind::{
    DeliveryExhausted, SubscriptionFailing, SubscriptionHeld, SubscriptionRecovered,
};
use loanhook_core::model::operational::{EXHAUSTED_WINDOW, OperationalEvent, OperationalKind};
use loanhook_core::model::subscription::{Criteria, Subscription};
use loanhook_core::model::time::Timestamp;
use loanhook_core::operational;
use loanhook_core::ports::{DeleteOutcome, FlowControl, OperationalEvents, StoreResult, Subscriptions};

use crate::delivery_list::{
    FAILED, MANY, SUCCEEDED, accepted, acme, attempt, cancel, delivery, of_all_events, page, resend,
    these_days,
};
use crate::engine::Engine;
use crate::scene::{DAY, SECOND, START};
use crate::triggers::with;

/// After all attempts of the cases, and before any window ends that began with them.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(START.millis() + 1000);
/// When all windows have ended.
pub(crate) const LATER: Timestamp = Timestamp::from_millis(START.millis() + 24 * 3_600_000);

/// A subscription to all operational events, made so many milliseconds after the start.
pub(crate) fn pager(millis: u32) -> Subscription {
    let mut pager = of_all_events("Pager", millis);
    pager.settings.criteria = Criteria::Operational(OperationalKind::ALL.to_vec());
    pager
}

/// What is in the outbox.
pub(crate) async fn outbox<E: Engine>(engine: &E) -> StoreResult<Vec<OperationalEvent>>
where
    E::Ports: OperationalEvents,
{
    engine.count().await;
    Ok(engine.ports().outbox(MANY, None).await?.events)
}

/// The kinds of what is in the outbox, in their order: what happens in one moment is in none.
pub(crate) async fn kinds<E: Engine>(engine: &E) -> StoreResult<Vec<OperationalKind>>
where
    E::Ports: OperationalEvents,
{
    let mut kinds: Vec<_> = outbox(engine).await?.iter().map(|event| event.kind).collect();
    kinds.sort_unstable();
    Ok(kinds)
}

/// The deliveries of a subscription, the oldest first.
pub(crate) async fn deliveries<E: Engine>(engine: &E, of: &Subscription) -> StoreResult<Vec<Delivery>> {
    let filter = DeliveryFilter { subscription_id: Some(of.id), ..these_days() };
    let page = page(engine, &filter, None, MANY).await?;
    Ok(page.deliveries.into_iter().rev().map(|listed| listed.delivery).collect())
}

pub(crate) async fn the_fourth_failure_in_a_row_is_told_once_and_the_recovery_after_it<E: Engine>()
-> StoreResult<()>
where
    E::Ports: OperationalEvents,
{
    let (core, pager) = (of_all_events("Core", 0), pager(1));
    let engine = with::<E>(&[&core, &pager]).await?;
    let of = accepted(&engine, 9).await;
    for (trace, result) in [(0, FAILED), (1, FAILED), (2, FAILED), (3, SUCCEEDED)] {
        attempt(&engine, of[trace], result).await?;
    }
    for trace in &of[4..=5] {
        attempt(&engine, *trace, Err(ErrorKind::Timeout)).await?;
    }
    attempt(&engine, of[6], Err(ErrorKind::Interrupted)).await?;
    attempt(&engine, of[7], FAILED).await?;
    assert_eq!(kinds(&engine).await?, [], "a success was between them, and an interruption says nothing");
    // Those of resends count too.
    resend(&engine, of[0], FAILED).await?;
    let told = outbox(&engine).await?;
    let [failing] = &told[..] else { panic!("{told:?}") };
    assert_eq!((failing.kind, &failing.tenant), (SubscriptionFailing, &acme()));
    assert!(failing.context.contains(&core.id.to_string()), "{}", failing.context);
    resend(&engine, of[1], FAILED).await?;
    assert_eq!(kinds(&engine).await?, [SubscriptionFailing], "once");
    resend(&engine, of[0], SUCCEEDED).await?;
    resend(&engine, of[1], SUCCEEDED).await?;
    assert_eq!(kinds(&engine).await?, [SubscriptionFailing, SubscriptionRecovered]);
    Ok(())
}

pub(crate) async fn an_event_is_taken_in_once_however_often_that_is_tried<E: Engine>() -> StoreResult<()>
where
    E::Ports: OperationalEvents,
{
    let (core, pager) = (of_all_events("Core", 0), pager(1));
    let engine = with::<E>(&[&core, &pager]).await?;
    engine.ports().hold(&acme(), core.id, "Ann", NOW).await?;
    let told = outbox(&engine).await?;
    let [held] = &told[..] else { panic!("{told:?}") };
    // A crash came before it was deleted.
    for at in [NOW, NOW + DAY / 24] {
        operational::take_in(engine.ports(), held, at).await?;
        assert_eq!(outbox(&engine).await?, []);
    }
    let all = deliveries(&engine, &pager).await?;
    let [delivery] = &all[..] else { panic!("{all:?}") };
    assert_eq!((&*delivery.snapshot.event_name, delivery.snapshot.accepted_at), ("subscription.held", NOW));
    assert!(delivery.snapshot.loan_id.is_operational());
    // What nobody asks for is let go.
    assert_eq!(engine.ports().delete(&acme(), pager.id, None).await?, DeleteOutcome::Deleted);
    operational::take_in(engine.ports(), held, NOW).await?;
    assert_eq!(deliveries(&engine, &pager).await?.len(), 1);
    Ok(())
}

pub(crate) async fn the_outbox_is_read_page_by_page<E: Engine>() -> StoreResult<()>
where
    E::Ports: OperationalEvents,
{
    let (core, pager) = (of_all_events("Core", 0), pager(1));
    let engine = with::<E>(&[&core, &pager]).await?;
    for seconds in 0..5 {
        let now = NOW + seconds * SECOND;
        engine.ports().hold(&acme(), core.id, "Ann", now).await?;
        engine.ports().release_hold(&acme(), core.id, now).await?;
        engine.count().await;
    }
    let times =
        |events: &[OperationalEvent]| events.iter().map(|event| event.occurred_at).collect::<Vec<_>>();
    let (mut after, mut read) = (None, Vec::new());
    for expected in [2, 2, 1] {
        let page = engine.ports().outbox(2, after.as_ref()).await?;
        assert_eq!((page.events.len(), page.next.is_some()), (expected, expected == 2));
        // Behind an event that is deleted by now, too.
        for event in &page.events {
            engine.ports().delete_from_outbox(event).await?;
        }
        read.extend(page.events);
        after = page.next;
    }
    assert_eq!(times(&read), (0..5).map(|seconds| NOW + seconds * SECOND).collect::<Vec<_>>());
    Ok(())
}

pub(crate) async fn exhausted_deliveries_of_a_window_are_told_together<E: Engine>() -> StoreResult<()>
where
    E::Ports: OperationalEvents,
{
    let (core, pager) = (of_all_events("Core", 0), pager(1));
    let engine = with::<E>(&[&core, &pager]).await?;
    let of = accepted(&engine, 4).await;
    for trace in &of {
        attempt(&engine, *trace, FAILED).await?;
    }
    cancel(&engine, of[3]).await?;
    for trace in &of[..3] {
        attempt(&engine, *trace, FAILED).await?;
    }
    resend(&engine, of[0], SUCCEEDED).await?;
    engine.count().await;
    // The second attempt of the first, five minutes after its first.
    let opened = delivery(&engine, of[0]).await?.snapshot.accepted_at;
    let due = engine.ports().advance_operational_states(NOW).await?.next_due.expect("a window is open");
    assert!(due >= opened + EXHAUSTED_WINDOW, "{due}");
    let is_exhausted = |event: &OperationalEvent| event.kind == DeliveryExhausted;
    assert!(!outbox(&engine).await?.iter().any(is_exhausted), "the window has not ended");
    assert_eq!(engine.ports().advance_operational_states(LATER).await?.next_due, None);
    engine.ports().advance_operational_states(LATER).await?;
    let told = outbox(&engine).await?;
    let exhausted: Vec<_> = told.iter().filter(|event| is_exhausted(event)).collect();
    let [event] = &exhausted[..] else { panic!("{told:?}") };
    let expected: Vec<_> = of[..3].iter().map(ToString::to_string).collect();
    let facts: serde_json::Value = serde_json::from_str(&event.context).expect("JSON");
    assert_eq!((&facts["count"], &facts["trace-ids"]), (&3.into(), &expected.into()), "{facts}");
    assert_eq!(event.occurred_at, due);
    Ok(())
}

pub(crate) async fn a_hold_is_told_when_it_begins<E: Engine>() -> StoreResult<()>
where
    E::Ports: OperationalEvents,
{
    let (mut core, pager) = (of_all_events("Core", 0), pager(1));
    core.settings.flow.hold_after_failures = Some(3);
    let engine = with::<E>(&[&core, &pager]).await?;
    let of = accepted(&engine, 3).await;
    for trace in &of {
        attempt(&engine, *trace, FAILED).await?;
    }
    assert_eq!(kinds(&engine).await?, [SubscriptionHeld]);
    // An operator takes it over: that is no other hold. Nobody's release is a recovery.
    engine.ports().hold(&acme(), core.id, "Ann", LATER).await?;
    engine.ports().release_hold(&acme(), core.id, LATER).await?;
    assert_eq!(kinds(&engine).await?, [SubscriptionHeld]);
    for (trace, result) in [(0, FAILED), (1, FAILED), (2, FAILED), (0, SUCCEEDED)] {
        resend(&engine, of[trace], result).await?;
    }
    let expected = [SubscriptionFailing, SubscriptionHeld, SubscriptionHeld, SubscriptionRecovered];
    assert_eq!(kinds(&engine).await?, expected, "one success tells one recovery");
    Ok(())
}

pub(crate) async fn what_is_to_be_told_outlives_a_restart<E: Engine>() -> StoreResult<()>
where
    E::Ports: OperationalEvents,
{
    let (core, pager) = (of_all_events("Core", 0), pager(1));
    let engine = with::<E>(&[&core, &pager]).await?;
    let of = accepted(&engine, 4).await;
    for trace in &of[..3] {
        attempt(&engine, *trace, FAILED).await?;
    }
    engine.count().await;
    let engine = engine.restarted();
    attempt(&engine, of[3], FAILED).await?;
    attempt(&engine, of[0], FAILED).await?;
    assert_eq!(kinds(&engine).await?, [SubscriptionFailing]);
    let engine = engine.restarted();
    assert_eq!(kinds(&engine).await?, [SubscriptionFailing]);
    resend(&engine, of[0], SUCCEEDED).await?;
    engine.count().await;
    engine.ports().advance_operational_states(LATER).await?;
    assert_eq!(kinds(&engine).await?, [SubscriptionFailing, SubscriptionRecovered, DeliveryExhausted]);
    Ok(())
}
