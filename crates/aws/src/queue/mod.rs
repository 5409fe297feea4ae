//! The queues, in SQS: a fast and a slow one, see [`route`].
//!
//! SQS delays a message by 15 minutes at most. An attempt that is due later has no message before its time comes: its
//! delivery stands in the index of what is due (`due_index`). A message that is received early is sent again with what
//! remains. A message of an older version that is due later than that puts its delivery into the index.

mod instances;
pub(crate) mod message;
mod permits;
pub(crate) mod put_back;
mod receiver_record;
mod route;
mod sending;
pub(crate) mod slow_marks;
pub mod sqs_batch;
mod watched_sender;

use crate::due_index::is_deferred;
use crate::engine::Aws;
use loanhook_core::ports::{DueWork, Queue, QueueMessage, StoreResult};
use route::QueueKind;
use sending::Outgoing;

pub use route::InstanceId;
pub(crate) use sending::{MAX_DELAY, delay_seconds};
pub use watched_sender::{SLOW_AFTER, WatchedSender};

impl Queue for Aws {
    async fn enqueue(&self, message: QueueMessage) -> StoreResult<()> {
        let now = (self.stack().clock)();
        if let DueWork::Attempt(attempt) = message.work
            && is_deferred(message.due, now)
        {
            // Where it is refused, the attempt is in flight or over, and what handles it sees to the next.
            return self.put_in_due_index(&message, attempt, now).await.map(drop);
        }
        self.enqueue_all(vec![message]).await
    }
}

impl Aws {
    /// Sends many messages, each to its queue, ten a call; those that a call leaves are sent again.
    pub(crate) async fn enqueue_all(&self, messages: Vec<QueueMessage>) -> StoreResult<()> {
        let (mut fast, mut slow) = (Vec::new(), Vec::new());
        for message in messages {
            match self.queue_for(&message).await {
                QueueKind::Fast => fast.push(Outgoing::when_due(message)),
                QueueKind::Slow => slow.push(Outgoing::when_due(message)),
            }
        }
        self.send_all(QueueKind::Fast, &fast).await?;
        self.send_all(QueueKind::Slow, &slow).await
    }
}
