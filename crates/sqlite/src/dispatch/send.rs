//! Send: the handler runs, after the commit of the claim that it works on.
//!
//! The handler is the use case that sends requests. One that panics has its attempt interrupted, and one that fails
//! leaves its message to be handled again.

use std::collections::HashSet;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use rusqlite::Connection;
use tokio::runtime::Handle;
use tracing::error;

use super::recovery::interrupt_handled;
use super::task::{DispatchLimits, Task, WirePermit};
use crate::SqliteEngine;
use crate::operational::Recorded;
use crate::queue::{ProcessPermit, ProcessPermits, QueueId, WirePermits};
use loanhook_core::deliver::ClaimedAttempt;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{QueueMessage, StoreResult};

/// How long a queue waits after its handler failed, or after its messages could not be read.
pub(super) const RETRY_DELAY: Duration = Duration::from_secs(1);

/// What a running worker sends with.
pub(crate) struct Dispatcher {
    pub(super) permits: ProcessPermits,
    pub(super) limits: DispatchLimits,
    pub(super) failed_queues: FailedQueues,
    handler: Box<dyn StartHandler>,
}

impl Dispatcher {
    /// A dispatcher whose handler runs on the current runtime.
    pub(super) fn new<H, F>(engine: SqliteEngine, handler: H, limits: DispatchLimits) -> Self
    where
        H: Fn(Task, Timestamp) -> F + Send + Sync + 'static,
        F: Future<Output = StoreResult<()>> + Send + 'static,
    {
        let permits = ProcessPermits::new(limits.process_permits, Arc::clone(&engine.0.scheduler));
        let handler = Box::new(HandlerStarter(Arc::new((engine, handler)), Handle::current()));
        Self { permits, limits, failed_queues: FailedQueues::default(), handler }
    }

    /// Starts the handler of an attempt whose claim is committed.
    pub(super) fn start_claimed(
        &self,
        message: QueueMessage,
        claimed: Box<ClaimedAttempt>,
        wire_permit: WirePermits,
        process_permit: ProcessPermit,
    ) {
        let permit = WirePermit(wire_permit.begin_sending(self.limits.share_bounds()));
        self.handler.start(message, Task::Claimed(claimed, permit), None, process_permit);
    }

    /// Starts the handler of a message that is in the table still, and that counts as being handled.
    pub(super) fn start_message(&self, message: QueueMessage, message_id: i64, permit: ProcessPermit) {
        self.handler.start(message.clone(), Task::Message(message), Some(message_id), permit);
    }
}

/// The queues whose due messages could not be claimed when that was tried last.
#[derive(Default)]
pub(super) struct FailedQueues(Mutex<HashSet<QueueId>>);

impl FailedQueues {
    fn queues(&self) -> MutexGuard<'_, HashSet<QueueId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn contains(&self, queue: &QueueId) -> bool {
        self.queues().contains(queue)
    }

    pub(super) fn record(&self, queue: &QueueId, failed: bool) {
        match failed {
            true => self.queues().insert(queue.clone()),
            false => self.queues().remove(queue),
        };
    }
}

/// Starts handlers, whatever their type is.
trait StartHandler: Send + Sync {
    /// `message_id` is that of the message, if it is in the table still.
    fn start(&self, message: QueueMessage, task: Task, message_id: Option<i64>, permit: ProcessPermit);
}

struct HandlerStarter<H>(Arc<(SqliteEngine, H)>, Handle);

impl<H, F> StartHandler for HandlerStarter<H>
where
    H: Fn(Task, Timestamp) -> F + Send + Sync + 'static,
    F: Future<Output = StoreResult<()>> + Send + 'static,
{
    fn start(&self, message: QueueMessage, task: Task, message_id: Option<i64>, permit: ProcessPermit) {
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
                    if let Err(failure) = interrupt(engine, &message, Timestamp::now()).await {
                        error!(trace_id = %message.trace_id, %failure, "delivery.not_interrupted");
                    }
                    true
                }
            };
            let queue = QueueId::of(&message);
            if let Some(message_id) = message_id {
                engine.0.scheduler.end_handling(&queue, message_id);
            }
            // Its message may be there still.
            if failed {
                if queue.automatic {
                    engine.0.scheduler.end_probe(queue.subscription);
                }
                engine.0.scheduler.schedule(queue, Timestamp::now() + RETRY_DELAY);
            }
            // The permit last: whoever waits for all of them may end the process.
            drop(shared);
            drop(permit);
        });
    }
}

/// Interrupts what the handler of a message had in flight when it panicked.
async fn interrupt(engine: &SqliteEngine, message: &QueueMessage, now: Timestamp) -> StoreResult<()> {
    let message = message.clone();
    let (scheduler, counts) = (Arc::clone(&engine.0.scheduler), Arc::clone(&engine.0.counts));
    let operational = Arc::clone(&engine.0.operational);
    let recording = Arc::clone(&operational);
    let work =
        move |connection: &Connection| interrupt_handled(connection, (&counts, &recording), &message, now);
    let follow = move |(successors, recorded): &mut (Vec<QueueMessage>, Recorded)| {
        scheduler.add_messages(successors);
        operational.follow(recorded);
    };
    engine.0.writer.run_until_committed(work, follow).await.map(|_| ())
}
