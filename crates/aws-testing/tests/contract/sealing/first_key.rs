//! The first data key of a table: one, whoever makes it.

use std::sync::Arc;

use loanhook_aws_testing::Fault::LoseResponse;
use loanhook_aws_testing::{AwsEngine, FaultyAwsEngine, run_with_faults};
use loanhook_contract::engine::Engine as _;
use loanhook_core::ports::Subscriptions as _;

use super::rotation::begin;
use super::{data_keys, newest, with_token};
use crate::faults::crash_before;
use crate::settings::{put, remove};

#[test]
fn two_instances_that_make_it_at_once_agree_on_one() {
    run_with_faults(async {
        let engine = FaultyAwsEngine::fresh().await;
        let stack = &engine.direct.stack;
        let (one, two) = (with_token("One", "Bearer one", 0), with_token("Two", "Bearer two", 1));
        let held = engine.proxy.hold("TransactWriteItems", 1);
        let (ports, made) = (engine.ports().clone(), one.clone());
        let slower = tokio::spawn(async move { ports.create(made, 10).await });
        held.arrived().await;
        assert!(engine.direct.ports().create(two.clone(), 10).await?);
        held.pass();
        assert!(slower.await.expect("it went on")?);
        assert_eq!(data_keys(stack).await.len(), 1);
        for made in [&one, &two] {
            assert_eq!(newest(&stack.engine(), made).await?, *made);
        }
        Ok(())
    });
}

#[test]
fn many_uses_at_once_of_one_instance_make_one_and_decrypt_it_once() {
    run_with_faults(async {
        let engine = FaultyAwsEngine::fresh().await;
        let made = with_token("One", "Bearer one", 0);
        assert!(engine.ports().create(made.clone(), 10).await?);
        let cold = Arc::new(engine.another(|_| ()));
        engine.proxy.take_calls();
        let reads = (0..8).map(|_| {
            let (cold, made) = (Arc::clone(&cold), made.clone());
            tokio::spawn(async move { newest(&cold, &made).await })
        });
        for read in reads.collect::<Vec<_>>() {
            assert_eq!(read.await.expect("it went on")?, made);
        }
        let calls = engine.proxy.take_call_names();
        assert_eq!(calls.iter().filter(|call| *call == "Decrypt").count(), 1, "{calls:?}");
        Ok(())
    });
}

#[test]
fn a_crash_between_any_two_calls_of_its_making_leaves_one_that_is_used_or_none() {
    run_with_faults(async {
        // The data key, and then the subscription.
        let last = ("TransactWriteItems", 2);
        for call in
            [("GetItem Z", 1), ("GetItem Z", 2), ("GenerateDataKey", 1), ("TransactWriteItems", 1), last]
        {
            let engine = FaultyAwsEngine::fresh().await;
            let stack = &engine.direct.stack;
            let (ports, made) = (engine.ports().clone(), with_token("One", "Bearer one", 0));
            crash_before(&engine, call, async move { ports.create(made, 10).await }).await;
            let left = data_keys(stack).await;
            assert_eq!(left.len(), usize::from(call == last), "{call:?}");
            let next = with_token("Two", "Bearer two", 1);
            assert!(stack.engine().create(next.clone(), 10).await?);
            let keys = data_keys(stack).await;
            assert_eq!(keys.len(), 1, "{call:?}");
            assert!(left.is_empty() || left == keys, "{call:?}");
            assert_eq!(newest(&stack.engine(), &next).await?, next);
        }
        Ok(())
    });
}

#[test]
fn a_lost_response_of_any_call_of_its_making_changes_nothing() {
    run_with_faults(async {
        for call in ["GetItem Z", "GenerateDataKey", "TransactWriteItems"] {
            let engine = FaultyAwsEngine::fresh().await;
            engine.proxy.fault_nth(call, 1, LoseResponse);
            let made = with_token("One", "Bearer one", 0);
            assert!(engine.ports().create(made.clone(), 10).await?);
            let stack = &engine.direct.stack;
            assert_eq!(data_keys(stack).await.len(), 1, "{call}");
            assert_eq!(newest(&stack.engine(), &made).await?, made);
        }
        Ok(())
    });
}

#[test]
fn where_the_data_keys_are_lost_no_other_is_made_until_they_are_restored() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        let made = with_token("One", "Bearer one", 0);
        assert!(aws.ports().create(made.clone(), 10).await?);
        let lost = aws.stack.item("Z#", "-").await.expect("the data keys");
        remove(&aws.stack, "Z#", "-").await;

        let next = with_token("Two", "Bearer two", 1);
        for engine in [aws.ports(), &aws.stack.engine()] {
            let failed = engine.create(next.clone(), 10).await.expect_err("it cannot be sealed");
            assert!(failed.to_string().contains("restore it from a backup"), "{failed}");
            assert!(begin(engine).await.is_err());
        }
        assert!(newest(&aws.stack.engine(), &made).await.is_err());
        assert_eq!(aws.stack.item("Z#", "-").await, None);

        put(&aws.stack, lost).await;
        assert!(aws.stack.engine().create(next.clone(), 10).await?);
        for made in [&made, &next] {
            assert_eq!(newest(&aws.stack.engine(), made).await?, *made);
        }
        Ok(())
    });
}
