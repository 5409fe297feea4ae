//! The failures of a request to which no response comes.

use std::io;

use futures_util::FutureExt as _;
use tokio::join;

use super::{
    LOOPBACK, LookupFuture, SHORT_TIMEOUT, assert_failed, client, client_with_resolver, loopback_network,
    post, resolving_to,
    scripted_receiver::{OK, Receiver},
    send, whole_response,
};
use crate::WebhookClient;
use loanhook_core::model::failure::{ErrorKind, Phase};

const NO_RESPONSE_DETAIL: &str =
    "no answer within 200 ms: the request was sent, and the receiver may have acted on it";

#[tokio::test]
async fn a_name_without_an_address_is_a_dns_failure() {
    let client = client_with_resolver(Vec::new(), resolving_to(Vec::new()));
    let outcome = send(&client, post("https://core.example.test/hooks", "{}")).await;
    let detail = "the name core.example.test does not resolve: it has no address; nothing was sent";
    assert_failed(outcome, Phase::Resolve, ErrorKind::Dns, detail);
}

#[tokio::test]
async fn a_lookup_error_is_a_dns_failure() {
    let failing = |_: String| -> LookupFuture {
        let error = io::Error::other("no name server answered in time");
        std::future::ready(Err(error)).boxed()
    };
    let client = client_with_resolver(Vec::new(), failing);
    let outcome = send(&client, post("https://core.example.test/hooks", "{}")).await;
    let detail =
        "the name core.example.test does not resolve: no name server answered in time; nothing was sent";
    assert_failed(outcome, Phase::Resolve, ErrorKind::Dns, detail);
}

/// No label of a name is longer than 63 bytes (RFC 1035), so no name server is asked.
#[tokio::test]
async fn a_name_that_dns_cannot_have_is_a_dns_failure() {
    let client = WebhookClient::new(Vec::new()).expect("a client");
    let name = format!("{}.test", "x".repeat(64));
    let outcome = send(&client, post(&format!("http://{name}/"), "{}")).await;
    let detail = format!(
        "the name {name} does not resolve: it is not a name that the domain name system can have; nothing was sent"
    );
    assert_failed(outcome, Phase::Resolve, ErrorKind::Dns, &detail);
}

#[tokio::test]
async fn an_https_name_that_no_certificate_can_be_valid_for_is_a_dns_failure() {
    let outcome = send(&client(), post("https://core!.example.test/", "{}")).await;
    let detail = "the name core!.example.test is not one that a host can have; nothing was sent";
    assert_failed(outcome, Phase::Resolve, ErrorKind::Dns, detail);
}

#[tokio::test]
async fn a_lookup_that_never_ends_is_a_timeout_of_the_resolve_phase() {
    let stuck = |_: String| -> LookupFuture { std::future::pending().boxed() };
    let client = client_with_resolver(Vec::new(), stuck);
    let mut request = post("https://core.example.test/", "{}");
    request.timeout = SHORT_TIMEOUT;
    let detail = "the name core.example.test was not resolved within 200 ms; nothing was sent. Check the name servers \
                  of its domain";
    assert_failed(send(&client, request).await, Phase::Resolve, ErrorKind::Timeout, detail);
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_a_connect_failure() {
    let receiver = Receiver::start().await;
    let port = receiver.port();
    drop(receiver);
    for scheme in ["http", "https"] {
        for host in ["127.0.0.1", "core.example.test"] {
            let outcome =
                send(&client(), post(&format!("{scheme}://{host}:{port}/?token=secret"), "{}")).await;
            let detail =
                format!("{host}:{port} refused the connection: nothing listens there; nothing was sent");
            assert_failed(outcome, Phase::Connect, ErrorKind::Connect, &detail);
        }
    }
}

#[tokio::test]
async fn the_second_address_is_tried_when_the_first_refuses() {
    let receiver = Receiver::start().await;
    let other = "127.0.0.2".parse().expect("an address");
    let client = client_with_resolver(loopback_network(), resolving_to(vec![other, LOOPBACK]));
    let url = format!("http://core.example.test:{}/", receiver.port());
    let (outcome, (_, _peer)) = join!(send(&client, post(&url, "{}")), receiver.respond(OK));
    assert_eq!(whole_response(outcome).status, 200);
}

#[tokio::test]
async fn a_missing_response_is_a_timeout_of_the_wait_phase() {
    let receiver = Receiver::start().await;
    let client = client();
    let mut request = post(&receiver.url("/"), "{}");
    request.timeout = SHORT_TIMEOUT;
    let (outcome, ()) = join!(send(&client, request), async {
        let mut peer = receiver.accept().await;
        peer.read_request().await.expect("a request");
        // The client closes the connection, and does not try again.
        peer.assert_closed().await;
    });
    assert_eq!(outcome.source_ip, None);
    assert!(outcome.partial_response.is_none());
    assert_failed(outcome, Phase::Wait, ErrorKind::Timeout, NO_RESPONSE_DETAIL);
    receiver.assert_no_other_connection().await;
}

#[tokio::test]
async fn a_head_that_stops_is_a_timeout_of_the_wait_phase() {
    let receiver = Receiver::start().await;
    let client = client();
    let mut request = post(&receiver.url("/"), "{}");
    request.timeout = SHORT_TIMEOUT;
    let (outcome, _peer) = join!(send(&client, request), receiver.respond(b"HTTP/1.1 200 OK\r\ncontent-"));
    assert!(outcome.partial_response.is_none());
    assert_failed(outcome, Phase::Wait, ErrorKind::Timeout, NO_RESPONSE_DETAIL);
}

#[tokio::test]
async fn a_connection_that_is_reset_is_a_protocol_failure() {
    let receiver = Receiver::start().await;
    let client = client();
    let (outcome, ()) = join!(send(&client, post(&receiver.url("/"), "{}")), async {
        receiver.respond(b"").await.1.reset();
    });
    let detail = "the receiver reset the connection before an answer came; it may have seen the request";
    assert_failed(outcome, Phase::Wait, ErrorKind::Protocol, detail);
    receiver.assert_no_other_connection().await;
}
