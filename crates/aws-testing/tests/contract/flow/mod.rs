//! Limits and holds across delivery functions: in simulated time, with senders that die, and messages that come twice or are
//! lost.

mod crashes;
mod holds;
mod limits;
mod readers;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use loanhook_aws::sweep::{SHARDS, Sweep, SweepReport};
use loanhook_aws::{Aws, FlowNotes, JobTurn, run_job_batch};
use loanhook_aws_testing::FaultyAwsEngine;
use loanhook_contract::engine::Engine as _;
use loanhook_contract::scene::{LEASE, SECOND, accept, delivery_of, subscription, tenant};
use loanhook_contract::sender::Scripted;
use loanhook_core::deliver::Deliver;
use loanhook_core::model::flow::{FlowSettings, Hold};
use loanhook_core::model::id::TraceId;
use loanhook_core::model::progress::Status;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{FlowControl as _, QueueMessage, Sender, StoreResult, Subscriptions as _};
use serde_json::{Value, json};

use crate::faults::simulated_time::SimulatedTime;
use crate::faults::sqs_batch::{event, record};

/// How long after a message was received its invocation is certainly over.
const INVOCATION: Duration = Duration::from_secs(70);

/// A subscription with flow settings, whose messages are handled in simulated time.
struct Scene<O = Scripted> {
    engine: FaultyAwsEngine,
    store: Aws,
    time: SimulatedTime,
    of: Subscription,
    deliver: Arc<Deliver<Aws, O>>,
}

impl Scene {
    /// Requests get these statuses, then 200.
    async fn new(time: SimulatedTime, flow: FlowSettings, statuses: &[u16]) -> StoreResult<Self> {
        Self::with_sender(time, flow, Scripted::always(200).script(statuses)).await
    }
}

impl<O: Sender + Send + Sync + 'static> Scene<O> {
    async fn with_sender(time: SimulatedTime, flow: FlowSettings, sender: O) -> StoreResult<Self> {
        let engine = FaultyAwsEngine::fresh().await;
        let store = engine.another(|stack| stack.clock = time.clock());
        let mut of = subscription(&tenant("acme"), "Core banking", &[300], time.now());
        of.settings.flow = flow;
        assert!(store.create(of.clone(), 200).await?);
        let deliver = Deliver { store: store.clone(), sender, lease: Some(LEASE), deadline: None };
        engine.direct.put_sweep_cursors(0..SHARDS, time.now()).await;
        Ok(Self { engine, store, time, of, deliver: Arc::new(deliver) })
    }

    /// The messages of so many deliveries, the oldest first, a millisecond apart.
    async fn accept(&self, count: u32) -> StoreResult<Vec<QueueMessage>> {
        for i in 0..count {
            let at = self.time.now() + Duration::from_millis(1);
            self.time.set(at);
            accept(&self.engine, &self.of, &i.to_string(), at).await?;
        }
        let messages = self.engine.drain().await;
        assert_eq!(messages.len(), count as usize);
        Ok(messages)
    }

    /// Handles a message as the delivery function does.
    async fn handle(&self, message: &QueueMessage) -> StoreResult<()> {
        self.handling(message).await
    }

    /// The same, to be run as a task.
    fn handling(
        &self,
        message: &QueueMessage,
    ) -> impl Future<Output = StoreResult<()>> + Send + 'static + use<O> {
        let (store, deliver, message) = (self.store.clone(), Arc::clone(&self.deliver), message.clone());
        let now = self.time.now();
        async move {
            let handle = |message| async move { deliver.handle(message, now).await };
            store.within_flow(message, FlowNotes::default(), now + INVOCATION, now, handle).await
        }
    }

    /// Handles what is in the queues until nothing is.
    async fn handle_all(&self) -> StoreResult<()> {
        loop {
            let messages = self.engine.drain().await;
            if messages.is_empty() {
                return Ok(());
            }
            for message in messages {
                self.handle(&message).await?;
            }
        }
    }

    fn pass(&self, time: Duration) {
        self.time.set(self.time.now() + time);
    }

    /// Turns whose messages were sent since this was last asked, with their delays in seconds.
    fn sent_turns(&self) -> Vec<(u64, u64)> {
        let calls = self.engine.proxy.take_calls().into_iter().map(|call| call.body);
        let turns =
            calls.filter(|body| body["QueueUrl"].as_str().is_some_and(|queue| queue.ends_with("-jobs")));
        let turn = |body: Value| {
            let message: Value = serde_json::from_str(body["MessageBody"].as_str()?).ok()?;
            assert_eq!(message["subscription"], json!(self.of.id.uuid()));
            Some((message["turn"].as_u64()?, body["DelaySeconds"].as_u64()?))
        };
        turns.map(|body| turn(body).expect("the message of a turn")).collect()
    }

    /// Hands the message of a turn to the function, with time for one look; the traces that it woke.
    async fn turn(&self, number: u64) -> StoreResult<Vec<TraceId>> {
        let body = json!({"tenant": "acme", "subscription": self.of.id.uuid(), "turn": number}).to_string();
        let no_job = |_: JobTurn, (), _: Timestamp| async { ((), Ok(None)) };
        let handled =
            run_job_batch(&self.store, event([record("1", &body)]), SystemTime::now(), no_job).await?;
        assert!(handled.batch_item_failures.is_empty());
        let woken = self.engine.drain().await;
        Ok(woken.into_iter().map(|message| message.trace_id).collect())
    }

    async fn sweep(&self) -> StoreResult<SweepReport> {
        let sweep = Sweep { engine: self.store.clone(), lease: LEASE, shards: 0..SHARDS };
        sweep.run(self.time.now(), Instant::now() + 60 * SECOND).await
    }

    async fn status(&self, message: &QueueMessage) -> StoreResult<Status> {
        let delivery = delivery_of(&self.store, &message.tenant, message.trace_id).await?;
        Ok(delivery.expect("a delivery").progress.status())
    }

    async fn count_waiting(&self) -> StoreResult<u64> {
        self.store.count_waiting(&self.of.tenant, self.of.id, self.time.now()).await
    }

    /// What waits, by the reason, as the sweep counts it: for a limit and for a hold.
    async fn counted_by_sweep(&self) -> StoreResult<(u64, u64)> {
        let waiting = self.sweep().await?.gauges.expect("gauges").waiting;
        Ok((waiting.limit, waiting.hold))
    }

    /// Whether readers are told that what is due waits for a limit.
    async fn is_limited(&self) -> StoreResult<bool> {
        let flows = self.store.flows(&self.of.tenant, self.time.now()).await?;
        Ok(flows.get(&self.of.id).is_some_and(|flow| flow.is_limited))
    }

    async fn hold(&self) -> StoreResult<Option<Hold>> {
        let flows = self.store.flows(&self.of.tenant, self.time.now()).await?;
        Ok(flows.get(&self.of.id).and_then(|flow| flow.hold.clone()))
    }

    async fn hold_by_hand(&self) -> StoreResult<()> {
        assert!(self.store.hold(&self.of.tenant, self.of.id, "Ann", self.time.now()).await?);
        Ok(())
    }

    async fn release(&self) -> StoreResult<()> {
        assert!(self.store.release_hold(&self.of.tenant, self.of.id, self.time.now()).await?);
        Ok(())
    }
}

impl Scene {
    /// The traces of the requests that were sent, in their order; forgets them.
    fn take_sent(&self) -> Vec<TraceId> {
        self.deliver.sender.take_sent().iter().map(|request| request.trace_id).collect()
    }
}

fn traces(messages: &[QueueMessage]) -> Vec<TraceId> {
    messages.iter().map(|message| message.trace_id).collect()
}

fn in_flight(most: u32) -> FlowSettings {
    FlowSettings { max_in_flight: Some(most), ..FlowSettings::default() }
}
