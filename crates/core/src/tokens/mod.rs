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
//! A token that cannot be had is a failure of kind `auth`, and the request does not leave.

mod exchange;
mod memory;
mod search;

use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};
use uuid::Uuid;

pub(crate) use self::exchange::form_encoded;
pub use self::exchange::{Exchanged, exchange};
pub use self::memory::MemoryTokens;
use self::search::{Found, NoToken, Search, Token};
use crate::hidden_secrets::HiddenSecrets;
use crate::model::failure::{ErrorKind, Failure, Phase};
use crate::model::subscription::OAuth2;
use crate::model::time::Timestamp;
use crate::ports::{
    BeginFetchOutcome, FetchLease, FetchOutcome, FormSender, NotSent, SendOutcome, Sender, StoreError,
    StoredToken, TokenKey, Tokens, WebhookRequest,
};

/// For how much longer than its own timeout a fetch keeps its lease: what it may take to store its end.
const LEASE_MARGIN: Duration = Duration::from_secs(2);

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
        let result = match timeout_at(search.deadline, self.find(search)).await {
            Ok(found) => match found? {
                Found::Result(result) => result,
                Found::Lease(lease, generation) => self.fetch(search, lease, generation).await?,
            },
            Err(_) => Err(search.too_late()),
        };
        Ok(result.and_then(
            |token| if Instant::now() < search.deadline { Ok(token) } else { Err(search.too_late()) },
        ))
    }

    async fn find(&self, search: &Search<'_>) -> Result<Found, NotSent> {
        let unavailable = |failure: StoreError| NotSent(format!("tokens cannot be read: {failure}"));
        let mut record = self.tokens.token(search.key).await.map_err(unavailable)?;
        let seen = search.refused.map_or(record.generation, |refused| refused.generation);
        loop {
            if let Some(result) = search.result(&record, seen) {
                return Ok(Found::Result(result));
            }
            let now = Timestamp::now();
            if let Some(until) = record.fetching_until.filter(|until| now < *until) {
                // At the end of the lease nobody fetches any more.
                let ended = self.tokens.fetch_ended(search.key, record.generation);
                timeout(until.since(now), ended).await.ok();
                record = self.tokens.token(search.key).await.map_err(unavailable)?;
                continue;
            }
            let left = search.deadline.saturating_duration_since(Instant::now());
            let lease = FetchLease { fetch: Uuid::new_v4(), until: now + left + LEASE_MARGIN };
            let begun = self.tokens.begin_fetch(search.key, record.generation, lease, now).await;
            match begun.map_err(unavailable)? {
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
        let exchanged =
            exchange(&self.sender, &request.tenant, search.oauth2, request.tls.as_ref(), left).await;
        let Exchanged { result, answer } = match exchanged {
            Ok(exchanged) => exchanged,
            Err(not_sent) => {
                // The others are told, and try by themselves.
                let failure = Failure::at(Phase::Prepare, ErrorKind::Auth, NOT_ASKED);
                self.end_fetch(search.key, lease, Timestamp::now(), Err(failure)).await;
                return Err(not_sent);
            }
        };
        let at = Timestamp::now();
        let result = result.map(|token| StoredToken { use_until: token.use_until(at), value: token.value });
        self.end_fetch(search.key, lease, at, result.clone()).await;
        Ok(match result {
            Ok(token) => Ok(Token { value: token.value, generation: generation + 1 }),
            Err(failure) => Err(NoToken { failure, answer }),
        })
    }

    /// Where it cannot be stored, the result serves this attempt all the same; the next one fetches another.
    async fn end_fetch(
        &self,
        key: &TokenKey,
        lease: FetchLease,
        at: Timestamp,
        result: Result<StoredToken, Failure>,
    ) {
        let stored = self.tokens.end_fetch(key, lease.fetch, FetchOutcome { at, result });
        let failure = match timeout(LEASE_MARGIN, stored).await {
            Ok(Ok(())) => return,
            Ok(Err(failure)) => failure.to_string(),
            Err(late) => late.to_string(),
        };
        tracing::warn!(subscription_id = %key.subscription_id, failure, "token.not_stored");
    }
}

const NOT_ASKED: &str = "no token could be had: something was missing on our side to ask for it; nothing was sent to the receiver";

/// Whether the receiver can have seen a request, by what came of it.
fn can_be_seen(outcome: &SendOutcome) -> bool {
    let phase = outcome.result.as_ref().err().and_then(|failure| failure.phase);
    !matches!(phase, Some(Phase::Prepare | Phase::Resolve | Phase::Connect | Phase::Tls))
}

#[cfg(test)]
mod tests;
