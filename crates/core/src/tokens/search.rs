//! An attempt's search for a token: what it knows, and what it makes of what is stored.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::STORE_TIMEOUT;
use crate::model::failure::{ErrorKind, Failure, Phase};
use crate::model::subscription::OAuth2;
use crate::model::time::Timestamp;
use crate::ports::{
    FetchLease, NotSent, ReceivedResponse, StoreResult, TokenKey, TokenRecord, WebhookRequest,
};

/// Why there is no token.
pub(super) struct NoToken {
    pub(super) failure: Failure,
    /// What the token endpoint sent back, where it was this attempt that asked.
    pub(super) answer: Option<ReceivedResponse>,
}

/// A token to send.
pub(super) struct Token {
    pub(super) value: String,
    /// The fetch that it is from: a later one may have given another.
    pub(super) generation: u64,
}

/// An attempt's search for a token.
pub(super) struct Search<'a> {
    pub(super) request: &'a WebhookRequest,
    pub(super) key: &'a TokenKey,
    pub(super) oauth2: &'a OAuth2,
    /// When the timeout of the attempt ends.
    pub(super) deadline: Instant,
    /// The token that the receiver refused.
    pub(super) refused: Option<&'a Token>,
}

/// What a search leads to.
pub(super) enum Found {
    Result {
        result: Result<Token, NoToken>,
        /// It is what came of the fetch of another attempt, for which this one waited.
        waited: bool,
    },
    /// It is for this attempt to fetch the token, behind this generation.
    Lease(FetchLease, u64),
}

impl Search<'_> {
    /// What a record says to this search, which has seen this generation; none where a fetch is needed. What a later generation
    /// says is news: a token of it serves however short its lifetime is, and what it says instead would only be repeated: a
    /// failure, or the refused token once more.
    pub(super) fn result(&self, record: &TokenRecord, seen: u64) -> Option<Result<Token, NoToken>> {
        let is_new = record.generation > seen;
        match &record.outcome.as_ref()?.result {
            Ok(token) => {
                let is_refused = self.refused.is_some_and(|refused| refused.value == token.value);
                let serves = is_new || (!is_refused && Timestamp::now() < token.use_until);
                serves.then(|| Ok(Token { value: token.value.clone(), generation: record.generation }))
            }
            Err(failure) => is_new.then(|| Err(NoToken { failure: failure.clone(), answer: None })),
        }
    }

    /// What a call of the store gives.
    ///
    /// # Errors
    ///
    /// When it fails, or does not answer in time.
    pub(super) async fn stored<T>(&self, call: impl Future<Output = StoreResult<T>>) -> Result<T, NotSent> {
        let failure = match timeout_at(self.deadline + STORE_TIMEOUT, call).await {
            Ok(Ok(stored)) => return Ok(stored),
            Ok(Err(failure)) => failure.to_string(),
            Err(_) => "it does not answer".to_owned(),
        };
        Err(NotSent(format!("the store of tokens failed: {failure}")))
    }

    /// How long it may still wait for the fetch of another one, which ends its own attempt no later; none at the end.
    pub(super) fn left_to_wait(&self) -> Option<Duration> {
        (self.deadline + STORE_TIMEOUT).checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }

    /// A token that can still be used, or why there is none. `fetch_was_late`: the endpoint took the time of the attempt, also where
    /// another attempt asked it.
    ///
    /// # Errors
    ///
    /// When the store took the time: a failure of ours.
    pub(super) fn in_time(
        &self,
        result: Result<Token, NoToken>,
        fetch_was_late: bool,
    ) -> Result<Result<Token, NoToken>, NotSent> {
        match result {
            Ok(_) if self.deadline > Instant::now() => Ok(result),
            Ok(_) if fetch_was_late => Ok(Err(self.too_late())),
            Ok(_) => Err(slow_store()),
            Err(_) => Ok(result),
        }
    }

    /// What comes of it where a token comes after the timeout.
    fn too_late(&self) -> NoToken {
        let seconds = self.request.timeout.as_secs();
        let detail = format!(
            "no token could be had within {seconds} s, the timeout of an attempt; nothing was sent to the receiver"
        );
        NoToken { failure: Failure::at(Phase::Prepare, ErrorKind::Auth, detail), answer: None }
    }
}

/// Of an attempt whose time was over before it could ask for a token, or use it.
pub(super) fn slow_store() -> NotSent {
    NotSent("the store of tokens took the time of the attempt".into())
}
