//! The HTTP client that sends webhooks.
//!
//! The serving process and the delivery function make one [`WebhookClient`] each and hand it to the use cases as
//! their [`Sender`](loanhook_core::ports::Sender). One call sends one request, once, and returns what came of it.
//! Retries, the attempt's row and the schedule are the callers' business.
//!
//! # The way of one request
//!
//! 1. `request_sender` makes an HTTP request of a [`WebhookRequest`](loanhook_core::ports::WebhookRequest): it adds the
//!    headers by which receivers know the webhook, and the `signature`.
//! 2. `prepared_request` parses the URL into a `destination` and asks the `address_guard` about a literal address.
//!    What counts as public is a table, `reserved_addresses`.
//! 3. `client` takes an idle connection to the same origin from `connection::pool`, unless the request must go over a
//!    fresh one. `connection::keep_alive` says which connections are kept, and for how long.
//! 4. Without an idle connection, `connector` makes a new one: `resolver` looks up the name, the guard checks every
//!    address, `connection::address_order` orders them, `connection::connection_race` connects to the first that
//!    accepts, and `tls` secures it.
//! 5. `exchange` writes the request, through `connection::monitored_stream`, which counts the bytes, and waits for the
//!    response to begin. hyper speaks HTTP/1.1.
//! 6. `response` reads the response up to its limits. Then the connection goes back to the pool, or is closed.
//! 7. Where any of this fails, `failures` and `tls::tls_details` put the error into words: a
//!    [`Failure`](loanhook_core::model::failure::Failure) of a kind, a phase and a sentence. `resource_exhaustion` finds
//!    the errors that say that this machine lacks something.
//!
//! A webhook may have TLS settings of its own (`tls`): its connections are kept apart from all others. Tokens are asked for by
//! `form_sender`, on the same way. `connection_check` goes it up to a secured connection, and says how each step went.
//!
//! # Guarantees
//!
//! - One call writes at most one request. Nothing is written again, except where a reused connection was found closed
//!   before the first byte of the request was written.
//! - No redirect is followed, no proxy of the environment is used, no body is decompressed.
//! - No connection is made to an address that the guard has not permitted.
//! - The timeout covers everything: the name lookup, the connection, TLS, the headers and the whole body.
//! - No detail of a failure contains a header value, a secret, the path or query of a URL, or an address that the guard
//!   refused.
//! - What this machine lacks is not a failure: the call returns [`NotSent`](loanhook_core::ports::NotSent), and nothing
//!   was sent.

mod address_guard;
mod client;
mod connection;
mod connection_check;
mod connector;
mod destination;
mod exchange;
mod expiring_map;
mod failures;
mod form_sender;
mod http_outcome;
mod http_request;
mod lazy_client;
mod prepared_request;
mod request_progress;
mod request_sender;
mod reserved_addresses;
mod resolver;
mod resource_exhaustion;
mod response;
mod signature;
#[cfg(test)]
mod tests;
mod tls;

pub use client::{ClientError, WebhookClient};
pub use lazy_client::LazyWebhookClient;
