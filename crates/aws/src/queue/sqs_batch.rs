//! A batch of messages, as SQS hands it to a function.
//!
//! Its records are worked at once, and each for itself: one that cannot be read, fails or panics spoils no
//! other. What is reported back comes again after the visibility timeout, so that is for what we could not
//! do; a receiver's failure is a result. A record that there is no time for is sent on before its claim; one
//! that is not done when the invocation ends is put off while there is time to say so for the others; and one that will never work goes to the dead-letter queue from here: receive counts also count our own
//! faults, and an outage of ours must not bury good messages.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::future::join_all;
use tokio::time::timeout_at;
use tracing::error;

use super::{Aws, message};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{MAX_RECORDING_TIME, Queue as _, QueueMessage, StoreError, StoreResult};

/// The longest a message may take: a request of 30 s, recording what came of it, and a second for its claim.
const MAX_MESSAGE_TIME: Duration = Duration::from_secs(31 + MAX_RECORDING_TIME.as_secs());
/// What it takes to answer for the whole batch.
const RESPONSE_TIME: Duration = Duration::from_secs(2);
/// How often a message may make its handler panic.
const MAX_PANICS: u32 = 3;

/// Works batches off with a handler.
pub struct SqsBatchHandler<H> {
    engine: Aws,
    handler: Arc<H>,
}

impl<H, F> SqsBatchHandler<H>
where
    H: Fn(QueueMessage, Timestamp, Instant) -> F + Send + Sync + 'static,
    F: Future<Output = StoreResult<()>> + Send + 'static,
{
    pub fn new(engine: Aws, handler: H) -> Self {
        Self { engine, handler: Arc::new(handler) }
    }

    /// Works a batch off until `end` at the latest, and gives what must come again.
    ///
    /// # Errors
    ///
    /// When a record must come again that has no ID to say so by: then all do.
    pub async fn run(&self, batch: SqsEvent, end: SystemTime) -> StoreResult<SqsBatchResponse> {
        let left = end.duration_since(SystemTime::now()).unwrap_or_default();
        let ends = Instant::now() + left.saturating_sub(RESPONSE_TIME);
        let worked = join_all(batch.records.iter().map(|record| self.work(record, ends))).await;
        self.engine.finish().await;
        let mut response = SqsBatchResponse::default();
        for (record, result) in batch.records.iter().zip(worked) {
            let Err(failure) = result else { continue };
            let id = record.message_id.as_deref().unwrap_or_default();
            error!(message_id = id, %failure, "delivery.put_off");
            if id.is_empty() {
                return Err(failure);
            }
            response.add_failure(id);
        }
        Ok(response)
    }

    async fn work(&self, record: &SqsMessage, ends: Instant) -> StoreResult<()> {
        let body = record.body.as_deref().unwrap_or_default();
        let Some(message) = message::read(body) else {
            error!(message_id = record.message_id, "message.unreadable");
            return self.engine.dead_letter(body, "unreadable").await;
        };
        if Instant::now() + MAX_MESSAGE_TIME > ends {
            return self.engine.enqueue(message).await;
        }
        let trace_id = message.trace_id;
        let mut work = tokio::spawn((self.handler)(message, Timestamp::now(), ends));
        match timeout_at(ends.into(), &mut work).await {
            Ok(Ok(result)) => result,
            Err(_) => {
                work.abort();
                Err(StoreError::Failed("the invocation ended before it was done".into()))
            }
            Ok(Err(panic)) => {
                error!(%trace_id, %panic, "delivery.panicked");
                let received = record.attributes.get("ApproximateReceiveCount");
                let received: u32 = received.and_then(|count| count.parse().ok()).unwrap_or(1);
                if received < MAX_PANICS {
                    return Err(StoreError::Failed("its handler panicked".into()));
                }
                self.engine.dead_letter(body, "panicked").await
            }
        }
    }
}
