//! Delivering a queue message: claim, send, complete.
//!
//! Used by the worker of the one process and by the Lambda function that delivers. The claim puts the row before the request
//! leaves, and only the holder of its fencing token sends. A message whose attempt cannot be claimed changes nothing but what
//! a dead sender left: an attempt past its lease is completed as interrupted, and the next one follows at once.

mod credentials;
mod preparing;
mod recording;

use std::time::{Duration, Instant};

use bytes::Bytes;
use tracing::warn;
use uuid::Uuid;

use self::preparing::NotSendable;
use self::recording::{complete, record, with_retries};
use crate::hidden_secrets::HiddenSecrets;
use crate::log;
use crate::model::attempt::{Attempt, AttemptState, Completion, SENDER_DIED};
use crate::model::delivery::Delivery;
use crate::model::failure::{ErrorKind, Failure, Phase};
use crate::model::progress::UnclaimedAction;
use crate::model::subscription::Subscription;
use crate::model::time::Timestamp;
use crate::ports::{
    ClaimOutcome, Deliveries, DueWork, EgressAddresses, Payloads, Queue, QueueMessage, ReleaseOutcome,
    ResendClaimOutcome, Resends, SendOutcome, SendPermit, Sender, StoreResult, Subscriptions, WebhookRequest,
};

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
        let response = match self.send(&mut delivery, &mut row, payload).await {
            Ok(response) => response,
            Err(unsent) => {
                drop(permit);
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
        let complete = |row, response| self.store.complete(&delivery, token, row, response);
        if !record(row, response, complete).await? {
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
                self.store.complete(&delivery, claim.token, row, None).await.map(|_| ())
            }
        }
    }

    async fn send_resend(
        &self,
        (mut delivery, mut row): (Delivery, Attempt),
        token: Uuid,
    ) -> StoreResult<()> {
        let response = match self.send(&mut delivery, &mut row, None).await {
            Ok(response) => response,
            Err(unsent) => {
                let due = unsent.retry_at();
                return with_retries(|| self.store.release_resend(token, row.clone(), due)).await.map(|_| ());
            }
        };
        let complete = |row, response| self.store.complete_resend(token, row, response);
        record(row, response, complete).await.map(|_| ())
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

    /// Sends the request of a row and completes it; gives the answer's body.
    async fn send(
        &self,
        delivery: &mut Delivery,
        row: &mut Attempt,
        payload: Option<Bytes>,
    ) -> Result<Option<Bytes>, NotSendable> {
        if let Some(reason) = &delivery.snapshot.request.unrenderable {
            let failure = Failure::at(Phase::Prepare, ErrorKind::Template, reason.clone());
            row.state = AttemptState::Complete(Completion::not_sent(row.sent_at, failure));
            log::attempt(row);
            return Ok(None);
        }
        let sent = match self.request_in_time(delivery, row, payload).await {
            Ok((outgoing, giving)) => self.send_hiding(outgoing, giving.as_deref()).await,
            Err(unprepared) => Err(unprepared),
        };
        match sent {
            Ok((sent, took)) => {
                if let Some(address) = sent.source_ip {
                    self.store.record_source_address(address, row.sent_at);
                }
                let body = complete(row, sent, took);
                log::attempt(row);
                Ok(body)
            }
            Err(NotSendable::ContentMissing(reason)) => {
                warn!(trace_id = %row.trace_id, attempt_id = %row.id, %reason, "attempt.unprepared");
                interrupt(row, NOT_PREPARED_DETAIL);
                Ok(None)
            }
            Err(unsent) => {
                warn!(trace_id = %row.trace_id, attempt_id = %row.id, reason = %unsent, "attempt.released");
                Err(unsent)
            }
        }
    }
}

impl<S, O: Sender> Deliver<S, O> {
    /// Sends a request, and hides in what comes back the secrets of the version that gave its credentials. Gives how long it took,
    /// with the wait for a token.
    async fn send_hiding(
        &self,
        outgoing: WebhookRequest,
        giving: Option<&Subscription>,
    ) -> Result<(SendOutcome, Duration), NotSendable> {
        let (began, has_token) = (tokio::time::Instant::now(), outgoing.oauth2.is_some());
        let mut sent = self.sender.send(outgoing).await?;
        // What an engine does around a request is not the receiver's time. A sender that simulates one does not wait as long as
        // it says.
        let took = if has_token { began.elapsed().max(sent.elapsed) } else { sent.elapsed };
        if let (Some(giving), Some(_)) = (giving, &sent.response) {
            HiddenSecrets::hide_those_of(&giving.settings, &mut sent.response);
        }
        Ok((sent, took))
    }
}

/// What the row of an attempt says whose payload or webhook is gone.
const NOT_PREPARED_DETAIL: &str = "the request could not be put together; nothing was sent";
/// What the row of an attempt says that could not leave, and that somebody resent meanwhile.
const NOT_SENT_DETAIL: &str =
    "the request could not leave, as something was missing on our side; nothing was sent";

/// Completes a row as interrupted.
fn interrupt(row: &mut Attempt, detail: &str) {
    row.state = AttemptState::Complete(Completion::interrupted(Timestamp::now(), detail));
    log::attempt(row);
}
