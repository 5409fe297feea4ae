//! A message wakes a delivery: claim, send, record.
//!
//! The claim puts the row before the request leaves; only its winner sends. A message whose claim fails
//! changes nothing but what a dead sender left behind: an attempt past its lease is recorded as
//! interrupted, and the next one follows at once.

mod recording;

use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::time::timeout_at;
use tracing::warn;
use uuid::Uuid;

use self::recording::{complete, patiently, record};
use crate::log;
use crate::model::attempt::{Attempt, AttemptState, Completion, SENDER_DIED};
use crate::model::delivery::Delivery;
use crate::model::failure::{ErrorKind, Failure};
use crate::model::progress::Verdict;
use crate::model::time::Timestamp;
use crate::ports::{
    Begun, Claimed, Deliveries, Due, EgressAddresses, Outgoing, Payloads, Place, Queue, Resends, Sender,
    StoreError, Stored, Subscriptions, Taken, Wake, Work,
};

/// What it takes to write down what came of a request.
const TO_RECORD: Duration = Duration::from_secs(8);

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

    /// Sends an attempt that is claimed, and records what came of it.
    async fn go_on(&self, claimed: Claimed) -> Stored<()> {
        let Claimed { delivery, mut row, token, payload, place } = claimed;
        let response = self.send(&delivery, &mut row, payload).await;
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
        let response = self.send(&delivery, &mut row, None).await;
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
    async fn send(&self, delivery: &Delivery, row: &mut Attempt, payload: Option<Bytes>) -> Option<Bytes> {
        if let Some(reason) = &delivery.frozen.request.unrenderable {
            let failure = Failure::new(ErrorKind::Template, reason.clone());
            row.state = AttemptState::Complete(Completion::unsent(row.sent_at, failure));
            log::attempt(row);
            return None;
        }
        let sent = match self.in_time(delivery, row, payload).await {
            Ok(outgoing) => self.sender.send(outgoing).await.map_err(|not_sent| not_sent.to_string()),
            Err(reason) => Err(reason),
        };
        let sent = match sent {
            Ok(sent) => sent,
            Err(reason) => {
                warn!(trace_id = %row.trace_id, attempt_id = %row.id, %reason, "attempt.unprepared");
                let detail = "the request could not be put together; nothing was sent";
                row.state = AttemptState::Complete(Completion::interrupted(Timestamp::now(), detail));
                log::attempt(row);
                return None;
            }
        };
        if let Some(address) = sent.source_ip {
            self.store.left_from(address, row.sent_at);
        }
        let body = complete(row, sent);
        log::attempt(row);
        body
    }

    /// What is to be sent, while there is time to send it and to record what comes of it.
    async fn in_time(
        &self,
        delivery: &Delivery,
        row: &Attempt,
        payload: Option<Bytes>,
    ) -> Result<Outgoing, String> {
        let outgoing = self.outgoing(delivery, row, payload);
        let Some(ends) = self.ends else { return outgoing.await };
        let takes = Duration::from_secs(delivery.frozen.timeout_seconds.into()) + TO_RECORD;
        let latest = ends.checked_sub(takes).ok_or(TOO_LATE)?;
        let outgoing = timeout_at(latest.into(), outgoing).await.map_err(|_| TOO_LATE)??;
        if Instant::now() > latest { Err(TOO_LATE.into()) } else { Ok(outgoing) }
    }

    async fn outgoing(
        &self,
        delivery: &Delivery,
        row: &Attempt,
        payload: Option<Bytes>,
    ) -> Result<Outgoing, String> {
        let frozen = &delivery.frozen;
        let body = match (payload, frozen.request.payload.key) {
            (Some(payload), _) => Some(payload),
            (None, Some(key)) => {
                patiently(|| self.store.payload(&frozen.tenant, key)).await.map_err(unread)?
            }
            (None, None) => Some(Bytes::new()),
        };
        let (subscription, version) = (frozen.subscription_id, frozen.subscription_version);
        let secrets = patiently(|| self.store.secrets(&frozen.tenant, subscription, version));
        Ok(Outgoing {
            tenant: frozen.tenant.clone(),
            fresh_connection: delivery.progress.interruptions > 0,
            test: frozen.test,
            method: frozen.request.method,
            url: frozen.request.url.clone(),
            headers: frozen.request.headers.clone(),
            content_type: frozen.request.content_type.clone(),
            body: body.ok_or("its payload is gone")?,
            trace_id: frozen.trace_id,
            attempt_id: row.id,
            number: row.number,
            event_name: frozen.event_name.clone(),
            secrets: secrets.await.map_err(unread)?.ok_or("its signing secrets are gone")?.valid(row.sent_at),
            sent_at: row.sent_at,
            timeout: Duration::from_secs(frozen.timeout_seconds.into()),
        })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` takes")]
fn unread(failure: StoreError) -> String {
    failure.to_string()
}

const TOO_LATE: &str = "there was no time left for it";
