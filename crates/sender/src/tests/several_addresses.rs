//! Names with several addresses, some of them dead.

use std::net::{IpAddr, SocketAddr};

use socket2::{Domain, Socket, Type};
use tokio::join;

use super::{
    LOOPBACK, PATIENCE, SHORT, always, answer, assert_failed, loopback, post,
    scripted_receiver::{OK, Receiver},
    send,
};
use crate::WebhookClient;
use loanhook_core::model::failure::{ErrorKind, Phase};

const OTHER: [u8; 4] = [127, 0, 0, 2];

/// A place that swallows connections: a listener whose queue is full, so that the kernel drops what comes.
struct Hole(#[expect(dead_code, reason = "they hold the place")] Vec<Socket>);

impl Hole {
    fn at(port: u16) -> Self {
        let at = SocketAddr::from((OTHER, port)).into();
        let socket = || Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        let listener = socket();
        listener.bind(&at).expect("a port");
        listener.listen(0).expect("a listener");
        let waiting = (0..4).map(|_| {
            let waiting = socket();
            waiting.set_nonblocking(true).expect("non-blocking");
            waiting.connect(&at).ok();
            waiting
        });
        let mut held: Vec<_> = waiting.collect();
        held.push(listener);
        Self(held)
    }
}

fn named(addresses: Vec<IpAddr>) -> WebhookClient {
    WebhookClient::with_resolver(loopback(), always(addresses)).expect("a client")
}

#[tokio::test]
async fn a_dead_address_does_not_take_the_attempt() {
    let receiver = Receiver::start().await;
    let _hole = Hole::at(receiver.port());
    let client = named(vec![OTHER.into(), LOOPBACK]);
    let url = format!("http://core.example.test:{}/", receiver.port());
    let (sent, (_, peer)) = join!(send(&client, post(&url, "{}")), receiver.answer(OK));
    assert_eq!(answer(sent).status, 200);
    drop(peer);
    // It is known to be dead now: even this is in time.
    let mut outgoing = post(&url, "{}");
    outgoing.fresh_connection = true;
    let (sent, _) = join!(send(&client, outgoing), receiver.answer(OK));
    assert_eq!(answer(sent).status, 200);
}

#[tokio::test]
async fn an_address_that_is_not_the_first_is_taken_whatever_its_place() {
    let receiver = Receiver::start().await;
    let dead = [3, 4, 5].map(|last| IpAddr::from([127, 0, 0, last]));
    for turn in 0..4 {
        let client = named([&dead[..], &[LOOPBACK]].concat());
        let mut outgoing = post(&format!("http://core.example.test:{}/", receiver.port()), "{}");
        outgoing.address_offset = turn;
        let (sent, _) = join!(send(&client, outgoing), receiver.answer(OK));
        assert_eq!(answer(sent).status, 200);
    }
}

/// The next attempt begins with another address than the one that failed, even where that took the connection.
#[tokio::test]
async fn the_next_attempt_begins_with_another_address() {
    let first = Receiver::start().await;
    let client = named(vec![LOOPBACK, OTHER.into()]);
    let other = Receiver::start_on(OTHER.into(), first.port()).await;
    let url = format!("http://core.example.test:{}/", first.port());
    let broken = b"HTTP/1.1 503 Draining\r\ncontent-length: 0\r\n\r\n";
    let (sent, _) = join!(send(&client, post(&url, "1")), first.answer(broken));
    assert_eq!(answer(sent).status, 503);
    let (sent, (request, _)) = join!(send(&client, post(&url, "2")), other.answer(OK));
    assert_eq!(answer(sent).status, 200);
    assert_eq!(request.body, b"2");
}

#[tokio::test]
async fn a_place_that_swallows_connections() {
    let receiver = Receiver::start().await;
    let _hole = Hole::at(receiver.port());
    let client = named(vec![OTHER.into()]);
    let mut outgoing = post(&format!("http://core.example.test:{}/", receiver.port()), "{}");
    outgoing.timeout = SHORT;
    let detail = format!(
        "no connection to core.example.test:{} came about within 200 ms: it did not answer; nothing was sent. Check \
         that it is up and that its firewall lets our addresses in",
        receiver.port()
    );
    assert_failed(send(&client, outgoing).await, Phase::Connect, ErrorKind::Timeout, &detail);
}

#[tokio::test]
async fn a_receiver_that_does_not_take_the_request() {
    let receiver = Receiver::start().await;
    let client = named(vec![LOOPBACK]);
    let mut outgoing = post(&receiver.url("/"), "");
    outgoing.body = Some(vec![b'x'; 32 * 1024 * 1024].into());
    outgoing.timeout = SHORT;
    let (sent, _peer) = join!(send(&client, outgoing), receiver.accept());
    let detail = format!(
        "127.0.0.1:{} did not take the whole request within 200 ms; it can have seen a part of it at most",
        receiver.port()
    );
    assert_failed(sent, Phase::Send, ErrorKind::Timeout, &detail);
}

#[tokio::test]
async fn every_address_that_refuses_was_tried() {
    let receiver = Receiver::start().await;
    let port = receiver.port();
    drop(receiver);
    let client = named(vec![LOOPBACK, OTHER.into()]);
    let mut outgoing = post(&format!("http://core.example.test:{port}/"), "{}");
    outgoing.timeout = PATIENCE;
    let detail = format!(
        "core.example.test:{port} refused the connection (all 2 of its addresses were tried): nothing listens there; \
         nothing was sent"
    );
    assert_failed(send(&client, outgoing).await, Phase::Connect, ErrorKind::Connect, &detail);
}
