//! Changes of settings whose caller dies, whose response is lost, or that appear item by item.
//!
//! The calls of a change are, in this order: `GetItem S` (the version), `TransactWriteItems`, `Query S` (all current
//! subscriptions), `PutItem S` (each part of the stored list, the first one last), `Query S` (parts of longer lists before),
//! `DeleteItem S` (each of those).

use loanhook_aws_testing::Fault::LoseResponse;
use loanhook_aws_testing::fault_proxy::BROKEN;
use loanhook_aws_testing::{FaultyAwsEngine, run_with_faults};
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::{MILLISECOND, START, subscription};
use loanhook_core::ports::{DeleteOutcome, Keys, Subscriptions};

use super::crash_before;
use crate::settings::{
    acme, add_key, assert_cold, call, create, create_large, found, get_number, key_item, part, put, read,
    record, remove, retitle, version_of_all_copies,
};

#[test]
fn a_crash_before_the_transaction_changes_nothing() {
    run_with_faults(async {
        let engine = FaultyAwsEngine::fresh().await;
        add_key(engine.ports()).await?;
        let made = create(engine.ports(), "First", 0).await?;
        let reader = engine.direct.stack.engine();
        assert_eq!(call(&reader).await?, found(&["First"]));
        let before = record(&engine.direct.stack).await;
        let (ports, id) = (engine.ports().clone(), made.id);
        let edit = async move { retitle(&ports, id, "Lost").await };
        crash_before(&engine, ("TransactWriteItems", 1), edit).await;
        assert_eq!(record(&engine.direct.stack).await, before);
        assert_eq!(call(&reader).await?, found(&["First"]));
        retitle(engine.ports(), made.id, "Edited").await?;
        assert_eq!(call(&reader).await?, found(&["Edited"]));
        Ok(())
    });
}

#[test]
fn a_crash_after_the_transaction_loses_no_change() {
    run_with_faults(async {
        for call_name in ["Query S", "PutItem S"] {
            let engine = FaultyAwsEngine::fresh().await;
            let stack = &engine.direct.stack;
            add_key(engine.ports()).await?;
            create(engine.ports(), "First", 0).await?;
            let reader = stack.engine();
            assert_eq!(call(&reader).await?, found(&["First"]));
            let ports = engine.ports().clone();
            let created = async move { create(&ports, "Second", 1).await };
            crash_before(&engine, (call_name, 1), created).await;
            assert_eq!(version_of_all_copies(stack).await, 2);
            for engine in [&reader, &stack.engine()] {
                assert_eq!(call(engine).await?, found(&["First", "Second"]), "{call_name}");
            }
            create(engine.ports(), "Third", 2).await?;
            for engine in [&reader, &stack.engine()] {
                assert_eq!(call(engine).await?, found(&["First", "Second", "Third"]));
            }
        }
        Ok(())
    });
}

#[test]
fn a_list_that_cannot_be_stored_fails_no_change() {
    run_with_faults(async {
        let engine = FaultyAwsEngine::fresh().await;
        add_key(engine.ports()).await?;
        engine.proxy.fault_containing("PutItem S", "#list", BROKEN);
        create(engine.ports(), "First", 0).await?;
        assert_eq!(call(&engine.direct.stack.engine()).await?, found(&["First"]));
        // Nor does one that cannot be read hide anything.
        engine.proxy.clear_faults();
        create(engine.ports(), "Second", 1).await?;
        engine.proxy.fault_containing("Query S", "#list", BROKEN);
        assert_eq!(call(engine.ports()).await?, found(&["First", "Second"]));
        Ok(())
    });
}

#[test]
fn a_change_whose_response_was_lost_is_made_once() {
    run_with_faults(async {
        let engine = FaultyAwsEngine::fresh().await;
        let stack = &engine.direct.stack;
        engine.proxy.fault_nth("TransactWriteItems", 1, LoseResponse);
        let made = create(engine.ports(), "First", 0).await?;
        assert_eq!(version_of_all_copies(stack).await, 1);
        engine.proxy.fault_nth("TransactWriteItems", 1, LoseResponse);
        retitle(engine.ports(), made.id, "Edited").await?;
        engine.proxy.fault_nth("PutItem S", 1, LoseResponse);
        create(engine.ports(), "Second", 1).await?;
        assert_eq!(version_of_all_copies(stack).await, 3);
        assert_eq!(get_number(&record(stack).await, "subscriptions"), Some(2));
        Ok(())
    });
}

#[test]
fn a_change_that_another_one_precedes_is_made_after_it() {
    run_with_faults(async {
        let engine = FaultyAwsEngine::fresh().await;
        add_key(engine.ports()).await?;
        let held = engine.proxy.hold("TransactWriteItems", 1);
        let ports = engine.ports().clone();
        let late = tokio::spawn(async move { create(&ports, "Late", 1).await });
        held.arrived().await;
        create(&engine.direct.stack.engine(), "Early", 0).await?;
        held.pass();
        late.await.expect("it ends")?;
        assert_eq!(version_of_all_copies(&engine.direct.stack).await, 2);
        assert_eq!(call(engine.ports()).await?, found(&["Early", "Late"]));
        // Of two that take the last place, one is refused.
        let held = engine.proxy.hold("TransactWriteItems", 1);
        let ports = engine.ports().clone();
        let third = subscription(&acme(), "Third", &[], START + 2 * MILLISECOND);
        let late = tokio::spawn(async move { ports.create(third, 3).await });
        held.arrived().await;
        create(&engine.direct.stack.engine(), "Fourth", 3).await?;
        held.pass();
        assert!(!late.await.expect("it ends")?);
        Ok(())
    });
}

#[test]
fn a_list_that_does_not_show_a_change_yet_is_not_kept() {
    run_with_faults(async {
        let engine = FaultyAwsEngine::fresh().await;
        let stack = &engine.direct.stack;
        add_key(engine.ports()).await?;
        create(engine.ports(), "First", 0).await?;
        for cold in [false, true] {
            let reader = if cold { engine.another(|_| ()) } else { engine.ports().clone() };
            if !cold {
                call(&reader).await?;
            }
            // The version says that there is a second one, whose item does not appear yet.
            let second = create(&stack.engine(), "Second", 1).await?;
            engine.direct.lose_stored_list(&acme());
            let key = format!("C#{}", second.id);
            let item = read(stack, "S#acme", &key).await.expect("it is there");
            remove(stack, "S#acme", &key).await;
            assert_eq!(call(&reader).await?, found(&["First"]));
            put(stack, item.clone()).await;
            assert_eq!(call(&reader).await?, found(&["First", "Second"]), "cold: {cold}");

            // Nor does it disappear at once.
            assert_eq!(stack.engine().delete(&acme(), second.id, None).await?, DeleteOutcome::Deleted);
            engine.direct.lose_stored_list(&acme());
            put(stack, item).await;
            let reader = if cold { engine.another(|_| ()) } else { reader };
            assert_eq!(call(&reader).await?, found(&["First", "Second"]));
            remove(stack, "S#acme", &key).await;
            assert_eq!(call(&reader).await?, found(&["First"]), "cold: {cold}");
        }
        Ok(())
    });
}

#[test]
fn a_key_whose_end_appears_in_the_version_first_is_refused_at_once() {
    run_with_faults(async {
        let engine = FaultyAwsEngine::fresh().await;
        let stack = &engine.direct.stack;
        let key = add_key(engine.ports()).await?;
        create(engine.ports(), "First", 0).await?;
        assert!(call(engine.ports()).await?.is_some());
        let item = key_item(stack).await;
        assert!(stack.engine().delete_key(&acme(), key.id).await?);
        put(stack, item).await;
        assert_eq!(call(engine.ports()).await?, None);
        assert_eq!(call(&stack.engine()).await?, None);
        Ok(())
    });
}

#[test]
fn a_list_that_became_shorter_is_read_right_whenever_its_writer_dies() {
    run_with_faults(async {
        for (call_name, nth, gets) in [("PutItem S", 1, 4), ("Query S", 2, 3), ("DeleteItem S", 1, 3)] {
            let engine = FaultyAwsEngine::fresh().await;
            let aws = &engine.direct;
            add_key(aws.ports()).await?;
            let made = create_large(aws).await?;
            let longer = part(&aws.stack, 1).await.expect("a second part");
            let (ports, id) = (engine.ports().clone(), made[2].id);
            crash_before(&engine, (call_name, nth), async move { ports.delete(&acme(), id, None).await })
                .await;
            // What is left goes by itself, and disturbs no reader.
            assert_eq!(part(&aws.stack, 1).await.as_ref(), Some(&longer), "{call_name}");
            assert!(longer.contains_key("expires"));
            assert_cold(aws, &["Webhook 0", "Webhook 1"], gets, 1).await?;
            assert_eq!(aws.ports().delete(&acme(), made[1].id, None).await?, DeleteOutcome::Deleted);
            assert_eq!(part(&aws.stack, 1).await, None);
            assert_cold(aws, &["Webhook 0"], 3, 1).await?;
        }
        Ok(())
    });
}
