//! The HTTP request that a webhook becomes: what the client is asked to send, and the options of that one send.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Method};
use tokio::time::Instant;

use loanhook_core::model::{id::TenantId, subscription::Tls};

/// A request to send. It has no `Debug`, since its headers and its URL may contain secrets.
#[derive(Clone)]
pub(crate) struct HttpRequest {
    /// Whose limit of name lookups it counts in.
    pub(crate) tenant: TenantId,
    /// It must not go over a connection that was used before.
    pub(crate) fresh_connection: bool,
    /// By how many places the list of a name's addresses is rotated. The caller passes another number for the next
    /// attempt, which so begins with another address.
    pub(crate) address_offset: usize,
    pub(crate) method: Method,
    /// As it was rendered. What is sent is its normal form by the URL standard, without the fragment.
    pub(crate) url: String,
    /// All headers except `host`, `content-length` and `transfer-encoding`, which the client sets itself. It adds
    /// `accept: */*` where there is no `accept`.
    pub(crate) headers: HeaderMap,
    /// Empty where there is no body.
    pub(crate) body: Bytes,
    /// The TLS settings of the webhook, where it has its own.
    pub(crate) tls: Option<Arc<Tls>>,
    /// For the whole request, from the name lookup to the last byte of the response.
    pub(crate) timeout: Duration,
    /// How much of the timeout was used up before.
    pub(crate) spent: Duration,
}

/// What sending needs to know besides the request's own bytes.
pub(crate) struct SendOptions {
    pub(crate) tenant: TenantId,
    pub(crate) fresh_connection: bool,
    pub(crate) address_offset: usize,
    pub(crate) timeout: Duration,
    pub(crate) deadline: Instant,
}

impl SendOptions {
    pub(crate) fn new(request: &HttpRequest, started_at: Instant) -> Self {
        Self {
            tenant: request.tenant.clone(),
            fresh_connection: request.fresh_connection,
            address_offset: request.address_offset,
            timeout: request.timeout,
            deadline: started_at + request.timeout.saturating_sub(request.spent),
        }
    }
}
