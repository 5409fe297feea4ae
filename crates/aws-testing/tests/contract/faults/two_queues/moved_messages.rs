//! Messages that move from one queue to the other: they are sent before they are deleted.

use std::sync::{Arc, mpsc};
use std::time::Instant;

use loanhook_aws::InstanceId;
use loanhook_aws::sqs_batch::SqsBatchHandler;
use loanhook_aws_testing::fault_proxy::BROKEN;
use loanhook_aws_testing::{run_with_faults, worker};
use loanhook_contract::engine::Engine as _;
use loanhook_contract::scene::START;
use loanhook_core::model::attempt::AttemptNumber;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::QueueMessage;

use super::super::sqs_batch::{body_of, distant_end, event, record};
use super::super::{crash_before, results};
use super::{FaultyScene, another, mark, run_batch, slow_record, succeeds, take_messages};

#[test]
fn a_message_of_a_slow_receiver_is_sent_to_the_slow_queue_and_sent_from_there() {
    run_with_faults(async {
        let scene = FaultyScene::new(&[300]).await?;
        mark(&scene, Timestamp::now()).await;
        let sender = succeeds();
        run_batch(another(&scene), Arc::clone(&sender), event([record("m", &body_of(&scene.first))])).await;
        assert_eq!(sender.numbers(), []);
        assert_eq!(take_messages(&scene).await, (vec![], vec![scene.first.clone()]));

        run_batch(another(&scene), Arc::clone(&sender), event([slow_record(&scene, &scene.first)])).await;
        assert_eq!(sender.numbers(), [AttemptNumber::Auto(1)]);
        assert_eq!(results(&scene.rows().await?), [Some(Ok(200))]);
        Ok(())
    });
}

#[test]
fn a_message_that_moves_is_in_both_queues_or_in_one_wherever_its_instance_dies() {
    run_with_faults(async {
        let scene = FaultyScene::new(&[300]).await?;
        mark(&scene, Timestamp::now()).await;
        let batch = || event([record("m", &body_of(&scene.first))]);
        // It dies before the message is sent on: SQS delivers the one that is there again.
        crash_before(&scene.engine, ("SendMessage", 1), run_batch(another(&scene), succeeds(), batch()))
            .await;
        assert_eq!(take_messages(&scene).await, (vec![], vec![]));
        // It dies when the message is sent on: then too, and both are handled.
        run_batch(another(&scene), succeeds(), batch()).await;
        run_batch(another(&scene), succeeds(), batch()).await;
        let (_, slow) = take_messages(&scene).await;
        assert_eq!(slow, [scene.first.clone(), scene.first.clone()]);
        let sender = succeeds();
        for message in &slow {
            let batch = event([slow_record(&scene, message)]);
            run_batch(another(&scene), Arc::clone(&sender), batch).await;
        }
        assert_eq!(sender.numbers(), [AttemptNumber::Auto(1)]);
        assert_eq!(results(&scene.rows().await?), [Some(Ok(200))]);
        Ok(())
    });
}

#[test]
fn an_instance_returns_messages_of_receivers_to_which_it_is_closed_where_there_are_eight_instances() {
    run_with_faults(async {
        let scene = FaultyScene::new(&[300]).await?;
        let closed = std::iter::repeat_with(InstanceId::random)
            .find(|id| id.is_closed_to(scene.tenant(), scene.subscription.id))
            .expect("one of eight");
        let batch = || event([record("m", &body_of(&scene.first))]);
        let handled = |engine| {
            let (handled, count) = mpsc::channel();
            let handler = move |_: QueueMessage, _: Timestamp, _: Instant| {
                handled.send(()).expect("received");
                async { Ok(()) }
            };
            (SqsBatchHandler::new(engine, handler).on_instance(closed), count)
        };
        scene.engine.direct.stack.announce_instances(7).await;
        let (batches, count) = handled(another(&scene));
        batches.run(batch(), distant_end()).await?;
        assert_eq!(count.try_iter().count(), 1);
        assert_eq!(take_messages(&scene).await, (vec![], vec![]));

        // With its own announcement there are eight.
        let (batches, count) = handled(another(&scene));
        batches.run(batch(), distant_end()).await?;
        assert_eq!(count.try_iter().count(), 0);
        assert_eq!(take_messages(&scene).await, (vec![scene.first.clone()], vec![]));
        Ok(())
    });
}

#[test]
fn a_message_that_cannot_be_sent_on_is_received_again() {
    run_with_faults(async {
        let scene = FaultyScene::new(&[300]).await?;
        mark(&scene, Timestamp::now()).await;
        scene.engine.proxy.fault_from("SendMessage", 1, BROKEN);
        let never = |_: QueueMessage, _: Timestamp, _: Instant| async { Ok(()) };
        let batch = event([record("m", &body_of(&scene.first))]);
        let response = SqsBatchHandler::new(another(&scene), never).run(batch, distant_end()).await?;
        assert_eq!(response.batch_item_failures.len(), 1);
        Ok(())
    });
}

#[test]
fn a_retry_that_another_version_left_in_the_fast_queue_is_sent() {
    run_with_faults(async {
        let scene = FaultyScene::new(&[300]).await?;
        worker(&scene, &[500]).handle(scene.first.clone(), START).await?;
        let retry = scene.engine.receive().await;
        let body = body_of(&scene.first).replace(r#""number":1"#, r#""number":2"#);
        let body = body.replace(&scene.first.due.to_string(), &retry.due.to_string());
        let sender = succeeds();
        run_batch(another(&scene), Arc::clone(&sender), event([record("m", &body)])).await;
        assert_eq!(take_messages(&scene).await, (vec![], vec![retry.clone()]));

        let mut record = slow_record(&scene, &scene.first);
        record.body = Some(body);
        run_batch(another(&scene), Arc::clone(&sender), event([record])).await;
        assert_eq!(sender.numbers(), [AttemptNumber::Auto(2)]);
        Ok(())
    });
}
