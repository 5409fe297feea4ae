//! The HTTP client: one request, once.
//!
//! A request goes over a connection that is kept from another one where there is one, else over a new one: the name
//! is looked up, its addresses are judged, a connection is made and secured. Which connections are kept, and for how
//! long, is [`super::reuse`]'s rule.
//!
//! A request is written once. Where a kept connection turns out to have ended before the first byte was written, or to
//! take no request, another is taken; where it ends afterwards without one byte of an answer, what the receiver got is
//! unknown, and the attempt is interrupted.

use std::{sync::Arc, time::Duration};

use http::Response;
use hyper::{body::Incoming as Body, client::conn::http1};
use ipnet::IpNet;
use rustls::pki_types::CertificateDer;
use thiserror::Error;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_rustls::TlsConnector;

use crate::{
    HttpOutcome, HttpRequest,
    address_guard::AddressGuard,
    connection::address_order::FailedAddresses,
    connection::http_connection::HttpConnection,
    connection::keep_alive::ConnectionLimits,
    connection::pool::{ActiveRequest, ConnectionPool},
    connector::{NoResponse, SendOptions, StartedResponse, send_over_new, send_over_reused},
    failures::response_failures,
    failures::timeout_failures::{self, RequestProgress},
    prepared_request::{PreparedRequest, prepare},
    resolver::lookup_limiter::LookupLimiter,
    resolver::resolver_files::ResolverConfigError,
    resolver::resolver_trait::Resolver,
    resolver::system_resolver::SystemResolver,
    response::response_reader::ResponseReader,
    tls::tls_connector,
};
use loanhook_core::ports::NotSent;

/// An answer with more headers is a broken one. Left alone, the parser breaks off at 100, which a receiver behind a few
/// proxies may reach. All headers together may be some 400 KiB, the size of the parser's buffer.
pub(crate) const MAX_HEADER_COUNT: usize = 1024;
/// What it takes for closed connections to give their descriptors back.
const DESCRIPTOR_RELEASE_DELAY: Duration = Duration::from_millis(20);

/// Sends webhooks. Cheap to clone; made once, since it holds the connections.
#[derive(Clone)]
pub struct WebhookClient(Arc<ClientState>);

pub(crate) struct ClientState {
    pub(crate) guard: AddressGuard,
    pub(crate) lookups: LookupLimiter,
    pub(crate) failed_addresses: FailedAddresses,
    pool: Arc<ConnectionPool>,
    pub(crate) tls: TlsConnector,
    pub(crate) http: http1::Builder,
}

/// The client could not be made.
#[derive(Debug, Error)]
pub enum ClientError {
    #[error("cannot set up HTTPS (are the system's CA certificates installed?): {0}")]
    TrustedCertificates(#[from] rustls::Error),
    #[error("cannot set up sending: {0}")]
    NameLookups(#[from] ResolverConfigError),
}

impl WebhookClient {
    /// A client that may send to public addresses and to the `allowed` networks. Names are resolved, and
    /// certificates trusted, as the operating system does.
    ///
    /// # Errors
    ///
    /// When the system's trusted certificates, or its configuration of names, cannot be used.
    pub fn new(allowed: Vec<IpNet>) -> Result<Self, ClientError> {
        Self::with_resolver(allowed, SystemResolver::new()?)
    }

    /// The same, where so many connections at most wait for another request.
    ///
    /// # Errors
    ///
    /// As for [`Client::new`].
    pub fn with_max_idle_connections(allowed: Vec<IpNet>, most: usize) -> Result<Self, ClientError> {
        let limits = ConnectionLimits { max_idle_connections: most, ..ConnectionLimits::default() };
        Self::build(allowed, SystemResolver::new()?, &[], limits)
    }

    /// The same with another way to resolve names.
    ///
    /// # Errors
    ///
    /// When the system's trusted certificates cannot be used.
    pub fn with_resolver(allowed: Vec<IpNet>, resolver: impl Resolver) -> Result<Self, ClientError> {
        Self::build(allowed, resolver, &[], ConnectionLimits::default())
    }

    /// The same, trusting these certificates as well as the system's, with these limits of connections.
    pub(crate) fn build(
        allowed: Vec<IpNet>,
        resolver: impl Resolver,
        roots: &[CertificateDer<'static>],
        limits: ConnectionLimits,
    ) -> Result<Self, ClientError> {
        let mut http = http1::Builder::new();
        http.max_headers(MAX_HEADER_COUNT)
            .allow_obsolete_multiline_headers_in_responses(true)
            .allow_spaces_after_header_name_in_responses(true)
            .ignore_invalid_headers_in_responses(true);
        Ok(Self(Arc::new(ClientState {
            guard: AddressGuard::new(allowed),
            lookups: LookupLimiter::new(Arc::new(resolver)),
            failed_addresses: FailedAddresses::default(),
            pool: Arc::new(ConnectionPool::new(limits)),
            tls: tls_connector::tls_connector(roots)?,
            http,
        })))
    }

    /// Sends the request and reads the answer; never more than one request, whatever happens. A call that is dropped
    /// closes its connection, and what the receiver got is unknown.
    ///
    /// # Errors
    ///
    /// When nothing left, because this machine lacked what it takes.
    pub async fn send(&self, outgoing: HttpRequest) -> Result<HttpOutcome, NotSent> {
        let started = Instant::now();
        let how = SendOptions::of(&outgoing, started);
        let mut sent = match prepare(&self.0.guard, outgoing) {
            Ok(prepared) => self.0.send_prepared(prepared, &how).await?,
            Err(blocked) => *blocked,
        };
        sent.elapsed = started.elapsed();
        Ok(sent)
    }
}

impl ClientState {
    async fn send_prepared(
        &self,
        mut prepared: PreparedRequest,
        how: &SendOptions,
    ) -> Result<HttpOutcome, NotSent> {
        let seat = self.pool.register_request(&prepared.destination.origin);
        let mut track = RequestProgress::default();
        let begun =
            timeout_at(how.deadline, self.start_response(&mut prepared, how, &seat, &mut track)).await;
        let stopped = match begun {
            Ok(Ok((response, connection))) => {
                return Ok(self.read_response(response, connection, &seat, &prepared, how).await);
            }
            Ok(Err(NoResponse::NotSent(not_sent))) => return Err(not_sent),
            Ok(Err(NoResponse::Failed(sent))) => *sent,
            Err(_) => match track.exhausted.take() {
                Some(not_sent) => return Err(not_sent),
                None => HttpOutcome::failed(timeout_failures::before_response(
                    &track,
                    how.timeout,
                    &prepared.destination,
                )),
            },
        };
        // The next attempt begins with another address: the first that failed is the last to be tried again.
        if !stopped.is_interrupted() {
            track.addresses.iter().rev().for_each(|address| self.failed_addresses.record_failure(*address));
        }
        Ok(stopped)
    }

    async fn start_response(
        &self,
        prepared: &mut PreparedRequest,
        how: &SendOptions,
        seat: &ActiveRequest,
        track: &mut RequestProgress,
    ) -> Result<StartedResponse, NoResponse> {
        while !how.fresh_connection
            && let Some(connection) = seat.take_idle_connection()
        {
            if let Some(ended) = send_over_reused(connection, prepared, track).await {
                return ended;
            }
        }
        let connection = match self.connect(prepared, how, seat, track).await {
            // Connections that wait may hold what is missing.
            Err(NoResponse::NotSent(not_sent)) if self.pool.close_idle_connections() > 0 => {
                track.exhausted = Some(not_sent);
                sleep(DESCRIPTOR_RELEASE_DELAY).await;
                self.connect(prepared, how, seat, track).await?
            }
            opened => opened?,
        };
        send_over_new(connection, prepared, track).await
    }

    /// Reads the answer, and keeps the connection where that may be used again.
    async fn read_response(
        &self,
        response: Response<Body>,
        connection: HttpConnection,
        seat: &ActiveRequest,
        prepared: &PreparedRequest,
        how: &SendOptions,
    ) -> HttpOutcome {
        let mut incoming = ResponseReader::new(response, &connection.monitor);
        let failure = match timeout_at(how.deadline, incoming.read()).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(response_failures::incomplete_response(
                &error,
                incoming.progress(),
                &prepared.destination,
            )),
            Err(_) => Some(timeout_failures::within_response(how.timeout, incoming.progress())),
        };
        let (local, remote) = (connection.local_ip, connection.remote_address);
        if failure.is_none() && !incoming.is_server_error() {
            self.failed_addresses.remove(remote);
        } else {
            self.failed_addresses.record_failure(remote);
        }
        if failure.is_some() || !incoming.is_complete() || !connection.is_request_flushed() {
            drop(connection);
        } else if let Some(idle) = incoming.allowed_idle_time() {
            seat.keep_connection(connection, idle);
        } else {
            connection.close();
        }
        let received = incoming.into_response();
        let (result, partial) = match failure {
            None => (Ok(received), None),
            Some(failure) => (Err(failure), Some(received)),
        };
        HttpOutcome {
            elapsed: Duration::ZERO,
            source_ip: Some(local),
            result,
            partial_response: partial,
            refusal: None,
        }
    }
}
