//! Sending of messages to SQS.

use std::time::Duration;

use aws_lambda_events::event::sqs::SqsMessage;
use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};
use tracing::warn;

use super::dead_letters::REASON;
use super::message;
use super::route::QueueKind;
use crate::engine::Aws;
use crate::flow::FlowNotes;
use crate::items::call_errors::{failed, store_error};
use crate::sdk::back_off::back_off;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{QueueMessage, StoreError, StoreResult};

/// The longest delay of a message in SQS.
pub(crate) const MAX_DELAY: Duration = Duration::from_secs(900);
/// The most messages that SQS takes in one call.
const MAX_MESSAGES_PER_CALL: usize = 10;
/// How often the messages that a call leaves are sent again.
const MAX_RETRIES: u32 = 5;

/// The attribute of a message that an instance returned to the fast queue; its value says nothing.
pub(super) const RETURNED: &str = "returned";
/// The attribute of a first attempt whose subscription had no flow when it was taken in: when that was read, in milliseconds since
/// 1970.
const WITHOUT_FLOW: &str = "withoutFlow";
/// The attribute of a message that the end of a request woke: the share of the limit in which it gave its place back.
const SHARE: &str = "share";
/// The attribute of a message that was sent when a limit, a hold or an order let its delivery go: when, in milliseconds since 1970.
const WOKEN_AT: &str = "wokenAt";

/// A message, and how it is sent.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) message: QueueMessage,
    /// When it is to be received: where it is due already, it may be later than that.
    pub(super) not_before: Timestamp,
    /// It is returned to the fast queue for another instance.
    pub(super) is_returned: bool,
    pub(super) notes: FlowNotes,
}

impl Outgoing {
    /// A message that is to be received when it is due.
    pub(super) fn when_due(message: QueueMessage) -> Self {
        let not_before = message.due;
        Self::at(message, not_before)
    }

    /// A message that is to be received then.
    pub(super) fn at(message: QueueMessage, not_before: Timestamp) -> Self {
        Self { message, not_before, is_returned: false, notes: FlowNotes::default() }
    }

    /// Its attributes: names and values.
    fn attributes(&self) -> Vec<(&'static str, String)> {
        let FlowNotes { without_flow_at, share, woken_at } = self.notes;
        let mut attributes = Vec::new();
        if self.is_returned {
            attributes.push((RETURNED, "1".to_owned()));
        }
        attributes.extend(without_flow_at.map(|at| (WITHOUT_FLOW, at.millis().to_string())));
        attributes.extend(share.map(|share| (SHARE, share.to_string())));
        attributes.extend(woken_at.map(|at| (WOKEN_AT, at.millis().to_string())));
        attributes
    }
}

impl Aws {
    fn queue_url(&self, queue: QueueKind) -> &str {
        match queue {
            QueueKind::Fast => &self.stack().queue_url,
            QueueKind::Slow => &self.stack().slow_queue_url,
        }
    }

    /// Sends messages to a queue, ten a call; those that a call leaves are sent again.
    pub(super) async fn send_all(&self, queue: QueueKind, messages: &[Outgoing]) -> StoreResult<()> {
        if let [message] = messages {
            return self.send_one(queue, message).await;
        }
        for messages in messages.chunks(MAX_MESSAGES_PER_CALL) {
            let mut left: Vec<_> = messages.iter().enumerate().collect();
            for try_index in 0.. {
                left = self.send_batch(queue, left).await?;
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

    async fn send_one(&self, queue: QueueKind, outgoing: &Outgoing) -> StoreResult<()> {
        let mut send = self
            .sqs()
            .send_message()
            .queue_url(self.queue_url(queue))
            .message_body(message::write(&outgoing.message)?)
            .message_group_id(message::group(&outgoing.message))
            .delay_seconds(delay_seconds(outgoing.not_before, (self.stack().clock)()));
        for (name, value) in outgoing.attributes() {
            send = send.message_attributes(name, text_attribute(&value)?);
        }
        send.send().await.map(|_| ()).map_err(store_error)
    }

    /// Sends at most ten messages; returns those that SQS did not take.
    async fn send_batch<'a>(
        &self,
        queue: QueueKind,
        messages: Vec<(usize, &'a Outgoing)>,
    ) -> StoreResult<Vec<(usize, &'a Outgoing)>> {
        let now = (self.stack().clock)();
        let mut call = self.sqs().send_message_batch().queue_url(self.queue_url(queue));
        for (i, outgoing) in &messages {
            let mut entry = SendMessageBatchRequestEntry::builder()
                .id(i.to_string())
                .message_body(message::write(&outgoing.message)?)
                .message_group_id(message::group(&outgoing.message))
                .delay_seconds(delay_seconds(outgoing.not_before, now));
            for (name, value) in outgoing.attributes() {
                entry = entry.message_attributes(name, text_attribute(&value)?);
            }
            call = call.entries(entry.build().map_err(failed)?);
        }
        let sent = call.send().await.map_err(store_error)?;
        if let Some(refused) = sent.failed().iter().find(|entry| entry.sender_fault()) {
            return Err(StoreError::Failed(format!("SQS refused a message: {}", refused.code()).into()));
        }
        let failed = |i: usize| sent.failed().iter().any(|entry| entry.id() == i.to_string());
        Ok(messages.into_iter().filter(|(i, _)| failed(*i)).collect())
    }

    /// Sends a message that cannot be handled to the dead-letter queue, for a person to look at. `reason` is one of those of
    /// [`dead_letters`](super::dead_letters).
    pub(crate) async fn dead_letter(&self, body: &str, reason: &str) -> StoreResult<()> {
        let Some(queue) = &self.stack().dead_letters_url else {
            return Err(StoreError::Failed("there is no dead-letter queue".into()));
        };
        // SQS takes no empty body.
        let body = if body.is_empty() { "(empty)" } else { body };
        let send = self.sqs().send_message().queue_url(queue).message_body(body);
        let send = send.message_attributes(REASON, text_attribute(reason)?);
        send.send().await.map(|_| ()).map_err(store_error)
    }
}

/// What a message that was received says of the flow of its subscription.
pub(super) fn notes(record: &SqsMessage) -> FlowNotes {
    let value = |name| record.message_attributes.get(name)?.string_value.as_deref();
    let time = |name| value(name).and_then(|at| at.parse().ok()).map(Timestamp::from_millis);
    FlowNotes {
        without_flow_at: time(WITHOUT_FLOW),
        share: value(SHARE).and_then(|share| share.parse().ok()),
        woken_at: time(WOKEN_AT),
    }
}

fn text_attribute(value: &str) -> StoreResult<MessageAttributeValue> {
    MessageAttributeValue::builder().data_type("String").string_value(value).build().map_err(failed)
}

/// The delay of a message in seconds: what remains until it is due, rounded up, and at most that of SQS.
pub(crate) fn delay_seconds(due: Timestamp, now: Timestamp) -> i32 {
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
