//! A trigger that rises, and whoever takes its event in dies between two calls: it fires once, and that is sent.
//!
//! The calls of such an event are, in their order: `GetItem M` (what is remembered), `PutObject` and `PutItem T`
//! (the delivery that comes of it), `TransactWriteItems` (the decision, with the record of the event's key),
//! `SendMessage`.

use loanhook_core::intake::accept;

use loanhook_aws_testing::FaultyAwsEngine;
use loanhook_aws_testing::run_with_faults;
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::{SECOND, START, tenant};
use loanhook_contract::submission;
use loanhook_contract::{IN_TIME, LATE, queued, send, submit, traces, watching, with};

/// An event that raises the trigger, until this call comes and its caller dies.
async fn crash_before(engine: &FaultyAwsEngine, name: &str, key: Option<&'static str>) {
    let held = engine.proxy.hold(name, 1);
    let ports = engine.ports().clone();
    let task = tokio::spawn(async move {
        let acme = tenant("acme");
        accept(&ports, &acme, submission(LATE, key), START).await
    });
    held.arrived().await;
    task.abort();
    assert!(task.await.err().is_some_and(|end| end.is_cancelled()), "it went on past {name}");
    engine.proxy.clear_faults();
}

#[test]
fn before_the_decision_nothing_fired_and_the_event_that_comes_again_fires() {
    run_with_faults(async {
        for name in ["PutObject", "PutItem T", "TransactWriteItems"] {
            let engine = with::<FaultyAwsEngine>(&[&watching(0)]).await?;
            crash_before(&engine, name, None).await;
            assert_eq!(queued(&engine).await, [], "{name}");
            let fired = traces(&[send(&engine, "727", LATE, 1).await]);
            assert_eq!(fired.len(), 1, "{name}");
            assert_eq!(queued(&engine).await, fired, "{name}: and nothing of what was begun");
            assert!(send(&engine, "727", LATE, 2).await.deliveries.is_empty(), "{name}");
        }
        Ok(())
    });
}

#[test]
fn after_the_decision_a_repeat_under_the_key_sends_what_was_decided() {
    run_with_faults(async {
        let engine = with::<FaultyAwsEngine>(&[&watching(0)]).await?;
        crash_before(&engine, "SendMessage", Some("key")).await;
        assert_eq!(queued(&engine).await, []);
        let receipt = submit(&engine, "727", LATE, Some("key"), START + SECOND).await;
        let decided = traces(std::slice::from_ref(&receipt));
        assert_eq!(decided.len(), 1);
        assert_eq!(queued(&engine).await, decided);
        assert!(send(&engine, "727", LATE, 2).await.deliveries.is_empty());
        Ok(())
    });
}

#[test]
fn after_the_decision_any_event_of_the_loan_brings_its_message() {
    run_with_faults(async {
        for context in [LATE, IN_TIME] {
            let engine = with::<FaultyAwsEngine>(&[&watching(0)]).await?;
            crash_before(&engine, "SendMessage", None).await;
            assert_eq!(queued(&engine).await, []);
            assert!(send(&engine, "727", context, 1).await.deliveries.is_empty());
            assert_eq!(queued(&engine).await.len(), 1, "{context}");
        }
        Ok(())
    });
}

#[test]
fn no_event_waits_for_long_until_the_failure_of_a_formula_is_kept() {
    run_with_faults(async {
        let engine = with::<FaultyAwsEngine>(&[&watching(0)]).await?;
        let held = engine.proxy.hold("UpdateItem F", 1);
        // The trigger compares what is not there.
        assert!(send(&engine, "727", "{}", 0).await.deliveries.is_empty());
        held.arrived().await;
        engine.proxy.clear_faults();
        assert_eq!(send(&engine, "727", LATE, 1).await.deliveries.len(), 1);
        Ok(())
    });
}
