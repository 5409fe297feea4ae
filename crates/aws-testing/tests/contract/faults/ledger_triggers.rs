//! Events of the ledger that change the state of a trigger: the state and the event are both stored, or neither is.

use loanhook_aws_testing::fault_proxy::{BROKEN, Fault};
use loanhook_aws_testing::run_with_faults;
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::{SECOND, START, tenant};
use loanhook_contract::{LATE, submission, submit};
use loanhook_core::intake::{IntakeError, accept};

use super::crash_before;
use super::ledger::{assert_whole, engine_with, events, watched, writes_of_an_event};

/// Whoever calls without a key dies before each write in turn: the trigger's state and the event that made it are both
/// there, or neither is.
#[test]
fn an_event_that_changed_a_trigger_state_is_in_the_ledger_wherever_its_caller_died() {
    run_with_faults(async {
        let (subscriptions, decided) = watched();
        let mut in_ledger = Vec::new();
        for (name, nth) in writes_of_an_event(&subscriptions).await? {
            let at = format!("{name} {nth}");
            let engine = engine_with(&subscriptions).await?;
            let ports = engine.ports().clone();
            let intake = async move { accept(&ports, &tenant("acme"), submission(LATE, None), START).await };
            crash_before(&engine, (&name, nth), intake).await;
            let found = events(engine.ports()).await?;
            in_ledger.push(!found.is_empty());
            for event in &found {
                let kinds = event.verdicts.iter().map(|verdict| verdict.decision.kind());
                assert_eq!(kinds.collect::<Vec<_>>(), decided, "{at}");
            }
            let next = submit(&engine, "727", LATE, None, START + SECOND).await;
            let fires =
                next.deliveries.iter().any(|promised| promised.subscription_id == subscriptions[1].id);
            assert_eq!(fires, found.is_empty(), "{at}");
        }
        assert!(
            in_ledger.is_sorted() && in_ledger.contains(&true) && in_ledger.contains(&false),
            "{in_ledger:?}"
        );
        Ok(())
    });
}

#[test]
fn an_event_without_a_key_that_fails_after_its_trigger_state_was_written_is_in_the_ledger() {
    run_with_faults(async {
        let (subscriptions, decided) = watched();
        for (name, nth, is_kept) in [
            ("PutItem T", 1, false),
            ("TransactWriteItems", 1, false),
            ("PutItem T", 2, true),
            ("UpdateItem T", 1, true),
        ] {
            let engine = engine_with(&subscriptions).await?;
            engine.proxy.fault_from(name, nth, BROKEN);
            let refused = accept(engine.ports(), &tenant("acme"), submission(LATE, None), START).await;
            assert!(matches!(refused, Err(IntakeError::Store(_))), "{name} {nth}: {refused:?}");
            engine.proxy.clear_faults();
            let found = events(engine.ports()).await?;
            assert_eq!(found.len(), usize::from(is_kept), "{name} {nth}");
            let kinds = found.iter().flat_map(|event| &event.verdicts).map(|verdict| verdict.decision.kind());
            let expected = if is_kept { &decided[..] } else { &[] };
            assert_eq!(kinds.collect::<Vec<_>>(), expected, "{name} {nth}");
        }
        Ok(())
    });
}

#[test]
fn a_transaction_whose_response_was_lost_stores_its_event_once() {
    run_with_faults(async {
        let (subscriptions, decided) = watched();
        let engine = engine_with(&subscriptions).await?;
        engine.proxy.fault_nth("TransactWriteItems", 1, Fault::LoseResponse);
        let receipt = submit(&engine, "727", LATE, None, START).await;
        assert_whole(&engine, &receipt, &decided, "TransactWriteItems").await
    });
}
