//! Ports of OAuth tokens: where they are kept, and who asks for one.
//!
//! All attempts of a subscription share a token for its lifetime, in however many processes they run. One of them fetches it, by a
//! lease; the others wait for the end of that fetch, and take what came of it, a failure too. Each end of a fetch begins a new
//! generation, and a fetch begins only on the generation that its caller has seen: so a token that another one has just fetched
//! is never fetched again.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use uuid::Uuid;

use super::{NotSent, SendOutcome, StoreResult};
use crate::model::failure::Failure;
use crate::model::id::{SubscriptionId, TenantId};
use crate::model::subscription::Tls;
use crate::model::time::Timestamp;

/// Whose token it is: that of one version of a subscription.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TokenKey {
    pub tenant: TenantId,
    pub subscription_id: SubscriptionId,
    pub version: u64,
}

/// A token, and until when it may be used.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredToken {
    pub value: String,
    /// Shortly before it expires.
    pub use_until: Timestamp,
}

/// It does not show the value.
impl fmt::Debug for StoredToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredToken").field("use_until", &self.use_until).finish_non_exhaustive()
    }
}

/// How a fetch ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchOutcome {
    pub at: Timestamp,
    pub result: Result<StoredToken, Failure>,
}

/// What is known of the token of a key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenRecord {
    /// How many fetches have ended.
    pub generation: u64,
    /// How the newest of them ended; none where it asked nobody.
    pub outcome: Option<FetchOutcome>,
    /// While one is under way: until when its lease lasts.
    pub fetching_until: Option<Timestamp>,
}

/// The lease of a fetch.
#[derive(Debug, Clone, Copy)]
pub struct FetchLease {
    pub fetch: Uuid,
    pub until: Timestamp,
}

#[derive(Debug, PartialEq, Eq)]
pub enum BeginFetchOutcome {
    /// The caller fetches.
    Begun,
    /// Another one fetches, or has fetched: this is how things stand.
    NotBegun(TokenRecord),
}

/// Where tokens are kept until they expire.
pub trait Tokens {
    /// What is known now, as of a moment that is not before the call, but for a token that may be used: that may be known from
    /// earlier.
    fn token(&self, key: &TokenKey) -> impl Future<Output = StoreResult<TokenRecord>> + Send;

    /// Begins a fetch, if the key is at this generation and no lease is alive at `now`. Once it has begun, its end can be stored
    /// by one write.
    fn begin_fetch(
        &self,
        key: &TokenKey,
        generation: u64,
        lease: FetchLease,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<BeginFetchOutcome>> + Send;

    /// Has the lease of a fetch end later. Without effect where the fetch has ended, or the lease is another one's by now.
    fn extend_fetch(&self, key: &TokenKey, lease: FetchLease)
    -> impl Future<Output = StoreResult<()>> + Send;

    /// Ends a fetch, and begins the next generation, with what came of it; with nothing where the token endpoint was not asked.
    /// Without effect where the lease is another one's by now.
    fn end_fetch(
        &self,
        key: &TokenKey,
        fetch: Uuid,
        outcome: Option<FetchOutcome>,
    ) -> impl Future<Output = StoreResult<()>> + Send;

    /// Ends when the fetch of this generation may have ended; whoever waits asks again then.
    fn fetch_ended(&self, key: &TokenKey, generation: u64) -> impl Future<Output = ()> + Send;
}

impl<T: Tokens + Send + Sync> Tokens for Arc<T> {
    async fn token(&self, key: &TokenKey) -> StoreResult<TokenRecord> {
        (**self).token(key).await
    }

    async fn begin_fetch(
        &self,
        key: &TokenKey,
        generation: u64,
        lease: FetchLease,
        now: Timestamp,
    ) -> StoreResult<BeginFetchOutcome> {
        (**self).begin_fetch(key, generation, lease, now).await
    }

    async fn extend_fetch(&self, key: &TokenKey, lease: FetchLease) -> StoreResult<()> {
        (**self).extend_fetch(key, lease).await
    }

    async fn end_fetch(&self, key: &TokenKey, fetch: Uuid, outcome: Option<FetchOutcome>) -> StoreResult<()> {
        (**self).end_fetch(key, fetch, outcome).await
    }

    async fn fetch_ended(&self, key: &TokenKey, generation: u64) {
        (**self).fetch_ended(key, generation).await;
    }
}

/// A form that is posted to a token endpoint. It has no `Debug`, since it holds secrets.
#[derive(Clone)]
pub struct FormRequest {
    /// Whose limit of name lookups it counts in.
    pub tenant: TenantId,
    pub url: String,
    /// The value of the header `Authorization`, if there is one.
    pub authorization: Option<String>,
    /// `application/x-www-form-urlencoded`.
    pub body: Bytes,
    pub tls: Option<Arc<Tls>>,
    /// It must not go over a connection that was used before.
    pub fresh_connection: bool,
    /// Up to the end of the answer.
    pub timeout: Duration,
}

pub trait FormSender {
    /// Posts a form, once, by the rules of every request: the address guard, TLS, limits of what is read.
    fn post_form(&self, form: FormRequest) -> impl Future<Output = Result<SendOutcome, NotSent>> + Send;
}
