//! Simulation of a delivery in time: a message is handled when it is due, and the sweep runs each minute that matters.

use std::time::{Duration, Instant};

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

/// A delivery in simulated time, with what delivers and what sweeps.
pub(super) struct Simulation {
    pub(super) scene: Scene<FaultyAwsEngine>,
    pub(super) time: SimulatedTime,
    pub(super) store: Aws,
    pub(super) deliver: Deliver<Aws, Scripted>,
    pub(super) sweep: Sweep,
}

impl Simulation {
    /// A delivery whose attempts get these statuses, then 200. Its first message is received.
    pub(super) async fn new(time: SimulatedTime, delays: &[u32], statuses: &[u16]) -> StoreResult<Self> {
        let scene = Scene::<FaultyAwsEngine>::new(delays).await?;
        let store = scene.engine.another(|stack| stack.clock = time.clock());
        let sender = Scripted::always(200).script(statuses);
        let deliver = Deliver { store: store.clone(), sender, lease: Some(LEASE), deadline: None };
        // One shard is enough for one delivery.
        let shard = scene.trace().spread_byte() % SHARDS;
        let sweep = Sweep { engine: store.clone(), lease: LEASE, shards: shard..shard + 1 };
        let simulation = Self { scene, time, store, deliver, sweep };
        simulation.skip_sweeps_until(time.now()).await;
        Ok(simulation)
    }

    pub(super) async fn sweep(&self) -> StoreResult<SweepReport> {
        self.sweep.run(self.time.now(), Instant::now() + MINUTE).await
    }

    /// Sets the time, as if every sweep before had found nothing.
    pub(super) async fn skip_sweeps_until(&self, now: Timestamp) {
        self.time.set(now);
        self.scene.engine.direct.put_sweep_cursors(self.sweep.shards.clone(), now).await;
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
