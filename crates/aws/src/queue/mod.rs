//! The queue, in SQS.
//!
//! SQS delays a message by 15 minutes at most. An attempt that is due later has no message before its time comes: its
//! delivery stands in the index of what is due (`due_index`). A message that is received early is sent again with what
//! remains; one of a version of before, which is due later than that, puts its delivery into the index.

pub(crate) mod message;
pub mod sqs_batch;

use std::time::Duration;

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use tracing::warn;

use crate::due_index::is_deferred;
use crate::engine::Aws;
use crate::items::call_errors::{failed, store_error};
use crate::sdk::back_off::back_off;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DueWork, Queue, QueueMessage, StoreError, StoreResult};

/// The longest delay of a message in SQS.
pub(crate) const MAX_DELAY: Duration = Duration::from_secs(900);
/// The most messages that SQS takes in one call.
const MAX_MESSAGES_PER_CALL: usize = 10;
/// How often the messages that a call leaves are sent again.
const MAX_RETRIES: u32 = 5;

impl Queue for Aws {
    async fn enqueue(&self, message: QueueMessage) -> StoreResult<()> {
        let now = (self.stack().clock)();
        if let DueWork::Attempt(attempt) = message.work
            && is_deferred(message.due, now)
        {
            return self.put_in_due_index(&message, attempt, now).await;
        }
        self.sqs()
            .send_message()
            .queue_url(&self.stack().queue_url)
            .message_body(message::write(&message)?)
            .message_group_id(message::group(&message))
            .delay_seconds(delay_seconds(message.due, now))
            .send()
            .await
            .map(|_| ())
            .map_err(store_error)
    }
}

impl Aws {
    /// Sends many messages, ten a call; those that a call leaves are sent again.
    pub(crate) async fn enqueue_all(&self, mut messages: Vec<QueueMessage>) -> StoreResult<()> {
        if messages.len() == 1
            && let Some(message) = messages.pop()
        {
            return self.enqueue(message).await;
        }
        for messages in messages.chunks(MAX_MESSAGES_PER_CALL) {
            let mut left: Vec<_> = messages.iter().enumerate().collect();
            for try_index in 0.. {
                left = self.send_batch(left).await?;
                match left.len() {
                    0 => break,
                    _ if try_index == MAX_RETRIES => return Err(StoreError::Busy),
                    left => warn!(left, "queue.batch_left_some"),
                }
                back_off(try_index).await;
            }
        }
        Ok(())
    }

    /// Sends at most ten messages; returns those that SQS did not take.
    async fn send_batch<'a>(
        &self,
        messages: Vec<(usize, &'a QueueMessage)>,
    ) -> StoreResult<Vec<(usize, &'a QueueMessage)>> {
        let now = (self.stack().clock)();
        let mut call = self.sqs().send_message_batch().queue_url(&self.stack().queue_url);
        for (i, message) in &messages {
            let entry = SendMessageBatchRequestEntry::builder()
                .id(i.to_string())
                .message_body(message::write(message)?)
                .message_group_id(message::group(message))
                .delay_seconds(delay_seconds(message.due, now))
                .build();
            call = call.entries(entry.map_err(failed)?);
        }
        let sent = call.send().await.map_err(store_error)?;
        if let Some(refused) = sent.failed().iter().find(|entry| entry.sender_fault()) {
            return Err(StoreError::Failed(format!("SQS refused a message: {}", refused.code()).into()));
        }
        let failed = |i: usize| sent.failed().iter().any(|entry| entry.id() == i.to_string());
        Ok(messages.into_iter().filter(|(i, _)| failed(*i)).collect())
    }

    /// Sends a message that cannot be handled to the dead-letter queue, for a person to look at.
    pub(crate) async fn dead_letter(&self, body: &str, reason: &str) -> StoreResult<()> {
        let Some(queue) = &self.stack().dead_letters_url else {
            return Err(StoreError::Failed("there is no dead-letter queue".into()));
        };
        let reason = aws_sdk_sqs::types::MessageAttributeValue::builder()
            .data_type("String")
            .string_value(reason)
            .build()
            .map_err(failed)?;
        // SQS takes no empty body.
        let body = if body.is_empty() { "(empty)" } else { body };
        let send = self.sqs().send_message().queue_url(queue).message_body(body);
        send.message_attributes("reason", reason).send().await.map(|_| ()).map_err(store_error)
    }
}

/// The delay of a message in seconds: what remains until it is due, rounded up, and at most that of SQS.
fn delay_seconds(due: Timestamp, now: Timestamp) -> i32 {
    let remains = due.since(now).min(MAX_DELAY);
    let seconds = remains.as_secs() + u64::from(remains.subsec_nanos() > 0);
    i32::try_from(seconds).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_what_remains_rounded_up_to_seconds_and_at_most_15_minutes() {
        let now = Timestamp::from_millis(1_795_428_000_123);
        for (remains, seconds) in
            [(0, 0), (1, 1), (1000, 1), (1001, 2), (899_999, 900), (900_000, 900), (7_200_000, 900)]
        {
            assert_eq!(delay_seconds(now + Duration::from_millis(remains), now), seconds, "{remains} ms");
        }
        assert_eq!(delay_seconds(now.minus(Duration::from_secs(1)), now), 0);
    }
}
