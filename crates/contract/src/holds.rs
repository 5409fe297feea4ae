//! Holds of subscriptions, and what waits.

use loanhook_core::delivery_list::DeliveryFilter;
use loanhook_core::holds::{hold_of, waiting_of};
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::flow::{Hold, Waiting, WaitingReason};
use loanhook_core::model::id::SubscriptionId;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Deliveries, FlowControl, ReplaceOutcome, StoreResult, Subscriptions};

use crate::delivery_list::{
    CONTEXT, FAILED, MANY, SUCCEEDED, accepted, acme, attempt, claim, delivery, found, of_all_events, page,
    resend, these_days,
};
use crate::engine::Engine;
use crate::scene::{DAY, SECOND, START, ended, tenant};
use crate::triggers::{send, with};

/// When the cases look: all retries are due by then.
const LATER: Timestamp = Timestamp::from_millis(START.millis() + 24 * 3_600_000);

/// A subscription that three failures in a row hold.
fn held_after_three(title: &str, millis: u32) -> Subscription {
    let mut subscription = of_all_events(title, millis);
    subscription.settings.flow.hold_after_failures = Some(3);
    subscription
}

async fn hold<E: Engine>(engine: &E, id: SubscriptionId) -> StoreResult<Option<Hold>> {
    Ok(engine.ports().flows(&acme(), LATER).await?.remove(&id).and_then(|flow| flow.hold))
}

pub(crate) async fn failures_in_a_row_hold_a_subscription_until_a_success<E: Engine>() -> StoreResult<()> {
    let core = held_after_three("Core", 0);
    let engine = with::<E>(&[&core]).await?;
    let of = accepted(&engine, 5).await;
    attempt(&engine, of[0], FAILED).await?;
    attempt(&engine, of[1], SUCCEEDED).await?;
    attempt(&engine, of[2], FAILED).await?;
    attempt(&engine, of[3], Err(ErrorKind::Timeout)).await?;
    attempt(&engine, of[4], Err(ErrorKind::Interrupted)).await?;
    assert_eq!(
        hold(&engine, core.id).await?,
        None,
        "a success was between them, and an interruption says nothing"
    );
    attempt(&engine, of[4], FAILED).await?;
    let held = hold(&engine, core.id).await?.expect("a hold");
    let probe = held.probe().expect("a hold by failures");
    assert_eq!((held.by(), probe.due), ("failures", held.since + 30 * SECOND));

    let engine = engine.restarted();
    assert_eq!(hold(&engine, core.id).await?, Some(held.clone()), "it outlives the process");
    resend(&engine, of[1], FAILED).await?;
    assert_eq!(hold(&engine, core.id).await?, Some(held), "a resend is no probe");
    attempt(&engine, of[0], FAILED).await?;
    let held = hold(&engine, core.id).await?.expect("a hold");
    assert_eq!(held.probe().map(|probe| probe.delay), Some(60 * SECOND), "a probe is");
    resend(&engine, of[1], SUCCEEDED).await?;
    assert_eq!(hold(&engine, core.id).await?, None);
    Ok(())
}

pub(crate) async fn an_attempt_that_is_completed_twice_is_one_failure<E: Engine>() -> StoreResult<()> {
    let core = held_after_three("Core", 0);
    let engine = with::<E>(&[&core]).await?;
    let of = accepted(&engine, 3).await;
    for trace in &of[..2] {
        let (claimed, row, token) = claim(&engine, *trace).await?;
        let at = row.sent_at + SECOND;
        let row = ended(row, FAILED, at);
        assert!(engine.ports().complete(&claimed, token, row.clone(), None).await?);
        assert!(!engine.ports().complete(&claimed, token, row, None).await?);
    }
    assert_eq!(hold(&engine, core.id).await?, None);
    attempt(&engine, of[2], FAILED).await?;
    assert!(hold(&engine, core.id).await?.is_some());
    Ok(())
}

pub(crate) async fn without_the_setting_failures_hold_nothing<E: Engine>() -> StoreResult<()> {
    let core = of_all_events("Core", 0);
    let engine = with::<E>(&[&core]).await?;
    for trace in accepted(&engine, 5).await {
        attempt(&engine, trace, FAILED).await?;
    }
    assert_eq!(hold(&engine, core.id).await?, None);
    Ok(())
}

pub(crate) async fn a_setting_that_is_taken_out_forgets_failures<E: Engine>() -> StoreResult<()> {
    let core = held_after_three("Core", 0);
    let engine = with::<E>(&[&core]).await?;
    let of = accepted(&engine, 5).await;
    for trace in &of[..2] {
        attempt(&engine, *trace, FAILED).await?;
    }
    for (version, hold_after_failures) in [(2, None), (3, Some(3))] {
        let mut next = Subscription { version, ..core.clone() };
        next.settings.flow.hold_after_failures = hold_after_failures;
        assert_eq!(engine.ports().replace(next).await?, ReplaceOutcome::Replaced);
    }
    for trace in &of[2..4] {
        attempt(&engine, *trace, FAILED).await?;
    }
    assert_eq!(hold(&engine, core.id).await?, None, "it counts anew");
    attempt(&engine, of[4], FAILED).await?;
    assert!(hold(&engine, core.id).await?.is_some());
    Ok(())
}

pub(crate) async fn a_subscription_is_held_and_released_by_hand<E: Engine>() -> StoreResult<()> {
    let core = held_after_three("Core", 0);
    let engine = with::<E>(&[&core]).await?;
    let of = accepted(&engine, 2).await;
    assert!(engine.ports().hold(&acme(), core.id, "Ann", START + SECOND).await?);
    assert!(engine.ports().hold(&acme(), core.id, "Bob", START + 2 * SECOND).await?);
    let held = hold(&engine, core.id).await?.expect("a hold");
    assert_eq!((held.by(), held.since, held.probe()), ("Ann", START + SECOND, None));
    attempt(&engine, of[0], SUCCEEDED).await?;
    let engine = engine.restarted();
    assert_eq!(hold(&engine, core.id).await?, Some(held), "it ends by hand only");
    for _ in 0..2 {
        assert!(engine.ports().release_hold(&acme(), core.id, START + 3 * SECOND).await?);
        assert_eq!(hold(&engine, core.id).await?, None);
    }
    let unknown = SubscriptionId::at(START + DAY);
    assert!(!engine.ports().hold(&acme(), unknown, "Ann", START).await?);
    assert!(!engine.ports().release_hold(&acme(), unknown, START).await?);
    Ok(())
}

pub(crate) async fn a_subscription_that_is_deleted_is_held_no_more<E: Engine>() -> StoreResult<()> {
    let core = held_after_three("Core", 0);
    let engine = with::<E>(&[&core]).await?;
    let of = accepted(&engine, 4).await;
    assert!(engine.ports().hold(&acme(), core.id, "Ann", START).await?);
    engine.ports().delete(&acme(), core.id, None).await?;
    for trace in of {
        attempt(&engine, trace, FAILED).await?;
    }
    assert_eq!(hold(&engine, core.id).await?, None, "nobody could release it");
    let engine = engine.restarted();
    assert_eq!(hold(&engine, core.id).await?, None);
    assert!(!engine.ports().hold(&acme(), core.id, "Ann", START).await?);
    Ok(())
}

pub(crate) async fn what_waits_says_why_and_since_when<E: Engine>() -> StoreResult<()> {
    let (core, mut borrowers, free) =
        (of_all_events("Core", 0), of_all_events("Borrowers", 1), of_all_events("Free", 2));
    borrowers.settings.flow.max_in_flight = Some(1);
    let engine = with::<E>(&[&free]).await?;
    for subscription in [&core, &borrowers] {
        assert!(engine.ports().create(subscription.clone(), MANY).await?);
    }
    let receipt = send(&engine, "727", CONTEXT, 0).await;
    let trace_of = |of: &Subscription| {
        receipt
            .deliveries
            .iter()
            .find(|promised| promised.subscription_id == of.id)
            .expect("a delivery")
            .trace_id
    };
    let [held, limited, other] = [&core, &borrowers, &free].map(trace_of);
    let since = START + 9 * SECOND;
    assert!(engine.ports().hold(&acme(), core.id, "Ann", since).await?);

    let with_reason = |reason| DeliveryFilter { waiting: Some(reason), ..these_days() };
    assert_eq!(found(&engine, with_reason(WaitingReason::Hold)).await?, [held]);
    assert_eq!(found(&engine, with_reason(WaitingReason::Limit)).await?, [], "its limit is not reached");
    assert_eq!(found(&engine, with_reason(WaitingReason::Order)).await?, []);
    let of_other = DeliveryFilter { subscription_id: Some(free.id), ..with_reason(WaitingReason::Hold) };
    assert_eq!(found(&engine, of_other).await?, []);
    let waiting = |reason, since| Some(Waiting { reason, since });
    for (trace, expected) in [(held, waiting(WaitingReason::Hold, since)), (limited, None), (other, None)] {
        let delivery = delivery(&engine, trace).await?;
        assert_eq!(waiting_of(engine.ports(), &delivery, LATER).await?, expected, "{delivery:?}");
        let listed = page(&engine, &these_days(), None, MANY).await?.deliveries;
        let listed = listed.iter().find(|listed| listed.delivery == delivery).expect("it is listed");
        assert_eq!(listed.waiting, expected);
    }
    engine.note_waiting().await;
    let shown = hold_of(engine.ports(), &acme(), core.id, LATER).await?.expect("a hold");
    assert_eq!((shown.hold.by(), shown.waiting), ("Ann", 1));

    // What is in flight does not wait, nor what is due later.
    let (claimed, row, token) = claim(&engine, held).await?;
    assert_eq!(found(&engine, with_reason(WaitingReason::Hold)).await?, []);
    assert_eq!(engine.ports().count_waiting(&acme(), core.id, LATER).await?, 0);
    let at = row.sent_at + SECOND;
    assert!(engine.ports().complete(&claimed, token, ended(row, FAILED, at), None).await?);
    let delivery = delivery(&engine, held).await?;
    assert_eq!(waiting_of(engine.ports(), &delivery, at).await?, None);
    assert_eq!(engine.ports().count_waiting(&acme(), core.id, at).await?, 0);
    let due = at + 300 * SECOND;
    assert_eq!(waiting_of(engine.ports(), &delivery, due).await?, waiting(WaitingReason::Hold, due));
    assert_eq!(engine.ports().count_waiting(&acme(), core.id, due).await?, 1);
    Ok(())
}

pub(crate) async fn another_tenants_subscription_cannot_be_held_or_released<E: Engine>() -> StoreResult<()> {
    let core = of_all_events("Core", 0);
    let engine = with::<E>(&[&core]).await?;
    accepted(&engine, 2).await;
    let stranger = tenant("acme-2");
    assert!(!engine.ports().hold(&stranger, core.id, "Eve", START).await?);
    assert_eq!(hold(&engine, core.id).await?, None);
    assert!(engine.ports().hold(&acme(), core.id, "Ann", START).await?);
    assert!(!engine.ports().release_hold(&stranger, core.id, START).await?);
    assert!(hold(&engine, core.id).await?.is_some());
    engine.note_waiting().await;
    assert!(engine.ports().flows(&stranger, LATER).await?.is_empty());
    assert_eq!(engine.ports().count_waiting(&stranger, core.id, LATER).await?, 0);
    assert_eq!(engine.ports().count_waiting(&acme(), core.id, LATER).await?, 2);
    Ok(())
}
