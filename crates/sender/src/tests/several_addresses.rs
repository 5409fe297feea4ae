//! Names with several addresses, some of them dead.

use std::net::{IpAddr, SocketAddr};

use socket2::{Domain, Socket, Type};
use tokio::join;

use super::{
    LOOPBACK, SHORT_TIMEOUT, TEST_TIMEOUT, assert_failed, client_with_resolver, loopback_network, post,
    resolving_to,
    scripted_receiver::{OK, Receiver},
    send, whole_response,
};
use crate::WebhookClient;
use loanhook_core::model::failure::{ErrorKind, Phase};

const OTHER: [u8; 4] = [127, 0, 0, 2];

/// An address that never accepts: a listener whose queue is full, so that the kernel drops connection requests.
struct UnansweredAddress(#[expect(dead_code, reason = "they keep the queue full")] Vec<Socket>);

impl UnansweredAddress {
    fn at(port: u16) -> Self {
        let at = SocketAddr::from((OTHER, port)).into();
        let socket = || Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        let listener = socket();
        listener.bind(&at).expect("a port");
        listener.listen(0).expect("a listener");
        let connecting = (0..4).map(|_| {
            let connecting = socket();
            connecting.set_nonblocking(true).expect("non-blocking");
            connecting.connect(&at).ok();
            connecting
        });
        let mut held: Vec<_> = connecting.collect();
        held.push(listener);
        Self(held)
    }
}

fn client_resolving_to(addresses: Vec<IpAddr>) -> WebhookClient {
    client_with_resolver(loopback_network(), resolving_to(addresses))
}

#[tokio::test]
async fn a_dead_address_does_not_fail_the_request() {
    let receiver = Receiver::start().await;
    let _unanswered = UnansweredAddress::at(receiver.port());
    let client = client_resolving_to(vec![OTHER.into(), LOOPBACK]);
    let url = format!("http://core.example.test:{}/", receiver.port());
    let (outcome, (_, peer)) = join!(send(&client, post(&url, "{}")), receiver.respond(OK));
    assert_eq!(whole_response(outcome).status, 200);
    drop(peer);
    // Now it is recorded as failed, and tried last.
    let mut request = post(&url, "{}");
    request.fresh_connection = true;
    let (outcome, _) = join!(send(&client, request), receiver.respond(OK));
    assert_eq!(whole_response(outcome).status, 200);
}

#[tokio::test]
async fn an_address_that_accepts_is_found_at_any_place_of_the_order() {
    let receiver = Receiver::start().await;
    let dead = [3, 4, 5].map(|last| IpAddr::from([127, 0, 0, last]));
    for turn in 0..4 {
        let client = client_resolving_to([&dead[..], &[LOOPBACK]].concat());
        let mut request = post(&format!("http://core.example.test:{}/", receiver.port()), "{}");
        request.address_offset = turn;
        let (outcome, _) = join!(send(&client, request), receiver.respond(OK));
        assert_eq!(whole_response(outcome).status, 200);
    }
}

/// Even where the address that failed accepted the connection.
#[tokio::test]
async fn the_next_request_begins_with_another_address_after_a_server_error() {
    let first = Receiver::start().await;
    let client = client_resolving_to(vec![LOOPBACK, OTHER.into()]);
    let other = Receiver::start_at(OTHER.into(), first.port()).await;
    let url = format!("http://core.example.test:{}/", first.port());
    let broken = b"HTTP/1.1 503 Draining\r\ncontent-length: 0\r\n\r\n";
    let (outcome, _) = join!(send(&client, post(&url, "1")), first.respond(broken));
    assert_eq!(whole_response(outcome).status, 503);
    let (outcome, (received, _)) = join!(send(&client, post(&url, "2")), other.respond(OK));
    assert_eq!(whole_response(outcome).status, 200);
    assert_eq!(received.body, b"2");
}

#[tokio::test]
async fn an_unanswered_connection_is_a_timeout_of_the_connect_phase() {
    let receiver = Receiver::start().await;
    let _unanswered = UnansweredAddress::at(receiver.port());
    let client = client_resolving_to(vec![OTHER.into()]);
    let mut request = post(&format!("http://core.example.test:{}/", receiver.port()), "{}");
    request.timeout = SHORT_TIMEOUT;
    let detail = format!(
        "no connection to core.example.test:{} came about within 200 ms: it did not answer; nothing was sent. Check \
         that it is up and that its firewall lets our addresses in",
        receiver.port()
    );
    assert_failed(send(&client, request).await, Phase::Connect, ErrorKind::Timeout, &detail);
}

#[tokio::test]
async fn a_request_that_is_not_taken_is_a_timeout_of_the_send_phase() {
    let receiver = Receiver::start().await;
    let client = client_resolving_to(vec![LOOPBACK]);
    let mut request = post(&receiver.url("/"), "");
    request.body = vec![b'x'; 32 * 1024 * 1024].into();
    request.timeout = SHORT_TIMEOUT;
    let (outcome, _peer) = join!(send(&client, request), receiver.accept());
    let detail = format!(
        "127.0.0.1:{} did not take the whole request within 200 ms; it can have seen a part of it at most",
        receiver.port()
    );
    assert_failed(outcome, Phase::Send, ErrorKind::Timeout, &detail);
}

#[tokio::test]
async fn every_address_is_tried_when_all_refuse() {
    let receiver = Receiver::start().await;
    let port = receiver.port();
    drop(receiver);
    let client = client_resolving_to(vec![LOOPBACK, OTHER.into()]);
    let mut request = post(&format!("http://core.example.test:{port}/"), "{}");
    request.timeout = TEST_TIMEOUT;
    let detail = format!(
        "core.example.test:{port} refused the connection (all 2 of its addresses were tried): nothing listens there; \
         nothing was sent"
    );
    assert_failed(send(&client, request).await, Phase::Connect, ErrorKind::Connect, &detail);
}
