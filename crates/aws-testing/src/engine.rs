//! The engine for AWS under the contract: on whatever answers at `AWS_ENDPOINT_URL`, or on the account of this
//! environment where `LOANHOOK_TEST_AWS` is set.

use std::collections::HashMap;
use std::future::Future;
use std::ops::Range;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use loanhook_aws::{Added, Aws, FlowNotes, read_message};
use loanhook_contract::engine::{Engine, Kept};
use loanhook_contract::scene::delivery_of;
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::{TenantId, TraceId};
use loanhook_core::model::payload::PayloadKey;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Attempts, DueWork, OperationalEvents as _, Queue as _, QueueMessage};

use crate::TestStack;

/// The most messages that SQS gives at once.
const MAX_MESSAGES_PER_RECEIVE: i32 = 10;
/// The length of a bucket of the index of what is due, in milliseconds.
const SLOT_MILLIS: i64 = 30_000;
/// Longer than it takes to count what any case does.
const COUNT_TIMEOUT: Duration = Duration::from_secs(60);
/// Longer than it takes to look at a message.
const LOOK_TIME: Duration = Duration::from_secs(60);
/// How long SQS waits for a message in each queue, where there is none yet, in seconds.
const RECEIVE_WAIT_SECONDS: i32 = 1;

/// An engine with a stack of its own.
pub struct AwsEngine {
    pub(crate) engine: Aws,
    pub stack: TestStack,
}

impl Engine for AwsEngine {
    type Ports = Aws;

    fn missing() -> Option<&'static str> {
        let set =
            ["AWS_ENDPOINT_URL", "LOANHOOK_TEST_AWS"].iter().any(|name| std::env::var_os(name).is_some());
        (!set).then_some("there is no AWS to test on: set AWS_ENDPOINT_URL, or LOANHOOK_TEST_AWS=1")
    }

    async fn fresh() -> Self {
        let stack = TestStack::create().await;
        Self { engine: stack.engine(), stack }
    }

    fn ports(&self) -> &Aws {
        &self.engine
    }

    async fn receive(&self) -> QueueMessage {
        let queues = [&self.stack.queue_url, &self.stack.slow_queue_url];
        let mut wait_seconds = 0;
        loop {
            for queue in queues {
                if let Some(message) = self.receive_messages(queue, 1, wait_seconds).await.pop() {
                    return message;
                }
            }
            wait_seconds = RECEIVE_WAIT_SECONDS;
        }
    }

    /// SQS may deliver a message twice, and a message is left behind where a claim is made without it: here each counts
    /// once, and only while something of its delivery is due. It gives them in no order: here what is due first comes first.
    async fn drain(&self) -> Vec<QueueMessage> {
        let mut all: Vec<QueueMessage> = Vec::new();
        for queue in [&self.stack.queue_url, &self.stack.slow_queue_url] {
            for message in self.drain_queue(queue).await {
                if !all.contains(&message) && self.is_due(&message).await {
                    all.push(message);
                }
            }
        }
        all.sort_by_key(|message| message.due);
        all
    }

    fn put_row(&self, row: &Attempt) {
        let doc = loanhook_stored::write(row).expect("JSON");
        let update = self
            .stack
            .dynamodb
            .update_item()
            .table_name(&self.stack.name)
            .set_key(Some(row_key(row)))
            .update_expression("SET doc = :doc, #state = :complete REMOVE #token")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#token", "token")
            .expression_attribute_values(":doc", AttributeValue::S(doc))
            .expression_attribute_values(":complete", AttributeValue::S("complete".into()));
        block_on(update.send()).expect("updated");
    }

    fn lose_row(&self, row: &Attempt) {
        let delete = self.stack.dynamodb.delete_item().table_name(&self.stack.name);
        block_on(delete.set_key(Some(row_key(row))).send()).expect("deleted");
    }

    fn lose_payload(&self, tenant: &TenantId, key: PayloadKey) {
        let name = format!("{tenant}/{key}");
        let delete = self.stack.dynamodb.delete_item().table_name(self.stack.payloads_table());
        block_on(delete.key("pk", AttributeValue::S(name.clone())).send()).expect("deleted");
        let delete = self.stack.s3.delete_object().bucket(&self.stack.name).key(name);
        block_on(delete.send()).expect("deleted");
    }

    fn spoil(&self, what: Kept<'_>) {
        let only = |pk: String| item_key(pk, "-".into());
        let items = match what {
            Kept::Row(row) => vec![row_key(row)],
            Kept::Subscription(of) => {
                self.lose_stored_list(&of.tenant);
                vec![item_key(format!("S#{}", of.tenant), format!("C#{}", of.id))]
            }
            Kept::Key(key, hash) => {
                let hash: String = hash.0.iter().map(|byte| format!("{byte:02x}")).collect();
                vec![only(format!("K#{hash}")), item_key(format!("A#{}", key.tenant), key.id.to_string())]
            }
            Kept::Memory(tenant, loan) => vec![only(format!("M#{tenant}#{loan}"))],
            Kept::Event(event) => {
                let pk = format!("V#{}#{}", event.tenant, event.loan_id);
                vec![item_key(pk, event.id.to_string())]
            }
            Kept::Record(tenant, key) => vec![only(format!("I#{tenant}#event#{key}"))],
        };
        for key in items {
            let update = self.stack.dynamodb.update_item().table_name(&self.stack.name).set_key(Some(key));
            let update = update
                .update_expression("SET doc = :doc")
                .condition_expression("attribute_exists(doc)")
                .expression_attribute_values(":doc", AttributeValue::S("\"secret\"".into()));
            block_on(update.send()).expect("updated");
        }
    }

    /// They are in no partition of their subscription.
    fn counts_what_waits_for_order() -> bool {
        false
    }

    fn restarted(self) -> Self {
        Self { engine: self.stack.engine(), stack: self.stack }
    }

    async fn note_waiting(&self) {
        for message in self.drain().await {
            let now = Timestamp::now();
            let put_back = |message| self.engine.enqueue(message);
            let looked_at =
                self.engine.within_flow(message, FlowNotes::default(), now + LOOK_TIME, now, put_back);
            looked_at.await.expect("looked at");
        }
    }

    async fn count(&self) {
        let end = Instant::now() + COUNT_TIMEOUT;
        self.engine.count_changes(end, &mut Added::default()).await.expect("counted");
        // So does the function; nothing but a changed subscription is due at this time.
        let at_once = Timestamp::from_millis(0);
        let advanced = self.engine.advance_operational_states(at_once).await.expect("looked at");
        assert!(advanced.failed.is_none(), "{:?}", advanced.failed);
    }

    async fn finish(&self) {
        self.engine.finish_background().await;
    }
}

impl AwsEngine {
    /// Loses the stored list of a tenant's subscriptions, so that the next reader without a list reads each of them.
    pub fn lose_stored_list(&self, tenant: &TenantId) {
        let key = [("pk", format!("S#{tenant}#list")), ("sk", "00".to_owned())];
        let key = key.map(|(name, value)| (name.into(), AttributeValue::S(value)));
        let delete = self.stack.dynamodb.delete_item().table_name(&self.stack.name);
        block_on(delete.set_key(Some(key.into())).send()).expect("deleted");
    }

    /// Removes an attribute of a delivery's item, as one that an earlier version wrote has none.
    pub async fn remove_attribute(&self, delivery: &Delivery, name: &str) {
        let key = delivery_key(&delivery.snapshot.tenant, delivery.snapshot.trace_id);
        let update = self.stack.dynamodb.update_item().table_name(&self.stack.name).set_key(Some(key));
        let update = update
            .update_expression("REMOVE #name")
            .condition_expression("attribute_exists(#name)")
            .expression_attribute_names("#name", name);
        update.send().await.expect("updated");
    }

    /// Makes a delivery something that cannot be read.
    pub async fn spoil_delivery(&self, delivery: &Delivery) {
        let key = delivery_key(&delivery.snapshot.tenant, delivery.snapshot.trace_id);
        let update = self.stack.dynamodb.update_item().table_name(&self.stack.name).set_key(Some(key));
        let update = update.update_expression("SET doc = :doc").condition_expression("attribute_exists(doc)");
        let update = update.expression_attribute_values(":doc", AttributeValue::S("\"secret\"".into()));
        update.send().await.expect("updated");
    }

    /// The bucket of a delivery in the index of what is due.
    pub async fn due_bucket(&self, tenant: &TenantId, trace: TraceId) -> Option<String> {
        let get = self.stack.dynamodb.get_item().table_name(&self.stack.name);
        let item = get.set_key(Some(delivery_key(tenant, trace))).send().await.expect("read").item?;
        item.get("dueBucket")?.as_s().ok().cloned()
    }

    /// Puts the cursors of these shards, as if every sweep before this time had found nothing.
    pub async fn put_sweep_cursors(&self, shards: Range<u8>, now: Timestamp) {
        let slot = |slots_before: i64| {
            AttributeValue::N((now.millis().div_euclid(SLOT_MILLIS) - slots_before).to_string())
        };
        for shard in shards {
            let put = self.stack.dynamodb.put_item().table_name(&self.stack.name);
            let put = put
                .item("pk", AttributeValue::S("W#sweep".into()))
                .item("sk", AttributeValue::S(shard.to_string()))
                .item("handedOver", slot(0))
                .item("checked", slot(2));
            put.send().await.expect("put");
        }
    }

    /// Whether what the message is for is still to be done.
    async fn is_due(&self, message: &QueueMessage) -> bool {
        match &message.work {
            DueWork::Attempt(number) => {
                let delivery =
                    delivery_of(&self.engine, &message.tenant, message.trace_id).await.expect("read");
                let next = delivery.and_then(|delivery| delivery.progress.waiting());
                next.is_none_or(|next| next.number <= *number)
            }
            DueWork::Resend { loan_id, attempt_id } => {
                let row = self.engine.row(&message.tenant, loan_id, *attempt_id).await.expect("read");
                row.is_none_or(|row| row.attempt.completion().is_none())
            }
        }
    }

    /// Takes every message that is due off one of the queues.
    pub async fn drain_queue(&self, queue: &str) -> Vec<QueueMessage> {
        let mut all = Vec::new();
        loop {
            let received = self.receive_messages(queue, MAX_MESSAGES_PER_RECEIVE, 0).await;
            if received.is_empty() {
                return all;
            }
            all.extend(received);
        }
    }

    /// Receives messages of a queue and deletes them.
    async fn receive_messages(&self, queue: &str, limit: i32, wait_seconds: i32) -> Vec<QueueMessage> {
        let sqs = &self.stack.sqs;
        let received = sqs
            .receive_message()
            .queue_url(queue)
            .max_number_of_messages(limit)
            .wait_time_seconds(wait_seconds)
            .send()
            .await
            .expect("received");
        let mut messages = Vec::new();
        for message in received.messages() {
            let handle = message.receipt_handle().expect("a handle");
            sqs.delete_message().queue_url(queue).receipt_handle(handle).send().await.expect("deleted");
            messages.push(read_message(message.body().expect("a body")).expect("a message of ours"));
        }
        messages
    }
}

fn delivery_key(tenant: &TenantId, trace: TraceId) -> HashMap<String, AttributeValue> {
    item_key(format!("T#{tenant}#{trace}"), "-".into())
}

fn row_key(row: &Attempt) -> HashMap<String, AttributeValue> {
    item_key(format!("L#{}#{}", row.tenant, row.loan_id), row.id.to_string())
}

fn item_key(pk: String, sk: String) -> HashMap<String, AttributeValue> {
    HashMap::from([("pk".into(), AttributeValue::S(pk)), ("sk".into(), AttributeValue::S(sk))])
}

/// Waits in a function of the contract that is not async.
fn block_on<T>(call: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(call))
}
