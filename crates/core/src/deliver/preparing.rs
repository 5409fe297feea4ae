//! The request of an attempt, put together from what is stored.

use std::fmt;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::time::timeout_at;

use super::Deliver;
use super::recording::patiently;
use crate::model::attempt::Attempt;
use crate::model::delivery::Delivery;
use crate::model::time::Timestamp;
use crate::ports::{NotSent, Outgoing, Payloads, RECORDED_WITHIN, StoreError, Subscriptions};

/// When an attempt that was given back is tried again: a machine may have what was missing soon; a store that does not
/// answer, or not in time, is not asked so often, since each try is more work for it.
const LACK_PAUSE: Duration = Duration::from_secs(1);
const STORE_PAUSE: Duration = Duration::from_secs(5);

/// Why nothing was sent.
#[derive(Debug)]
pub(super) enum Unsent {
    /// This machine lacks something for now: it is no attempt.
    Lack(String),
    /// The store does not answer for now: it is no attempt.
    Store(String),
    /// There was no time left to send it and to record what comes of it: it is no attempt.
    TooLate,
    /// Something that it needs is gone.
    ForEver(String),
}

impl Unsent {
    /// When it is tried again.
    pub(super) fn again(&self) -> Timestamp {
        match self {
            Self::Lack(_) => Timestamp::now() + LACK_PAUSE,
            Self::TooLate | Self::Store(_) | Self::ForEver(_) => Timestamp::now() + STORE_PAUSE,
        }
    }
}

impl fmt::Display for Unsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lack(reason) | Self::Store(reason) | Self::ForEver(reason) => f.write_str(reason),
            Self::TooLate => f.write_str("there was no time left for it"),
        }
    }
}

impl From<NotSent> for Unsent {
    fn from(NotSent(reason): NotSent) -> Self {
        Self::Lack(reason)
    }
}

impl From<StoreError> for Unsent {
    fn from(failure: StoreError) -> Self {
        Self::Store(failure.to_string())
    }
}

impl<S: Payloads + Subscriptions, O> Deliver<S, O> {
    /// The request, while there is time to send it and to record what comes of it.
    pub(super) async fn in_time(
        &self,
        delivery: &Delivery,
        row: &Attempt,
        payload: Option<Bytes>,
    ) -> Result<Outgoing, Unsent> {
        let outgoing = self.outgoing(delivery, row, payload);
        let Some(ends) = self.ends else { return outgoing.await };
        let takes = Duration::from_secs(delivery.frozen.timeout_seconds.into()) + RECORDED_WITHIN;
        let latest = ends.checked_sub(takes).ok_or(Unsent::TooLate)?;
        let outgoing = timeout_at(latest.into(), outgoing).await.map_err(|_| Unsent::TooLate)??;
        if Instant::now() > latest { Err(Unsent::TooLate) } else { Ok(outgoing) }
    }

    async fn outgoing(
        &self,
        delivery: &Delivery,
        row: &Attempt,
        payload: Option<Bytes>,
    ) -> Result<Outgoing, Unsent> {
        let frozen = &delivery.frozen;
        let body = match (payload, frozen.request.payload.key) {
            (Some(payload), _) => Some(payload),
            (None, Some(key)) => patiently(|| self.store.payload(&frozen.tenant, key)).await?,
            (None, None) => Some(Bytes::new()),
        };
        let (subscription, version) = (frozen.subscription_id, frozen.subscription_version);
        let secrets = patiently(|| self.store.secrets(&frozen.tenant, subscription, version)).await?;
        let gone = |what: &str| Unsent::ForEver(what.to_owned());
        Ok(Outgoing {
            tenant: frozen.tenant.clone(),
            fresh_connection: delivery.progress.interruptions > 0,
            test: frozen.test,
            method: frozen.request.method,
            url: frozen.request.url.clone(),
            headers: frozen.request.headers.clone(),
            content_type: frozen.request.content_type.clone(),
            body: body.ok_or_else(|| gone("its payload is gone"))?,
            trace_id: frozen.trace_id,
            attempt_id: row.id,
            number: row.number,
            event_name: frozen.event_name.clone(),
            loan_id: frozen.loan_id.clone(),
            occurred_at: frozen.occurred_at.clone(),
            secrets: secrets.ok_or_else(|| gone("its signing secrets are gone"))?.valid(row.sent_at),
            sent_at: row.sent_at,
            timeout: Duration::from_secs(frozen.timeout_seconds.into()),
        })
    }
}
