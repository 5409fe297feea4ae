//! Batches as SQS hands them to the delivery function: no record affects another.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use loanhook_aws::sqs_batch::SqsBatchHandler;
use loanhook_aws::{Aws, read_message};
use loanhook_aws_testing::fault_proxy::BROKEN;
use loanhook_aws_testing::{FaultyAwsEngine, Worker, run_with_faults, worker};
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::{SECOND, START, Scene, accept, delivery_of};
use loanhook_core::model::progress::Status;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{QueueMessage, StoreError, StoreResult};
use serde_json::json;

pub(crate) fn event(records: impl IntoIterator<Item = SqsMessage>) -> SqsEvent {
    let mut event = SqsEvent::default();
    event.records.extend(records);
    event
}

pub(crate) fn record(id: &str, body: &str) -> SqsMessage {
    let mut record = SqsMessage::default();
    (record.message_id, record.body) = (Some(id.into()), Some(body.into()));
    record
}

/// The body of a message for the first attempt, as it is in the queue.
pub(super) fn body_of(message: &QueueMessage) -> String {
    let body = json!({
        "tenant": message.tenant.as_str(), "traceId": message.trace_id.uuid(),
        "subscriptionId": message.subscription_id.uuid(), "due": message.due.to_string(), "number": 1
    });
    assert_eq!(read_message(&body.to_string()).as_ref(), Some(message));
    body.to_string()
}

/// The end of an invocation that has enough time.
pub(super) fn distant_end() -> SystemTime {
    SystemTime::now() + Duration::from_secs(90)
}

fn failures(response: &SqsBatchResponse) -> Vec<&str> {
    response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect()
}

async fn run_batch(
    scene: &Scene<FaultyAwsEngine>,
    worker: &Worker,
    batch: SqsEvent,
    end: SystemTime,
) -> StoreResult<SqsBatchResponse> {
    let worker = Arc::clone(worker);
    let handler = move |message, now, _| {
        let worker = Arc::clone(&worker);
        async move { worker.handle(message, now).await }
    };
    SqsBatchHandler::new(scene.ports().clone(), handler).run(batch, end).await
}

/// The bodies and reasons of the messages in the dead-letter queue.
async fn dead_letters(scene: &Scene<FaultyAwsEngine>) -> Vec<(String, String)> {
    let made = &scene.engine.direct.stack;
    let received = made
        .sqs
        .receive_message()
        .queue_url(&made.dead_letters_url)
        .max_number_of_messages(10)
        .message_attribute_names("All")
        .send()
        .await
        .expect("received");
    let messages = received.messages().iter().map(|message| {
        let reason = message.message_attributes().and_then(|attributes| attributes.get("reason"));
        let reason = reason.and_then(|reason| reason.string_value()).unwrap_or_default();
        (message.body().unwrap_or_default().to_owned(), reason.to_owned())
    });
    messages.collect()
}

#[test]
fn eight_records_are_handled_beside_one_unreadable_and_one_that_fails() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
        let mut deliveries = vec![scene.accepted.clone()];
        let mut bodies = vec![body_of(&scene.first)];
        for _ in 1..9 {
            deliveries.push(accept(&scene.engine, &scene.subscription, "727", START).await?);
            bodies.push(body_of(&scene.engine.receive().await));
        }
        let failing = deliveries
            .iter()
            .position(|delivery| bodies[4].contains(&delivery.snapshot.trace_id.to_string()));
        let failing = deliveries.remove(failing.expect("one of them")).snapshot.trace_id;
        scene.engine.proxy.fault_containing("UpdateItem T", &failing.to_string(), BROKEN);
        let unreadable = r#"{"tenant": "acme"}"#;
        bodies.insert(7, unreadable.into());
        let ids = ["m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9"];
        let records = ids.iter().zip(&bodies).map(|(id, body)| record(id, body));

        let worker = worker(&scene, &[]);
        let response = run_batch(&scene, &worker, event(records), distant_end()).await?;
        assert_eq!(failures(&response), ["m4"]);
        assert_eq!(dead_letters(&scene).await, [(unreadable.to_owned(), "unreadable".to_owned())]);
        assert_eq!(deliveries.len(), 8);
        for delivery in deliveries {
            let rows = scene.rows_of(&delivery).await?;
            assert_eq!(super::results(&rows), [Some(Ok(200))]);
        }
        let left = delivery_of(scene.ports(), scene.tenant(), failing).await?.expect("it is there");
        assert_eq!((left.progress.status(), left.history.newest_attempt), (Status::Pending, None));

        // SQS delivers it again, and it is handled.
        scene.engine.proxy.clear_faults();
        let again = run_batch(&scene, &worker, event([record("m4", &bodies[4])]), distant_end()).await?;
        assert_eq!(failures(&again), Vec::<&str>::new());
        let status =
            delivery_of(scene.ports(), scene.tenant(), failing).await?.map(|it| it.progress.status());
        assert_eq!(status, Some(Status::Succeeded));
        assert_eq!(worker.sender.numbers().len(), 9);
        Ok(())
    });
}

#[test]
fn a_message_whose_handler_panics_is_a_dead_letter_at_the_third_receive() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[]).await?;
        let panics = |_: QueueMessage, _: Timestamp, _: Instant| async { panic!("the case says so") };
        let batches = SqsBatchHandler::new(scene.ports().clone(), panics);
        let body = body_of(&scene.first);
        for (received, returned) in [("1", vec!["m"]), ("2", vec!["m"]), ("3", vec![])] {
            let mut record = record("m", &body);
            record.attributes.insert("ApproximateReceiveCount".into(), received.into());
            let response = batches.run(event([record]), distant_end()).await?;
            assert_eq!(failures(&response), returned, "received {received} times");
        }
        assert_eq!(dead_letters(&scene).await, [(body, "panicked".to_owned())]);
        Ok(())
    });
}

#[test]
fn without_time_left_a_record_is_queued_again_and_nothing_is_claimed() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
        let worker = worker(&scene, &[]);
        scene.engine.proxy.take_calls();
        let records = event([record("m", &body_of(&scene.first))]);
        let response = run_batch(&scene, &worker, records, SystemTime::now() + 20 * SECOND).await?;

        assert_eq!(failures(&response), Vec::<&str>::new());
        assert_eq!(scene.engine.proxy.take_call_names(), ["SendMessage"]);
        assert_eq!(scene.engine.drain().await.as_slice(), std::slice::from_ref(&scene.first));
        assert_eq!((scene.delivery().await?, scene.rows().await?), (scene.accepted.clone(), vec![]));
        assert_eq!(worker.sender.numbers(), []);
        Ok(())
    });
}

#[test]
fn a_failed_record_without_an_id_fails_its_whole_batch() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[]).await?;
        let fails = |_: QueueMessage, _: Timestamp, _: Instant| async { Err::<(), _>(StoreError::Busy) };
        let batches = SqsBatchHandler::new(scene.ports().clone(), fails);
        for id in [None, Some(String::new())] {
            let mut nameless = record("", &body_of(&scene.first));
            nameless.message_id = id;
            let failed = batches.run(event([nameless]), distant_end()).await;
            assert!(matches!(failed, Err(StoreError::Busy)), "{failed:?}");
        }
        Ok(())
    });
}

#[test]
fn an_empty_body_is_a_dead_letter() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[]).await?;
        let worker = worker(&scene, &[]);
        let mut none = record("b", "");
        none.body = None;
        let response = run_batch(&scene, &worker, event([record("a", ""), none]), distant_end()).await?;
        assert_eq!(failures(&response), Vec::<&str>::new());
        let empty = ("(empty)".to_owned(), "unreadable".to_owned());
        assert_eq!(dead_letters(&scene).await, [empty.clone(), empty]);
        Ok(())
    });
}

#[test]
fn a_record_that_cannot_be_a_dead_letter_fails() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[]).await?;
        let without_dead_letters: Aws = scene.engine.another(|stack| stack.dead_letters_url = None);
        let never = |_: QueueMessage, _: Timestamp, _: Instant| async { Ok(()) };
        let response = SqsBatchHandler::new(without_dead_letters, never)
            .run(event([record("m", "?")]), distant_end())
            .await?;
        assert_eq!(failures(&response), ["m"]);

        scene.engine.proxy.fault_from("SendMessage", 1, BROKEN);
        let worker = worker(&scene, &[]);
        let response = run_batch(&scene, &worker, event([record("m", "?")]), distant_end()).await?;
        assert_eq!(failures(&response), ["m"]);
        assert_eq!(dead_letters(&scene).await, []);
        Ok(())
    });
}
