//! Of what operational events say nothing, and for whom nothing is kept.

use loanhook_core::model::operational::OperationalKind::{
    DeliveryExhausted, SubscriptionFailing, SubscriptionRecovered,
};
use loanhook_core::model::progress::Status;
use loanhook_core::operational;
use loanhook_core::ports::{FlowControl, OperationalEvents, ReplaceOutcome, StoreResult, Subscriptions};

use crate::delivery_list::{FAILED, MANY, SUCCEEDED, accepted, acme, attempt, of_all_events, resend};
use crate::engine::Engine;
use crate::job_scene::without_retries;
use crate::operational_events::{LATER, NOW, deliveries, kinds, outbox, pager};
use crate::scene::SECOND;
use crate::triggers::with;

pub(crate) async fn what_becomes_of_operational_events_tells_nothing<E: Engine>() -> StoreResult<()>
where
    E::Ports: OperationalEvents,
{
    let (core, mut pager) = (of_all_events("Core", 0), pager(1));
    pager.settings.flow.hold_after_failures = Some(3);
    let engine = with::<E>(&[&core, &pager]).await?;
    for seconds in 0..5 {
        let now = NOW + seconds * SECOND;
        engine.ports().hold(&acme(), core.id, "Ann", now).await?;
        engine.ports().release_hold(&acme(), core.id, now).await?;
        for event in outbox(&engine).await? {
            operational::take_in(engine.ports(), &event, now).await?;
        }
        for delivery in deliveries(&engine, &pager).await? {
            for _ in 0..2 {
                if delivery.progress.waiting().is_some() {
                    attempt(&engine, delivery.snapshot.trace_id, FAILED).await?;
                }
            }
        }
    }
    let failed = deliveries(&engine, &pager).await?;
    assert!(failed.iter().all(|delivery| delivery.progress.status() == Status::Failed), "{failed:?}");
    assert_eq!(failed.len(), 5);
    engine.ports().release_hold(&acme(), pager.id, LATER).await?;
    engine.ports().hold(&acme(), pager.id, "Ann", LATER).await?;
    engine.count().await;
    assert_eq!(engine.ports().advance_operational_states(LATER).await?.next_due, None);
    assert_eq!(outbox(&engine).await?, []);
    Ok(())
}

pub(crate) async fn an_operational_event_tells_nothing_after_its_subscription_has_other_criteria<E: Engine>()
-> StoreResult<()>
where
    E::Ports: OperationalEvents,
{
    let (core, mut changed) = (of_all_events("Core", 0), pager(1));
    changed.settings.flow.hold_after_failures = Some(3);
    let engine = with::<E>(&[&core, &changed, &pager(2)]).await?;
    for seconds in 0..5 {
        let now = NOW + seconds * SECOND;
        engine.ports().hold(&acme(), core.id, "Ann", now).await?;
        engine.ports().release_hold(&acme(), core.id, now).await?;
        for event in outbox(&engine).await? {
            operational::take_in(engine.ports(), &event, now).await?;
        }
    }
    changed.settings.criteria = core.settings.criteria.clone();
    changed.version += 1;
    assert_eq!(engine.ports().replace(changed.clone()).await?, ReplaceOutcome::Replaced);
    let old = deliveries(&engine, &changed).await?;
    for delivery in &old {
        attempt(&engine, delivery.snapshot.trace_id, FAILED).await?;
    }
    let flow = engine.ports().flows(&acme(), LATER).await?.remove(&changed.id);
    assert!(flow.is_some_and(|flow| flow.hold.is_some()), "its receiver fails, whatever it is sent");
    for delivery in &old {
        attempt(&engine, delivery.snapshot.trace_id, FAILED).await?;
    }
    resend(&engine, old[0].snapshot.trace_id, SUCCEEDED).await?;
    engine.count().await;
    assert_eq!(engine.ports().advance_operational_states(LATER).await?.next_due, None);
    assert_eq!(outbox(&engine).await?, []);
    Ok(())
}

pub(crate) async fn nothing_is_kept_where_nobody_is_told<E: Engine>() -> StoreResult<()>
where
    E::Ports: OperationalEvents,
{
    let (core, first) = (of_all_events("Core", 0), pager(1));
    let engine = with::<E>(&[&core]).await?;
    let of = accepted(&engine, 12).await;
    for trace in &of[..4] {
        attempt(&engine, *trace, FAILED).await?;
    }
    engine.count().await;
    engine.ports().create(first.clone(), MANY).await?;
    for trace in &of[4..7] {
        attempt(&engine, *trace, FAILED).await?;
    }
    assert_eq!(outbox(&engine).await?, [], "it counts from when somebody is told");
    engine.ports().delete(&acme(), first.id, None).await?;
    engine.count().await;
    engine.ports().create(pager(2), MANY).await?;
    for trace in &of[7..10] {
        attempt(&engine, *trace, FAILED).await?;
    }
    assert_eq!(outbox(&engine).await?, [], "what was counted for the one before is forgotten");
    attempt(&engine, of[10], FAILED).await?;
    assert_eq!(kinds(&engine).await?, [SubscriptionFailing]);
    Ok(())
}

/// Both are there for a moment. Whether a run comes between makes no difference.
pub(crate) async fn an_observer_in_the_place_of_the_only_other_hears_what_was_to_be_told<E: Engine>()
-> StoreResult<()>
where
    E::Ports: OperationalEvents,
{
    for counts_between in [true, false] {
        let (core, first) = (without_retries("Core", 0), pager(1));
        let engine = with::<E>(&[&core, &first]).await?;
        let of = accepted(&engine, 5).await;
        for trace in &of[..4] {
            attempt(&engine, *trace, FAILED).await?;
        }
        assert_eq!(kinds(&engine).await?, [SubscriptionFailing]);
        // Made after all that.
        engine.ports().create(pager(20_000), MANY).await?;
        if counts_between {
            engine.count().await;
        }
        engine.ports().delete(&acme(), first.id, None).await?;
        engine.count().await;
        let engine = engine.restarted();
        attempt(&engine, of[4], SUCCEEDED).await?;
        assert_eq!(kinds(&engine).await?, [SubscriptionFailing, SubscriptionRecovered]);
        engine.ports().advance_operational_states(LATER).await?;
        let expected = [SubscriptionFailing, SubscriptionRecovered, DeliveryExhausted];
        assert_eq!(kinds(&engine).await?, expected, "{counts_between}");
    }
    Ok(())
}

pub(crate) async fn an_observer_that_is_made_after_the_last_went_hears_what_happens_from_then_on<E: Engine>()
-> StoreResult<()>
where
    E::Ports: OperationalEvents,
{
    let (core, first) = (without_retries("Core", 0), pager(1));
    let engine = with::<E>(&[&core, &first]).await?;
    let of = accepted(&engine, 5).await;
    for trace in &of[..4] {
        attempt(&engine, *trace, FAILED).await?;
    }
    assert_eq!(kinds(&engine).await?, [SubscriptionFailing]);
    engine.ports().delete(&acme(), first.id, None).await?;
    // No run comes between.
    engine.ports().create(pager(20_000), MANY).await?;
    engine.count().await;
    attempt(&engine, of[4], SUCCEEDED).await?;
    engine.count().await;
    assert_eq!(engine.ports().advance_operational_states(LATER).await?.next_due, None);
    assert_eq!(
        kinds(&engine).await?,
        [SubscriptionFailing],
        "neither the recovery nor the window is its own"
    );
    Ok(())
}
