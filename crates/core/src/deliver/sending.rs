//! Sending of a row's request, and the rows of attempts that could not be sent.

use std::time::Duration;

use bytes::Bytes;
use tracing::warn;

use super::Deliver;
use super::preparing::NotSendable;
use super::recording::complete;
use crate::hidden_secrets::HiddenSecrets;
use crate::log;
use crate::model::attempt::{Attempt, AttemptState, Completion};
use crate::model::delivery::Delivery;
use crate::model::failure::{ErrorKind, Failure, Phase};
use crate::model::subscription::Subscription;
use crate::model::time::Timestamp;
use crate::ports::{
    Deliveries, EgressAddresses, Payloads, Queue, Resends, SendOutcome, Sender, Subscriptions, WebhookRequest,
};
use crate::spans::AttemptSpans;

impl<S, O> Deliver<S, O>
where
    S: Deliveries + Resends + Payloads + Subscriptions + Queue + EgressAddresses + Sync,
    O: Sender + Sync,
{
    /// Sends the request of a row and completes it; gives the answer's body.
    pub(super) async fn send(
        &self,
        delivery: &mut Delivery,
        row: &mut Attempt,
        payload: Option<Bytes>,
        spans: &mut AttemptSpans,
    ) -> Result<Option<Bytes>, NotSendable> {
        if let Some(reason) = &delivery.snapshot.request.unrenderable {
            let failure = Failure::at(Phase::Prepare, ErrorKind::Template, reason.clone());
            row.state = AttemptState::Complete(Completion::not_sent(row.sent_at, failure));
            log::attempt(row);
            return Ok(None);
        }
        let sent = match self.request_in_time(delivery, row, payload).await {
            Ok((mut outgoing, giving)) => {
                spans.begin_request(&mut outgoing);
                self.send_hiding(outgoing, giving.as_deref()).await
            }
            Err(unprepared) => Err(unprepared),
        };
        match sent {
            Ok((sent, took)) => {
                if let Some(address) = sent.source_ip {
                    self.store.record_source_address(address, row.sent_at);
                }
                let body = complete(row, sent, took);
                spans.end_request(row);
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
pub(super) const NOT_SENT_DETAIL: &str =
    "the request could not leave, as something was missing on our side; nothing was sent";

/// Completes a row as interrupted.
pub(super) fn interrupt(row: &mut Attempt, detail: &str) {
    row.state = AttemptState::Complete(Completion::interrupted(Timestamp::now(), detail));
    log::attempt(row);
}
