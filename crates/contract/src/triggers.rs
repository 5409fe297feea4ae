//! Triggers that fire on change, exactly once, and formulas that fail.

use futures_util::future::try_join_all;
use loanhook_core::intake::{self, Receipt, Submission};
use loanhook_core::model::event_evaluation::EventEvaluation;
use loanhook_core::model::id::{EventId, SubscriptionId, TraceId};
use loanhook_core::model::subscription::{Criteria, Fire, MAX_SUBSCRIPTIONS, Subscription};
use loanhook_core::model::time::Timestamp;
use loanhook_core::model::trigger_state::TriggerReading;
use loanhook_core::ports::{
    AcceptOutcome, AcceptRequest, IdempotencyKey, IdempotencyRecord, Intake, StoreResult, Subscriptions,
    WatchedTrigger,
};

use crate::engine::Engine;
use crate::scene::{DAY, MILLISECOND, SECOND, START, delivery_of, event, subscription, tenant, unwatched};

pub const LATE: &str = r#"{"days": 31, "status": "Open"}"#;
pub const IN_TIME: &str = r#"{"days": 0, "status": "Open"}"#;

/// A subscription that fires when more than 30 days are past due, made so many milliseconds after the start.
pub fn watching(millis: u32) -> Subscription {
    let mut subscription = subscription(&tenant("acme"), "Collections", &[300], START + millis * MILLISECOND);
    subscription.settings.criteria = trigger("(> days 30)", 1);
    subscription
}

fn trigger(formula: &str, since: u64) -> Criteria {
    Criteria::Trigger { trigger: formula.into(), fire: Fire::OnChange, since }
}

pub async fn with<E: Engine>(subscriptions: &[&Subscription]) -> StoreResult<E> {
    let engine = E::fresh().await;
    for subscription in subscriptions {
        assert!(engine.ports().create((*subscription).clone(), MAX_SUBSCRIPTIONS).await?);
    }
    Ok(engine)
}

/// An event of a loan with this context, a second later each time.
pub async fn send<E: Engine>(engine: &E, loan: &str, context: &str, step: u32) -> Receipt {
    submit(engine, loan, context, None, START + step * SECOND).await
}

pub async fn submit<E: Engine>(
    engine: &E,
    loan: &str,
    context: &str,
    key: Option<&str>,
    now: Timestamp,
) -> Receipt {
    let submission = Submission { event: event(loan, context), key: key.map(str::to_owned) };
    intake::accept(engine.ports(), &tenant("acme"), submission, now).await.expect("accepted")
}

pub fn fired(receipt: &Receipt) -> Vec<SubscriptionId> {
    receipt.deliveries.iter().map(|promised| promised.subscription_id).collect()
}

pub fn traces(receipts: &[Receipt]) -> Vec<TraceId> {
    let mut traces: Vec<_> =
        receipts.iter().flat_map(|receipt| &receipt.deliveries).map(|promised| promised.trace_id).collect();
    traces.sort_unstable();
    traces
}

pub async fn queued<E: Engine>(engine: &E) -> Vec<TraceId> {
    let mut traces: Vec<_> = engine.drain().await.into_iter().map(|message| message.trace_id).collect();
    traces.sort_unstable();
    traces
}

pub(crate) async fn a_trigger_fires_when_it_becomes_true_and_again_after_it_was_false<E: Engine>()
-> StoreResult<()> {
    let late = watching(0);
    let engine = with::<E>(&[&late]).await?;
    let mut receipts = Vec::new();
    for (step, (context, fires)) in
        [(IN_TIME, 0), (LATE, 1), (LATE, 0), ("{}", 0), (LATE, 0), (IN_TIME, 0), (LATE, 1)]
            .into_iter()
            .enumerate()
    {
        let receipt = send(&engine, "727", context, u32::try_from(step).expect("few steps")).await;
        // Without the variable the formula fails, and what is remembered stays.
        assert_eq!(receipt.deliveries.len(), fires, "step {step}");
        receipts.push(receipt);
    }
    assert_eq!(queued(&engine).await, traces(&receipts));
    for trace in traces(&receipts) {
        assert!(delivery_of(engine.ports(), &late.tenant, trace).await?.is_some());
    }
    Ok(())
}

pub(crate) async fn of_concurrent_events_one_fires_the_trigger<E: Engine>() -> StoreResult<()> {
    let late = watching(0);
    let engine = with::<E>(&[&late]).await?;
    for round in 0..4 {
        let events = (0..8).map(|_| async { StoreResult::Ok(send(&engine, "727", LATE, 2 * round).await) });
        let receipts = try_join_all(events).await?;
        assert_eq!(receipts.iter().filter(|receipt| !receipt.deliveries.is_empty()).count(), 1);
        assert_eq!(queued(&engine).await, traces(&receipts));
        assert!(send(&engine, "727", IN_TIME, 2 * round + 1).await.deliveries.is_empty());
        // Any event may bring the message again of what was not attempted yet.
        let again = queued(&engine).await;
        assert!(again.iter().all(|trace| traces(&receipts).contains(trace)), "{again:?}");
    }
    Ok(())
}

pub(crate) async fn each_loan_and_subscription_has_a_trigger_state_of_its_own<E: Engine>() -> StoreResult<()>
{
    let (mut one, mut other) = (watching(0), watching(1));
    one.settings.title = "One".into();
    other.settings.criteria = trigger("(> days 60)", 1);
    let engine = with::<E>(&[&one, &other]).await?;
    assert_eq!(fired(&send(&engine, "727", LATE, 0).await), [one.id]);
    assert_eq!(fired(&send(&engine, "728", r#"{"days": 61}"#, 1).await), [one.id, other.id]);
    assert_eq!(fired(&send(&engine, "727", r#"{"days": 61}"#, 2).await), [other.id]);
    assert_eq!(fired(&send(&engine, "7 27", LATE, 3).await), [one.id]);
    Ok(())
}

pub(crate) async fn a_rising_edge_that_the_restriction_forbids_is_used_up<E: Engine>() -> StoreResult<()> {
    let mut late = watching(0);
    late.settings.restriction = Some("(= status \"Open\")".into());
    let engine = with::<E>(&[&late]).await?;
    for (step, (context, fires)) in
        [(r#"{"days": 31, "status": "Closed"}"#, 0), (LATE, 0), (IN_TIME, 0), (LATE, 1)]
            .into_iter()
            .enumerate()
    {
        let receipt = send(&engine, "727", context, u32::try_from(step).expect("few steps")).await;
        assert_eq!(receipt.deliveries.len(), fires, "step {step}");
    }
    Ok(())
}

pub(crate) async fn the_state_of_a_changed_trigger_is_dropped_and_that_of_a_disabled_subscription_is_kept<
    E: Engine,
>() -> StoreResult<()> {
    let mut late = watching(0);
    let engine = with::<E>(&[&late]).await?;
    assert_eq!(send(&engine, "727", LATE, 0).await.deliveries.len(), 1);

    late.version = 2;
    late.settings.enabled = false;
    engine.ports().replace(late.clone()).await?;
    assert!(send(&engine, "727", IN_TIME, 1).await.deliveries.is_empty());
    late.version = 3;
    late.settings.enabled = true;
    engine.ports().replace(late.clone()).await?;
    assert!(send(&engine, "727", LATE, 2).await.deliveries.is_empty(), "it was true, and nobody saw it fall");

    late.version = 4;
    late.settings.criteria = trigger("(> days 29)", 4);
    engine.ports().replace(late.clone()).await?;
    assert_eq!(send(&engine, "727", LATE, 3).await.deliveries.len(), 1);
    late.version = 5;
    late.settings.criteria = trigger("(> days 30)", 5);
    engine.ports().replace(late.clone()).await?;
    assert_eq!(send(&engine, "727", LATE, 4).await.deliveries.len(), 1);
    Ok(())
}

pub(crate) async fn a_repeated_call_answers_what_fired_and_changes_nothing<E: Engine>() -> StoreResult<()> {
    let (late, mut each) = (watching(0), watching(1));
    each.settings.criteria = Criteria::Trigger { trigger: "true".into(), fire: Fire::EveryMatch, since: 1 };
    let engine = with::<E>(&[&late, &each]).await?;
    let first = submit(&engine, "727", LATE, Some("a"), START).await;
    assert_eq!(fired(&first), [late.id, each.id]);
    let still = submit(&engine, "727", LATE, Some("b"), START + SECOND).await;
    assert_eq!(fired(&still), [each.id]);
    send(&engine, "727", IN_TIME, 2).await;
    engine.drain().await;

    for (key, receipt) in [("a", &first), ("b", &still)] {
        let again = submit(&engine, "727", LATE, Some(key), START + 3 * SECOND).await;
        assert_eq!(
            (again.event_id, traces(&[again])),
            (receipt.event_id, {
                let mut traces: Vec<_> =
                    receipt.deliveries.iter().map(|promised| promised.trace_id).collect();
                traces.sort_unstable();
                traces
            })
        );
    }
    // It fell, and the repeats of older events did not raise it.
    assert_eq!(fired(&send(&engine, "727", LATE, 4).await), [late.id, each.id]);
    Ok(())
}

pub(crate) async fn a_duplicate_call_changes_no_trigger_state<E: Engine>() -> StoreResult<()> {
    let late = watching(0);
    let engine = with::<E>(&[&late]).await?;
    let ports = engine.ports();
    let acme = tenant("acme");
    let loan = event("727", LATE);
    let key = || IdempotencyKey { key: "a".into(), until: START + DAY };
    let record = |id| IdempotencyRecord::new(loan.digest(), id, START, &[]);
    let watched = |id| {
        let delivery =
            loanhook_core::model::delivery::Delivery::render(&late, &EventEvaluation::new(&loan, START), id);
        let watch = TriggerReading { subscription: late.id, since: 1, holds: true };
        let (title, version) = (late.settings.title.clone(), late.version);
        vec![WatchedTrigger { watch, title, version, delivery: Some(delivery) }]
    };
    let calls = (0..8).map(|_| {
        let id = EventId::at(START);
        let record = Some((key(), record(id)));
        let request = AcceptRequest { watched: watched(id), ..unwatched(&acme, record, vec![], START) };
        let call =
            ports.accept(AcceptRequest { loan_id: loan.loan_id.clone(), ..request }, Default::default());
        async move { StoreResult::Ok((id, call.await?)) }
    });
    let accepted = try_join_all(calls).await?;
    let winners: Vec<_> = accepted
        .iter()
        .filter(|(_, accepted)| *accepted == AcceptOutcome::Stored { fired: vec![late.id] })
        .collect();
    let [(winner, _)] = winners.as_slice() else { panic!("{accepted:?}") };
    for (id, accepted) in &accepted {
        let there = delivery_of(ports, &acme, TraceId::of(*id, late.id)).await?;
        assert_eq!(there.is_some(), id == winner);
        if let AcceptOutcome::Duplicate(known) = accepted {
            assert_eq!((known.event_id, known.matched.as_slice()), (*winner, [(late.id, 1)].as_slice()));
        }
    }
    assert_eq!(queued(&engine).await, [TraceId::of(*winner, late.id)]);
    Ok(())
}
