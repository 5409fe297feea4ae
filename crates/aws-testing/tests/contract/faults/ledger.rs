//! Events of the ledger where their caller dies between two calls of intake, or AWS refuses one: who repeats the call with
//! its key finds the event with all of its verdicts, and an event that is not accepted is not left behind.

use std::collections::HashMap;

use loanhook_aws::Aws;
use loanhook_aws_testing::fault_proxy::{BROKEN, Fault};
use loanhook_aws_testing::{FaultyAwsEngine, run_with_faults};
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::{MILLISECOND, SECOND, START, delivery_of, loan, subscription, tenant};
use loanhook_contract::submission;
use loanhook_contract::{LATE, queued, submit, traces, watching, with};
use loanhook_core::intake::{IntakeError, Receipt, accept};
use loanhook_core::model::ledger::{DecisionKind, LedgerEvent};
use loanhook_core::model::subscription::{Criteria, Fire, Subscription};
use loanhook_core::ports::{Ledger, Payloads, StoreResult};
use serde_json::json;

use super::crash_before;

const MANY: usize = 10;

/// A subscription for every event.
fn all() -> Subscription {
    subscription(&tenant("acme"), "All", &[300], START)
}

/// A subscription with a trigger that has no state.
fn stateless(title: &str, millis: u32, trigger: &str) -> Subscription {
    let mut made = subscription(&tenant("acme"), title, &[300], START + millis * MILLISECOND);
    made.settings.criteria = Criteria::Trigger { trigger: trigger.into(), fire: Fire::EveryMatch, since: 1 };
    made
}

/// Subscriptions none of which watches a trigger, and what they decide about an event that is late.
fn unwatched() -> (Vec<Subscription>, Vec<DecisionKind>) {
    let very_late = stateless("Very late", 1, "(> days 60)");
    let fails = stateless("Fails", 2, "(> limit 60)");
    let decided = [DecisionKind::Delivered, DecisionKind::TriggerFalse, DecisionKind::FormulaError];
    (vec![all(), very_late, fails], decided.into())
}

/// Subscriptions of which two watch a trigger, and what they decide about an event that is late.
pub(super) fn watched() -> (Vec<Subscription>, Vec<DecisionKind>) {
    let mut restricted = watching(2);
    restricted.settings.restriction = Some("(> days 60)".into());
    let decided = [DecisionKind::Delivered, DecisionKind::Delivered, DecisionKind::RestrictionFalse];
    (vec![all(), watching(1), restricted], decided.into())
}

pub(super) async fn engine_with(subscriptions: &[Subscription]) -> StoreResult<FaultyAwsEngine> {
    let engine = with::<FaultyAwsEngine>(&subscriptions.iter().collect::<Vec<_>>()).await?;
    engine.proxy.take_calls();
    Ok(engine)
}

/// All events of the loan.
pub(super) async fn events(engine: &Aws) -> StoreResult<Vec<LedgerEvent>> {
    engine.events(&tenant("acme"), &loan("727"), None, None, MANY).await
}

/// The writes and messages of an event with a key, in their order: each with how many of its name there were up to it.
pub(super) async fn writes_of_an_event(subscriptions: &[Subscription]) -> StoreResult<Vec<(String, usize)>> {
    let engine = engine_with(subscriptions).await?;
    submit(&engine, "727", LATE, Some("key"), START).await;
    let mut counts = HashMap::new();
    let names = engine.proxy.take_call_names().into_iter();
    let writes = names.filter(|name| !name.contains("GetItem") && !name.starts_with("Query"));
    let numbered = writes.map(|name| {
        let count: &mut usize = counts.entry(name.clone()).or_default();
        *count += 1;
        (name, *count)
    });
    Ok(numbered.collect())
}

/// Asserts that the event is there once, as it was decided, with its payload and its deliveries.
pub(super) async fn assert_whole(
    engine: &FaultyAwsEngine,
    receipt: &Receipt,
    decided: &[DecisionKind],
    at: &str,
) -> StoreResult<()> {
    let found = events(engine.ports()).await?;
    let [event] = found.as_slice() else { panic!("{at}: {found:?}") };
    assert_eq!(event.id, receipt.event_id, "{at}");
    let kinds = event.verdicts.iter().map(|verdict| verdict.decision.kind());
    assert_eq!(kinds.collect::<Vec<_>>(), decided, "{at}");
    let promised = receipt.deliveries.iter().map(|promised| promised.trace_id);
    assert_eq!(event.traces().collect::<Vec<_>>(), promised.collect::<Vec<_>>(), "{at}");
    for trace in event.traces() {
        assert!(delivery_of(engine.ports(), &event.tenant, trace).await?.is_some(), "{at}");
    }
    let payload = engine.ports().payload(&event.tenant, event.context.payload).await?.expect(at);
    let from = event.context.offset as usize;
    assert_eq!(payload[from..from + event.context.bytes as usize], *LATE.as_bytes(), "{at}");
    Ok(())
}

/// The names of writes, without an order from the transaction on: what has fired is queued beside the rest.
fn in_order(mut names: Vec<&str>) -> Vec<&str> {
    if let Some(transaction) = names.iter().position(|name| *name == "TransactWriteItems") {
        names[transaction..].sort_unstable();
    }
    names
}

/// Whoever calls dies before each write in turn, and calls again.
async fn assert_repeat_completes(
    (subscriptions, decided): (Vec<Subscription>, Vec<DecisionKind>),
    order: &[&str],
) -> StoreResult<()> {
    let writes = writes_of_an_event(&subscriptions).await?;
    let names = writes.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(in_order(names), in_order(order.to_vec()));
    for (name, nth) in writes {
        let at = format!("{name} {nth}");
        let engine = engine_with(&subscriptions).await?;
        let ports = engine.ports().clone();
        let intake =
            async move { accept(&ports, &tenant("acme"), submission(LATE, Some("key")), START).await };
        crash_before(&engine, (&name, nth), intake).await;
        let receipt = submit(&engine, "727", LATE, Some("key"), START + SECOND).await;
        assert_whole(&engine, &receipt, &decided, &at).await?;
        assert_eq!(queued(&engine).await, traces(std::slice::from_ref(&receipt)), "{at}");
        let again = submit(&engine, "727", LATE, Some("key"), START + 2 * SECOND).await;
        assert_eq!(again.event_id, receipt.event_id);
        assert_whole(&engine, &receipt, &decided, &at).await?;
    }
    Ok(())
}

#[test]
fn a_repeat_completes_an_event_whose_caller_died_between_any_two_calls() {
    let order = ["PutItem I", "PutObject", "PutItem V", "PutItem T", "SendMessage", "UpdateItem F"];
    run_with_faults(async move { assert_repeat_completes(unwatched(), &order).await });
}

#[test]
fn a_repeat_completes_an_event_with_watched_triggers_whose_caller_died_between_any_two_calls() {
    // The payload of all is the event's own, and the event is a part of the transaction.
    let order = [
        "PutObject",
        "PutItem T",
        "TransactWriteItems",
        "PutItem T",
        "SendMessage",
        "SendMessage",
        "UpdateItem T",
    ];
    run_with_faults(async move { assert_repeat_completes(watched(), &order).await });
}

#[test]
fn an_event_whose_put_was_done_though_its_response_was_lost_is_accepted() {
    run_with_faults(async {
        let (subscriptions, decided) = unwatched();
        let engine = engine_with(&subscriptions).await?;
        engine.proxy.fault_nth("PutItem V", 1, Fault::LoseResponse);
        let receipt = submit(&engine, "727", LATE, None, START).await;
        assert_whole(&engine, &receipt, &decided, "PutItem V").await
    });
}

#[test]
fn a_repeat_adds_nothing_whether_the_index_shows_the_event_or_not() {
    run_with_faults(async {
        let (subscriptions, decided) = unwatched();
        let engine = engine_with(&subscriptions).await?;
        let receipt = submit(&engine, "727", LATE, Some("key"), START).await;
        let stored = events(engine.ports()).await?;
        engine.proxy.fault_from("Query V", 1, Fault::Respond(|_| json!({ "Items": [], "Count": 0 })));
        engine.proxy.take_calls();
        let again = submit(&engine, "727", LATE, Some("key"), START + SECOND).await;
        engine.proxy.clear_faults();
        let calls = engine.proxy.take_call_names();
        assert!(
            calls.contains(&"GetItem V".to_owned()) && !calls.contains(&"PutItem V".to_owned()),
            "{calls:?}"
        );
        assert_eq!(again.event_id, receipt.event_id);
        assert_eq!(events(engine.ports()).await?, stored);
        assert_whole(&engine, &receipt, &decided, "again").await
    });
}

#[test]
fn a_repeat_that_fails_takes_nothing_away_of_an_event_that_was_promised() {
    run_with_faults(async {
        for (subscriptions, decided) in [unwatched(), watched()] {
            let engine = engine_with(&subscriptions).await?;
            let receipt = submit(&engine, "727", LATE, Some("key"), START).await;
            engine.proxy.fault_from("SendMessage", 1, BROKEN);
            let again = submission(LATE, Some("key"));
            let refused = accept(engine.ports(), &tenant("acme"), again, START + SECOND).await;
            assert!(matches!(refused, Err(IntakeError::Store(_))), "{refused:?}");
            engine.proxy.clear_faults();
            assert_whole(&engine, &receipt, &decided, "refused").await?;
        }
        Ok(())
    });
}

#[test]
fn an_event_without_a_key_that_is_refused_is_not_left_in_the_ledger() {
    run_with_faults(async {
        let (subscriptions, _) = unwatched();
        for name in ["PutItem V", "PutItem T", "SendMessage"] {
            let engine = engine_with(&subscriptions).await?;
            engine.proxy.fault_from(name, 1, BROKEN);
            let refused = accept(engine.ports(), &tenant("acme"), submission(LATE, None), START).await;
            assert!(matches!(refused, Err(IntakeError::Store(_))), "{name}: {refused:?}");
            engine.proxy.clear_faults();
            assert_eq!(events(engine.ports()).await?, [], "{name}");
        }
        Ok(())
    });
}

#[test]
fn an_event_whose_delivery_could_not_be_taken_back_stays_in_the_ledger() {
    run_with_faults(async {
        let engine = engine_with(&[all()]).await?;
        for name in ["SendMessage", "DeleteItem T"] {
            engine.proxy.fault_from(name, 1, BROKEN);
        }
        let refused = accept(engine.ports(), &tenant("acme"), submission(LATE, None), START).await;
        assert!(matches!(refused, Err(IntakeError::Store(_))), "{refused:?}");
        engine.proxy.clear_faults();
        // The sweep sends it.
        assert_eq!(events(engine.ports()).await?.len(), 1);
        Ok(())
    });
}
