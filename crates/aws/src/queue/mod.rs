//! Messages, in SQS.
//!
//! SQS delays a message by 15 minutes at most, so one that is due later hops: it comes back early, and is
//! sent on with what remains. A hop is one call to SQS and none to the table.

use std::time::Duration;

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use tracing::warn;

use super::call_errors::store_error;
use super::{Aws, back_off, message};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Queue, QueueMessage, StoreError, StoreResult};

/// The longest delay of SQS.
const MAX_DELAY: Duration = Duration::from_secs(900);
/// The most messages SQS takes at once.
const MESSAGES_PER_CALL: usize = 10;
const MAX_TRIES: u32 = 5;

impl Queue for Aws {
    async fn enqueue(&self, message: QueueMessage) -> StoreResult<()> {
        self.0
            .sqs
            .send_message()
            .queue_url(&self.0.stack.queue_url)
            .message_body(message::write(&message)?)
            .message_group_id(message::group(&message))
            .delay_seconds(delay_seconds(message.due, (self.0.stack.clock)()))
            .send()
            .await
            .map(|_| ())
            .map_err(store_error)
    }
}

impl Aws {
    /// Puts many messages, ten a call; what a call leaves is tried again.
    pub(super) async fn enqueue_all(&self, mut messages: Vec<QueueMessage>) -> StoreResult<()> {
        if messages.len() == 1
            && let Some(message) = messages.pop()
        {
            return self.enqueue(message).await;
        }
        for messages in messages.chunks(MESSAGES_PER_CALL) {
            let mut left: Vec<_> = messages.iter().enumerate().collect();
            for tries in 0.. {
                left = self.send_batch(left).await?;
                match left.len() {
                    0 => break,
                    _ if tries == MAX_TRIES => return Err(StoreError::Busy),
                    left => warn!(left, "queue.batch_left_some"),
                }
                back_off(tries).await;
            }
        }
        Ok(())
    }

    /// Gives those that SQS did not take.
    async fn send_batch<'a>(
        &self,
        messages: Vec<(usize, &'a QueueMessage)>,
    ) -> StoreResult<Vec<(usize, &'a QueueMessage)>> {
        let now = (self.0.stack.clock)();
        let mut call = self.0.sqs.send_message_batch().queue_url(&self.0.stack.queue_url);
        for (i, message) in &messages {
            let entry = SendMessageBatchRequestEntry::builder()
                .id(i.to_string())
                .message_body(message::write(message)?)
                .message_group_id(message::group(message))
                .delay_seconds(delay_seconds(message.due, now))
                .build();
            call = call.entries(entry.map_err(|error| StoreError::Failed(error.to_string().into()))?);
        }
        let sent = call.send().await.map_err(store_error)?;
        if let Some(refused) = sent.failed().iter().find(|entry| entry.sender_fault()) {
            return Err(StoreError::Failed(format!("SQS refused a message: {}", refused.code()).into()));
        }
        let failed = |i: usize| sent.failed().iter().any(|entry| entry.id() == i.to_string());
        Ok(messages.into_iter().filter(|(i, _)| failed(*i)).collect())
    }

    /// Puts a message aside that nothing can be done with, for a person to look at.
    pub(super) async fn dead_letter(&self, body: &str, reason: &str) -> StoreResult<()> {
        let Some(queue) = &self.0.stack.dead_letters_url else {
            return Err(StoreError::Failed("there is no dead-letter queue".into()));
        };
        let reason = aws_sdk_sqs::types::MessageAttributeValue::builder()
            .data_type("String")
            .string_value(reason)
            .build()
            .map_err(|error| StoreError::Failed(error.to_string().into()))?;
        // SQS takes no empty body.
        let body = if body.is_empty() { "(empty)" } else { body };
        let send = self.0.sqs.send_message().queue_url(queue).message_body(body);
        send.message_attributes("reason", reason).send().await.map(|_| ()).map_err(store_error)
    }
}

/// The delay of a message in seconds: what remains until it is due, as far as one hop goes.
fn delay_seconds(due: Timestamp, now: Timestamp) -> i32 {
    let remains = due.since(now).min(MAX_DELAY);
    let seconds = remains.as_secs() + u64::from(remains.subsec_nanos() > 0);
    i32::try_from(seconds).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hop_is_what_remains_up_to_15_minutes() {
        let now = Timestamp::from_millis(1_795_428_000_123);
        for (remains, seconds) in
            [(0, 0), (1, 1), (1000, 1), (1001, 2), (899_999, 900), (900_000, 900), (7_200_000, 900)]
        {
            assert_eq!(delay_seconds(now + Duration::from_millis(remains), now), seconds, "{remains} ms");
        }
        assert_eq!(delay_seconds(now.minus(Duration::from_secs(1)), now), 0);
    }
}
