//! The engine for AWS, under the contract: on whatever answers at `AWS_ENDPOINT_URL`, or on the account of
//! this environment where `LOANHOOK_TEST_AWS` says so.

mod budget;
mod call;
mod faults;
mod faulty;
mod first_key;
mod function;
mod http;
mod lost;
mod proxy;
mod sizes;
mod stack;

use std::collections::HashMap;
use std::future::Future;

use aws_sdk_dynamodb::types::AttributeValue;
use loanhook_aws::{Aws, read_message};
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::payload::PayloadKey;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Attempts, DueWork, Queue as _, QueueMessage};

use loanhook_contract::contract;
use loanhook_contract::engine::{Engine, Kept};
use loanhook_contract::scene::{MILLISECOND, Scene, attempt_message, delivery_of};
use stack::Made;

contract!(crate::InTheCloud);

/// An engine with a table, a bucket and a queue of its own.
pub(crate) struct InTheCloud {
    engine: Aws,
    made: Made,
}

impl Engine for InTheCloud {
    type Ports = Aws;

    fn missing() -> Option<&'static str> {
        let told =
            ["AWS_ENDPOINT_URL", "LOANHOOK_TEST_AWS"].iter().any(|name| std::env::var_os(name).is_some());
        (!told).then_some("there is no AWS to test on: set AWS_ENDPOINT_URL, or LOANHOOK_TEST_AWS=1")
    }

    async fn fresh() -> Self {
        let made = Made::new().await;
        Self { engine: made.engine(), made }
    }

    fn ports(&self) -> &Aws {
        &self.engine
    }

    async fn receive(&self) -> QueueMessage {
        loop {
            if let Some(message) = self.take(1, 2).await.pop() {
                return message;
            }
        }
    }

    /// This queue says things twice at times, and a message stays when a claim comes without it: here each
    /// counts once, and only while it would still wake something.
    async fn drain(&self) -> Vec<QueueMessage> {
        let mut all: Vec<QueueMessage> = Vec::new();
        loop {
            let taken = self.take(10, 0).await;
            if taken.is_empty() {
                return all;
            }
            for message in taken {
                if !all.contains(&message) && self.wakes_something(&message).await {
                    all.push(message);
                }
            }
        }
    }

    fn put_row(&self, row: &Attempt) {
        let doc = serde_json::to_string(row).expect("JSON");
        let update = self
            .made
            .dynamodb
            .update_item()
            .table_name(&self.made.name)
            .set_key(Some(key_of(row)))
            .update_expression("SET doc = :doc, #state = :complete REMOVE #token")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#token", "token")
            .expression_attribute_values(":doc", AttributeValue::S(doc))
            .expression_attribute_values(":complete", AttributeValue::S("complete".into()));
        now(update.send()).expect("updated");
    }

    fn lose_row(&self, row: &Attempt) {
        let delete = self.made.dynamodb.delete_item().table_name(&self.made.name);
        now(delete.set_key(Some(key_of(row))).send()).expect("deleted");
    }

    fn lose_payload(&self, tenant: &TenantId, key: PayloadKey) {
        let name = format!("{tenant}/{key}");
        let table = stack::payloads(&self.made.name);
        let delete = self.made.dynamodb.delete_item().table_name(table);
        now(delete.key("pk", AttributeValue::S(name.clone())).send()).expect("deleted");
        let delete = self.made.s3.delete_object().bucket(&self.made.name).key(name);
        now(delete.send()).expect("deleted");
    }

    fn spoil(&self, what: Kept<'_>) {
        let item = |pk: String, sk: String| {
            HashMap::from([("pk".into(), AttributeValue::S(pk)), ("sk".into(), AttributeValue::S(sk))])
        };
        let only = |pk: String| item(pk, "-".into());
        let items = match what {
            Kept::Row(row) => vec![key_of(row)],
            Kept::Subscription(of) => vec![item(format!("S#{}", of.tenant), format!("C#{}", of.id))],
            Kept::Key(key, hash) => {
                let hash: String = hash.0.iter().map(|byte| format!("{byte:02x}")).collect();
                vec![only(format!("K#{hash}")), item(format!("A#{}", key.tenant), key.id.to_string())]
            }
            Kept::Memory(tenant, loan) => vec![only(format!("M#{tenant}#{loan}"))],
            Kept::Record(tenant, key) => vec![only(format!("I#{tenant}#event#{key}"))],
        };
        for key in items {
            let update = self.made.dynamodb.update_item().table_name(&self.made.name).set_key(Some(key));
            let update = update
                .update_expression("SET doc = :doc")
                .condition_expression("attribute_exists(doc)")
                .expression_attribute_values(":doc", AttributeValue::S("\"secret\"".into()));
            now(update.send()).expect("updated");
        }
    }

    fn restarted(self) -> Self {
        Self { engine: self.made.engine(), made: self.made }
    }

    async fn finish(&self) {
        self.engine.finish().await;
    }
}

impl InTheCloud {
    async fn wakes_something(&self, message: &QueueMessage) -> bool {
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

    async fn take(&self, most: i32, wait: i32) -> Vec<QueueMessage> {
        let sqs = &self.made.sqs;
        let queue = &self.made.queue_url;
        let received = sqs
            .receive_message()
            .queue_url(queue)
            .max_number_of_messages(most)
            .wait_time_seconds(wait)
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

#[test]
fn a_message_does_not_come_before_it_is_due() {
    loanhook_contract::run_on::<InTheCloud>(async {
        let scene = Scene::<InTheCloud>::new(&[300]).await?;
        let soon = attempt_message(&scene.accepted, 1, Timestamp::now() + 200 * MILLISECOND);
        scene.ports().enqueue(soon.clone()).await?;
        assert_eq!(scene.engine.receive().await, soon);
        assert!(Timestamp::now() >= soon.due);
        Ok(())
    });
}

fn key_of(row: &Attempt) -> HashMap<String, AttributeValue> {
    HashMap::from([
        ("pk".into(), AttributeValue::S(format!("L#{}#{}", row.tenant, row.loan_id))),
        ("sk".into(), AttributeValue::S(row.id.to_string())),
    ])
}

/// Waits within a case, which has no await at this place.
fn now<T>(call: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(call))
}
