//! OAuth tokens of requests: a sender that sees to it that each request has one.
//!
//! The serving process and the delivery function put an [`AuthenticatedSender`] around their HTTP client. A request without OAuth
//! passes through it. Its way, where there is OAuth:
//!
//! 1. The token that is kept is taken (port [`Tokens`]). Where there is none, one of all attempts fetches it (`exchange`, over the
//!    port [`FormSender`]), and the others wait for that.
//! 2. The request is sent with it.
//! 3. A receiver that answers 401 may have ended the token before its time: it is fetched anew, once, and where that gives another
//!    one, the request is sent once more, within the timeout of the attempt. What came of that is what came of the attempt; but the
//!    401 stands where nothing of the second request was sent, since the receiver has seen the first.
//! 4. What came back is searched for the token, which is hidden; `deliver` hides the secrets of the settings.
//!
//! A token that the token endpoint does not give is a failure of kind `auth`, and the request does not leave. What fails on our side,
//! the store of tokens or whoever fetched, is no attempt ([`NotSent`]).
//!
//! A fetch has a lease, which is extended as long as the sender lives, and no longer. So a slow token endpoint gets one request at a
//! time, and after a sender that died another one fetches soon.

mod exchange;
mod memory;
mod search;

use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

pub(crate) use self::exchange::form_encoded;
pub use self::exchange::{Exchanged, exchange};
pub use self::memory::MemoryTokens;
use self::search::{Found, NoToken, Search, Token, slow_store};
use crate::hidden_secrets::HiddenSecrets;
use crate::model::failure::Phase;
use crate::model::subscription::OAuth2;
use crate::model::time::Timestamp;
use crate::ports::{
    BeginFetchOutcome, FetchLease, FetchOutcome, FormSender, NotSent, SendOutcome, Sender, StoreResult,
    StoredToken, TokenKey, Tokens, WebhookRequest,
};

/// How long a lease lasts that is not extended: whoever waits for a sender that died waits for so long at most.
const LEASE: Duration = Duration::from_secs(6);
/// After so long a lease is extended, and again after each such time.
const EXTEND_EVERY: Duration = Duration::from_secs(2);
/// How long the end of a fetch may take to be stored, beyond the timeout of the attempt. Whoever waits for that waits as long.
const STORE_TIMEOUT: Duration = Duration::from_secs(2);

/// Of an attempt that waited for the fetch of another one.
const NOT_ENDED: &str =
    "another attempt was to fetch a token, and has ended or could not store what came of it";

/// A sender whose requests have tokens.
#[derive(Debug, Clone)]
pub struct AuthenticatedSender<O, T> {
    pub sender: O,
    pub tokens: T,
}

impl<O: Sender + FormSender + Sync, T: Tokens + Sync> Sender for AuthenticatedSender<O, T> {
    async fn send(&self, mut request: WebhookRequest) -> Result<SendOutcome, NotSent> {
        match request.oauth2.take() {
            None => self.sender.send(request).await,
            Some(oauth2) => {
                let key = TokenKey {
                    tenant: request.tenant.clone(),
                    subscription_id: request.subscription_id,
                    version: oauth2.version,
                };
                // Boxed, so that requests without it do not carry its state.
                Box::pin(self.send_with_token(&request, &key, &oauth2.settings)).await
            }
        }
    }
}

impl<O: Sender + FormSender + Sync, T: Tokens + Sync> AuthenticatedSender<O, T> {
    async fn send_with_token(
        &self,
        request: &WebhookRequest,
        key: &TokenKey,
        oauth2: &OAuth2,
    ) -> Result<SendOutcome, NotSent> {
        let deadline = Instant::now() + request.timeout;
        let search = Search { request, key, oauth2, deadline, refused: None };
        let first = match self.token(&search).await? {
            Ok(token) => token,
            Err(NoToken { failure, answer }) => {
                return Ok(SendOutcome {
                    elapsed: Duration::ZERO,
                    source_ip: None,
                    result: Err(failure),
                    response: answer,
                });
            }
        };
        let mut secrets = HiddenSecrets::default();
        secrets.add(&first.value);
        let mut outcome = self.send_bearing(&search, &first).await?;
        if outcome.result == Ok(401) {
            let search = Search { refused: Some(&first), ..search };
            // The receiver has seen the first request: its answer stands where there is no other token, or no second request.
            if let Ok(Ok(second)) = self.token(&search).await
                && second.value != first.value
                && let Ok(again) = self.send_bearing(&search, &second).await
                && can_be_seen(&again)
            {
                secrets.add(&second.value);
                outcome = again;
            }
        }
        secrets.hide(&mut outcome.response);
        Ok(outcome)
    }

    /// Sends the request within what is left of its timeout; after a refusal over a new connection, since the receiver may close the
    /// one that it refused.
    async fn send_bearing(&self, search: &Search<'_>, token: &Token) -> Result<SendOutcome, NotSent> {
        let mut request = search.request.clone();
        request.headers.insert("Authorization".into(), format!("Bearer {}", token.value));
        request.fresh_connection |= search.refused.is_some();
        request.timeout = search.deadline.saturating_duration_since(Instant::now());
        self.sender.send(request).await
    }

    /// A token that may be used, or why there is none within the timeout of the attempt.
    async fn token(&self, search: &Search<'_>) -> Result<Result<Token, NoToken>, NotSent> {
        match self.find(search).await? {
            Found::Result { result, waited } => search.in_time(result, waited),
            Found::Lease(lease, generation) => self.fetch(search, lease, generation).await,
        }
    }

    /// What the store says, or the lease of a fetch. Whoever waits for the fetch of another one takes what came of it; where
    /// nothing comes in time, or the store does not answer, that is a failure of ours, and no attempt is made.
    async fn find(&self, search: &Search<'_>) -> Result<Found, NotSent> {
        let mut record = search.stored(self.tokens.token(search.key)).await?;
        let seen = search.refused.map_or(record.generation, |refused| refused.generation);
        let mut waited = false;
        loop {
            if let Some(result) = search.result(&record, seen) {
                return Ok(Found::Result { result, waited });
            }
            let now = Timestamp::now();
            if let Some(until) = record.fetching_until.filter(|until| now < *until) {
                let left = search.left_to_wait().ok_or_else(|| NotSent(NOT_ENDED.into()))?;
                waited = true;
                // At the end of the lease nobody fetches any more.
                let ended = self.tokens.fetch_ended(search.key, record.generation);
                timeout(left.min(until.since(now)), ended).await.ok();
                record = search.stored(self.tokens.token(search.key)).await?;
                continue;
            }
            if search.deadline <= Instant::now() {
                return Err(if waited { NotSent(NOT_ENDED.into()) } else { slow_store() });
            }
            let lease = FetchLease { fetch: Uuid::new_v4(), until: now + LEASE };
            let begun = self.tokens.begin_fetch(search.key, record.generation, lease, now);
            match search.stored(begun).await? {
                BeginFetchOutcome::Begun => return Ok(Found::Lease(lease, record.generation)),
                BeginFetchOutcome::NotBegun(found) => record = found,
            }
        }
    }

    /// Fetches a token, and stores what came of it for the others.
    async fn fetch(
        &self,
        search: &Search<'_>,
        lease: FetchLease,
        generation: u64,
    ) -> Result<Result<Token, NoToken>, NotSent> {
        let request = search.request;
        let left = search.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            self.end_fetch(search.key, lease, None).await;
            return Err(slow_store());
        }
        let exchange = exchange(&self.sender, &request.tenant, search.oauth2, request.tls.as_ref(), left);
        let exchanged = match select(pin!(exchange), pin!(self.keep_lease(search.key, lease))).await {
            Either::Left((exchanged, _)) => exchanged,
            Either::Right((never, _)) => match never {},
        };
        let Exchanged { result, answer } = match exchanged {
            Ok(exchanged) => exchanged,
            Err(not_sent) => {
                // The others try by themselves: that nobody was asked is no answer to them.
                self.end_fetch(search.key, lease, None).await;
                return Err(not_sent);
            }
        };
        let (at, is_late) = (Timestamp::now(), search.deadline <= Instant::now());
        let result = result.map(|token| StoredToken { use_until: token.use_until(at), value: token.value });
        self.end_fetch(search.key, lease, Some(FetchOutcome { at, result: result.clone() })).await;
        let result = match result {
            Ok(token) => Ok(Token { value: token.value, generation: generation + 1 }),
            Err(failure) => Err(NoToken { failure, answer }),
        };
        search.in_time(result, is_late)
    }

    /// Extends a lease again and again, as long as this is polled. An extension that fails is made up for by the next one.
    async fn keep_lease(&self, key: &TokenKey, lease: FetchLease) -> Infallible {
        let mut next = lease.until.since(Timestamp::now()).saturating_sub(LEASE - EXTEND_EVERY);
        loop {
            sleep(next).await;
            let extended = FetchLease { until: Timestamp::now() + LEASE, ..lease };
            let stored = timeout(EXTEND_EVERY, self.tokens.extend_fetch(key, extended)).await;
            if let Some(failure) = failure_of(stored) {
                tracing::warn!(subscription_id = %key.subscription_id, failure, "token.lease_not_extended");
            }
            next = EXTEND_EVERY;
        }
    }

    /// Where it cannot be stored, the result serves this attempt all the same; the next one fetches another.
    async fn end_fetch(&self, key: &TokenKey, lease: FetchLease, outcome: Option<FetchOutcome>) {
        let stored = timeout(STORE_TIMEOUT, self.tokens.end_fetch(key, lease.fetch, outcome)).await;
        if let Some(failure) = failure_of(stored) {
            tracing::warn!(subscription_id = %key.subscription_id, failure, "token.not_stored");
        }
    }
}

fn failure_of(stored: Result<StoreResult<()>, Elapsed>) -> Option<String> {
    match stored {
        Ok(stored) => stored.err().map(|failure| failure.to_string()),
        Err(late) => Some(late.to_string()),
    }
}

/// Whether the receiver can have seen a request, by what came of it.
fn can_be_seen(outcome: &SendOutcome) -> bool {
    let phase = outcome.result.as_ref().err().and_then(|failure| failure.phase);
    !matches!(phase, Some(Phase::Prepare | Phase::Resolve | Phase::Connect | Phase::Tls))
}

#[cfg(test)]
mod tests;
