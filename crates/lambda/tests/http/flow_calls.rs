//! The calls to AWS that limits and holds add to an event and its attempts, counted in the SDK clients: these are numbers of
//! `docs/cost.md`. Without any of them there is not one more, which the first case shows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage, SqsMessageAttribute};
use loanhook_aws::sqs_batch::SqsBatchHandler;
use loanhook_aws::{Aws, FlowNotes};
use loanhook_aws_testing::{AwsEngine, CountedEngine};
use loanhook_contract::engine::Engine as _;
use loanhook_contract::scene::{LEASE, subscription, tenant};
use loanhook_contract::sender::Scripted;
use loanhook_core::deliver::Deliver;
use loanhook_core::model::flow::FlowSettings;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{FlowControl as _, QueueMessage, StoreResult, Subscriptions as _};

use super::call_counts::{post, run};
use super::client::HttpClient;

const GET: &str = "DynamoDB.GetItem";
const GET_MANY: &str = "DynamoDB.BatchGetItem";
const QUERY: &str = "DynamoDB.Query";
const PUT: &str = "DynamoDB.PutItem";
const UPDATE: &str = "DynamoDB.UpdateItem";
const DELETE: &str = "DynamoDB.DeleteItem";
const TRANSACT: &str = "DynamoDB.TransactWriteItems";
const SEND: &str = "SQS.SendMessage";

/// A tenant with one subscription, the function of intake and that of delivery, both warm: one event was delivered.
struct Functions {
    aws: AwsEngine,
    of: Subscription,
    http: HttpClient,
    intake: CountedEngine,
    delivery: CountedEngine,
    batches: Box<dyn Fn(SqsEvent) -> futures_util::future::BoxFuture<'static, usize>>,
}

impl Functions {
    async fn new(flow: FlowSettings, statuses: &[u16]) -> StoreResult<Self> {
        let aws = AwsEngine::fresh().await;
        let mut of = subscription(&tenant("acme"), "Webhook", &[300], Timestamp::now());
        of.settings.flow = flow;
        assert!(aws.ports().create(of.clone(), 200).await?);
        let (intake, delivery) = (CountedEngine::new(&aws), CountedEngine::new(&aws));
        let http = HttpClient::with_new_key(&intake.engine, &tenant("acme")).await?;
        let store = delivery.engine.clone();
        let sender = Scripted::always(200).script(&[&[200], statuses].concat()).saying("a body");
        let deliver = Arc::new(Deliver { store: store.clone(), sender, lease: Some(LEASE), deadline: None });
        let batches = Box::new(move |batch| handled(store.clone(), Arc::clone(&deliver), batch));
        let functions = Self { aws, of, http, intake, delivery, batches };
        functions.send_and_deliver().await;
        functions.intake.forget_calls();
        functions.delivery.forget_calls();
        Ok(functions)
    }

    /// An event is taken in, and its message is handled.
    async fn send_and_deliver(&self) {
        post(&self.http, "").await;
        assert_eq!((self.batches)(self.received().await).await, 0);
    }

    /// The next message, as SQS hands it to the delivery function.
    async fn received(&self) -> SqsEvent {
        let (sqs, queue) = (&self.aws.stack.sqs, &self.aws.stack.queue_url);
        let receive = sqs.receive_message().queue_url(queue).wait_time_seconds(5);
        let received = receive.message_attribute_names("All").send().await.expect("received");
        let message = received.messages().first().expect("a message");
        let handle = message.receipt_handle().expect("a handle");
        sqs.delete_message().queue_url(queue).receipt_handle(handle).send().await.expect("deleted");
        let mut record = SqsMessage::default();
        record.message_id = Some("1".into());
        record.body = message.body.clone();
        record.event_source_arn = Some("arn:aws:sqs:us-east-1:000000000000:fast".into());
        for (name, value) in message.message_attributes.iter().flatten() {
            let mut attribute = SqsMessageAttribute::default();
            attribute.string_value = value.string_value.clone();
            record.message_attributes.insert(name.clone(), attribute);
        }
        let mut batch = SqsEvent::default();
        batch.records.push(record);
        batch
    }

    /// The calls of an event and of its first attempt.
    async fn calls(&self) -> [BTreeMap<String, u32>; 2] {
        self.send_and_deliver().await;
        [self.intake.take_calls(), self.delivery.take_calls()]
    }
}

/// Handles a batch; gives how many records SQS must deliver again.
fn handled(
    store: Aws,
    deliver: Arc<Deliver<Aws, Scripted>>,
    batch: SqsEvent,
) -> futures_util::future::BoxFuture<'static, usize> {
    Box::pin(async move {
        let handler = move |message, now, _| {
            let deliver = Arc::clone(&deliver);
            async move { deliver.handle(message, now).await }
        };
        let end = SystemTime::now() + Duration::from_secs(90);
        let response = SqsBatchHandler::new(store, handler).run(batch, end).await.expect("a response");
        response.batch_item_failures.len()
    })
}

fn calls<const N: usize>(calls: [(&str, u32); N]) -> BTreeMap<String, u32> {
    calls.map(|(name, count)| (name.to_owned(), count)).into()
}

/// An event with one webhook, whether that has limits or not.
fn of_intake() -> BTreeMap<String, u32> {
    calls([(GET, 1), (PUT, 3), (SEND, 1)])
}

#[test]
fn an_event_and_its_attempt_by_the_flow_of_the_subscription() {
    run(async {
        let flow = FlowSettings::default();
        for (flow, attempt) in [
            (flow, calls([(GET, 1), (UPDATE, 3), (PUT, 1)])),
            // The subscription, what waits before and after; a place taken and given back.
            (
                FlowSettings { max_in_flight: Some(5), ..flow },
                calls([(GET, 1), (UPDATE, 5), (PUT, 1), (QUERY, 3)]),
            ),
            (
                FlowSettings { max_per_second: Some(1000.0), ..flow },
                calls([(GET, 1), (UPDATE, 4), (PUT, 1), (QUERY, 2)]),
            ),
            (
                FlowSettings { max_in_flight: Some(5), max_per_second: Some(1000.0), ..flow },
                calls([(GET, 1), (UPDATE, 5), (PUT, 1), (QUERY, 3)]),
            ),
            // The subscription; its state before and after.
            (
                FlowSettings { hold_after_failures: Some(3), ..flow },
                calls([(GET, 3), (UPDATE, 3), (PUT, 1), (QUERY, 1)]),
            ),
        ] {
            let functions = Functions::new(flow, &[]).await?;
            assert_eq!(functions.calls().await, [of_intake(), attempt], "{flow:?}");
        }
        Ok(())
    });
}

#[test]
fn a_failure_of_a_subscription_with_an_automatic_hold() {
    run(async {
        let flow = FlowSettings { hold_after_failures: Some(3), ..FlowSettings::default() };
        let functions = Functions::new(flow, &[500, 500]).await?;
        // The state is written.
        let failed = calls([(GET, 3), (UPDATE, 4), (PUT, 1), (QUERY, 1), (SEND, 1)]);
        for _ in 0..2 {
            assert_eq!(functions.calls().await, [of_intake(), failed.clone()]);
        }
        Ok(())
    });
}

#[test]
fn a_hold_by_hand_and_deliveries_that_wait_for_it() {
    run(async {
        let functions = Functions::new(FlowSettings::default(), &[]).await?;
        let settings = CountedEngine::new(&functions.aws);
        let (tenant, id) = (&functions.of.tenant, functions.of.id);
        assert!(settings.engine.hold(tenant, id, "Ann", Timestamp::now()).await?);
        // The newest version, the state, the subscription, the tenant's version; the state; all of it with the copies;
        // the list, and cold a look for what is left of a longer one.
        settings.assert_calls([(QUERY, 3), (GET, 3), (UPDATE, 1), (TRANSACT, 1), (PUT, 1)]);
        functions.intake.forget_calls();
        // The subscription, its state, the delivery; it is noted, with the first turn; it is the oldest, and asked once more.
        let first = calls([(QUERY, 2), (GET, 4), (PUT, 2), (SEND, 1)]);
        // An environment of intake reads a subscription that changed.
        let after_change = calls([(GET, 2), (PUT, 3), (SEND, 1)]);
        assert_eq!(functions.calls().await, [after_change, first]);
        let second = calls([(QUERY, 2), (GET, 3), (PUT, 1)]);
        assert_eq!(functions.calls().await, [of_intake(), second]);

        settings.forget_calls();
        assert!(settings.engine.release_hold(tenant, id, Timestamp::now()).await?);
        settings.assert_calls([(GET, 4), (UPDATE, 1), (SEND, 1)]);
        Ok(())
    });
}

#[test]
fn readers_of_a_tenant_by_whether_it_has_limits() {
    run(async {
        for (max_in_flight, expected) in [(None, calls([])), (Some(5), calls([(GET_MANY, 1)]))] {
            let flow = FlowSettings { max_in_flight, ..FlowSettings::default() };
            let functions = Functions::new(flow, &[]).await?;
            let reader = CountedEngine::new(&functions.aws);
            let tenant = &functions.of.tenant;
            // Authentication has read the tenant's version.
            assert!(reader.engine.flows(tenant, Timestamp::now()).await?.is_empty(), "no limit is reached");
            reader.forget_calls();
            reader.engine.flows(tenant, Timestamp::now()).await?;
            assert_eq!(reader.take_calls(), expected);
        }
        Ok(())
    });
}

#[test]
fn a_delivery_that_the_end_of_a_request_wakes() {
    run(async {
        let flow = FlowSettings { max_in_flight: Some(1), ..FlowSettings::default() };
        let functions = Functions::new(flow, &[]).await?;
        post(&functions.http, "").await;
        let first = functions.aws.receive().await;
        post(&functions.http, "").await;
        let second = functions.received().await;
        let (store, now) = (&functions.delivery.engine, Timestamp::now());
        functions.delivery.forget_calls();
        let while_the_second_is_received = async |_: QueueMessage| {
            functions.delivery.assert_calls([(QUERY, 2), (UPDATE, 1)]);
            assert_eq!((functions.batches)(second).await, 0);
            // The subscription, older ones, a place refused; the delivery, noted, with the first turn; and once more.
            functions.delivery.assert_calls([(QUERY, 4), (UPDATE, 2), (GET, 2), (PUT, 2), (SEND, 1)]);
            Ok(())
        };
        let over = now + Duration::from_secs(60);
        store.within_flow(first, FlowNotes::default(), over, now, while_the_second_is_received).await?;
        functions.delivery.assert_calls([(UPDATE, 1), (QUERY, 1), (DELETE, 1), (SEND, 1)]);
        Ok(())
    });
}
