//! The connector: makes a new connection to a destination.
//!
//! The name is looked up, the guard checks every address, the first address that accepts is connected to, and the
//! connection is secured with TLS where the scheme is `https`. A name may have a public address when it is checked and
//! a private one when it is connected to ("DNS rebinding"), so it is looked up once for each connection, and the
//! connection goes to one of the addresses that were checked.

use std::{io, net::IpAddr, sync::Arc};

use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::{
    address_guard::{AddressGuard, Scheme},
    connection::{
        address_order::FailedAddresses,
        connection_race::{ConnectError, ConnectedStream, connect_to_first},
        exchange_monitor::ExchangeMonitor,
        http_connection::HttpConnection,
        monitored_stream::{MonitoredStream, Transport},
        pool::ActiveRequest,
    },
    destination::Destination,
    failures::connection_failures,
    http_outcome::{HttpOutcome, NoResponse},
    http_request::SendOptions,
    request_progress::RequestProgress,
    resolver::{lookup_limiter::LookupLimiter, resolver_trait::Resolver},
    resource_exhaustion,
    response::response_reader::MAX_HEADER_COUNT,
    tls::tls_connector::TlsConnectors,
};
use loanhook_core::{
    model::failure::{Failure, Phase},
    ports::NotSent,
};

/// What new connections share.
pub(crate) struct Connector {
    pub(crate) guard: AddressGuard,
    pub(crate) failed_addresses: FailedAddresses,
    pub(crate) lookups: LookupLimiter,
    pub(crate) tls: TlsConnectors,
    http: http1::Builder,
}

impl Connector {
    /// `extra_roots` are trusted as well as the system's certificates.
    ///
    /// # Errors
    ///
    /// When the system's trusted certificates cannot be used.
    pub(crate) fn new(
        allowed_networks: Vec<IpNet>,
        resolver: impl Resolver,
        extra_roots: &[CertificateDer<'static>],
    ) -> Result<Self, rustls::Error> {
        let mut http = http1::Builder::new();
        http.max_headers(MAX_HEADER_COUNT)
            .allow_obsolete_multiline_headers_in_responses(true)
            .allow_spaces_after_header_name_in_responses(true)
            .ignore_invalid_headers_in_responses(true);
        Ok(Self {
            guard: AddressGuard::new(allowed_networks),
            failed_addresses: FailedAddresses::default(),
            lookups: LookupLimiter::new(Arc::new(resolver)),
            tls: TlsConnectors::new(extra_roots)?,
            http,
        })
    }

    /// A new connection to the destination, of the pool in which `active_request` is registered.
    ///
    /// # Errors
    ///
    /// When there is none, as the end of the request.
    pub(crate) async fn connect(
        &self,
        destination: &Destination,
        options: &SendOptions,
        active_request: &ActiveRequest,
        progress: &mut RequestProgress,
    ) -> Result<HttpConnection, NoResponse> {
        *progress = RequestProgress::default();
        let tls_server_name = match (destination.scheme, &destination.tls_server_name) {
            (Scheme::Http, _) => None,
            (Scheme::Https, Some(name)) => Some(name.clone()),
            (Scheme::Https, None) => return Err(connection_failures::invalid_host_name(destination).into()),
        };
        let permitted =
            self.permitted_addresses(destination, options, &mut progress.missing_resource).await?;
        progress.phase = Phase::Connect;
        progress.addresses =
            self.failed_addresses.order(&permitted, destination.port, options.address_offset);
        let connected = connect_to_first(&progress.addresses).await.map_err(|error| match error {
            ConnectError::Network(error) => {
                connection_failures::connect_failed(&error, destination, permitted.len()).into()
            }
            ConnectError::NotSent(not_sent) => NoResponse::NotSent(not_sent),
        })?;
        let ConnectedStream { stream, remote_address, unsuccessful } = connected;
        unsuccessful.into_iter().for_each(|address| self.failed_addresses.record_failure(address));
        progress.addresses = vec![remote_address];
        stream.set_nodelay(true).ok();
        let local_ip = stream.local_addr().map_or(remote_address.ip(), |address| address.ip()).to_canonical();
        let transport = match tls_server_name {
            None => Transport::Plain(stream),
            Some(name) => {
                progress.phase = Phase::Tls;
                self.secure(stream, name, destination).await?
            }
        };
        let monitor = Arc::new(ExchangeMonitor::default());
        let stream = TokioIo::new(MonitoredStream::new(transport, Arc::clone(&monitor)));
        let handshake = self.http.handshake(stream).await;
        let handshake = handshake.map_err(|_| connection_failures::closed_before_request(destination))?;
        Ok(active_request.start_connection(handshake, monitor, local_ip, remote_address))
    }

    async fn secure(
        &self,
        stream: TcpStream,
        name: ServerName<'static>,
        destination: &Destination,
    ) -> Result<Transport, NoResponse> {
        let secured = self.handshake(stream, name, destination).await.map_err(|error| {
            no_connection(&error, || connection_failures::tls_failed(&error, destination))
        })?;
        Ok(Transport::Tls(Box::new(secured)))
    }

    /// A TLS handshake, with the settings of the webhook where it has its own.
    pub(crate) async fn handshake(
        &self,
        stream: TcpStream,
        name: ServerName<'static>,
        destination: &Destination,
    ) -> io::Result<TlsStream<TcpStream>> {
        let profile = destination.tls_profile.as_ref();
        let connector = profile.map_or(&self.tls.default, |profile| &profile.connector);
        connector.connect(name, stream).await
    }

    /// The addresses of a destination; the guard permits all of them.
    pub(crate) async fn permitted_addresses(
        &self,
        destination: &Destination,
        options: &SendOptions,
        missing_resource: &mut Option<NotSent>,
    ) -> Result<Vec<IpAddr>, NoResponse> {
        if let Some(address) = destination.literal_address() {
            // It was checked when the request was prepared.
            return Ok(vec![address]);
        }
        let name = destination.host.to_string();
        let found = self.lookups.addresses(&options.tenant, &name, missing_resource).await;
        let addresses = found.map_err(|error| {
            no_connection(&error, || connection_failures::lookup_failed(&error, destination))
        })?;
        if addresses.is_empty() {
            return Err(connection_failures::name_without_address(destination).into());
        }
        let permitted = self.guard.check_all(destination.scheme, &addresses);
        permitted.map_err(|refusal| HttpOutcome::refused(Phase::Resolve, destination.scheme, refusal))?;
        Ok(addresses)
    }
}

/// What an error of making a connection comes to: the failure, unless the error says that this machine lacks something.
fn no_connection(error: &io::Error, failure: impl FnOnce() -> Failure) -> NoResponse {
    match resource_exhaustion::not_sent(error) {
        Some(not_sent) => NoResponse::NotSent(not_sent),
        None => failure().into(),
    }
}
