//! A message wakes a delivery: claim, send, record.
//!
//! The claim puts the row before the request leaves; only its winner sends. A message whose claim fails
//! changes nothing but what a dead sender left behind: an attempt past its lease is recorded as
//! interrupted, and the next one follows at once.

mod preparing;
mod recording;

use std::time::{Duration, Instant};

use bytes::Bytes;
use tracing::warn;
use uuid::Uuid;

use self::preparing::Unsent;
use self::recording::{complete, patiently, record};
use crate::log;
use crate::model::attempt::{Attempt, AttemptState, Completion, SENDER_DIED};
use crate::model::delivery::Delivery;
use crate::model::failure::{ErrorKind, Failure, Phase};
use crate::model::progress::Verdict;
use crate::model::time::Timestamp;
use crate::ports::{
    Begun, Claimed, Deliveries, Due, EgressAddresses, Payloads, Place, Queue, Released, Resends, Sender,
    Stored, Subscriptions, Taken, Wake, Work,
};

/// What sends, and how long a sender that says nothing is taken to be alive.
#[derive(Debug)]
pub struct Deliver<S, O> {
    pub store: S,
    pub sender: O,
    /// None where a sender cannot die without this process.
    pub lease: Option<Duration>,
    /// When this process ends, where that is known: no request leaves that could not be recorded by then.
    pub ends: Option<Instant>,
}

impl<S, O> Deliver<S, O>
where
    S: Deliveries + Resends + Payloads + Subscriptions + Queue + EgressAddresses + Sync,
    O: Sender + Sync,
{
    /// Does what a message asks for. Once this is `Ok` the message is done with; on an error it must
    /// come again.
    pub async fn handle(&self, wake: Wake, now: Timestamp) -> Stored<()> {
        if now < wake.due {
            return self.store.send_on(wake).await;
        }
        match wake.what.clone() {
            Due::Attempt(number) => self.attempt(wake, number, now).await,
            Due::Resend { loan_id, attempt_id } => {
                let token = Uuid::new_v4();
                match self.store.take_resend(&wake, &loan_id, attempt_id, token, now).await? {
                    Taken::Won(won) => self.send_resend(*won, token).await,
                    Taken::Lost(None) => Ok(()),
                    Taken::Lost(Some(row)) => self.lost_resend(wake, *row, now).await,
                }
            }
        }
    }

    /// Does what is due; as [`Deliver::handle`], where nothing is claimed yet.
    pub async fn work(&self, work: Work, now: Timestamp) -> Stored<()> {
        match work {
            Work::Wake(wake) => self.handle(wake, now).await,
            Work::Claimed(claimed) => self.go_on(*claimed).await,
        }
    }

    async fn attempt(&self, wake: Wake, number: u32, now: Timestamp) -> Stored<()> {
        let token = Uuid::new_v4();
        match self.store.begin(&wake, number, token, now).await? {
            Begun::Won(won) => {
                let (delivery, row) = *won;
                self.go_on(Claimed { delivery, row, token, payload: None, place: Place::default() }).await
            }
            Begun::Lost(None) => Ok(()),
            Begun::Lost(Some(delivery)) => self.lost(wake, number, *delivery, now).await,
        }
    }

    /// Sends an attempt that is claimed, and records what came of it; one of which nothing could be sent for want of
    /// something of ours is given back.
    async fn go_on(&self, claimed: Claimed) -> Stored<()> {
        let Claimed { delivery, mut row, token, payload, place } = claimed;
        let response = match self.send(&delivery, &mut row, payload).await {
            Ok(response) => response,
            Err(unsent) => {
                drop(place);
                let due = unsent.again();
                match patiently(|| self.store.release(&delivery, token, &row, due)).await? {
                    Released::Done | Released::Superseded => return Ok(()),
                    Released::Resent => interrupt(&mut row, UNSENT),
                }
                return self.store.settle(&delivery, token, row, None).await.map(|_| ());
            }
        };
        drop(place);
        let number = row.number;
        let settle = |row, response| self.store.settle(&delivery, token, row, response);
        if !record(row, response, settle).await? {
            warn!(trace_id = %delivery.frozen.trace_id, attempt = %number, "attempt.superseded");
        }
        Ok(())
    }

    async fn lost(&self, wake: Wake, number: u32, delivery: Delivery, now: Timestamp) -> Stored<()> {
        match delivery.progress.verdict(number, now, self.lease) {
            Verdict::Drop => Ok(()),
            Verdict::Successor(next) => {
                self.store.send_on(Wake { due: next.due, what: Due::Attempt(next.number), ..wake }).await
            }
            Verdict::Busy { until } => self.store.send_on(Wake { due: until, ..wake }).await,
            Verdict::Expired(flight) => {
                let mut row = delivery.attempt_row(&flight);
                row.state = AttemptState::Complete(Completion::interrupted(now, SENDER_DIED));
                log::attempt(&row);
                self.store.settle(&delivery, flight.token, row, None).await.map(|_| ())
            }
        }
    }

    async fn send_resend(&self, (delivery, mut row): (Delivery, Attempt), token: Uuid) -> Stored<()> {
        let response = match self.send(&delivery, &mut row, None).await {
            Ok(response) => response,
            Err(unsent) => {
                let due = unsent.again();
                return patiently(|| self.store.release_resend(token, row.clone(), due)).await.map(|_| ());
            }
        };
        let settle = |row, response| self.store.settle_resend(token, row, response);
        record(row, response, settle).await.map(|_| ())
    }

    async fn lost_resend(&self, wake: Wake, mut row: Attempt, now: Timestamp) -> Stored<()> {
        let (AttemptState::Sending { token }, Some(lease)) = (&row.state, self.lease) else { return Ok(()) };
        let (token, until) = (*token, row.sent_at + lease);
        if now < until {
            return self.store.send_on(Wake { due: until, ..wake }).await;
        }
        row.state = AttemptState::Complete(Completion::interrupted(now, SENDER_DIED));
        log::attempt(&row);
        self.store.settle_resend(token, row, None).await.map(|_| ())
    }

    /// Sends the request of a row and completes it; gives the answer's body.
    async fn send(
        &self,
        delivery: &Delivery,
        row: &mut Attempt,
        payload: Option<Bytes>,
    ) -> Result<Option<Bytes>, Unsent> {
        if let Some(reason) = &delivery.frozen.request.unrenderable {
            let failure = Failure::at(Phase::Prepare, ErrorKind::Template, reason.clone());
            row.state = AttemptState::Complete(Completion::unsent(row.sent_at, failure));
            log::attempt(row);
            return Ok(None);
        }
        let sent = match self.in_time(delivery, row, payload).await {
            Ok(outgoing) => self.sender.send(outgoing).await.map_err(Unsent::from),
            Err(unprepared) => Err(unprepared),
        };
        match sent {
            Ok(sent) => {
                if let Some(address) = sent.source_ip {
                    self.store.left_from(address, row.sent_at);
                }
                let body = complete(row, sent);
                log::attempt(row);
                Ok(body)
            }
            Err(Unsent::ForEver(reason)) => {
                warn!(trace_id = %row.trace_id, attempt_id = %row.id, %reason, "attempt.unprepared");
                interrupt(row, UNPREPARED);
                Ok(None)
            }
            Err(unsent) => {
                warn!(trace_id = %row.trace_id, attempt_id = %row.id, reason = %unsent, "attempt.released");
                Err(unsent)
            }
        }
    }
}

/// What the row of an attempt says whose payload or secrets are gone.
const UNPREPARED: &str = "the request could not be put together; nothing was sent";
/// What the row of an attempt says that could not leave, and that somebody resent meanwhile.
const UNSENT: &str = "the request could not leave, as something was missing on our side; nothing was sent";

/// Completes a row as interrupted.
fn interrupt(row: &mut Attempt, detail: &str) {
    row.state = AttemptState::Complete(Completion::interrupted(Timestamp::now(), detail));
    log::attempt(row);
}
