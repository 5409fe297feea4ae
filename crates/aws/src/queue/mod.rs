//! The queues, in SQS: a fast and a slow one, see [`route`].
//!
//! SQS delays a message by 15 minutes at most. An attempt that is due later has no message before its time comes: its
//! delivery stands in the index of what is due (`due_index`). A message that is received early is sent again with what
//! remains. A message of an older version that is due later than that puts its delivery into the index.

mod dead_letters;
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

use std::time::Duration;

use crate::due_index::is_deferred;
use crate::engine::Aws;
use crate::flow::FlowNotes;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DueWork, Queue, QueueMessage, StoreResult};
use route::QueueKind;
use sending::Outgoing;

pub(crate) use dead_letters::UNREADABLE;
pub use route::InstanceId;
pub(crate) use route::Receiver;
pub(crate) use sending::{MAX_DELAY, delay_seconds};
pub use watched_sender::{SLOW_AFTER, WatchedSender};

/// How old the version of a tenant may be by which intake says that a subscription has no flow.
const MAX_VERSION_AGE: Duration = Duration::from_secs(5);

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
        self.send_to_queues(messages.into_iter().map(Outgoing::when_due).collect()).await
    }

    /// Sends the messages of first attempts of a tenant, with what its version, if it was read a moment ago, says of flow.
    pub(crate) async fn enqueue_accepted(
        &self,
        tenant: &TenantId,
        messages: Vec<QueueMessage>,
    ) -> StoreResult<()> {
        let version = self.cache().latest_version(tenant, MAX_VERSION_AGE);
        let outgoing = messages.into_iter().map(|message| {
            let mut outgoing = Outgoing::when_due(message);
            outgoing.notes.without_flow_at = version
                .as_ref()
                .filter(|(version, _)| !version.flow.contains(outgoing.message.subscription_id))
                .map(|(_, ago)| (self.stack().clock)().minus(*ago));
            outgoing
        });
        self.send_to_queues(outgoing.collect()).await
    }

    /// Sends the messages of deliveries that waited, and that may take the place which was given back in this share, if in any.
    pub(crate) async fn enqueue_woken(
        &self,
        messages: Vec<QueueMessage>,
        share: Option<u32>,
    ) -> StoreResult<()> {
        let woken_at = Some((self.stack().clock)());
        let woken = |message| Outgoing {
            notes: FlowNotes { share, woken_at, ..FlowNotes::default() },
            ..Outgoing::when_due(message)
        };
        self.send_to_queues(messages.into_iter().map(woken).collect()).await
    }

    /// Sends a message, to be received then though it may be due before.
    pub(crate) async fn enqueue_not_before(&self, message: QueueMessage, at: Timestamp) -> StoreResult<()> {
        self.send_to_queues(vec![Outgoing::at(message, at)]).await
    }

    async fn send_to_queues(&self, messages: Vec<Outgoing>) -> StoreResult<()> {
        let (mut fast, mut slow) = (Vec::new(), Vec::new());
        for outgoing in messages {
            match self.queue_for(&outgoing.message).await {
                QueueKind::Fast => fast.push(outgoing),
                QueueKind::Slow => slow.push(outgoing),
            }
        }
        self.send_all(QueueKind::Fast, &fast).await?;
        self.send_all(QueueKind::Slow, &slow).await
    }
}
