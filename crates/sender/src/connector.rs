//! New connections, and the request on its way over one.
//!
//! The name is looked up, every address is judged, a connection is made to the first that takes it, and secured.

use std::{net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming as Body;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, timeout};

use crate::{
    HttpOutcome, HttpRequest,
    address_guard::Scheme,
    client::ClientState,
    connection::connection_race::{ConnectError, ConnectedStream, connect_to_first},
    connection::http_connection::HttpConnection,
    connection::monitored_stream::{ByteCounts, ExchangeMonitor, MonitoredStream, Transport},
    connection::pool::ActiveRequest,
    failures::response_failures,
    failures::timeout_failures::RequestProgress,
    prepared_request::{Destination, PreparedRequest, refused},
    resolver::resolver_trait::permitted,
    resource_exhaustion,
};
use loanhook_core::model::{failure::Phase, id::TenantId};
use loanhook_core::ports::NotSent;

/// How long it is waited for that a kept connection takes a request.
const READY_TIMEOUT: Duration = Duration::from_millis(100);

/// How a request ended before an answer began.
pub(crate) enum NoResponse {
    Failed(Box<HttpOutcome>),
    NotSent(NotSent),
}

impl From<HttpOutcome> for NoResponse {
    fn from(sent: HttpOutcome) -> Self {
        Self::Failed(Box::new(sent))
    }
}

/// An answer that has begun, and the connection it comes over.
pub(crate) type StartedResponse = (Response<Body>, HttpConnection);

/// What a request needs besides its own bytes.
pub(crate) struct SendOptions {
    pub(crate) tenant: TenantId,
    pub(crate) fresh_connection: bool,
    pub(crate) address_offset: usize,
    pub(crate) timeout: Duration,
    pub(crate) deadline: Instant,
}

impl SendOptions {
    pub(crate) fn of(outgoing: &HttpRequest, started: Instant) -> Self {
        let HttpRequest { tenant, fresh_connection, address_offset: turn, timeout, .. } = outgoing;
        let (fresh, turn, timeout) = (*fresh_connection, *turn, *timeout);
        Self {
            tenant: tenant.clone(),
            fresh_connection: fresh,
            address_offset: turn,
            timeout,
            deadline: started + timeout,
        }
    }
}

impl ClientState {
    /// A new connection to the request's destination.
    pub(crate) async fn connect(
        &self,
        prepared: &PreparedRequest,
        how: &SendOptions,
        seat: &ActiveRequest,
        track: &mut RequestProgress,
    ) -> Result<HttpConnection, NoResponse> {
        let to = &prepared.destination;
        *track = RequestProgress::default();
        let secure_for = match (to.scheme, &to.tls_server_name) {
            (Scheme::Http, _) => None,
            (Scheme::Https, Some(name)) => Some(name.clone()),
            (Scheme::Https, None) => {
                return Err(HttpOutcome::failed(response_failures::invalid_host_name(to)).into());
            }
        };
        let found = self.permitted_addresses(to, &how.tenant, &mut track.exhausted).await?;
        track.phase = Phase::Connect;
        track.addresses = self.failed_addresses.order(&found, to.port, how.address_offset);
        let ConnectedStream { stream, remote_address: remote, unsuccessful: behind } =
            connect_to_first(&track.addresses).await.map_err(|error| match error {
                ConnectError::Network(error) => {
                    HttpOutcome::failed(response_failures::connect_failed(&error, to, found.len())).into()
                }
                ConnectError::NotSent(not_sent) => NoResponse::NotSent(not_sent),
            })?;
        behind.into_iter().for_each(|address| self.failed_addresses.record_failure(address));
        track.addresses = vec![remote];
        stream.set_nodelay(true).ok();
        let local = stream.local_addr().map_or(remote.ip(), |address| address.ip()).to_canonical();
        let transport = match secure_for {
            None => Transport::Plain(stream),
            Some(name) => {
                track.phase = Phase::Tls;
                let secured = self.tls.connect(name, stream).await;
                Transport::Tls(Box::new(secured.map_err(|error| {
                    match resource_exhaustion::not_sent(&error) {
                        Some(not_sent) => NoResponse::NotSent(not_sent),
                        None => HttpOutcome::failed(response_failures::tls_failed(&error, to)).into(),
                    }
                })?))
            }
        };
        let watch = Arc::new(ExchangeMonitor::default());
        let wire = TokioIo::new(MonitoredStream::new(transport, Arc::clone(&watch)));
        let shaken = self
            .http
            .handshake(wire)
            .await
            .map_err(|_| HttpOutcome::failed(response_failures::closed_before_request(to)))?;
        Ok(seat.start_connection(shaken, watch, local, remote))
    }

    /// The addresses of a destination, all of which may be connected to.
    async fn permitted_addresses(
        &self,
        to: &Destination,
        tenant: &TenantId,
        lacking: &mut Option<NotSent>,
    ) -> Result<Vec<IpAddr>, NoResponse> {
        if let Some(address) = to.literal_address() {
            return Ok(vec![address]);
        }
        let found = self.lookups.addresses(tenant, &to.host.to_string(), lacking).await;
        let found = found.map_err(|error| match response_failures::lookup_failed(&error, to) {
            Ok(failure) => HttpOutcome::failed(failure).into(),
            Err(not_sent) => NoResponse::NotSent(not_sent),
        })?;
        if found.is_empty() {
            return Err(HttpOutcome::failed(response_failures::name_without_address(to)).into());
        }
        let refusal = permitted(&self.guard, to.scheme, &found);
        refusal.map_err(|refusal| refused(Phase::Resolve, to.scheme, refusal))?;
        Ok(found)
    }
}

/// Writes the request to a kept connection, and waits for its answer to begin; none if nothing was written, since the
/// connection had ended or does not take a request.
pub(crate) async fn send_over_reused(
    mut connection: HttpConnection,
    prepared: &mut PreparedRequest,
    track: &mut RequestProgress,
) -> Option<Result<StartedResponse, NoResponse>> {
    begin_exchange(&mut connection, track, true);
    // It has nothing to do, so it is ready unless it has ended.
    if !matches!(timeout(READY_TIMEOUT, connection.request_sender.ready()).await, Ok(Ok(()))) {
        return None;
    }
    let request = prepared.http_request(true);
    let Unanswered { connection, error, byte_counts: counted, written } =
        match write_request(connection, request).await {
            Ok(begun) => return Some(Ok(begun)),
            Err(unanswered) => unanswered,
        };
    if let Some(lacking) = not_sent(&error, written) {
        return Some(Err(lacking));
    }
    if !written {
        return None;
    }
    let to = &prepared.destination;
    Some(Err(if counted.read == 0 {
        HttpOutcome::failed(response_failures::interrupted(counted, to)).into()
    } else {
        no_response(&connection, &error, counted, to)
    }))
}

/// Writes the request to a new connection, and waits for its answer to begin.
pub(crate) async fn send_over_new(
    mut connection: HttpConnection,
    prepared: &mut PreparedRequest,
    track: &mut RequestProgress,
) -> Result<StartedResponse, NoResponse> {
    begin_exchange(&mut connection, track, false);
    let request = prepared.http_request(false);
    let Unanswered { connection, error, byte_counts: counted, written } =
        match write_request(connection, request).await {
            Ok(begun) => return Ok(begun),
            Err(unanswered) => unanswered,
        };
    Err(not_sent(&error, written)
        .unwrap_or_else(|| no_response(&connection, &error, counted, &prepared.destination)))
}

fn begin_exchange(connection: &mut HttpConnection, track: &mut RequestProgress, kept: bool) {
    connection.request_count += 1;
    connection.monitor.begin_exchange(kept);
    track.phase = Phase::Send;
    track.addresses = vec![connection.remote_address];
    track.monitor = Some(Arc::clone(&connection.monitor));
}

/// A request to which no answer began.
struct Unanswered {
    connection: HttpConnection,
    error: hyper::Error,
    byte_counts: ByteCounts,
    /// Whether a byte of the request was written.
    written: bool,
}

async fn write_request(
    mut connection: HttpConnection,
    request: Request<Full<Bytes>>,
) -> Result<StartedResponse, Unanswered> {
    let error = match connection.request_sender.try_send_request(request).await {
        Ok(response) => return Ok((response, connection)),
        Err(error) => error,
    };
    let counted = connection.monitor.byte_counts();
    let written = error.message().is_none() && counted.written > 0;
    Err(Unanswered { connection, error: error.into_error(), byte_counts: counted, written })
}

fn not_sent(error: &hyper::Error, written: bool) -> Option<NoResponse> {
    if written { None } else { response_failures::not_sent(error).map(NoResponse::NotSent) }
}

fn no_response(
    connection: &HttpConnection,
    error: &hyper::Error,
    counted: ByteCounts,
    to: &Destination,
) -> NoResponse {
    let judged =
        connection.monitor.inspect_head(|raw| response_failures::no_response(error, raw, counted, to));
    HttpOutcome::failed(judged).into()
}
