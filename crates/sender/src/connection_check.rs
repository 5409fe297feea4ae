//! The connection check: the port [`ConnectionCheck`] over the [`WebhookClient`]. It goes the way of a request, step by step, up to
//! a secured connection, and sends nothing over it.
//!
//! In TLS 1.3 a receiver judges our certificate after the handshake is done on our side. So the check waits a moment for its
//! refusal.

use std::{future::poll_fn, pin::Pin, time::Duration};

use http::{HeaderMap, Method};
use rustls::ProtocolVersion;
use tokio::{
    io::{AsyncRead as _, ReadBuf},
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::client::TlsStream;
use tracing::warn;

use crate::{
    WebhookClient,
    address_guard::Scheme,
    connection::connection_race::{ConnectError, connect_to_first},
    connector::Connector,
    destination::Destination,
    failures::{connection_failures, timeout_failures},
    http_outcome::HttpOutcome,
    http_request::{HttpRequest, SendOptions},
    prepared_request::PreparedRequest,
    request_progress::RequestProgress,
};
use loanhook_core::{
    model::failure::{Failure, Phase},
    ports::{CheckRequest, CheckStep, CheckStepName, ConnectionCheck},
};

/// How long a receiver may take to refuse our certificate after the handshake of TLS 1.3.
const REFUSAL_WAIT: Duration = Duration::from_millis(300);

impl ConnectionCheck for WebhookClient {
    async fn check_connection(&self, check: CheckRequest) -> Vec<CheckStep> {
        let mut steps = Steps::new();
        let connector = &self.0.connector;
        let profile = check.tls.as_ref().map(|tls| connector.tls.profile(tls)).transpose();
        let profile = match profile {
            Ok(profile) => profile,
            Err(reason) => {
                steps.end(CheckStepName::Tls, Err(connection_failures::unusable_tls(&reason).detail));
                return steps.done;
            }
        };
        let request = HttpRequest {
            tenant: check.tenant,
            fresh_connection: true,
            address_offset: 0,
            method: Method::GET,
            url: check.url,
            headers: HeaderMap::new(),
            body: bytes::Bytes::new(),
            tls: None,
            timeout: check.timeout,
            spent: Duration::ZERO,
        };
        let options = SendOptions::new(&request, Instant::now());
        match PreparedRequest::new(&connector.guard, request, profile) {
            Ok(prepared) => connector.check(&prepared.destination, &options, &mut steps).await,
            Err(blocked) => steps.refuse(&blocked, &options),
        }
        steps.done
    }
}

/// The steps so far, and when the next one began.
struct Steps {
    done: Vec<CheckStep>,
    began: Instant,
}

impl Steps {
    fn new() -> Self {
        Self { done: Vec::new(), began: Instant::now() }
    }

    /// Notes how a step ended; whether it went well.
    fn end(&mut self, step: CheckStepName, result: Result<String, String>) -> bool {
        let took = self.began.elapsed();
        self.began = Instant::now();
        let ok = result.is_ok();
        let (Ok(detail) | Err(detail)) = result;
        self.done.push(CheckStep { step, ok, detail, took });
        ok
    }

    /// Notes that the guard refuses; the operator's log has the address.
    fn refuse(&mut self, blocked: &HttpOutcome, options: &SendOptions) {
        if let Some(refusal) = &blocked.refusal {
            warn!(tenant = options.tenant.as_str(), %refusal, "check.blocked");
        }
        let detail = blocked.result.as_ref().err().map(|failure| failure.detail.clone()).unwrap_or_default();
        self.end(CheckStepName::Guard, Err(detail));
    }
}

fn detail(failure: Failure) -> String {
    failure.detail
}

impl Connector {
    async fn check(&self, destination: &Destination, options: &SendOptions, steps: &mut Steps) {
        let mut progress = RequestProgress::default();
        let checking = self.check_steps(destination, options, steps, &mut progress);
        if timeout_at(options.deadline, checking).await.is_err() {
            let step = match progress.phase {
                Phase::Prepare | Phase::Resolve => CheckStepName::Resolve,
                Phase::Connect => CheckStepName::Connect,
                _ => CheckStepName::Tls,
            };
            let failure = timeout_failures::before_response(&progress, options.timeout, destination);
            steps.end(step, Err(failure.detail));
        }
    }

    async fn check_steps(
        &self,
        destination: &Destination,
        options: &SendOptions,
        steps: &mut Steps,
        progress: &mut RequestProgress,
    ) {
        let (addresses, found) = match destination.literal_address() {
            Some(address) => (vec![address], "the host is an address; no name is looked up".to_owned()),
            None => {
                let name = destination.host.to_string();
                let found =
                    self.lookups.addresses(&options.tenant, &name, &mut progress.missing_resource).await;
                match found {
                    Ok(found) if found.is_empty() => {
                        let failure = connection_failures::name_without_address(destination);
                        steps.end(CheckStepName::Resolve, Err(failure.detail));
                        return;
                    }
                    Ok(found) => {
                        let count = found.len();
                        (found, format!("the name has {count} address{}", if count == 1 { "" } else { "es" }))
                    }
                    Err(error) => {
                        let failure = connection_failures::lookup_failed(&error, destination);
                        steps.end(CheckStepName::Resolve, Err(failure.detail));
                        return;
                    }
                }
            }
        };
        steps.end(CheckStepName::Resolve, Ok(found));
        if let Err(refusal) = self.guard.check_all(destination.scheme, &addresses) {
            return steps.refuse(&HttpOutcome::refused(Phase::Resolve, destination.scheme, refusal), options);
        }
        steps.end(CheckStepName::Guard, Ok("requests may go there".to_owned()));
        let server_name = match (destination.scheme, &destination.tls_server_name) {
            (Scheme::Http, _) => None,
            (Scheme::Https, Some(name)) => Some(name.clone()),
            (Scheme::Https, None) => {
                let failure = connection_failures::invalid_host_name(destination);
                steps.end(CheckStepName::Tls, Err(failure.detail));
                return;
            }
        };
        progress.phase = Phase::Connect;
        progress.addresses =
            self.failed_addresses.order(&addresses, destination.port, options.address_offset);
        let connected = connect_to_first(&progress.addresses).await.map_err(|error| match error {
            ConnectError::Network(error) => {
                connection_failures::connect_failed(&error, destination, addresses.len()).detail
            }
            ConnectError::NotSent(not_sent) => not_sent.to_string(),
        });
        let stream = match connected {
            Ok(connected) => connected.stream,
            Err(detail) => {
                steps.end(CheckStepName::Connect, Err(detail));
                return;
            }
        };
        steps.end(CheckStepName::Connect, Ok(format!("connected to {}", destination.shown_host_and_port())));
        let Some(server_name) = server_name else { return };
        progress.phase = Phase::Tls;
        let secured = match self.handshake(stream, server_name, destination).await {
            Ok(stream) => judged(stream, destination).await,
            Err(error) => Err(detail(connection_failures::tls_failed(&error, destination))),
        };
        steps.end(CheckStepName::Tls, secured);
    }
}

/// Waits for a refusal after the handshake, where one may come.
async fn judged(mut stream: TlsStream<TcpStream>, destination: &Destination) -> Result<String, String> {
    let version = stream.get_ref().1.protocol_version();
    if version == Some(ProtocolVersion::TLSv1_3) {
        let mut byte = [0];
        let reading = poll_fn(|cx| {
            let mut buffer = ReadBuf::new(&mut byte);
            Pin::new(&mut stream).poll_read(cx, &mut buffer).map_ok(|()| buffer.filled().len())
        });
        match timeout(REFUSAL_WAIT, reading).await {
            Ok(Err(error)) => return Err(detail(connection_failures::tls_failed(&error, destination))),
            Ok(Ok(0)) => {
                let host_and_port = destination.shown_host_and_port();
                return Err(format!("{host_and_port} closed the connection right after the TLS handshake"));
            }
            Ok(Ok(_)) | Err(_) => {}
        }
    }
    let version = match version {
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
        _ => "TLS 1.2",
    };
    Ok(match destination.client_certificate() {
        Some(client) => {
            format!("{version}; our client certificate, if it was asked for, ends at {}", client.expires_at)
        }
        None => version.to_owned(),
    })
}
