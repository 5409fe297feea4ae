//! The handler of a batch of messages that SQS hands to the delivery function.
//!
//! The records of a batch are handled concurrently, each for itself: one that cannot be read, fails or panics affects no
//! other.
//!
//! - A record that is reported as failed is received again after the visibility timeout. That is for what this function
//!   could not do; the failure of a receiver is a result.
//! - A record for which there is not enough time is sent again before its claim; one that is not done shortly before the
//!   invocation ends is reported as failed, while there is still time to respond for the others.
//! - A record that can never be handled is sent to the dead-letter queue from here. SQS would do that by receive counts,
//!   which also count our own failures: a long one of those must not make good messages dead letters.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::future::join_all;
use tokio::time::timeout_at;
use tracing::error;

use super::message;
use crate::engine::Aws;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{MAX_RECORDING_TIME, Queue as _, QueueMessage, StoreError, StoreResult};

/// The longest time that a message takes: a request of 30 s, recording its result, and a second for its claim.
const MAX_MESSAGE_TIME: Duration = Duration::from_secs(31 + MAX_RECORDING_TIME.as_secs());
/// The time that it takes to respond for the whole batch.
const RESPONSE_TIME: Duration = Duration::from_secs(2);
/// How often a message is received whose handler panics, before it is a dead letter.
const MAX_PANICS: u32 = 3;

/// Handles batches with a handler of messages, which gets the time of its call and the time when it must have ended.
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

    /// Handles a batch until `end` at the latest; returns the records that SQS must deliver again.
    ///
    /// # Errors
    ///
    /// When such a record has no ID to be named by: SQS then delivers the whole batch again.
    pub async fn run(&self, batch: SqsEvent, end: SystemTime) -> StoreResult<SqsBatchResponse> {
        let left = end.duration_since(SystemTime::now()).unwrap_or_default();
        let ends = Instant::now() + left.saturating_sub(RESPONSE_TIME);
        let results = join_all(batch.records.iter().map(|record| self.handle(record, ends))).await;
        self.engine.finish_background().await;
        let mut response = SqsBatchResponse::default();
        for (record, result) in batch.records.iter().zip(results) {
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

    async fn handle(&self, record: &SqsMessage, ends: Instant) -> StoreResult<()> {
        let body = record.body.as_deref().unwrap_or_default();
        let Some(message) = message::read(body) else {
            error!(message_id = record.message_id, "message.unreadable");
            return self.engine.dead_letter(body, "unreadable").await;
        };
        if Instant::now() + MAX_MESSAGE_TIME > ends {
            return self.engine.enqueue(message).await;
        }
        let trace_id = message.trace_id;
        let mut handling = tokio::spawn((self.handler)(message, Timestamp::now(), ends));
        match timeout_at(ends.into(), &mut handling).await {
            Ok(Ok(result)) => result,
            Err(_) => {
                handling.abort();
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
