//! The request that leaves.
//!
//! Everything else here may be retried, replayed or repaired; a request that has left cannot be called back. So this
//! module does one thing, and says exactly what became of it: it sends one request, once, to a destination that it
//! may go to, and returns what came back or why nothing did.
//!
//! # How it works
//!
//! [`Client::send`] parses the URL and asks the [guard](address_guard) about a literal host. The request goes over a connection that
//! is kept from another one (`reuse`), or over a new one: the name is looked up (`names`, within the bounds of
//! `lookups`), the guard judges every address, and a connection is made to the first that takes it (`connect`).
//! hyper speaks HTTP over it, and `wire` notes what becomes of the bytes. The answer is read up to its limits, and
//! an error becomes a [`Failure`] with a kind, a phase and a sentence. [`signature`] makes the headers by which
//! receivers know us.
//!
//! # What it guarantees
//!
//! - One call, at most one request on the wire. Nothing is sent again, except when a kept connection was found closed
//!   before the first byte of the request was written, and then it is the first request.
//! - No redirect is followed, no proxy of the environment used, no body decompressed.
//! - No connection is made to an address that the guard has not seen.
//! - The timeout is over all of it: looking up the name, connecting, TLS, the headers and the whole body.
//! - No detail of a failure names a header's value, a secret, the path or query of a URL, or an address that the guard
//!   refused.
//! - What this machine lacks is no failure: nothing has left then.

pub mod address_guard;
mod client;
mod connection;
mod connector;
mod expiring_map;
mod failures;
mod prepared_request;
mod request_sender;
mod reserved_addresses;
mod resolver;
mod resource_exhaustion;
mod response;
pub mod signature;
#[cfg(test)]
mod tests;
mod tls;

use std::{net::IpAddr, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Method};

use loanhook_core::model::{
    failure::{ErrorKind, Failure},
    id::TenantId,
};

pub use client::{ClientError, WebhookClient};
pub use resolver::{
    resolver_files::ResolverConfigError, resolver_trait::Resolver, system_resolver::SystemResolver,
};
pub use response::response_reader::{HttpResponse, MAX_BODY_BYTES, MAX_HEADER_BYTES};

/// A request that is ready to leave. It has no `Debug`, since its headers and its URL may hold secrets.
#[derive(Clone)]
pub struct HttpRequest {
    /// Whose look-ups of names it counts among.
    pub tenant: TenantId,
    /// It must not go over a connection that was used before.
    pub fresh_connection: bool,
    /// Which of a name's addresses is tried first, among those that did not fail of late: a number that is another for
    /// the next attempt.
    pub address_offset: usize,
    pub method: Method,
    /// As it was rendered; what is sent is what the URL standard makes of it, without the fragment.
    pub url: String,
    /// All of them except `host`, `content-length` and `transfer-encoding`, which are made here.
    /// `accept: */*` is added if there is no `accept`.
    pub headers: HeaderMap,
    pub body: Option<Bytes>,
    /// Over the whole request, from looking up the name to the last byte of the answer.
    pub timeout: Duration,
}

/// What became of a request.
#[derive(Debug)]
pub struct HttpOutcome {
    /// From the call to the end of the answer, or to the failure.
    pub elapsed: Duration,
    /// Our address on the connection that the answer came over; none without an answer.
    pub source_ip: Option<IpAddr>,
    /// A whole answer, of whatever status, or why there is none.
    pub result: Result<HttpResponse, Failure>,
    /// What had arrived of an answer that broke off, or that was not complete in time; its status did arrive.
    pub partial_response: Option<HttpResponse>,
    /// The address that the guard refused and why, for the operator alone.
    pub refusal: Option<address_guard::AddressRefusal>,
}

impl HttpOutcome {
    fn failed(failure: Failure) -> Self {
        Self {
            elapsed: Duration::ZERO,
            source_ip: None,
            result: Err(failure),
            partial_response: None,
            refusal: None,
        }
    }

    fn is_interrupted(&self) -> bool {
        self.result.as_ref().is_err_and(|failure| failure.kind == ErrorKind::Interrupted)
    }
}
