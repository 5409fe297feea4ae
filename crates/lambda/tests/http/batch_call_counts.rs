//! The calls to AWS that the delivery function makes for a batch, beside those of its attempts: they are in
//! `docs/cost.md` too.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage, SqsMessageAttribute};
use aws_sdk_dynamodb::types::AttributeValue;
use loanhook_aws::sqs_batch::SqsBatchHandler;
use loanhook_aws::{InstanceId, WatchedSender};
use loanhook_aws_testing::{AwsEngine, CountedEngine};
use loanhook_contract::engine::Engine as _;
use loanhook_contract::scene::{LEASE, START, accept, subscription, tenant};
use loanhook_contract::sender::Scripted;
use loanhook_core::deliver::Deliver;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{StoreResult, Subscriptions as _};
use serde_json::json;

const GET: &str = "DynamoDB.GetItem";
const QUERY: &str = "DynamoDB.Query";
const PUT: &str = "DynamoDB.PutItem";
const UPDATE: &str = "DynamoDB.UpdateItem";
const SEND: &str = "SQS.SendMessage";
const SEND_MANY: &str = "SQS.SendMessageBatch";

/// A stack with one subscription, and an instance of the delivery function that is closed to it, or to nobody.
struct Function {
    aws: AwsEngine,
    of: Subscription,
    counted: CountedEngine,
    instance: Option<InstanceId>,
}

impl Function {
    async fn new() -> StoreResult<Self> {
        let aws = AwsEngine::fresh().await;
        let of = subscription(&tenant("acme"), "Webhook", &[], START);
        assert!(aws.ports().create(of.clone(), 200).await?);
        let counted = CountedEngine::new(&aws);
        Ok(Self { aws, of, counted, instance: None })
    }

    /// Hands so many first attempts to it in one batch, as from one of the queues.
    async fn run_batch(&self, queue_url: &str, messages: usize) -> StoreResult<()> {
        let mut batch = SqsEvent::default();
        for i in 0..messages {
            let delivery = accept(&self.aws, &self.of, "727", Timestamp::now()).await?;
            let message = self.aws.receive().await;
            assert_eq!(message.trace_id, delivery.snapshot.trace_id);
            let body = json!({
                "tenant": "acme", "traceId": message.trace_id.uuid(),
                "subscriptionId": message.subscription_id.uuid(), "due": message.due.to_string(), "number": 1
            });
            let name = queue_url.rsplit('/').next().unwrap_or_default();
            let mut record = SqsMessage::default();
            record.message_id = Some(i.to_string());
            record.body = Some(body.to_string());
            // As intake says it, where no limit or hold is set.
            let mut without_flow = SqsMessageAttribute::default();
            without_flow.string_value = Some(Timestamp::now().millis().to_string());
            record.message_attributes.insert("withoutFlow".into(), without_flow);
            record.event_source_arn = Some(format!("arn:aws:sqs:us-east-1:000000000000:{name}"));
            batch.records.push(record);
        }
        let store = self.counted.engine.clone();
        let slow_after = Duration::from_secs(60);
        let sender = WatchedSender { engine: store.clone(), sender: Scripted::always(200), slow_after };
        let deliver = Arc::new(Deliver { store: store.clone(), sender, lease: Some(LEASE), deadline: None });
        let mut batches = SqsBatchHandler::new(store, move |message, now, _| {
            let deliver = Arc::clone(&deliver);
            async move { deliver.handle(message, now).await }
        });
        if let Some(instance) = self.instance {
            batches = batches.on_instance(instance);
        }
        let response = batches.run(batch, SystemTime::now() + Duration::from_secs(90)).await?;
        assert!(response.batch_item_failures.is_empty());
        Ok(())
    }

    async fn run_fast_batch(&self, messages: usize) -> StoreResult<()> {
        self.run_batch(&self.aws.stack.queue_url, messages).await
    }
}

#[test]
fn a_batch_of_healthy_receivers_looks_for_slow_marks_once_in_a_while() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let function = Function::new().await?;
        function.run_fast_batch(1).await?;
        // One of the queries is for the secrets of the subscription.
        function.counted.assert_calls_and_data_key([(GET, 1), (UPDATE, 3), (PUT, 1), (QUERY, 2)]);
        function.run_fast_batch(1).await?;
        function.counted.assert_calls([(GET, 1), (UPDATE, 3), (PUT, 1)]);
        Ok(())
    });
}

#[test]
fn a_batch_of_the_slow_queue_takes_a_permit_of_each_receiver_and_gives_it_back() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let function = Function::new().await?;
        function.run_fast_batch(1).await?;
        function.counted.forget_calls();
        function.run_batch(&function.aws.stack.slow_queue_url, 3).await?;
        // Two updates more than the three attempts make.
        function.counted.assert_calls([(GET, 3), (UPDATE, 11), (PUT, 3)]);
        Ok(())
    });
}

#[test]
fn an_instance_that_is_closed_to_a_receiver_sends_its_messages_on_in_one_call() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let mut function = Function::new().await?;
        let ids = std::iter::repeat_with(InstanceId::random).take(10_000);
        function.instance = ids.into_iter().find(|id| id.is_closed_to(&function.of.tenant, function.of.id));
        assert!(function.instance.is_some());
        function.aws.stack.announce_instances(8).await;
        function.run_fast_batch(1).await?;
        // It announces itself.
        function.counted.assert_calls([(QUERY, 1), (PUT, 1), (SEND, 1)]);
        function.aws.drain().await;
        function.run_fast_batch(3).await?;
        function.counted.assert_calls([(SEND_MANY, 1)]);
        Ok(())
    });
}

#[test]
fn a_message_of_a_slow_receiver_is_one_call_where_it_is_passed_on() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let function = Function::new().await?;
        let text = |value: String| AttributeValue::S(value);
        let item = HashMap::from([
            ("pk".to_owned(), text("H#".into())),
            ("sk".to_owned(), text(format!("acme#{}", function.of.id))),
            ("seen".to_owned(), AttributeValue::N(Timestamp::now().millis().to_string())),
        ]);
        let stack = &function.aws.stack;
        let put = stack.dynamodb.put_item().table_name(&stack.name).set_item(Some(item));
        put.send().await.expect("put");
        function.run_fast_batch(1).await?;
        function.counted.assert_calls([(QUERY, 1), (SEND, 1)]);
        Ok(())
    });
}
