//! Order of deliveries: their numbers, and what follows where the settings of their subscription change.

use futures_util::future::join_all;
use loanhook_core::model::flow::DeliveryOrder;
use loanhook_core::model::id::TraceId;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::ports::{ReplaceOutcome, StoreResult, Subscriptions};

use crate::delivery_list::{
    CONTEXT, FAILED, MANY, SUCCEEDED, accepted, acme, attempt, delivery, of_all_events,
};
use crate::engine::Engine;
use crate::order::{claim_first, in_order};
use crate::scene::{DAY, SECOND, START};
use crate::triggers::{queued, send, submit, with};

async fn sequence<E: Engine>(engine: &E, trace: TraceId) -> StoreResult<Option<u64>> {
    Ok(delivery(engine, trace).await?.snapshot.sequence)
}

/// Stores the next version of a subscription, and has it followed.
async fn replace<E: Engine>(engine: &E, subscription: &mut Subscription) -> StoreResult<()> {
    subscription.version += 1;
    let replaced = engine.ports().replace(subscription.clone()).await?;
    assert_eq!(replaced, ReplaceOutcome::Replaced);
    engine.ports().follow_order(&subscription.tenant, subscription.id).await
}

pub(crate) async fn deliveries_of_a_loan_are_numbered_without_a_gap<E: Engine>() -> StoreResult<()> {
    let core = in_order(None);
    let engine = with::<E>(&[&core]).await?;
    let plain = of_all_events("Plain", 1);
    assert!(engine.ports().create(plain.clone(), MANY).await?);
    let numbers = async |engine: &E, loan: &str, key: Option<&str>, step: u32| {
        let receipt = submit(engine, loan, CONTEXT, key, START + step * SECOND).await;
        let mut numbers = Vec::new();
        for promised in &receipt.deliveries {
            let number = sequence(engine, promised.trace_id).await?;
            match promised.subscription_id == core.id {
                true => numbers.push(number),
                false => assert_eq!(number, None, "it keeps no order"),
            }
        }
        StoreResult::Ok(numbers)
    };
    for (loan, key, step, expected) in [
        ("727", Some("a"), 0, 1),
        ("727", Some("b"), 1, 2),
        // The same call again.
        ("727", Some("a"), 2, 1),
        ("728", None, 3, 1),
        ("727", None, 4, 3),
        ("727", Some("b"), 5, 2),
        ("728", None, 6, 2),
    ] {
        assert_eq!(numbers(&engine, loan, key, step).await?, [Some(expected)], "{loan} {key:?} {step}");
    }
    let engine = engine.restarted();
    assert_eq!(numbers(&engine, "727", None, 7).await?, [Some(4)]);
    let at_once = join_all((0..8).map(|_| numbers(&engine, "729", None, 8))).await;
    let mut at_once: Vec<_> = at_once.into_iter().flat_map(|numbers| numbers.expect("numbered")).collect();
    at_once.sort_unstable();
    assert_eq!(at_once, (1..=8).map(Some).collect::<Vec<_>>());
    Ok(())
}

pub(crate) async fn an_order_that_is_turned_off_lets_go_what_waits<E: Engine>() -> StoreResult<()> {
    let mut core = in_order(None);
    let engine = with::<E>(&[&core]).await?;
    let of = accepted(&engine, 4).await;
    assert_eq!(queued(&engine).await, [of[0]]);
    core.settings.flow.order = DeliveryOrder::None;
    replace(&engine, &mut core).await?;
    let let_go = queued(&engine).await;
    assert!(of[1..].iter().all(|trace| let_go.contains(trace)), "{let_go:?}");
    attempt(&engine, of[3], SUCCEEDED).await?;
    let free = send(&engine, "727", CONTEXT, 4).await.deliveries[0].trace_id;
    assert_eq!((queued(&engine).await, sequence(&engine, free).await?), (vec![free], None));

    // Turned on again, it goes on with the next number, behind all that has a number and has not ended.
    core.settings.flow.order = DeliveryOrder::Loan;
    replace(&engine, &mut core).await?;
    queued(&engine).await;
    let engine = engine.restarted();
    let last = send(&engine, "727", CONTEXT, 5).await.deliveries[0].trace_id;
    assert_eq!(sequence(&engine, last).await?, Some(5));
    assert!(!queued(&engine).await.contains(&last), "it waits");
    assert!(claim_first(&engine, of[1], START + DAY).await?.is_none());
    for (trace, behind) in [(of[0], of[1]), (of[1], of[2]), (of[2], last)] {
        attempt(&engine, trace, SUCCEEDED).await?;
        // What was let go may have its message still.
        let woken = queued(&engine).await;
        assert!(woken.is_empty() || woken == [behind], "{woken:?}");
        assert!(claim_first(&engine, last, START).await?.is_some() == (behind == last));
    }
    Ok(())
}

pub(crate) async fn a_change_of_the_time_to_step_aside_is_followed<E: Engine>() -> StoreResult<()> {
    let mut core = in_order(None);
    let engine = with::<E>(&[&core]).await?;
    let of = accepted(&engine, 2).await;
    attempt(&engine, of[0], FAILED).await?;
    assert_eq!(queued(&engine).await, [of[0]]);
    core.settings.flow.step_aside_after_seconds = Some(60);
    replace(&engine, &mut core).await?;
    assert!(queued(&engine).await.contains(&of[1]));
    assert!(claim_first(&engine, of[1], START + 60 * SECOND).await?.is_none());
    assert!(claim_first(&engine, of[1], START + 61 * SECOND).await?.is_some());
    Ok(())
}

pub(crate) async fn a_deleted_subscription_keeps_its_order<E: Engine>() -> StoreResult<()> {
    let core = in_order(None);
    let engine = with::<E>(&[&core]).await?;
    let of = accepted(&engine, 2).await;
    queued(&engine).await;
    engine.ports().delete(&acme(), core.id, None).await?;
    let engine = engine.restarted();
    assert!(claim_first(&engine, of[1], START + DAY).await?.is_none());
    attempt(&engine, of[0], SUCCEEDED).await?;
    assert_eq!(queued(&engine).await, [of[1]]);
    Ok(())
}
