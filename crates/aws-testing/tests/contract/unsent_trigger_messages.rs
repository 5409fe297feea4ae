//! The message of a trigger that fired: a caller may die before it queues the message, so the next event of the loan queues
//! it again.

use loanhook_aws_testing::AwsEngine;
use loanhook_contract::{IN_TIME, LATE, queued, send, traces, watching, with};
use loanhook_core::ports::StoreResult;

#[test]
fn the_next_event_queues_the_message_of_a_fired_trigger_again() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let engine = with::<AwsEngine>(&[&watching(0)]).await?;
        let fired = traces(&[send(&engine, "727", LATE, 0).await]);
        assert_eq!(queued(&engine).await, fired);
        assert!(send(&engine, "727", LATE, 1).await.deliveries.is_empty());
        assert_eq!(queued(&engine).await, fired);
        // Much later no caller is left that did not get a response.
        assert!(send(&engine, "727", LATE, 3600).await.deliveries.is_empty());
        assert_eq!(queued(&engine).await, []);
        StoreResult::Ok(())
    });
}

#[test]
fn an_event_that_changes_the_trigger_state_queues_it_again_too() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let engine = with::<AwsEngine>(&[&watching(0)]).await?;
        let fired = traces(&[send(&engine, "727", LATE, 0).await]);
        assert_eq!(queued(&engine).await, fired);
        assert!(send(&engine, "727", IN_TIME, 1).await.deliveries.is_empty());
        assert_eq!(queued(&engine).await, fired);
        StoreResult::Ok(())
    });
}
