//! The two queues: what chooses between them, and what bounds a receiver in each.

mod moved_messages;
mod permits;
mod slow_marks;

use std::collections::HashMap;
use std::sync::Arc;

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use aws_sdk_dynamodb::types::AttributeValue;
use loanhook_aws::Aws;
use loanhook_aws::sqs_batch::SqsBatchHandler;
use loanhook_aws_testing::FaultyAwsEngine;
use loanhook_contract::scene::{LEASE, Scene};
use loanhook_contract::sender::Scripted;
use loanhook_core::deliver::Deliver;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{QueueMessage, Sender};

use super::sqs_batch::{body_of, distant_end, record};

type FaultyScene = Scene<FaultyAwsEngine>;

/// A record for the first attempt of this message, from the slow queue.
fn slow_record(scene: &FaultyScene, message: &QueueMessage) -> SqsMessage {
    let name = scene.engine.direct.stack.slow_queue_url.rsplit('/').next().expect("a name");
    let mut record = record("m", &body_of(message));
    record.event_source_arn = Some(format!("arn:aws:sqs:us-east-1:000000000000:{name}"));
    record
}

/// Has a batch handled with this sender; nothing of it may be returned.
async fn run_batch<O: Sender + Send + Sync + 'static>(engine: Aws, sender: O, batch: SqsEvent) {
    let deliver = Arc::new(Deliver { store: engine.clone(), sender, lease: Some(LEASE), deadline: None });
    let batches = SqsBatchHandler::new(engine, move |message, now, _| {
        let deliver = Arc::clone(&deliver);
        async move { deliver.handle(message, now).await }
    });
    let response = batches.run(batch, distant_end()).await.expect("handled");
    assert!(response.batch_item_failures.is_empty());
}

/// A sender whose requests all succeed.
fn succeeds() -> Arc<Scripted> {
    Arc::new(Scripted::always(200))
}

/// Writes an item of the scene's receiver.
async fn put_item(scene: &FaultyScene, pk: &str, sk: &str, name: &str, value: AttributeValue) {
    let stack = &scene.engine.direct.stack;
    let text = |value: &str| AttributeValue::S(value.into());
    let item =
        HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk)), (name.to_owned(), value)]);
    stack.dynamodb.put_item().table_name(&stack.name).set_item(Some(item)).send().await.expect("put");
}

/// Gives the scene's receiver a slow mark.
async fn mark(scene: &FaultyScene, seen: Timestamp) {
    let sk = format!("acme#{}", scene.subscription.id);
    put_item(scene, "H#", &sk, "seen", AttributeValue::N(seen.millis().to_string())).await;
}

/// Takes permits of the scene's receiver, as invocations do that are over at these times.
async fn take_permits<const N: usize>(scene: &FaultyScene, ends: [Timestamp; N]) {
    let names = ends.map(|end| format!("{}#{}", end.millis(), uuid::Uuid::new_v4())).to_vec();
    let pk = format!("Q#acme#{}", scene.subscription.id);
    put_item(scene, &pk, "-", "taken", AttributeValue::Ss(names)).await;
}

/// The messages of each queue, which are taken from it.
async fn take_messages(scene: &FaultyScene) -> (Vec<QueueMessage>, Vec<QueueMessage>) {
    let direct = &scene.engine.direct;
    let fast = direct.drain_queue(&direct.stack.queue_url).await;
    (fast, direct.drain_queue(&direct.stack.slow_queue_url).await)
}

/// An engine with empty caches.
fn another(scene: &FaultyScene) -> Aws {
    scene.engine.another(|stack| stack.small_payload = 0)
}
