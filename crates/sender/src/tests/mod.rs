//! Tests of the client against real receivers on loopback. Each receiver is scripted byte by byte: a test reads what the
//! client sends as it stands on the wire, and may respond with anything.

mod address_guard;
mod broken_responses;
mod client_certificates;
mod connection_lifetime;
mod connection_reuse;
mod descriptor_exhaustion;
mod lookup_limits;
mod missing_responses;
mod nonconforming_heads;
mod refused_destinations;
mod response_limits;
mod scripted_receiver;
mod sent_requests;
mod several_addresses;
mod tls_receivers;
mod unread_requests;
mod webhook_headers;

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{FutureExt as _, future::BoxFuture};
use http::{HeaderMap, Method};
use ipnet::IpNet;

use crate::{
    WebhookClient, connection::keep_alive::ConnectionLimits, http_outcome::HttpOutcome,
    http_request::HttpRequest, resolver::resolver_trait::Resolver, response::http_response::HttpResponse,
};
use loanhook_core::model::{
    failure::{ErrorKind, Failure, Phase},
    id::TenantId,
};

/// So long that it never ends in a test that passes.
const TEST_TIMEOUT: Duration = Duration::from_secs(30);
/// The timeout of a request that never gets its response; the test takes this long.
const SHORT_TIMEOUT: Duration = Duration::from_millis(200);
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A client that may send to loopback, as `--allow-network 127.0.0.0/8` makes it, and resolves every name to loopback.
fn client() -> WebhookClient {
    client_with_resolver(loopback_network(), resolving_to(vec![LOOPBACK]))
}

fn client_with_resolver(allowed_networks: Vec<IpNet>, resolver: impl Resolver) -> WebhookClient {
    WebhookClient::build(allowed_networks, resolver, &[], ConnectionLimits::default()).expect("a client")
}

fn loopback_network() -> Vec<IpNet> {
    vec!["127.0.0.0/8".parse().expect("a network")]
}

fn tenant(name: &str) -> TenantId {
    TenantId::try_from(name.to_owned()).expect("a tenant")
}

type LookupFuture = BoxFuture<'static, io::Result<Vec<IpAddr>>>;

/// A resolver by which every name has these addresses.
fn resolving_to(addresses: Vec<IpAddr>) -> impl Fn(String) -> LookupFuture {
    move |_| std::future::ready(Ok(addresses.clone())).boxed()
}

fn post(url: &str, body: &'static str) -> HttpRequest {
    HttpRequest {
        tenant: tenant("acme"),
        fresh_connection: false,
        address_offset: 0,
        method: Method::POST,
        url: url.to_owned(),
        headers: HeaderMap::new(),
        body: Bytes::from_static(body.as_bytes()),
        tls: None,
        timeout: TEST_TIMEOUT,
        spent: Duration::ZERO,
    }
}

/// Sends on a machine that lacks nothing.
async fn send(client: &WebhookClient, request: HttpRequest) -> HttpOutcome {
    client.send_http(request).await.expect("this machine lacks nothing")
}

fn whole_response(outcome: HttpOutcome) -> HttpResponse {
    assert!(outcome.partial_response.is_none(), "a whole response is not partial");
    outcome.result.expect("a response")
}

fn failure(outcome: HttpOutcome) -> Failure {
    outcome.result.expect_err("a failure")
}

#[track_caller]
fn assert_failed(outcome: HttpOutcome, phase: Phase, kind: ErrorKind, detail: &str) {
    assert_eq!(failure(outcome), Failure::at(phase, kind, detail));
}
