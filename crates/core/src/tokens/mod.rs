//! OAuth tokens of requests: a sender that sees to it that each request has one.
//!
//! The serving process and the delivery function put an [`AuthenticatedSender`] around their HTTP client. A request without OAuth
//! passes through it. Its way, where there is OAuth:
//!
//! 1. The token that is kept is taken (port [`Tokens`]). Where there is none, one of all attempts fetches it (`exchange`, over the
//!    port [`FormSender`]), and the others wait for that.
//! 2. The request is sent with it.
//! 3. A receiver that answers 401 may have ended the token before its time: it is fetched anew, once, and the request sent once
//!    more, within the timeout of the attempt. What came of that is what came of the attempt.
//! 4. What came back is searched for the token and the secrets, and these are hidden.
//!
//! A token that cannot be had is a failure of kind `auth`, and the request does not leave.

mod exchange;
mod memory;

use std::time::{Duration, Instant};

use tokio::time::timeout;
use uuid::Uuid;

pub(crate) use self::exchange::form_encoded;
pub use self::exchange::{Exchanged, exchange};
pub use self::memory::MemoryTokens;
use crate::hidden_secrets::HiddenSecrets;
use crate::model::failure::{ErrorKind, Failure, Phase};
use crate::model::subscription::OAuth2;
use crate::model::time::Timestamp;
use crate::ports::{
    BeginFetchOutcome, FetchLease, FetchOutcome, FormSender, NotSent, ReceivedResponse, SendOutcome, Sender,
    StoreError, StoredToken, TokenKey, TokenRecord, Tokens, WebhookRequest,
};

/// The lease of a fetch: after a crash the others wait so long at most. A fetch that takes longer may have another beside it.
const MAX_LEASE: Duration = Duration::from_secs(10);
/// For how much longer than its own timeout a fetch keeps its lease: what it takes to store its end.
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
                Box::pin(self.send_with_token(request, &key, &oauth2.settings)).await
            }
        }
    }
}

/// Why there is no token.
struct NoToken {
    failure: Failure,
    /// What the token endpoint sent back, where it was this attempt that asked.
    answer: Option<ReceivedResponse>,
}

/// An attempt's search for a token.
struct Search<'a> {
    request: &'a WebhookRequest,
    key: &'a TokenKey,
    oauth2: &'a OAuth2,
    began: Instant,
    /// The token that the receiver refused.
    refused: Option<&'a str>,
}

impl Search<'_> {
    fn deadline(&self) -> Instant {
        self.began + self.request.timeout
    }

    /// What a record says to this search, which began at this generation; none where a fetch is needed. What a later generation
    /// says is news: a token of it serves however short its lifetime is, and a failure of it would only be repeated.
    fn result(&self, record: &TokenRecord, began_at: u64) -> Option<Result<String, NoToken>> {
        let is_new = record.generation > began_at;
        match &record.outcome.as_ref()?.result {
            Ok(token) if self.refused == Some(token.value.as_str()) => None,
            Ok(token) => (is_new || Timestamp::now() < token.use_until).then(|| Ok(token.value.clone())),
            Err(failure) => is_new.then(|| Err(NoToken { failure: failure.clone(), answer: None })),
        }
    }
}

impl<O: Sender + FormSender + Sync, T: Tokens + Sync> AuthenticatedSender<O, T> {
    async fn send_with_token(
        &self,
        mut request: WebhookRequest,
        key: &TokenKey,
        oauth2: &OAuth2,
    ) -> Result<SendOutcome, NotSent> {
        let began = Instant::now();
        let search = Search { request: &request, key, oauth2, began, refused: None };
        let first = match self.token(&search).await? {
            Ok(token) => token,
            Err(NoToken { failure, answer }) => {
                let result = Err(failure);
                return Ok(SendOutcome {
                    elapsed: began.elapsed(),
                    source_ip: None,
                    result,
                    response: answer,
                });
            }
        };
        let mut secrets = HiddenSecrets::of_oauth2(oauth2);
        secrets.add(&first);
        let mut outcome = self.send_bearing(&mut request, &first, began).await?;
        if outcome.result == Ok(401) {
            let search = Search { request: &request, key, oauth2, began, refused: Some(&first) };
            // Without another token the answer stands that the receiver gave.
            if let Ok(Ok(second)) = self.token(&search).await
                && Instant::now() < search.deadline()
            {
                secrets.add(&second);
                outcome = self.send_bearing(&mut request, &second, began).await?;
            }
        }
        secrets.hide(&mut outcome.response);
        outcome.elapsed = began.elapsed();
        Ok(outcome)
    }

    async fn send_bearing(
        &self,
        request: &mut WebhookRequest,
        token: &str,
        began: Instant,
    ) -> Result<SendOutcome, NotSent> {
        request.headers.insert("Authorization".into(), format!("Bearer {token}"));
        request.spent = began.elapsed();
        self.sender.send(request.clone()).await
    }

    /// A token that may be used, or why there is none.
    async fn token(&self, search: &Search<'_>) -> Result<Result<String, NoToken>, NotSent> {
        let unavailable = |failure: StoreError| NotSent(format!("tokens cannot be read: {failure}"));
        let mut record = self.tokens.token(search.key).await.map_err(unavailable)?;
        let began_at = record.generation;
        loop {
            if let Some(result) = search.result(&record, began_at) {
                return Ok(result);
            }
            let Some(left) = search.deadline().checked_duration_since(Instant::now()) else {
                return Ok(Err(waited_too_long(search)));
            };
            let now = Timestamp::now();
            if let Some(until) = record.fetching_until.filter(|until| now < *until) {
                // At the end of the lease nobody fetches any more.
                let ended = self.tokens.fetch_ended(search.key, record.generation);
                timeout(until.since(now).min(left), ended).await.ok();
                record = self.tokens.token(search.key).await.map_err(unavailable)?;
                continue;
            }
            let lease =
                FetchLease { fetch: Uuid::new_v4(), until: now + (left + LEASE_MARGIN).min(MAX_LEASE) };
            let begun = self.tokens.begin_fetch(search.key, record.generation, lease, now).await;
            match begun.map_err(unavailable)? {
                BeginFetchOutcome::Begun => return self.fetch(search, lease.fetch).await,
                BeginFetchOutcome::NotBegun(found) => record = found,
            }
        }
    }

    /// Fetches a token, and stores what came of it for the others.
    async fn fetch(&self, search: &Search<'_>, fetch: Uuid) -> Result<Result<String, NoToken>, NotSent> {
        let request = search.request;
        let times = (request.timeout, search.began.elapsed());
        let exchanged =
            exchange(&self.sender, &request.tenant, search.oauth2, request.tls.as_ref(), times).await;
        let at = Timestamp::now();
        let Exchanged { result, answer } = match exchanged {
            Ok(exchanged) => exchanged,
            Err(not_sent) => {
                // The others are told, and try by themselves.
                let failure = Failure::at(Phase::Prepare, ErrorKind::Auth, NOT_ASKED);
                self.tokens
                    .end_fetch(search.key, fetch, FetchOutcome { at, result: Err(failure) })
                    .await
                    .ok();
                return Err(not_sent);
            }
        };
        let result = result.map(|token| StoredToken { use_until: token.use_until(at), value: token.value });
        let outcome = FetchOutcome { at, result: result.clone() };
        if let Err(failure) = self.tokens.end_fetch(search.key, fetch, outcome).await {
            // It serves this attempt all the same; the next one fetches another.
            tracing::warn!(subscription_id = %search.key.subscription_id, %failure, "token.not_stored");
        }
        Ok(match result {
            Ok(token) => Ok(token.value),
            Err(failure) => Err(NoToken { failure, answer }),
        })
    }
}

const NOT_ASKED: &str = "no token could be had: something was missing on our side to ask for it; nothing was sent to the receiver";

fn waited_too_long(search: &Search<'_>) -> NoToken {
    let seconds = search.request.timeout.as_secs();
    let detail = format!(
        "no token could be had within {seconds} s: another attempt was asking for it all the time; nothing was sent to the \
         receiver"
    );
    NoToken { failure: Failure::at(Phase::Prepare, ErrorKind::Auth, detail), answer: None }
}

#[cfg(test)]
mod tests;
