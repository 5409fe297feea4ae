//! Messages that SQS delivers twice, at the same time or later. One that is received while its delivery is claimed waits
//! for the end of the lease.

use loanhook_aws::read_message;
use loanhook_aws::sqs_batch::SqsBatchHandler;
use loanhook_aws_testing::{FaultyAwsEngine, run_with_faults, worker};
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::{LEASE, SECOND, START, Scene, attempt_message};
use loanhook_core::model::attempt::AttemptNumber;
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::progress::Status;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{QueueMessage, StoreResult};

use super::sqs_batch::{body_of, distant_end, event, record};
use super::{result, results};

#[test]
fn a_message_that_is_delivered_twice_at_once_and_again_later_sends_one_request() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
        let worker = worker(&scene, &[]);
        let handling = std::sync::Arc::clone(&worker);
        let batches = SqsBatchHandler::new(scene.ports().clone(), move |message, now, _| {
            let worker = std::sync::Arc::clone(&handling);
            async move { worker.handle(message, now).await }
        });
        let body = body_of(&scene.first);
        let twice = event([record("1", &body), record("1", &body)]);
        for batch in [twice, event([record("1", &body)])] {
            assert!(batches.run(batch, distant_end()).await?.batch_item_failures.is_empty());
        }
        assert_eq!(worker.sender.numbers(), [AttemptNumber::Auto(1)]);
        assert_eq!(results(&scene.rows().await?), [Some(Ok(200))]);
        assert_eq!(scene.delivery().await?.progress.status(), Status::Succeeded);
        Ok(())
    });
}

#[test]
fn under_a_live_lease_a_message_is_delayed_to_its_end_and_nothing_else_is_done() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
        let claim = scene.claim(START).await?;
        let store = scene.engine.another(|stack| stack.clock = || START + SECOND);
        let later = loanhook_core::deliver::Deliver {
            store,
            sender: loanhook_contract::sender::Scripted::always(200),
            lease: Some(LEASE),
            deadline: None,
        };
        scene.engine.proxy.take_calls();
        later.handle(scene.first.clone(), START + SECOND).await?;

        let calls = scene.engine.proxy.take_calls();
        assert_eq!(calls.iter().map(|call| &call.name).collect::<Vec<_>>(), ["UpdateItem T", "SendMessage"]);
        assert_eq!(calls[1].body["DelaySeconds"], 39);
        let sent = read_message(calls[1].body["MessageBody"].as_str().expect("a body"));
        assert_eq!(sent, Some(QueueMessage { due: START + LEASE, ..scene.first.clone() }));
        assert_eq!(scene.delivery().await?, claim.delivery);
        assert_eq!(scene.rows().await?, [claim.row]);
        assert_eq!(later.sender.numbers(), []);
        Ok(())
    });
}

#[test]
fn after_the_lease_the_attempt_is_interrupted_and_the_next_is_due_at_once_in_the_same_slot() {
    run_with_faults(assert_interruption_after_the_lease());
}

async fn assert_interruption_after_the_lease() -> StoreResult<()> {
    let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
    let claim = scene.claim(START).await?;
    let lease_end: Timestamp = START + LEASE;
    let worker = worker(&scene, &[]);
    worker.handle(scene.first.clone(), lease_end).await?;

    let rows = scene.rows().await?;
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [claim.row.id]);
    assert_eq!(result(&rows[0]), Some(Err(ErrorKind::Interrupted)));
    let next = scene.delivery().await?.progress.waiting().expect("a next attempt");
    assert_eq!((next.number, next.slot, next.due), (2, 0, lease_end));
    assert_eq!(scene.engine.drain().await, [attempt_message(&scene.accepted, 2, lease_end)]);
    assert_eq!(worker.sender.numbers(), []);
    Ok(())
}
