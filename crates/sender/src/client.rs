//! The webhook client: sends one request, once, and returns what came of it.
//!
//! A request goes over an idle connection to the same origin where there is one, else over a new connection. Where a
//! reused connection turns out to have ended before the first byte was written, another is taken. Where it ends after
//! that, without one byte of a response, nobody knows what the receiver got, and the attempt is interrupted.
//!
//! Callers use it through [`Sender`](loanhook_core::ports::Sender), which `request_sender` implements for it.

use std::{sync::Arc, time::Duration};

use ipnet::IpNet;
use rustls::pki_types::CertificateDer;
use thiserror::Error;
use tokio::time::{Instant, sleep, timeout_at};

use crate::{
    connection::{
        keep_alive::ConnectionLimits,
        pool::{ActiveRequest, ConnectionPool},
    },
    connector::Connector,
    exchange::{StartedResponse, send_over_new, send_over_reused},
    failures::{connection_failures, response_failures, timeout_failures},
    http_outcome::{HttpOutcome, NoResponse},
    http_request::{HttpRequest, SendOptions},
    prepared_request::PreparedRequest,
    request_progress::RequestProgress,
    resolver::{
        resolver_files::ResolverConfigError, resolver_trait::Resolver, system_resolver::SystemResolver,
    },
    response::response_reader::ResponseReader,
};
use loanhook_core::ports::NotSent;

/// How long closed connections take to give their file descriptors back.
const DESCRIPTOR_RELEASE_DELAY: Duration = Duration::from_millis(20);

/// Sends webhooks. Cheap to clone: all clones share the connections. A process makes one.
#[derive(Clone)]
pub struct WebhookClient(pub(crate) Arc<ClientState>);

pub(crate) struct ClientState {
    pub(crate) connector: Connector,
    pool: Arc<ConnectionPool>,
}

/// Why the client could not be made.
#[derive(Debug, Error)]
pub enum ClientError {
    #[error("cannot set up HTTPS (are the system's CA certificates installed?): {0}")]
    TrustedCertificates(#[from] rustls::Error),
    #[error("cannot set up sending: {0}")]
    NameLookups(#[from] ResolverConfigError),
}

impl WebhookClient {
    /// A client that may send to public addresses and to the allowed networks. Names are looked up, and certificates
    /// trusted, as the operating system is configured.
    ///
    /// # Errors
    ///
    /// When the system's trusted certificates, or its configuration of name lookups, cannot be used.
    pub fn new(allowed_networks: Vec<IpNet>) -> Result<Self, ClientError> {
        Self::build(allowed_networks, SystemResolver::new()?, &[], ConnectionLimits::default())
    }

    /// The same, with another limit on the connections that are idle at once, over all origins.
    ///
    /// # Errors
    ///
    /// As for [`WebhookClient::new`].
    pub fn with_max_idle_connections(
        allowed_networks: Vec<IpNet>,
        max_idle_connections: usize,
    ) -> Result<Self, ClientError> {
        let limits = ConnectionLimits { max_idle_connections, ..ConnectionLimits::default() };
        Self::build(allowed_networks, SystemResolver::new()?, &[], limits)
    }

    /// A client with its own resolver and limits, which trusts `extra_roots` as well as the system's certificates.
    pub(crate) fn build(
        allowed_networks: Vec<IpNet>,
        resolver: impl Resolver,
        extra_roots: &[CertificateDer<'static>],
        limits: ConnectionLimits,
    ) -> Result<Self, ClientError> {
        let connector = Connector::new(allowed_networks, resolver, extra_roots)?;
        Ok(Self(Arc::new(ClientState { connector, pool: Arc::new(ConnectionPool::new(limits)) })))
    }

    /// Sends the request and reads the response. A call that is dropped closes its connection, and what the receiver
    /// got is unknown.
    ///
    /// # Errors
    ///
    /// When nothing was sent, because this machine lacked something.
    pub(crate) async fn send_http(&self, request: HttpRequest) -> Result<HttpOutcome, NotSent> {
        let started_at = Instant::now();
        let options = SendOptions::new(&request, started_at);
        let tls_profile = request.tls.as_ref().map(|tls| self.0.connector.tls.profile(tls)).transpose();
        let prepared = match tls_profile {
            Ok(tls_profile) => PreparedRequest::new(&self.0.connector.guard, request, tls_profile),
            Err(reason) => Err(Box::new(HttpOutcome::failed(connection_failures::unusable_tls(&reason)))),
        };
        let mut outcome = match prepared {
            Ok(prepared) => self.0.send_prepared(prepared, &options).await?,
            Err(blocked) => *blocked,
        };
        outcome.elapsed = started_at.elapsed();
        Ok(outcome)
    }
}

impl ClientState {
    async fn send_prepared(
        &self,
        mut prepared: PreparedRequest,
        options: &SendOptions,
    ) -> Result<HttpOutcome, NotSent> {
        let active_request = self.pool.register_request(&prepared.destination.pool_key);
        let mut progress = RequestProgress::default();
        let starting = self.start_response(&mut prepared, options, &active_request, &mut progress);
        let outcome = match timeout_at(options.deadline, starting).await {
            Ok(Ok(started)) => {
                return Ok(self.read_response(started, &active_request, &prepared, options).await);
            }
            Ok(Err(NoResponse::NotSent(not_sent))) => return Err(not_sent),
            Ok(Err(NoResponse::Failed(outcome))) => *outcome,
            Err(_) => match progress.missing_resource.take() {
                Some(not_sent) => return Err(not_sent),
                None => HttpOutcome::failed(timeout_failures::before_response(
                    &progress,
                    options.timeout,
                    &prepared.destination,
                )),
            },
        };
        // The next attempt begins with another address: of these, the one that was tried first is tried last.
        if !outcome.is_interrupted() {
            let failed_addresses = &self.connector.failed_addresses;
            progress.addresses.iter().rev().for_each(|address| failed_addresses.record_failure(*address));
        }
        Ok(outcome)
    }

    async fn start_response(
        &self,
        prepared: &mut PreparedRequest,
        options: &SendOptions,
        active_request: &ActiveRequest,
        progress: &mut RequestProgress,
    ) -> Result<StartedResponse, NoResponse> {
        while !options.fresh_connection
            && let Some(connection) = active_request.take_idle_connection()
        {
            if let Some(result) = send_over_reused(connection, prepared, progress).await {
                return result;
            }
        }
        let destination = &prepared.destination;
        let connected = self.connector.connect(destination, options, active_request, progress).await;
        let connection = match connected {
            // Idle connections may hold what this machine lacks.
            Err(NoResponse::NotSent(not_sent)) if self.pool.close_idle_connections() > 0 => {
                progress.missing_resource = Some(not_sent);
                sleep(DESCRIPTOR_RELEASE_DELAY).await;
                self.connector.connect(destination, options, active_request, progress).await?
            }
            connected => connected?,
        };
        send_over_new(connection, prepared, progress).await
    }

    /// Reads the response, and gives the connection back to the pool where it may be used again.
    async fn read_response(
        &self,
        (response, connection): StartedResponse,
        active_request: &ActiveRequest,
        prepared: &PreparedRequest,
        options: &SendOptions,
    ) -> HttpOutcome {
        let mut reader = ResponseReader::new(response, &connection.monitor);
        let failure = match timeout_at(options.deadline, reader.read()).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => {
                let destination = &prepared.destination;
                Some(response_failures::incomplete_response(&error, reader.progress(), destination))
            }
            Err(_) => Some(timeout_failures::within_response(options.timeout, reader.progress())),
        };
        let (source_ip, remote_address) = (Some(connection.local_ip), connection.remote_address);
        if failure.is_none() && !reader.is_server_error() {
            self.connector.failed_addresses.record_success(remote_address);
        } else {
            self.connector.failed_addresses.record_failure(remote_address);
        }
        if failure.is_some() || !reader.is_complete() || !connection.is_request_flushed() {
            drop(connection);
        } else if let Some(idle_time) = reader.allowed_idle_time() {
            active_request.keep_connection(connection, idle_time);
        } else {
            connection.close();
        }
        let response = reader.into_response();
        let (result, partial_response) = match failure {
            None => (Ok(response), None),
            Some(failure) => (Err(failure), Some(response)),
        };
        HttpOutcome { elapsed: Duration::ZERO, source_ip, result, partial_response, refusal: None }
    }
}
