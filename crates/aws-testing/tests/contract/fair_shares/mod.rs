//! One receiver hangs, and gets ten times as many webhooks as twenty healthy ones together: counted is what the healthy
//! ones wait for.
//!
//! A request that hangs does so until the case ends, so whatever is sent meanwhile has not waited for it.

mod mapping;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::event::sqs::SqsEvent;
use futures_util::future::try_join_all;
use loanhook_aws::sqs_batch::SqsBatchHandler;
use loanhook_aws::{Aws, InstanceId, Stack, WatchedSender, read_message};
use loanhook_aws_testing::AwsEngine;
use loanhook_contract::engine::Engine as _;
use loanhook_contract::scene::{
    SECOND, START, accept, attempt_message, ended, event, subscription, tenant, unwatched,
};
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::event_evaluation::EventEvaluation;
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::id::EventId;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    ClaimOutcome, Deliveries as _, Intake as _, Queue as _, QueueMessage, StoreResult, Subscriptions as _,
};
use tokio::task::JoinSet;
use uuid::Uuid;

use mapping::{InstanceSender, Receivers, deliver, poll};

const HEALTHY: usize = 20;
/// Webhooks of the receiver that hangs for each one of a healthy receiver.
const HANGING_PER_HEALTHY: usize = 10;
/// Instances that take batches from the fast queue.
const FAST_INSTANCES: usize = 8;
/// Of those, how many are closed to the receiver that hangs.
const CLOSED_INSTANCES: usize = 2;
/// Instances that take batches from the slow queue, and how many of them one receiver may hold while no other is slow.
const SLOW_INSTANCES: usize = 4;
const SLOW_SHARE: usize = 2;
/// A request that is not answered at once is slow.
const SLOW_AFTER: Duration = Duration::from_millis(20);

/// A stack with webhooks in its fast queue, and the instances that send them.
struct Stage {
    aws: Arc<AwsEngine>,
    healthy: Vec<Subscription>,
    hanging: Subscription,
    /// A retry for another healthy receiver.
    retry: QueueMessage,
    receivers: Arc<Receivers>,
    instances: JoinSet<()>,
}

impl Stage {
    /// Accepts ten webhooks of the receiver that hangs before each one of a healthy receiver. Nobody knows yet that it
    /// hangs.
    async fn new() -> StoreResult<Self> {
        let aws = AwsEngine::fresh().await;
        aws.stack.announce_instances(FAST_INSTANCES).await;
        let new = |title: &str| subscription(&tenant("acme"), title, &[1], START);
        let hanging = new("Hanging");
        let healthy: Vec<_> = (0..HEALTHY).map(|i| new(&format!("Healthy {i}"))).collect();
        let retried = new("Retried");
        for one in healthy.iter().chain([&hanging, &retried]) {
            assert!(aws.ports().create(one.clone(), 200).await?);
        }
        let retry = failed_once(&aws, &retried).await?;
        for one in &healthy {
            let receivers = std::iter::repeat_n(&hanging, HANGING_PER_HEALTHY).chain([one]);
            let event = event("727", "{}");
            let evaluation = EventEvaluation::new(&event, START);
            let deliveries = receivers.map(|of| Delivery::render(of, &evaluation, EventId::at(START)));
            let request = unwatched(&tenant("acme"), None, deliveries.collect(), START);
            aws.ports().accept(request, ()).await?;
        }
        let receivers = Receivers::new(hanging.id);
        Ok(Self { aws: Arc::new(aws), healthy, hanging, retry, receivers, instances: JoinSet::new() })
    }

    /// The parts of a new instance: an engine with empty caches, and a sender.
    fn instance(&self, number: usize) -> (Aws, InstanceSender) {
        let slow_instances = u32::try_from(SLOW_INSTANCES).expect("few");
        let resources = Stack { slow_instances, ..self.aws.stack.resources() };
        let sender = InstanceSender { instance: number, receivers: Arc::clone(&self.receivers) };
        (Aws::new(&self.aws.stack.config, resources), sender)
    }

    /// Starts an instance of the delivery function on a queue.
    fn start(&mut self, number: usize, id: InstanceId, queue: &str) {
        let (engine, sender) = self.instance(number);
        let sender = WatchedSender { engine: engine.clone(), sender, slow_after: SLOW_AFTER };
        let deliver = deliver(&engine, sender);
        let batches = SqsBatchHandler::new(engine, move |message, now, _| {
            let deliver = Arc::clone(&deliver);
            async move { deliver.handle(message, now).await }
        });
        let batches = batches.on_instance(id);
        let (aws, queue) = (Arc::clone(&self.aws), queue.to_owned());
        self.instances.spawn(async move {
            let handle = async |batch, end| {
                let response = batches.run(batch, end).await.expect("handled");
                assert!(response.batch_item_failures.is_empty());
            };
            poll(&aws.stack, &queue, handle).await;
        });
    }

    /// Starts an instance as it was before there were two queues: it handles every record, and waits for all of them.
    fn start_old(&mut self, number: usize) {
        let (engine, sender) = self.instance(number);
        let deliver = deliver(&engine, sender);
        let aws = Arc::clone(&self.aws);
        self.instances.spawn(async move {
            let handle = async |batch: SqsEvent, _| {
                let bodies = batch.records.iter().filter_map(|record| record.body.as_deref());
                let messages = bodies.map(|body| read_message(body).expect("a message of ours"));
                let now = Timestamp::now();
                let handled = messages.map(|message| deliver.handle(message, now));
                try_join_all(handled).await.expect("handled");
            };
            poll(&aws.stack, &aws.stack.queue_url, handle).await;
        });
    }

    /// An instance that is closed to the receiver that hangs, or is not.
    fn instance_id(&self, is_closed: bool) -> InstanceId {
        let ids = std::iter::repeat_with(InstanceId::random);
        let is_wanted = |id: &InstanceId| id.is_closed_to(&self.hanging.tenant, self.hanging.id) == is_closed;
        ids.take(10_000).find(is_wanted).expect("one of many")
    }
}

/// Accepts an event for a healthy receiver whose first attempt fails; gives the message of its retry, which no queue has.
async fn failed_once(aws: &AwsEngine, of: &Subscription) -> StoreResult<QueueMessage> {
    let engine = aws.ports();
    let delivery = accept(aws, of, "728", START).await?;
    let (first, token) = (attempt_message(&delivery, 1, START), Uuid::new_v4());
    let ClaimOutcome::Claimed(claimed) = engine.claim(&first, 1, token, START).await? else {
        panic!("nobody else claims it");
    };
    let (delivery, row) = *claimed;
    let row = ended(row, Err(ErrorKind::Connect), START + SECOND);
    assert!(engine.complete(&delivery, token, row, None).await?);
    let [retry] = aws.drain().await.try_into().expect("one message");
    Ok(retry)
}

#[test]
fn a_receiver_that_hangs_makes_no_first_attempt_and_no_retry_of_others_wait() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let mut stage = Stage::new().await?;
        let (fast, slow) = (stage.aws.stack.queue_url.clone(), stage.aws.stack.slow_queue_url.clone());
        for number in 0..FAST_INSTANCES {
            let id = stage.instance_id(number < CLOSED_INSTANCES);
            stage.start(number, id, &fast);
        }
        let healthy: BTreeSet<_> = stage.healthy.iter().map(|one| one.id).collect();
        let slow_instances = FAST_INSTANCES..FAST_INSTANCES + SLOW_INSTANCES;
        for number in slow_instances.clone() {
            stage.start(number, InstanceId::random(), &slow);
        }
        let all_sent = |sent: &mapping::Sent| healthy.iter().all(|one| sent.answered.contains(one));
        stage.receivers.wait_until(all_sent).await;
        {
            let sent = stage.receivers.sent();
            assert_eq!(sent.answered.len(), HEALTHY, "each once");
            let closed = sent.hanging.keys().filter(|number| **number < CLOSED_INSTANCES).count();
            assert_eq!(closed, 0, "no instance that is closed to it has sent to it: {:?}", sent.hanging);
        }

        // Its messages reach the slow queue, where it holds its share; a retry of another receiver leaves beside it.
        let held = |sent: &mapping::Sent| sent.hanging.range(slow_instances.clone()).count();
        stage.receivers.wait_until(|sent| held(sent) == SLOW_SHARE).await;
        let retried = stage.retry.subscription_id;
        stage.aws.ports().enqueue(stage.retry.clone()).await?;
        stage.receivers.wait_until(|sent| sent.answered.contains(&retried)).await;
        assert_eq!(held(&stage.receivers.sent()), SLOW_SHARE);
        Ok(())
    });
}

#[test]
fn with_one_queue_and_open_instances_it_holds_them_all() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let mut stage = Stage::new().await?;
        for number in 0..FAST_INSTANCES {
            stage.start_old(number);
        }
        stage.receivers.wait_until(|sent| sent.hanging.len() == FAST_INSTANCES).await;
        let answered = stage.receivers.sent().answered.len();
        assert!(answered < HEALTHY, "nobody is left to send the others: {answered}");
        assert!(!stage.aws.drain().await.is_empty());
        Ok(())
    });
}
