//! Delivering a queue message: claim, send, complete.
//!
//! Used by the worker of the one process and by the Lambda function that delivers. The claim puts the row before the request
//! leaves, and only the holder of its fencing token sends. A message whose attempt cannot be claimed changes nothing but what
//! a dead sender left: an attempt past its lease is completed as interrupted, and the next one follows at once.

mod credentials;
mod preparing;
mod recording;
mod sending;

use std::time::{Duration, Instant};

use bytes::Bytes;
use tracing::warn;
use uuid::Uuid;

use self::recording::{record, with_retries};
use self::sending::{NOT_SENT_DETAIL, interrupt};
use crate::log;
use crate::model::attempt::{Attempt, AttemptState, Completion, SENDER_DIED};
use crate::model::delivery::Delivery;
use crate::model::progress::UnclaimedAction;
use crate::model::time::Timestamp;
use crate::ports::{
    ClaimOutcome, Deliveries, DueWork, EgressAddresses, Payloads, Queue, QueueMessage, ReleaseOutcome,
    ResendClaimOutcome, Resends, SendPermit, Sender, StoreResult, Subscriptions,
};
use crate::spans::{self, AttemptSpans};

/// What sends, and how long a sender that says nothing is taken to be alive.
#[derive(Debug)]
pub struct Deliver<S, O> {
    pub store: S,
    pub sender: O,
    /// None where a sender cannot die without this process.
    pub lease: Option<Duration>,
    /// When this process ends, where that is known: no request leaves that could not be recorded by then.
    pub deadline: Option<Instant>,
}

/// An automatic attempt that is claimed: its row is stored, as `sending`.
#[derive(Debug)]
pub struct ClaimedAttempt {
    pub delivery: Delivery,
    pub row: Attempt,
    /// The fencing token of the claim.
    pub token: Uuid,
    /// The bytes to send, where they are at hand.
    pub payload: Option<Bytes>,
}

impl<S, O> Deliver<S, O>
where
    S: Deliveries + Resends + Payloads + Subscriptions + Queue + EgressAddresses + Sync,
    O: Sender + Sync,
{
    /// Does what a message asks for. Once this is `Ok` the message is done with; on an error it must
    /// come again.
    pub async fn handle(&self, message: QueueMessage, now: Timestamp) -> StoreResult<()> {
        if now < message.due {
            return self.store.enqueue(message).await;
        }
        match message.work.clone() {
            DueWork::Attempt(number) => self.claim_and_send(message, number, now).await,
            DueWork::Resend { loan_id, attempt_id } => {
                let token = Uuid::new_v4();
                match self.store.claim_resend(&message, &loan_id, attempt_id, token, now).await? {
                    ResendClaimOutcome::Claimed(won) => self.send_resend(*won, token).await,
                    ResendClaimOutcome::NotClaimed(None) => Ok(()),
                    ResendClaimOutcome::NotClaimed(Some(row)) => {
                        self.handle_unclaimed_resend(message, *row, now).await
                    }
                }
            }
        }
    }

    async fn claim_and_send(&self, message: QueueMessage, number: u32, now: Timestamp) -> StoreResult<()> {
        let token = Uuid::new_v4();
        match self.store.claim(&message, number, token, now).await? {
            ClaimOutcome::Claimed(won) => {
                let (delivery, row) = *won;
                self.send_claimed(ClaimedAttempt { delivery, row, token, payload: None }, ()).await
            }
            ClaimOutcome::NotClaimed(None) => Ok(()),
            ClaimOutcome::NotClaimed(Some(delivery)) => {
                self.handle_unclaimed(message, number, *delivery, now).await
            }
        }
    }

    /// Sends an attempt that is claimed, and records what came of it; one of which nothing could be sent for want of
    /// something of ours is given back.
    ///
    /// `permit` is given back once the response has come, before it is recorded.
    pub async fn send_claimed(&self, claimed: ClaimedAttempt, permit: impl SendPermit) -> StoreResult<()> {
        let ClaimedAttempt { mut delivery, mut row, token, payload } = claimed;
        let mut spans = AttemptSpans::begin(&delivery.snapshot, &row);
        let response = match self.send(&mut delivery, &mut row, payload, &mut spans).await {
            Ok(response) => response,
            Err(unsent) => {
                drop(permit);
                spans.end_released();
                let due = unsent.retry_at();
                match with_retries(|| self.store.release(&delivery, token, &row, due)).await? {
                    ReleaseOutcome::Released | ReleaseOutcome::Superseded => return Ok(()),
                    ReleaseOutcome::ReferencedByResend => interrupt(&mut row, NOT_SENT_DETAIL),
                }
                return self.store.complete(&delivery, token, row, None).await.map(|_| ());
            }
        };
        match row.completion() {
            Some(completion) => permit.end(completion),
            None => drop(permit),
        }
        let number = row.number;
        spans.begin_completion(&row);
        let complete = |row, response| self.store.complete(&delivery, token, row, response);
        let stored = record(row, response, complete).await;
        spans.end(matches!(stored, Ok(true)));
        if !stored? {
            warn!(trace_id = %delivery.snapshot.trace_id, attempt = %number, "attempt.superseded");
        }
        Ok(())
    }

    async fn handle_unclaimed(
        &self,
        message: QueueMessage,
        number: u32,
        delivery: Delivery,
        now: Timestamp,
    ) -> StoreResult<()> {
        match delivery.progress.action_without_claim(number, now, self.lease) {
            UnclaimedAction::Discard => Ok(()),
            UnclaimedAction::EnqueueSuccessor(next) => {
                self.store
                    .enqueue(QueueMessage { due: next.due, work: DueWork::Attempt(next.number), ..message })
                    .await
            }
            UnclaimedAction::WaitForLease { until } => {
                self.store.enqueue(QueueMessage { due: until, ..message }).await
            }
            UnclaimedAction::LeaseExpired(claim) => {
                let mut row = delivery.attempt_row(&claim);
                row.state = AttemptState::Complete(Completion::interrupted(now, SENDER_DIED));
                log::attempt(&row);
                let recorded = spans::are_recorded().then(|| row.clone());
                let stored = self.store.complete(&delivery, claim.token, row, None).await?;
                // Another worker may have found it too.
                if let Some(row) = recorded.filter(|_| stored) {
                    spans::record_interrupted(&delivery.snapshot, &row);
                }
                Ok(())
            }
        }
    }

    async fn send_resend(
        &self,
        (mut delivery, mut row): (Delivery, Attempt),
        token: Uuid,
    ) -> StoreResult<()> {
        let mut spans = AttemptSpans::begin(&delivery.snapshot, &row);
        let response = match self.send(&mut delivery, &mut row, None, &mut spans).await {
            Ok(response) => response,
            Err(unsent) => {
                spans.end_released();
                let due = unsent.retry_at();
                return with_retries(|| self.store.release_resend(token, row.clone(), due)).await.map(|_| ());
            }
        };
        spans.begin_completion(&row);
        let complete = |row, response| self.store.complete_resend(token, row, response);
        let stored = record(row, response, complete).await;
        spans.end(matches!(stored, Ok(true)));
        stored.map(|_| ())
    }

    async fn handle_unclaimed_resend(
        &self,
        message: QueueMessage,
        mut row: Attempt,
        now: Timestamp,
    ) -> StoreResult<()> {
        let (AttemptState::Sending { token }, Some(lease)) = (&row.state, self.lease) else { return Ok(()) };
        let (token, until) = (*token, row.sent_at + lease);
        if now < until {
            return self.store.enqueue(QueueMessage { due: until, ..message }).await;
        }
        row.state = AttemptState::Complete(Completion::interrupted(now, SENDER_DIED));
        log::attempt(&row);
        self.store.complete_resend(token, row, None).await.map(|_| ())
    }
}
