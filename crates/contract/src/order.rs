//! Order of deliveries: first attempts that wait for earlier deliveries of their loan.

use loanhook_core::deliver::Deliver;
use loanhook_core::delivery_list::DeliveryFilter;
use loanhook_core::holds::waiting_of;
use loanhook_core::model::attempt::{Attempt, AttemptNumber};
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::flow::{DeliveryOrder, Waiting, WaitingReason};
use loanhook_core::model::id::TraceId;
use loanhook_core::model::progress::Status;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{ClaimOutcome, Deliveries, FlowControl, QueueMessage, StoreResult};
use uuid::Uuid;

use crate::delivery_list::{
    CONTEXT, FAILED, SUCCEEDED, accepted, acme, attempt, cancel, claim, delivery, found, of_all_events,
    these_days,
};
use crate::engine::Engine;
use crate::scene::{DAY, MILLISECOND, SECOND, START, attempt_message, ended};
use crate::sender::Scripted;
use crate::triggers::{queued, send, with};

/// A subscription of every event that keeps the order of each loan, with one retry.
pub(crate) fn in_order(step_aside_after_seconds: Option<u32>) -> Subscription {
    let mut subscription = of_all_events("Core", 0);
    subscription.settings.flow.order = DeliveryOrder::Loan;
    subscription.settings.flow.step_aside_after_seconds = step_aside_after_seconds;
    subscription
}

fn with_reason(reason: WaitingReason) -> DeliveryFilter {
    DeliveryFilter { waiting: Some(reason), ..these_days() }
}

/// Asks for the first attempt of a delivery.
pub(crate) async fn claim_first<E: Engine>(
    engine: &E,
    trace: TraceId,
    now: Timestamp,
) -> StoreResult<Option<(Delivery, Attempt, Uuid)>> {
    let (delivery, token) = (delivery(engine, trace).await?, Uuid::new_v4());
    let message = attempt_message(&delivery, 1, delivery.snapshot.accepted_at);
    Ok(match engine.ports().claim(&message, 1, token, now).await? {
        ClaimOutcome::Claimed(won) => Some((won.0, won.1, token)),
        ClaimOutcome::NotClaimed(as_it_is) => {
            assert_eq!(as_it_is.as_deref(), Some(&delivery), "nothing changed");
            None
        }
    })
}

pub(crate) async fn a_first_attempt_waits_for_the_end_of_every_earlier_delivery_of_its_loan<E: Engine>()
-> StoreResult<()> {
    let engine = with::<E>(&[&in_order(None)]).await?;
    let of = accepted(&engine, 3).await;
    let other = send(&engine, "728", CONTEXT, 3).await.deliveries[0].trace_id;
    let mut expected = vec![of[0], other];
    expected.sort_unstable();
    assert_eq!(queued(&engine).await, expected, "what waits has no message");
    attempt(&engine, other, SUCCEEDED).await?;

    attempt(&engine, of[0], FAILED).await?;
    for trace in &of[1..] {
        assert!(claim_first(&engine, *trace, START + DAY).await?.is_none());
    }
    assert_eq!(queued(&engine).await, [of[0]], "its retry");
    let engine = engine.restarted();
    attempt(&engine, of[0], SUCCEEDED).await?;
    assert_eq!(queued(&engine).await, [of[1]]);
    assert!(claim_first(&engine, of[2], START + DAY).await?.is_none());

    attempt(&engine, of[1], FAILED).await?;
    assert_eq!(queued(&engine).await, [of[1]]);
    attempt(&engine, of[1], FAILED).await?;
    assert_eq!(delivery(&engine, of[1]).await?.progress.status(), Status::Failed);
    assert_eq!(queued(&engine).await, [of[2]], "an exhausted delivery has ended");
    attempt(&engine, of[2], SUCCEEDED).await?;
    let next = send(&engine, "727", CONTEXT, 4).await.deliveries[0].trace_id;
    assert_eq!(queued(&engine).await, [next], "nothing is before it");
    Ok(())
}

pub(crate) async fn a_canceled_delivery_lets_those_behind_it_go<E: Engine>() -> StoreResult<()> {
    let engine = with::<E>(&[&in_order(None)]).await?;
    let of = accepted(&engine, 5).await;
    queued(&engine).await;
    // One that waits itself lets nothing go.
    cancel(&engine, of[1]).await?;
    assert_eq!(queued(&engine).await, []);
    cancel(&engine, of[0]).await?;
    assert_eq!(queued(&engine).await, [of[2]]);
    // One in flight ends with its attempt.
    let (claimed, row, token) = claim(&engine, of[2]).await?;
    cancel(&engine, of[2]).await?;
    assert_eq!(queued(&engine).await, []);
    assert!(claim_first(&engine, of[3], START + DAY).await?.is_none());
    let at = row.sent_at + SECOND;
    assert!(engine.ports().complete(&claimed, token, ended(row, FAILED, at), None).await?);
    assert_eq!(queued(&engine).await, [of[3]]);
    // So does one that is given back.
    let (claimed, row, token) = claim(&engine, of[3]).await?;
    cancel(&engine, of[3]).await?;
    engine.ports().release(&claimed, token, &row, row.sent_at).await?;
    assert_eq!(queued(&engine).await, [of[4]]);
    Ok(())
}

pub(crate) async fn a_delivery_that_is_given_back_is_still_waited_for<E: Engine>() -> StoreResult<()> {
    let engine = with::<E>(&[&in_order(Some(60))]).await?;
    let of = accepted(&engine, 2).await;
    queued(&engine).await;
    let (claimed, row, token) = claim(&engine, of[0]).await?;
    engine.ports().release(&claimed, token, &row, row.sent_at + SECOND).await?;
    assert_eq!(queued(&engine).await, [of[0]]);
    assert!(claim_first(&engine, of[1], START + DAY).await?.is_none(), "it has not failed");
    Ok(())
}

pub(crate) async fn a_delivery_that_is_stuck_steps_aside<E: Engine>() -> StoreResult<()> {
    let engine = with::<E>(&[&in_order(Some(60))]).await?;
    let of = accepted(&engine, 4).await;
    queued(&engine).await;
    attempt(&engine, of[0], FAILED).await?;
    let steps_aside = START + 61 * SECOND;
    let before = steps_aside.minus(MILLISECOND);
    assert!(claim_first(&engine, of[1], before).await?.is_none());
    let dues = |messages: Vec<QueueMessage>| {
        messages.into_iter().map(|message| (message.trace_id, message.due)).collect::<Vec<_>>()
    };
    let retry = START + 301 * SECOND;
    assert_eq!(dues(engine.drain().await), [(of[1], steps_aside), (of[0], retry)]);
    let (claimed, row, token) = claim_first(&engine, of[1], steps_aside).await?.expect("its turn");
    assert!(claim_first(&engine, of[2], START + DAY).await?.is_none(), "the one before it has not ended");
    assert!(engine.ports().complete(&claimed, token, ended(row, SUCCEEDED, retry), None).await?);
    assert_eq!(queued(&engine).await, [of[2]], "the stuck one steps aside for all");

    // Both fail: the last of those before counts, from its first failure on, whatever becomes of its retries.
    let (claimed, row, token) = claim_first(&engine, of[2], retry).await?.expect("its turn");
    let first = retry + 10 * SECOND;
    assert!(engine.ports().complete(&claimed, token, ended(row, FAILED, first), None).await?);
    let messages = dues(engine.drain().await);
    assert_eq!(messages, [(of[3], first + 60 * SECOND), (of[2], first + 300 * SECOND)]);
    assert!(claim_first(&engine, of[3], first + 59 * SECOND).await?.is_none());
    let number = AttemptNumber::Auto(2);
    assert_eq!(claim(&engine, of[0]).await?.1.number, number, "order holds up no retry");
    assert!(claim_first(&engine, of[3], first + 60 * SECOND).await?.is_some());
    Ok(())
}

pub(crate) async fn messages_that_come_twice_break_no_order<E: Engine>() -> StoreResult<()> {
    let engine = with::<E>(&[&in_order(None)]).await?;
    let of = accepted(&engine, 3).await;
    queued(&engine).await;
    let deliver =
        Deliver { store: engine.ports().clone(), sender: Scripted::always(200), lease: None, deadline: None };
    let mut messages = Vec::new();
    for trace in &of {
        messages.push(attempt_message(&delivery(&engine, *trace).await?, 1, START));
    }
    // Each message comes again and again, the last ones first.
    for _ in 0..4 {
        for message in messages.iter().rev().chain(messages.iter().rev()) {
            deliver.handle(message.clone(), START + DAY).await?;
        }
    }
    let sent = deliver.sender.take_sent();
    let sent: Vec<_> = sent.iter().map(|request| (request.trace_id, request.sequence)).collect();
    assert_eq!(sent, [(of[0], Some(1)), (of[1], Some(2)), (of[2], Some(3))]);
    Ok(())
}

pub(crate) async fn what_waits_for_an_earlier_delivery_says_so<E: Engine>() -> StoreResult<()> {
    let core = in_order(None);
    let engine = with::<E>(&[&core]).await?;
    let of = accepted(&engine, 3).await;
    let order = with_reason(WaitingReason::Order);
    assert_eq!(found(&engine, order.clone()).await?, [of[2], of[1]]);
    let later = START + 3600 * SECOND;
    let waiting = async |place: usize| {
        let delivery = delivery(&engine, of[place]).await?;
        waiting_of(engine.ports(), &delivery, later).await
    };
    let since = |reason, since| Some(Waiting { reason, since });
    assert_eq!(waiting(0).await?, None);
    assert_eq!(waiting(2).await?, since(WaitingReason::Order, START + 2 * SECOND), "since it was accepted");
    assert_eq!(waiting(1).await?, since(WaitingReason::Order, START + SECOND));
    attempt(&engine, of[0], SUCCEEDED).await?;
    assert_eq!(found(&engine, order).await?, [of[2]]);
    assert_eq!(waiting(1).await?, None, "it is its turn");
    Ok(())
}

pub(crate) async fn a_hold_holds_up_what_waits_for_an_earlier_delivery_too<E: Engine>() -> StoreResult<()> {
    let core = in_order(None);
    let engine = with::<E>(&[&core]).await?;
    let of = accepted(&engine, 3).await;
    let (order, hold) = (with_reason(WaitingReason::Order), with_reason(WaitingReason::Hold));
    let later = START + 3600 * SECOND;
    assert!(engine.ports().hold(&acme(), core.id, "Ann", START).await?);
    assert_eq!(found(&engine, hold).await?, [of[0]]);
    let second = waiting_of(engine.ports(), &delivery(&engine, of[1]).await?, later).await?;
    assert_eq!(second, Some(Waiting { reason: WaitingReason::Order, since: START + SECOND }));
    engine.note_waiting().await;
    let waiting = if E::counts_what_waits_for_order() { 3 } else { 1 };
    assert_eq!(
        engine.ports().count_waiting(&acme(), core.id, later).await?,
        waiting,
        "the hold holds up all"
    );
    assert!(engine.ports().release_hold(&acme(), core.id, START).await?);
    attempt(&engine, of[0], SUCCEEDED).await?;
    assert_eq!(found(&engine, order).await?, [of[2]]);
    Ok(())
}
