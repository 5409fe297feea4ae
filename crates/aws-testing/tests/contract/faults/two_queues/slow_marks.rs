//! Slow marks: set while a request is under way, removed after a recovery, and not needed for anything to leave.

use std::sync::Arc;
use std::time::Duration;

use loanhook_aws::WatchedSender;
use loanhook_aws_testing::{Fault, run_with_faults};
use loanhook_contract::engine::Engine as _;
use loanhook_contract::scene::{START, accept, attempt_message};
use loanhook_contract::sender::Held;
use loanhook_core::model::attempt::AttemptNumber;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::Queue as _;

use super::super::sqs_batch::{body_of, event, record};
use super::{FaultyScene, another, mark, run_batch, slow_record, succeeds, take_messages};

#[test]
fn first_attempts_of_a_slow_receiver_are_queued_apart_until_its_mark_is_old() {
    run_with_faults(async {
        let scene = FaultyScene::new(&[300]).await?;
        for (age_seconds, is_slow) in [(0, true), (299, true), (301, false)] {
            mark(&scene, Timestamp::now().minus(Duration::from_secs(age_seconds))).await;
            another(&scene).enqueue(scene.first.clone()).await?;
            let (fast, slow) = take_messages(&scene).await;
            assert_eq!((fast.is_empty(), slow.is_empty()), (is_slow, !is_slow), "{age_seconds} s");
        }
        Ok(())
    });
}

#[test]
fn marks_that_cannot_be_read_hold_nothing_up() {
    run_with_faults(async {
        let scene = FaultyScene::new(&[300]).await?;
        mark(&scene, Timestamp::now()).await;
        scene.engine.proxy.fault_nth("Query H", 1, Fault::Error(400, "ValidationException"));
        let sender = succeeds();
        run_batch(another(&scene), Arc::clone(&sender), event([record("m", &body_of(&scene.first))])).await;
        assert_eq!(sender.numbers(), [AttemptNumber::Auto(1)]);

        // The read that intake makes never ends.
        scene.engine.proxy.hold("Query H", 1);
        let delivery = accept(&scene.engine, &scene.subscription, "728", START).await?;
        assert_eq!(take_messages(&scene).await, (vec![attempt_message(&delivery, 1, START)], vec![]));
        Ok(())
    });
}

#[test]
fn a_receiver_has_a_mark_while_its_request_is_under_way() {
    run_with_faults(async {
        let scene = FaultyScene::new(&[300]).await?;
        let engine = another(&scene);
        let slow_after = Duration::from_millis(1);
        let held = Arc::new(Held::default());
        let sender = WatchedSender { engine: engine.clone(), sender: Arc::clone(&held), slow_after };
        let marking = scene.engine.proxy.hold("PutItem H", 1);
        let batch = event([record("m", &body_of(&scene.first))]);
        let sending = tokio::spawn(run_batch(engine.clone(), sender, batch));
        marking.arrived().await;
        marking.pass();
        // The instance itself knows at once.
        engine.enqueue(scene.first.clone()).await?;
        assert_eq!(take_messages(&scene).await, (vec![], vec![scene.first.clone()]));
        assert!(scene.rows().await?[0].completion().is_none());

        held.let_go.add_permits(1);
        sending.await.expect("it ends");
        another(&scene).enqueue(scene.first.clone()).await?;
        assert_eq!(take_messages(&scene).await, (vec![], vec![scene.first.clone()]));
        Ok(())
    });
}

#[test]
fn a_mark_is_removed_once_its_receiver_has_recovered() {
    run_with_faults(async {
        let scene = FaultyScene::new(&[300]).await?;
        mark(&scene, Timestamp::now().minus(Duration::from_secs(61))).await;
        let engine = another(&scene);
        let mut records = vec![slow_record(&scene, &scene.first)];
        for _ in 0..2 {
            accept(&scene.engine, &scene.subscription, "727", START).await?;
            records.push(slow_record(&scene, &scene.engine.receive().await));
        }
        let slow_after = Duration::from_secs(60);
        let sender = WatchedSender { engine: engine.clone(), sender: succeeds(), slow_after };
        run_batch(engine.clone(), sender, event(records)).await;
        another(&scene).enqueue(scene.first.clone()).await?;
        assert_eq!(take_messages(&scene).await, (vec![scene.first.clone()], vec![]));
        Ok(())
    });
}
