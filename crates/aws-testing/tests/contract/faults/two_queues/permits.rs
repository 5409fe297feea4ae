//! Permits of the slow queue: a receiver has no more than its share, and those of instances that died come back.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use loanhook_aws::sweep::{SHARDS, Sweep};
use loanhook_aws_testing::fault_proxy::BROKEN;
use loanhook_aws_testing::{Fault, run_with_faults};
use loanhook_contract::scene::{LEASE, START};
use loanhook_core::model::attempt::AttemptNumber;
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DueWork, QueueMessage};

use super::super::results;
use super::super::simulated_time::simulated_time;
use super::super::simulation::{MINUTE, Simulation};
use super::super::sqs_batch::event;
use super::{FaultyScene, another, mark, run_batch, slow_record, succeeds, take_messages, take_permits};

/// The calls that send a message to the slow queue, each with its delay.
fn put_back_delays(scene: &FaultyScene) -> Vec<u64> {
    let calls = scene.engine.proxy.take_calls();
    let slow = &scene.engine.direct.stack.slow_queue_url;
    let sent =
        calls.iter().filter(|call| call.name == "SendMessage" && call.body["QueueUrl"] == slow.as_str());
    sent.map(|call| call.body["DelaySeconds"].as_u64().expect("a delay")).collect()
}

#[test]
fn without_a_permit_a_message_is_put_back_and_nothing_is_claimed() {
    run_with_faults(async {
        let scene = FaultyScene::new(&[300]).await?;
        let now = Timestamp::now();
        // Two of four instances.
        take_permits(&scene, [now + LEASE; 2]).await;
        let message = QueueMessage { due: now, ..scene.first.clone() };
        let sender = succeeds();
        scene.engine.proxy.take_calls();
        run_batch(another(&scene), Arc::clone(&sender), event([slow_record(&scene, &message)])).await;
        assert_eq!(put_back_delays(&scene), [10]);
        assert_eq!((sender.numbers(), scene.rows().await?), (vec![], vec![]));
        assert_eq!(scene.delivery().await?, scene.accepted);

        scene.engine.proxy.fault_from("UpdateItem Q", 1, BROKEN);
        run_batch(another(&scene), Arc::clone(&sender), event([slow_record(&scene, &message)])).await;
        assert_eq!((put_back_delays(&scene), sender.numbers()), (vec![10], vec![]));
        Ok(())
    });
}

#[test]
fn a_delivery_that_waits_long_for_a_permit_is_queued_again_by_the_sweep_once() {
    run_with_faults(async {
        let scene = FaultyScene::new(&[300]).await?;
        let now = Timestamp::now();
        take_permits(&scene, [now + LEASE; 2]).await;
        // It has waited since 2020, and a sweep has woken it.
        let record = || slow_record(&scene, &scene.first);
        run_batch(another(&scene), succeeds(), event([record(), record()])).await;
        assert_eq!(take_messages(&scene).await, (vec![], vec![]));

        let sweep = Sweep { engine: another(&scene), lease: LEASE, shards: 0..SHARDS };
        scene.engine.direct.put_sweep_cursors(0..SHARDS, now).await;
        let in_12_minutes = now + Duration::from_secs(720);
        let report = sweep.run(in_12_minutes, Instant::now() + Duration::from_secs(60)).await?;
        assert_eq!((report.handed_over, report.woken), (1, 0));
        assert_eq!(report.slow_due_seconds, in_12_minutes.since(scene.first.due).as_secs());
        assert_eq!(take_messages(&scene).await, (vec![scene.first.clone()], vec![]));
        assert_eq!(scene.delivery().await?, scene.accepted);
        Ok(())
    });
}

#[test]
fn a_delivery_that_may_wait_for_a_permit_is_not_woken_before_21_minutes_have_passed() {
    run_with_faults(async {
        let s = Simulation::new(simulated_time!(Timestamp::now()), &[300], &[500]).await?;
        s.deliver.handle(s.scene.first.clone(), s.time.now()).await?;
        let due = s.scene.delivery().await?.progress.waiting().expect("a next attempt").due;
        s.skip_sweeps_until(due).await;
        mark(&s.scene, due).await;
        assert_eq!(s.messages_of_next_sweeps(due + 20 * MINUTE).await?, []);
        // Its message was lost.
        let messages = s.messages_of_next_sweeps(due + 24 * MINUTE).await?;
        assert_eq!(messages.iter().map(|message| &message.work).collect::<Vec<_>>(), [&DueWork::Attempt(2)]);
        Ok(())
    });
}

#[test]
fn an_attempt_whose_sender_died_is_interrupted_though_there_is_no_permit() {
    run_with_faults(async {
        let scene = FaultyScene::new(&[300]).await?;
        scene.claim(START).await?;
        take_permits(&scene, [Timestamp::now() + LEASE; 2]).await;
        let sender = succeeds();
        // It has been due since 2020.
        let batch = event([slow_record(&scene, &scene.first)]);
        run_batch(another(&scene), Arc::clone(&sender), batch).await;
        assert_eq!(results(&scene.rows().await?), [Some(Err(ErrorKind::Interrupted))]);
        let (_, slow) = take_messages(&scene).await;
        assert_eq!(slow.iter().map(|message| &message.work).collect::<Vec<_>>(), [&DueWork::Attempt(2)]);
        assert_eq!(sender.numbers(), []);
        Ok(())
    });
}

#[test]
fn a_batch_waits_for_a_moment_for_a_permit_of_a_receiver_without_a_slow_mark() {
    run_with_faults(async {
        let scene = FaultyScene::new(&[300]).await?;
        let now = Timestamp::now();
        take_permits(&scene, [now + LEASE; 2]).await;
        let message = QueueMessage { due: now, ..scene.first.clone() };
        let second_request = scene.engine.proxy.hold("UpdateItem Q", 2);
        let sender = succeeds();
        let batch = event([slow_record(&scene, &message)]);
        let handling = tokio::spawn(run_batch(another(&scene), Arc::clone(&sender), batch));
        second_request.arrived().await;
        // One is given back.
        take_permits(&scene, [now + LEASE]).await;
        second_request.pass();
        handling.await.expect("it ends");
        assert_eq!(sender.numbers(), [AttemptNumber::Auto(1)]);
        Ok(())
    });
}

#[test]
fn a_batch_waits_for_no_permit_of_a_receiver_with_a_slow_mark() {
    run_with_faults(async {
        let scene = FaultyScene::new(&[300]).await?;
        let now = Timestamp::now();
        mark(&scene, now).await;
        take_permits(&scene, [now + LEASE; 2]).await;
        let message = QueueMessage { due: now, ..scene.first.clone() };
        scene.engine.proxy.take_calls();
        run_batch(another(&scene), succeeds(), event([slow_record(&scene, &message)])).await;
        let calls = scene.engine.proxy.take_calls();
        assert_eq!(calls.iter().filter(|call| call.name == "UpdateItem Q").count(), 1);
        Ok(())
    });
}

#[test]
fn permits_of_instances_that_died_are_over_with_their_invocation() {
    run_with_faults(async {
        let scene = FaultyScene::new(&[300]).await?;
        let now = Timestamp::now();
        take_permits(&scene, [now.minus(LEASE), now + LEASE]).await;
        let sender = succeeds();
        let batch = event([slow_record(&scene, &scene.first)]);
        run_batch(another(&scene), Arc::clone(&sender), batch).await;
        assert_eq!(sender.numbers(), [AttemptNumber::Auto(1)]);
        Ok(())
    });
}

#[test]
fn a_permit_whose_response_is_lost_is_taken_once_and_given_back() {
    run_with_faults(async {
        let scene = FaultyScene::new(&[]).await?;
        let now = Timestamp::now();
        // One of two is free.
        take_permits(&scene, [now + LEASE]).await;
        scene.engine.proxy.fault_nth("UpdateItem Q", 1, Fault::LoseResponse);
        let sender = succeeds();
        let batch = event([slow_record(&scene, &scene.first)]);
        run_batch(another(&scene), Arc::clone(&sender), batch).await;
        assert_eq!(sender.numbers(), [AttemptNumber::Auto(1)]);
        let stack = &scene.engine.direct.stack;
        let key = HashMap::from([
            ("pk".to_owned(), AttributeValue::S(format!("Q#acme#{}", scene.subscription.id))),
            ("sk".to_owned(), AttributeValue::S("-".into())),
        ]);
        let item = stack.dynamodb.get_item().table_name(&stack.name).set_key(Some(key)).send().await;
        let item = item.expect("read").item.expect("an item");
        assert_eq!(item["taken"].as_ss().map(Vec::len), Ok(1));
        Ok(())
    });
}
