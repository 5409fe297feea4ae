//! Worker: the loop that dispatches what is due.
//!
//! It sleeps until something is due or changes. The scheduler says which queue goes on; no tenant or subscription can
//! hold all permits.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::error;

use super::send::{Dispatcher, RETRY_DELAY};
use super::task::{DispatchLimits, Task};
use crate::SqliteEngine;
use crate::queue::{NextQueue, ProcessPermit, QueueId, WirePermits};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;

/// How long the worker sleeps at most: a machine that slept, or a clock that was set, is noticed then.
const MAX_SLEEP: Duration = Duration::from_secs(30);

/// The loop that works the queues off.
pub struct Worker<H> {
    engine: SqliteEngine,
    handler: H,
    limits: DispatchLimits,
}

impl<H, F> Worker<H>
where
    H: Fn(Task, Timestamp) -> F + Send + Sync + 'static,
    F: Future<Output = StoreResult<()>> + Send + 'static,
{
    pub fn new(engine: SqliteEngine, handler: H, limits: DispatchLimits) -> Self {
        Self { engine, handler, limits }
    }

    /// Works until `stop` is true, then finishes what is in flight.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let Self { engine, handler, limits } = self;
        let dispatcher = Arc::new(Dispatcher::new(engine.clone(), handler, limits));
        let admission = engine.0.admission.open(Arc::clone(&dispatcher));
        let scheduler = &engine.0.scheduler;
        let mut dispatches = JoinSet::new();
        while !*stop.borrow_and_update() {
            while dispatches.try_join_next().is_some() {}
            engine.follow_clock().await;
            match scheduler.next_queue(limits.initial_share, || dispatcher.permits.counts(), Timestamp::now())
            {
                NextQueue::Ready(queue, reserved) => {
                    let wire_permits = WirePermits::reserved(scheduler, queue.clone(), reserved);
                    // Intake may have acquired some of them meanwhile.
                    let process_permits: Vec<_> =
                        (0..reserved.count).map_while(|_| dispatcher.permits.try_acquire()).collect();
                    if process_permits.is_empty() {
                        scheduler.schedule(queue, Timestamp::now());
                        continue;
                    }
                    let (engine, dispatcher) = (engine.clone(), Arc::clone(&dispatcher));
                    dispatches.spawn(dispatch_due(engine, queue, wire_permits, process_permits, dispatcher));
                }
                NextQueue::Idle(due) => {
                    tokio::select! {
                        () = scheduler.changed.notified() => {}
                        () = sleep_until(due) => {}
                        changed = stop.changed() => if changed.is_err() { break },
                    }
                }
            }
        }
        drop(admission);
        while dispatches.join_next().await.is_some() {}
        // Whatever is in flight holds a permit.
        dispatcher.permits.all_returned().await;
    }
}

async fn dispatch_due(
    engine: SqliteEngine,
    queue: QueueId,
    wire_permits: WirePermits,
    process_permits: Vec<ProcessPermit>,
    dispatcher: Arc<Dispatcher>,
) {
    if let Err(failure) = engine.dispatch_due(&queue, wire_permits, process_permits, dispatcher).await {
        error!(subscription_id = %queue.subscription, %failure, "queue.not_taken");
        engine.0.scheduler.schedule(queue, Timestamp::now() + RETRY_DELAY);
    }
}

async fn sleep_until(due: Option<Timestamp>) {
    let time = due.map_or(MAX_SLEEP, |due| due.since(Timestamp::now()).min(MAX_SLEEP));
    tokio::time::sleep(time).await;
}
