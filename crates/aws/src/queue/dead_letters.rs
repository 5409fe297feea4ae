//! Dead letters: the messages in the dead-letter queue.
//!
//! A queue has no list. So its messages are received, which hides them for some seconds from whoever else asks, and are made
//! visible again at once. One is taken away by the receipt of such a look.

use std::time::Duration;

use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, Message, MessageSystemAttributeName as SystemAttribute,
};
use tracing::warn;

use super::message;
use crate::engine::Aws;
use crate::flow::WaitingTurn;
use crate::items::call_errors::{failed, store_error};
use crate::jobs::JobTurn;
use loanhook_core::model::dead_letter::{
    DeadLetter, DeadLetterList, DeadLetterReason, DeadLetterSubject, RedriveOutcome,
};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DeadLetters, DueWork, QueueMessage, StoreResult};

/// For how long a look hides messages, where the function dies before it shows them again: longer than any call takes.
const LOOK_SECONDS: i32 = 30;
/// How long SQS looks for messages on all its servers. Without it an answer may be empty although there are some.
const WAIT_SECONDS: i32 = 1;
/// What SQS gives, and takes, in one call.
const MESSAGES_PER_CALL: i32 = 10;
/// How many messages are looked at for one of them.
const MAX_SEARCHED: usize = 1000;
/// The attribute that says why the function put a message aside.
pub(super) const REASON: &str = "reason";
pub(crate) const UNREADABLE: &str = "unreadable";
const PANICKED: &str = "panicked";

/// The body of a message, read.
enum Body {
    Delivery(QueueMessage),
    Job(JobTurn),
    Waiting(WaitingTurn),
    Unknown,
}

impl Body {
    fn read(body: &str) -> Self {
        if let Some(message) = message::read(body) {
            return Self::Delivery(message);
        }
        let turns = (loanhook_stored::read(body), loanhook_stored::read(body));
        match turns {
            (Ok(turn), _) => Self::Job(turn),
            (_, Ok(turn)) => Self::Waiting(turn),
            _ => Self::Unknown,
        }
    }

    fn subject(self) -> DeadLetterSubject {
        match self {
            Self::Delivery(QueueMessage { tenant, trace_id, work, .. }) => {
                let attempt = match work {
                    DueWork::Attempt(number) => Some(number),
                    DueWork::Resend { .. } => None,
                };
                DeadLetterSubject::Delivery { tenant, trace: trace_id, attempt }
            }
            Self::Job(JobTurn { tenant, job, .. }) => DeadLetterSubject::Job { tenant, job },
            Self::Waiting(WaitingTurn { tenant, subscription, .. }) => {
                DeadLetterSubject::Waiting { tenant, subscription }
            }
            Self::Unknown => DeadLetterSubject::Unknown,
        }
    }
}

impl DeadLetters for Aws {
    async fn dead_letters(&self, most: usize) -> StoreResult<DeadLetterList> {
        let messages = self.look(most.saturating_add(1), |_| false).await?;
        self.show_again(&messages).await;
        let letters: Vec<_> = messages.iter().take(most).filter_map(letter).collect();
        Ok(DeadLetterList { more: messages.len() > most, letters })
    }

    async fn redrive_dead_letter(&self, id: &str) -> StoreResult<RedriveOutcome> {
        let Some(found) = self.find(id).await? else { return Ok(RedriveOutcome::NotFound) };
        let now = (self.stack().clock)();
        let sent = match Body::read(found.body().unwrap_or_default()) {
            Body::Delivery(message) => self.redrive_delivery(message, now).await,
            Body::Job(turn) => self.send_turn(&turn, now).await,
            Body::Waiting(turn) => self.send_turn(&turn, now).await,
            Body::Unknown => {
                self.show_again(&[found]).await;
                return Ok(RedriveOutcome::NotOurs);
            }
        };
        match sent {
            Ok(()) => self.delete_dead_letter(&found).await.map(|()| RedriveOutcome::Redriven),
            Err(failure) => {
                self.show_again(&[found]).await;
                Err(failure)
            }
        }
    }

    async fn drop_dead_letter(&self, id: &str) -> StoreResult<bool> {
        let Some(found) = self.find(id).await? else { return Ok(false) };
        let given_up = match Body::read(found.body().unwrap_or_default()) {
            Body::Delivery(QueueMessage { tenant, trace_id, work: DueWork::Attempt(attempt), .. }) => {
                self.cancel_delivery(&tenant, trace_id, Some(attempt)).await.map(drop)
            }
            _ => Ok(()),
        };
        match given_up {
            Ok(()) => self.delete_dead_letter(&found).await.map(|()| true),
            Err(failure) => {
                self.show_again(&[found]).await;
                Err(failure)
            }
        }
    }
}

impl Aws {
    /// Puts a message aside whose handler panicked each time. First its delivery is marked, so that the sweep does not wake it
    /// meanwhile.
    pub(super) async fn put_panicked_aside(
        &self,
        message: &QueueMessage,
        body: &str,
        now: Timestamp,
    ) -> StoreResult<()> {
        if let DueWork::Attempt(attempt) = message.work {
            self.mark_put_aside(&message.tenant, message.trace_id, attempt, now).await?;
        }
        self.dead_letter(body, PANICKED).await
    }

    /// Sends a message again. It is looked at at once, wherever it is due: what handles it sees to the rest.
    async fn redrive_delivery(&self, message: QueueMessage, now: Timestamp) -> StoreResult<()> {
        if let DueWork::Attempt(attempt) = message.work {
            self.unmark_put_aside(&message.tenant, message.trace_id, attempt).await?;
        }
        self.enqueue_all(vec![QueueMessage { due: message.due.min(now), ..message }]).await
    }

    /// The message of this ID; all others that were looked at for it are visible again.
    async fn find(&self, id: &str) -> StoreResult<Option<Message>> {
        let mut messages = self.look(MAX_SEARCHED, |message| message.message_id() == Some(id)).await?;
        let place = messages.iter().position(|message| message.message_id() == Some(id));
        let found = place.map(|place| messages.swap_remove(place));
        self.show_again(&messages).await;
        Ok(found)
    }

    /// Receives messages until there are none that were not received, `most` are there, or one is wanted.
    async fn look(&self, most: usize, is_wanted: impl Fn(&Message) -> bool) -> StoreResult<Vec<Message>> {
        let Some(queue) = &self.stack().dead_letters_url else { return Ok(Vec::new()) };
        let mut messages: Vec<Message> = Vec::new();
        while messages.len() < most && !messages.iter().any(&is_wanted) {
            let left = i32::try_from(most - messages.len()).unwrap_or(i32::MAX);
            let receive = self
                .sqs()
                .receive_message()
                .queue_url(queue)
                .max_number_of_messages(left.min(MESSAGES_PER_CALL))
                .visibility_timeout(LOOK_SECONDS)
                .wait_time_seconds(WAIT_SECONDS)
                .message_system_attribute_names(SystemAttribute::SentTimestamp)
                .message_attribute_names(REASON);
            let received = receive.send().await.map_err(store_error);
            match received.map(|received| received.messages.unwrap_or_default()) {
                Ok(received) if received.is_empty() => break,
                Ok(received) => messages.extend(received),
                Err(failure) => {
                    self.show_again(&messages).await;
                    return Err(failure);
                }
            }
        }
        Ok(messages)
    }

    /// Makes messages visible again. Where that fails they are so after [`LOOK_SECONDS`].
    async fn show_again(&self, messages: &[Message]) {
        let Some(queue) = &self.stack().dead_letters_url else { return };
        let receipts: Vec<_> = messages.iter().filter_map(Message::receipt_handle).collect();
        for receipts in receipts.chunks(MESSAGES_PER_CALL as usize) {
            let mut call = self.sqs().change_message_visibility_batch().queue_url(queue);
            for (i, receipt) in receipts.iter().enumerate() {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(i.to_string())
                    .receipt_handle(*receipt)
                    .visibility_timeout(0);
                call = match entry.build() {
                    Ok(entry) => call.entries(entry),
                    Err(_) => call,
                };
            }
            if let Err(failure) = call.send().await.map_err(store_error) {
                warn!(%failure, hidden = ?Duration::from_secs(LOOK_SECONDS.unsigned_abs().into()), "dead_letters.hidden");
            }
        }
    }

    async fn delete_dead_letter(&self, message: &Message) -> StoreResult<()> {
        let queue = self.stack().dead_letters_url.as_ref();
        let (Some(queue), Some(receipt)) = (queue, message.receipt_handle()) else {
            return Err(failed("a dead letter has no receipt"));
        };
        let delete = self.sqs().delete_message().queue_url(queue).receipt_handle(receipt);
        delete.send().await.map(drop).map_err(store_error)
    }
}

fn letter(message: &Message) -> Option<DeadLetter> {
    let reason = message.message_attributes().and_then(|all| all.get(REASON)?.string_value());
    let sent = message.attributes().and_then(|all| all.get(&SystemAttribute::SentTimestamp));
    Some(DeadLetter {
        id: message.message_id()?.to_owned(),
        reason: match reason {
            Some(UNREADABLE) => DeadLetterReason::Unreadable,
            Some(PANICKED) => DeadLetterReason::Panicked,
            // SQS put it aside itself.
            _ => DeadLetterReason::NeverHandled,
        },
        about: Body::read(message.body().unwrap_or_default()).subject(),
        since: sent.and_then(|millis| millis.parse().ok()).map(Timestamp::from_millis),
    })
}
