//! Intake whose caller dies between two calls, with a trigger that fires: it fires once, and its delivery is queued.
//!
//! The calls of such an event are, in this order: `GetItem M` (the trigger state), `PutObject` and `PutItem T` (the
//! delivery of the trigger), `TransactWriteItems` (the new trigger state, with the idempotency record and the event of the
//! ledger), `UpdateItem T` (the delivery's entry in the index of what is due), `SendMessage`.

use loanhook_aws_testing::{FaultyAwsEngine, run_with_faults};
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::{SECOND, START, tenant};
use loanhook_contract::submission;
use loanhook_contract::{IN_TIME, LATE, queued, send, submit, traces, watching, with};
use loanhook_core::intake::accept;

use super::crash_before;

/// Sends an event on which the trigger fires; its caller dies before this call.
async fn crash_intake_before(engine: &FaultyAwsEngine, name: &str, key: Option<&'static str>) {
    let ports = engine.ports().clone();
    let intake = async move { accept(&ports, &tenant("acme"), submission(LATE, key), START).await };
    crash_before(engine, (name, 1), intake).await;
}

#[test]
fn after_a_crash_before_the_trigger_state_is_written_the_repeated_event_fires() {
    run_with_faults(async {
        for name in ["PutObject", "PutItem T", "TransactWriteItems"] {
            let engine = with::<FaultyAwsEngine>(&[&watching(0)]).await?;
            crash_intake_before(&engine, name, None).await;
            assert_eq!(queued(&engine).await, [], "{name}");
            let fired = traces(&[send(&engine, "727", LATE, 1).await]);
            assert_eq!(fired.len(), 1, "{name}");
            assert_eq!(
                queued(&engine).await,
                fired,
                "{name}: the deliveries of the first call are not queued"
            );
            assert!(send(&engine, "727", LATE, 2).await.deliveries.is_empty(), "{name}");
        }
        Ok(())
    });
}

#[test]
fn after_a_crash_before_the_message_a_repeat_with_the_key_queues_it() {
    run_with_faults(async {
        let engine = with::<FaultyAwsEngine>(&[&watching(0)]).await?;
        crash_intake_before(&engine, "SendMessage", Some("key")).await;
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
fn after_a_crash_before_the_index_of_what_is_due_a_repeat_with_the_key_puts_the_delivery_into_it() {
    run_with_faults(async {
        let engine = with::<FaultyAwsEngine>(&[&watching(0)]).await?;
        crash_intake_before(&engine, "UpdateItem T", Some("key")).await;
        let receipt = submit(&engine, "727", LATE, Some("key"), START + SECOND).await;
        assert_eq!(queued(&engine).await, traces(std::slice::from_ref(&receipt)));
        let bucket = engine.direct.due_bucket(&tenant("acme"), receipt.deliveries[0].trace_id).await;
        assert!(bucket.is_some(), "a lost message would not be replaced");
        Ok(())
    });
}

#[test]
fn after_a_crash_before_the_message_the_next_event_of_the_loan_queues_it() {
    run_with_faults(async {
        for context in [LATE, IN_TIME] {
            let engine = with::<FaultyAwsEngine>(&[&watching(0)]).await?;
            crash_intake_before(&engine, "SendMessage", None).await;
            assert_eq!(queued(&engine).await, []);
            assert!(send(&engine, "727", context, 1).await.deliveries.is_empty());
            assert_eq!(queued(&engine).await.len(), 1, "{context}");
        }
        Ok(())
    });
}

#[test]
fn an_event_does_not_wait_until_a_formula_error_is_recorded() {
    run_with_faults(async {
        let engine = with::<FaultyAwsEngine>(&[&watching(0)]).await?;
        let held = engine.proxy.hold("UpdateItem F", 1);
        // The trigger compares a variable that is not in the context.
        assert!(send(&engine, "727", "{}", 0).await.deliveries.is_empty());
        held.arrived().await;
        engine.proxy.clear_faults();
        assert_eq!(send(&engine, "727", LATE, 1).await.deliveries.len(), 1);
        Ok(())
    });
}
