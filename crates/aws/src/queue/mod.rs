//! The queues, in SQS: a fast and a slow one, see [`route`].
//!
//! SQS delays a message by 15 minutes at most. A message that is due later is received early and is sent again with what
//! remains: that is one call to SQS and none to DynamoDB.

pub(crate) mod message;
mod permits;
mod receiver_record;
mod route;
mod sending;
pub(crate) mod slow_marks;
pub mod sqs_batch;
mod watched_sender;

use crate::engine::Aws;
use loanhook_core::ports::{Queue, QueueMessage, StoreResult};
use route::QueueKind;
use sending::Outgoing;

pub use route::InstanceId;
pub use watched_sender::{SLOW_AFTER, WatchedSender};

impl Queue for Aws {
    async fn enqueue(&self, message: QueueMessage) -> StoreResult<()> {
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
