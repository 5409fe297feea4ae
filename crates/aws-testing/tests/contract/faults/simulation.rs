//! Simulation of a delivery in time: a message is handled when it is due, and the sweep runs each minute that matters.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use loanhook_aws::Aws;
use loanhook_aws::sweep::{SHARDS, Sweep, SweepReport};
use loanhook_aws_testing::FaultyAwsEngine;
use loanhook_contract::scene::{LEASE, Scene};
use loanhook_contract::sender::Scripted;
use loanhook_core::deliver::Deliver;
use loanhook_core::model::attempt::AttemptNumber;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{QueueMessage, StoreResult};

use super::simulated_time::SimulatedTime;
use super::take_sent_messages;

pub(super) const MINUTE: Duration = Duration::from_secs(60);
/// The length of a bucket of the index, in milliseconds.
const SLOT_MILLIS: i64 = 30_000;

/// A delivery in simulated time, with what delivers and what sweeps.
pub(super) struct Simulation {
    pub(super) scene: Scene<FaultyAwsEngine>,
    pub(super) time: SimulatedTime,
    pub(super) store: Aws,
    pub(super) deliver: Deliver<Aws, Scripted>,
    pub(super) sweep: Sweep,
    shard: u8,
}

impl Simulation {
    /// A delivery whose attempts get these statuses, then 200. Its first message is received.
    pub(super) async fn new(time: SimulatedTime, delays: &[u32], statuses: &[u16]) -> StoreResult<Self> {
        let scene = Scene::<FaultyAwsEngine>::new(delays).await?;
        let store = scene.engine.another(|stack| stack.clock = time.clock());
        let sender = Scripted::always(200).script(statuses);
        let deliver = Deliver { store: store.clone(), sender, lease: Some(LEASE), deadline: None };
        // One shard is enough for one delivery.
        let shard = scene.trace().uuid().as_bytes()[0] % SHARDS;
        let sweep = Sweep { engine: store.clone(), lease: LEASE, shards: shard..shard + 1 };
        let simulation = Self { scene, time, store, deliver, sweep, shard };
        simulation.skip_sweeps_until(time.now()).await;
        Ok(simulation)
    }

    pub(super) async fn sweep(&self) -> StoreResult<SweepReport> {
        self.sweep.run(self.time.now(), Instant::now() + MINUTE).await
    }

    /// Sets the time, as if every sweep before had found nothing.
    pub(super) async fn skip_sweeps_until(&self, now: Timestamp) {
        self.time.set(now);
        let slot = |millis: i64| AttributeValue::N((millis / SLOT_MILLIS).to_string());
        let stack = &self.scene.engine.direct.stack;
        let put = stack
            .dynamodb
            .put_item()
            .table_name(&stack.name)
            .item("pk", AttributeValue::S("W#sweep".into()))
            .item("sk", AttributeValue::S(self.shard.to_string()))
            .item("handedOver", slot(now.millis()))
            .item("checked", slot(now.millis() - 2 * SLOT_MILLIS));
        put.send().await.expect("put");
    }

    /// Sweeps each minute until a run puts a message into the queue, up to this time; the messages of that run.
    pub(super) async fn messages_of_next_sweeps(&self, latest: Timestamp) -> StoreResult<Vec<QueueMessage>> {
        loop {
            take_sent_messages(&self.scene);
            self.sweep().await?;
            let messages = take_sent_messages(&self.scene);
            if !messages.is_empty() || self.time.now() >= latest {
                return Ok(messages);
            }
            self.time.set(self.time.now() + MINUTE);
        }
    }

    /// Handles a message at the time when it is due.
    pub(super) async fn handle_when_due(&self, message: QueueMessage) -> StoreResult<()> {
        self.time.set(self.time.now().max(message.due));
        self.deliver.handle(message, self.time.now()).await
    }

    /// The numbers of the attempts that were sent.
    pub(super) fn sent(&self) -> Vec<AttemptNumber> {
        self.deliver.sender.numbers()
    }
}
