//! Event source mappings: instances that take batches from the real queues, as Lambda runs them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage, SqsMessageAttribute};
use loanhook_aws::Aws;
use loanhook_aws_testing::TestStack;
use loanhook_contract::scene::{LEASE, SECOND};
use loanhook_core::deliver::Deliver;
use loanhook_core::model::id::SubscriptionId;
use loanhook_core::ports::{NotSent, SendOutcome, Sender, WebhookRequest};
use tokio::sync::Notify;

/// As in the template.
const BATCH_SIZE: i32 = 10;

/// What the instances have sent.
#[derive(Default)]
pub(super) struct Sent {
    /// Instances by their number, with how many requests each holds that hang.
    pub(super) hanging: BTreeMap<usize, usize>,
    /// Subscriptions whose receivers answered, each as often as it did.
    pub(super) answered: Vec<SubscriptionId>,
}

/// The receivers of all instances: one hangs, the others answer at once.
pub(super) struct Receivers {
    hanging: SubscriptionId,
    sent: Mutex<Sent>,
    changed: Notify,
}

impl Receivers {
    pub(super) fn new(hanging: SubscriptionId) -> Arc<Self> {
        Arc::new(Self { hanging, sent: Mutex::default(), changed: Notify::new() })
    }

    pub(super) fn sent(&self) -> MutexGuard<'_, Sent> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until what was sent is so.
    pub(super) async fn wait_until(&self, is_so: impl Fn(&Sent) -> bool) {
        loop {
            let changed = self.changed.notified();
            if is_so(&self.sent()) {
                return;
            }
            changed.await;
        }
    }
}

/// The sender of one instance.
pub(super) struct InstanceSender {
    pub(super) instance: usize,
    pub(super) receivers: Arc<Receivers>,
}

impl Sender for InstanceSender {
    async fn send(&self, request: WebhookRequest) -> Result<SendOutcome, NotSent> {
        let hangs = request.subscription_id == self.receivers.hanging;
        if hangs {
            *self.receivers.sent().hanging.entry(self.instance).or_default() += 1;
        } else {
            self.receivers.sent().answered.push(request.subscription_id);
        }
        self.receivers.changed.notify_one();
        if hangs {
            std::future::pending::<()>().await;
        }
        Ok(SendOutcome { elapsed: SECOND, source_ip: None, result: Ok(200), response: None })
    }
}

/// What handles the messages of an instance, with this sender.
pub(super) fn deliver<O>(engine: &Aws, sender: O) -> Arc<Deliver<Aws, O>> {
    Arc::new(Deliver { store: engine.clone(), sender, lease: Some(LEASE), deadline: None })
}

/// Takes batches from a queue for ever, and deletes each message of a batch once the batch has been handled.
pub(super) async fn poll<F: Future<Output = ()>>(
    stack: &TestStack,
    queue: &str,
    handle: impl Fn(SqsEvent, SystemTime) -> F,
) {
    loop {
        let received = stack
            .sqs
            .receive_message()
            .queue_url(queue)
            .max_number_of_messages(BATCH_SIZE)
            .message_attribute_names("All")
            .wait_time_seconds(1)
            .send()
            .await
            .expect("received");
        if received.messages().is_empty() {
            continue;
        }
        let mut batch = SqsEvent::default();
        batch.records.extend(received.messages().iter().map(|message| record(queue, message)));
        handle(batch, SystemTime::now() + Duration::from_secs(90)).await;
        for message in received.messages() {
            let handle = message.receipt_handle().expect("a handle");
            stack.sqs.delete_message().queue_url(queue).receipt_handle(handle).send().await.expect("deleted");
        }
    }
}

/// A message as a mapping hands it to its function.
fn record(queue: &str, message: &aws_sdk_sqs::types::Message) -> SqsMessage {
    let name = queue.rsplit('/').next().expect("a name");
    let mut record = SqsMessage::default();
    record.message_id = message.message_id().map(Into::into);
    record.body = message.body().map(Into::into);
    record.event_source_arn = Some(format!("arn:aws:sqs:us-east-1:000000000000:{name}"));
    for (name, value) in message.message_attributes().into_iter().flatten() {
        let mut attribute = SqsMessageAttribute::default();
        attribute.string_value = value.string_value().map(Into::into);
        record.message_attributes.insert(name.clone(), attribute);
    }
    record
}
