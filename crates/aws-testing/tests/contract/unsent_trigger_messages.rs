//! What only this engine can lose of a trigger that rose: its message, where a sender dies before it.

use loanhook_core::ports::StoreResult;

use loanhook_aws_testing::AwsEngine;
use loanhook_contract::{IN_TIME, LATE, queued, send, traces, watching, with};

#[test]
fn the_message_of_a_rise_that_was_lost_comes_back_with_the_next_event() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let engine = with::<AwsEngine>(&[&watching(0)]).await?;
        let rose = traces(&[send(&engine, "727", LATE, 0).await]);
        assert_eq!(queued(&engine).await, rose);
        assert!(send(&engine, "727", LATE, 1).await.deliveries.is_empty());
        assert_eq!(queued(&engine).await, rose);
        // A long time after, nobody is left who was not answered.
        assert!(send(&engine, "727", LATE, 3600).await.deliveries.is_empty());
        assert_eq!(queued(&engine).await, []);
        StoreResult::Ok(())
    });
}

#[test]
fn it_comes_back_with_an_event_that_changes_what_is_remembered_too() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let engine = with::<AwsEngine>(&[&watching(0)]).await?;
        let rose = traces(&[send(&engine, "727", LATE, 0).await]);
        assert_eq!(queued(&engine).await, rose);
        assert!(send(&engine, "727", IN_TIME, 1).await.deliveries.is_empty());
        assert_eq!(queued(&engine).await, rose);
        StoreResult::Ok(())
    });
}
