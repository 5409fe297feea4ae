//! Worker: hands what is due to its handler. Lanes take turns, and no tenant or subscription can hold all slots.
//!
//! It sleeps until something is due or changes. A message stays in the table until a claim takes it away, in the
//! transaction that puts the attempt's row, so what was due when the process dies is there at the next start.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tracing::error;

use super::Embedded;
use super::lane::LaneId;
use super::lanes::Turn;
use super::places::{Places, Slot};
use super::starts::{Open, Start};
use loanhook_core::deliver::ClaimedAttempt;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{QueueMessage, StoreResult};

/// How long the worker sleeps at most: a machine that slept, or a clock that was set, is noticed then.
const NAP: Duration = Duration::from_secs(30);
/// How long a subscription rests after its handler failed.
const REST: Duration = Duration::from_secs(1);

/// How many sends are in flight at once.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From the claim until what came of it is recorded.
    pub in_all: u32,
    /// Until the answer has come. Of fewer slots a subscription holds a quarter at most, and its tenant half:
    /// see `turns`.
    pub per_subscription: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { in_all: 256, per_subscription: 16 }
    }
}

/// What is due, for the handler.
pub enum Task {
    /// A message; nothing is claimed yet.
    Message(QueueMessage),
    /// An automatic attempt that is claimed. The permit is to be dropped once its response has come.
    Claimed(Box<ClaimedAttempt>, WirePermit),
}

/// One of the requests that a subscription may have on the wire at once, until this is dropped.
pub struct WirePermit(#[expect(dead_code, reason = "it is held, not read")] pub(super) Places);

/// The loop that works the queue off.
pub struct Worker<H> {
    engine: Embedded,
    handler: H,
    limits: Limits,
}

impl<H, F> Worker<H>
where
    H: Fn(Task, Timestamp) -> F + Send + Sync + 'static,
    F: Future<Output = StoreResult<()>> + Send + 'static,
{
    pub fn new(engine: Embedded, handler: H, limits: Limits) -> Self {
        Self { engine, handler, limits }
    }

    /// Works until `stop` is true, then finishes what is in flight.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let Self { engine, handler, limits } = self;
        let open = Arc::new(Open {
            permits: Arc::new(Semaphore::new(limits.in_all as usize)),
            limits,
            starter: Box::new(Starter(Arc::new((engine.clone(), handler)), Handle::current())),
        });
        let opened = engine.0.starts.open(Arc::clone(&open));
        let mut looks = JoinSet::new();
        while !*stop.borrow_and_update() {
            while looks.try_join_next().is_some() {}
            engine.notice_clock().await;
            let lanes = &engine.0.lanes;
            match lanes.next(limits.per_subscription, || open.slots(), Timestamp::now()) {
                Turn::Lane(lane, room) => {
                    let places = Places::taken(lanes, lane.clone(), room);
                    // Intake may have taken some of them meanwhile.
                    let slots: Vec<_> = (0..room).map_while(|_| Slot::take(&open.permits, lanes)).collect();
                    if slots.is_empty() {
                        lanes.due(lane, Timestamp::now());
                        continue;
                    }
                    looks.spawn(take_due(engine.clone(), lane, places, slots, Arc::clone(&open)));
                }
                Turn::Nothing(due) => {
                    tokio::select! {
                        () = lanes.changed.notified() => {}
                        () = until(due) => {}
                        changed = stop.changed() => if changed.is_err() { break },
                    }
                }
            }
        }
        drop(opened);
        while looks.join_next().await.is_some() {}
        // Whatever is in flight holds a slot. Nobody closes the semaphore.
        let _ = open.permits.acquire_many(limits.in_all).await;
    }
}

async fn take_due(engine: Embedded, lane: LaneId, places: Places, slots: Vec<Slot>, open: Arc<Open>) {
    if let Err(failure) = engine.take_due(&lane, places, slots, open).await {
        error!(subscription_id = %lane.subscription, %failure, "queue.not_taken");
        engine.0.lanes.due(lane, Timestamp::now() + REST);
    }
}

/// Runs handlers.
struct Starter<H>(Arc<(Embedded, H)>, Handle);

impl<H, F> Start for Starter<H>
where
    H: Fn(Task, Timestamp) -> F + Send + Sync + 'static,
    F: Future<Output = StoreResult<()>> + Send + 'static,
{
    fn start(&self, message: QueueMessage, task: Task, row: Option<i64>, slot: Slot) {
        let shared = Arc::clone(&self.0);
        self.1.spawn(async move {
            let (engine, handler) = &*shared;
            let handled = AssertUnwindSafe(async { handler(task, Timestamp::now()).await }).catch_unwind();
            let failed = match handled.await {
                Ok(Ok(())) => false,
                Ok(Err(failure)) => {
                    error!(trace_id = %message.trace_id, %failure, "delivery.put_off");
                    true
                }
                Err(_) => {
                    error!(trace_id = %message.trace_id, "delivery.panicked");
                    if let Err(failure) = engine.interrupt(&message, Timestamp::now()).await {
                        error!(trace_id = %message.trace_id, %failure, "delivery.not_interrupted");
                    }
                    true
                }
            };
            let lane = LaneId::of(&message);
            if let Some(row) = row {
                engine.0.lanes.put_down(&lane, row);
            }
            // Its message may be there still.
            if failed {
                engine.0.lanes.due(lane, Timestamp::now() + REST);
            }
            // With its slot it is over: whoever has them all may go.
            drop(shared);
            drop(slot);
        });
    }
}

async fn until(due: Option<Timestamp>) {
    let nap = due.map_or(NAP, |due| due.since(Timestamp::now()).min(NAP));
    tokio::time::sleep(nap).await;
}
