//! Hands what is due to its handler: lanes take turns, each subscription with so many in flight at most.
//!
//! It sleeps until something is due or changes. A message stays in the table until its handler's claim
//! takes it away, so a message in hand when the process dies is there at the next start.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tracing::error;

use super::Embedded;
use super::lanes::{LaneId, Turn};
use super::tables::wakes;
use crate::model::time::Timestamp;
use crate::ports::{Stored, Wake};

/// How long the worker sleeps at most: a machine that slept, or a clock that was set, is noticed then.
const NAP: Duration = Duration::from_secs(30);
/// How long a subscription rests after its handler failed.
const REST: Duration = Duration::from_secs(1);

/// How many sends are in flight at once.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub in_all: usize,
    pub per_subscription: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { in_all: 256, per_subscription: 16 }
    }
}

/// The loop that works the queue off.
pub struct Worker<H> {
    engine: Embedded,
    handler: Arc<H>,
    limits: Limits,
}

impl<H, F> Worker<H>
where
    H: Fn(Wake, Timestamp) -> F + Send + Sync + 'static,
    F: Future<Output = Stored<()>> + Send + 'static,
{
    pub fn new(engine: Embedded, handler: H, limits: Limits) -> Self {
        Self { engine, handler: Arc::new(handler), limits }
    }

    /// Works until `stop` is true, then finishes what is in flight.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let slots = Arc::new(Semaphore::new(self.limits.in_all));
        let mut sends = JoinSet::new();
        while !*stop.borrow_and_update() {
            while sends.try_join_next().is_some() {}
            let turn = match Arc::clone(&slots).try_acquire_owned() {
                Ok(slot) => {
                    drop(slot);
                    self.engine.0.lanes.next(self.limits.per_subscription, Timestamp::now())
                }
                Err(_) => Turn::Nothing(None),
            };
            match turn {
                Turn::Lane(lane, room) => self.take(lane, room, &slots, &mut sends).await,
                Turn::Nothing(due) => {
                    tokio::select! {
                        () = self.engine.0.lanes.changed.notified() => {}
                        () = until(due) => {}
                        changed = stop.changed() => if changed.is_err() { break },
                    }
                }
            }
        }
        while sends.join_next().await.is_some() {}
    }

    /// Takes up to `room` due messages of a lane, as far as there are slots, and starts them.
    async fn take(&self, lane: LaneId, room: usize, slots: &Arc<Semaphore>, sends: &mut JoinSet<()>) {
        let lanes = &self.engine.0.lanes;
        let limit = room + lanes.held(lane) + 1;
        let found = match self.engine.read(move |connection| wakes(connection, lane, limit)).await {
            Ok(found) => found,
            Err(failure) => {
                error!(subscription_id = %lane.subscription, %failure, "queue.unreadable");
                lanes.due(lane, Timestamp::now() + REST);
                return;
            }
        };
        let now = Timestamp::now();
        let mut room = room;
        for (row, wake) in found {
            let slot = (room > 0 && wake.due <= now).then(|| Arc::clone(slots).try_acquire_owned());
            match slot {
                Some(Ok(slot)) if lanes.take(lane, row) => {
                    room -= 1;
                    self.start(row, wake, slot, sends);
                }
                // It is in hand already: its claim has not taken it away yet.
                Some(Ok(_)) => {}
                _ => lanes.due(lane, wake.due),
            }
        }
        lanes.was_read(lane);
    }

    fn start(&self, row: i64, wake: Wake, slot: OwnedSemaphorePermit, sends: &mut JoinSet<()>) {
        let engine = self.engine.clone();
        let handler = Arc::clone(&self.handler);
        sends.spawn(async move {
            let work = tokio::spawn(handler(wake.clone(), Timestamp::now()));
            let again = match work.await {
                Ok(Ok(())) => None,
                Ok(Err(failure)) => {
                    error!(trace_id = %wake.trace_id, %failure, "delivery.put_off");
                    Some(Timestamp::now() + REST)
                }
                Err(panic) => {
                    error!(trace_id = %wake.trace_id, %panic, "delivery.panicked");
                    if let Err(failure) = engine.interrupt(&wake, Timestamp::now()).await {
                        error!(trace_id = %wake.trace_id, %failure, "delivery.not_interrupted");
                    }
                    // It may have panicked before its claim: then its message is still there.
                    Some(Timestamp::now() + REST)
                }
            };
            drop(slot);
            engine.0.lanes.put_down(LaneId::of(&wake), row, again);
        });
    }
}

async fn until(due: Option<Timestamp>) {
    match due {
        Some(due) => tokio::time::sleep(due.since(Timestamp::now()).min(NAP)).await,
        None => std::future::pending().await,
    }
}
