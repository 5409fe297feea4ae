//! Preparation of a request from what is stored, and the reasons why nothing can be sent.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::time::timeout_at;

use super::Deliver;
use super::recording::with_retries;
use crate::model::attempt::Attempt;
use crate::model::credentials::{CredentialsVersion, JoinedCredentials};
use crate::model::delivery::Delivery;
use crate::model::subscription::Subscription;
use crate::model::time::Timestamp;
use crate::ports::{
    Deliveries, MAX_RECORDING_TIME, NotSent, OAuth2Credentials, Payloads, StoreError, Subscriptions,
    WebhookRequest,
};

/// When an attempt that was given back is tried again: a machine may have what was missing soon; a store that does not
/// answer, or not in time, is not asked so often, since each try is more work for it.
const RESOURCE_RETRY_DELAY: Duration = Duration::from_secs(1);
const STORE_RETRY_DELAY: Duration = Duration::from_secs(5);

/// Why nothing was sent.
#[derive(Debug)]
pub(super) enum NotSendable {
    /// This machine lacks something for now: it is no attempt.
    ResourceMissing(String),
    /// The store does not answer for now: it is no attempt.
    StoreUnavailable(String),
    /// There was no time left to send it and to record what comes of it: it is no attempt.
    NoTimeLeft,
    /// Something that it needs is gone.
    ContentMissing(String),
}

impl NotSendable {
    /// When it is tried again.
    pub(super) fn retry_at(&self) -> Timestamp {
        match self {
            Self::ResourceMissing(_) => Timestamp::now() + RESOURCE_RETRY_DELAY,
            Self::NoTimeLeft | Self::StoreUnavailable(_) | Self::ContentMissing(_) => {
                Timestamp::now() + STORE_RETRY_DELAY
            }
        }
    }
}

impl fmt::Display for NotSendable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ResourceMissing(reason) | Self::StoreUnavailable(reason) | Self::ContentMissing(reason) => {
                f.write_str(reason)
            }
            Self::NoTimeLeft => f.write_str("there was no time left for it"),
        }
    }
}

impl From<NotSent> for NotSendable {
    fn from(NotSent(reason): NotSent) -> Self {
        Self::ResourceMissing(reason)
    }
}

impl From<StoreError> for NotSendable {
    fn from(failure: StoreError) -> Self {
        Self::StoreUnavailable(failure.to_string())
    }
}

/// A request, and the version of its subscription that gives its credentials.
pub(super) type PreparedRequest = (WebhookRequest, Option<Arc<Subscription>>);

impl<S: Deliveries + Payloads + Subscriptions, O> Deliver<S, O> {
    /// The request, while there is time to send it and to record what comes of it, and the version of the subscription that gives
    /// its credentials, which the row notes.
    pub(super) async fn request_in_time(
        &self,
        delivery: &mut Delivery,
        row: &mut Attempt,
        payload: Option<Bytes>,
    ) -> Result<PreparedRequest, NotSendable> {
        let takes = Duration::from_secs(delivery.snapshot.timeout_seconds.into()) + MAX_RECORDING_TIME;
        let request = self.request(delivery, row, payload);
        let Some(ends) = self.deadline else { return request.await };
        let latest = ends.checked_sub(takes).ok_or(NotSendable::NoTimeLeft)?;
        let request = timeout_at(latest.into(), request).await.map_err(|_| NotSendable::NoTimeLeft)??;
        if Instant::now() > latest { Err(NotSendable::NoTimeLeft) } else { Ok(request) }
    }

    async fn request(
        &self,
        delivery: &mut Delivery,
        row: &mut Attempt,
        payload: Option<Bytes>,
    ) -> Result<PreparedRequest, NotSendable> {
        self.take_out_credentials(delivery).await?;
        let snapshot = &delivery.snapshot;
        let body = match (payload, snapshot.request.payload.key) {
            (Some(payload), _) => Some(payload),
            (None, Some(key)) => with_retries(|| self.store.payload(&snapshot.tenant, key)).await?,
            (None, None) => Some(Bytes::new()),
        };
        let (credentials, giving) = self.credentials(snapshot, &row.destination).await?;
        let own = row.address_version.unwrap_or(snapshot.subscription_version);
        row.credentials = CredentialsVersion::of(credentials.version, own);
        let version = credentials.version.unwrap_or(own);
        let JoinedCredentials { headers, oauth2, tls, secrets } =
            credentials.join(snapshot.request.headers.all());
        let request = WebhookRequest {
            tenant: snapshot.tenant.clone(),
            subscription_id: snapshot.subscription_id,
            fresh_connection: delivery.history.interruptions > 0,
            test: snapshot.test,
            method: snapshot.request.method,
            url: row.destination.clone(),
            headers,
            content_type: snapshot.request.content_type.clone(),
            body: body.ok_or_else(|| gone("its payload is gone"))?,
            trace_id: snapshot.trace_id,
            attempt_id: row.id,
            number: row.number,
            event_name: snapshot.event_name.clone(),
            loan_id: snapshot.loan_id.clone(),
            occurred_at: snapshot.occurred_at.clone(),
            sequence: snapshot.sequence,
            trace_context: snapshot.trace_context.as_ref().map(|context| context.of_attempt(row.id)),
            oauth2: oauth2.map(|settings| Box::new(OAuth2Credentials { version, settings })),
            tls: tls.map(Arc::new),
            secrets: secrets.valid(row.sent_at),
            sent_at: row.sent_at,
            timeout: Duration::from_secs(snapshot.timeout_seconds.into()),
        };
        Ok((request, giving))
    }
}

pub(super) fn gone(what: &str) -> NotSendable {
    NotSendable::ContentMissing(what.to_owned())
}
