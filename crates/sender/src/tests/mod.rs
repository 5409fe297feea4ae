//! The outbound module against real receivers on loopback, each scripted byte by byte: what the client sends is read
//! as it stands on the wire, and what it gets may be as wrong as a test needs.

mod address_guard;
mod broken_responses;
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

use super::{HttpOutcome, HttpRequest, HttpResponse, WebhookClient};
use loanhook_core::model::{
    failure::{ErrorKind, Failure, Phase},
    id::TenantId,
};

/// Long enough for never to be what ends a test that passes.
const PATIENCE: Duration = Duration::from_secs(30);
/// For what never comes; the test takes this long.
const SHORT: Duration = Duration::from_millis(200);
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A client that may send to loopback, as `--allow-network 127.0.0.0/8` makes it, where every name is loopback's.
fn client() -> WebhookClient {
    WebhookClient::with_resolver(loopback(), always(vec![LOOPBACK])).expect("a client")
}

fn loopback() -> Vec<ipnet::IpNet> {
    vec!["127.0.0.0/8".parse().expect("a network")]
}

fn tenant(name: &str) -> TenantId {
    TenantId::try_from(name.to_owned()).expect("a tenant")
}

type Answer = BoxFuture<'static, io::Result<Vec<IpAddr>>>;

fn always(addresses: Vec<IpAddr>) -> impl Fn(String) -> Answer {
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
        body: Some(Bytes::from_static(body.as_bytes())),
        timeout: PATIENCE,
    }
}

/// Sends where nothing is missing for it.
async fn send(client: &WebhookClient, outgoing: HttpRequest) -> HttpOutcome {
    client.send(outgoing).await.expect("nothing is missing")
}

fn answer(sent: HttpOutcome) -> HttpResponse {
    assert_eq!(sent.partial_response, None, "an answer that is whole has no part");
    sent.result.expect("an answer")
}

fn failure(sent: HttpOutcome) -> Failure {
    sent.result.expect_err("a failure")
}

#[track_caller]
fn assert_failed(sent: HttpOutcome, phase: Phase, kind: ErrorKind, detail: &str) {
    assert_eq!(failure(sent), Failure::at(phase, kind, detail));
}
