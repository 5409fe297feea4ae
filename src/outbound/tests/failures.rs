//! Every way in which no answer comes.

use std::io;

use futures_util::FutureExt as _;
use tokio::join;

use super::{
    Answer, LOOPBACK, SHORT, always, answer, assert_failed, client, failure, loopback, post,
    receiver::{OK, Receiver},
};
use crate::{model::failure::ErrorKind, outbound::Client};

#[tokio::test]
async fn a_name_without_an_address() {
    let client = Client::with_resolver(Vec::new(), always(Vec::new())).expect("a client");
    let sent = client.send(post("https://core.example.test/hooks", "{}")).await;
    assert_failed(sent, ErrorKind::Dns, "the name core.example.test does not resolve");
}

#[tokio::test]
async fn a_name_that_cannot_be_resolved() {
    let broken = |_: String| -> Answer {
        let error = io::Error::other("failed to lookup address information: Name or service not known");
        std::future::ready(Err(error)).boxed()
    };
    let client = Client::with_resolver(Vec::new(), broken).expect("a client");
    let sent = client.send(post("https://core.example.test/hooks", "{}")).await;
    let detail = "the name core.example.test does not resolve: Name or service not known";
    assert_failed(sent, ErrorKind::Dns, detail);
}

/// No label of a name is longer than 63 bytes, so the system knows this without asking anyone.
#[tokio::test]
async fn a_name_that_the_system_does_not_know() {
    let client = Client::new(Vec::new()).expect("a client");
    let name = format!("{}.test", "x".repeat(64));
    let failure = failure(client.send(post(&format!("http://{name}/"), "{}")).await);
    assert_eq!(failure.kind, ErrorKind::Dns);
    let start = format!("the name {name} does not resolve: ");
    assert!(failure.detail.starts_with(&start), "{failure}");
    assert!(!failure.detail.contains("lookup"), "{failure}");
}

#[tokio::test]
async fn a_name_that_no_certificate_can_be_for() {
    let sent = client().send(post("https://core!.example.test/", "{}")).await;
    let detail = "the name core!.example.test is not one that a host can have";
    assert_failed(sent, ErrorKind::Dns, detail);
}

#[tokio::test]
async fn a_lookup_that_never_ends() {
    let stuck = |_: String| -> Answer { std::future::pending().boxed() };
    let client = Client::with_resolver(Vec::new(), stuck).expect("a client");
    let mut outgoing = post("https://core.example.test/", "{}");
    outgoing.timeout = SHORT;
    assert_failed(client.send(outgoing).await, ErrorKind::Timeout, "no answer within 200 ms");
}

#[tokio::test]
async fn a_port_where_nobody_listens() {
    let receiver = Receiver::start().await;
    let port = receiver.port();
    drop(receiver);
    for scheme in ["http", "https"] {
        for host in ["127.0.0.1", "core.example.test"] {
            let sent = client().send(post(&format!("{scheme}://{host}:{port}/?token=secret"), "{}")).await;
            assert_failed(sent, ErrorKind::Connect, &format!("{host}:{port} refused the connection"));
        }
    }
}

#[tokio::test]
async fn the_second_address_is_tried_when_the_first_refuses() {
    let receiver = Receiver::start().await;
    let other = "127.0.0.2".parse().expect("an address");
    let client = Client::with_resolver(loopback(), always(vec![other, LOOPBACK])).expect("a client");
    let url = format!("http://core.example.test:{}/", receiver.port());
    let (sent, (_, _peer)) = join!(client.send(post(&url, "{}")), receiver.answer(OK));
    assert_eq!(answer(sent).status, 200);
}

#[tokio::test]
async fn a_receiver_that_never_answers() {
    let receiver = Receiver::start().await;
    let client = client();
    let mut outgoing = post(&receiver.url("/"), "{}");
    outgoing.timeout = SHORT;
    let (sent, ()) = join!(client.send(outgoing), async {
        let mut peer = receiver.accept().await;
        peer.request().await.expect("a request");
        // The sender gives up, and does not try again.
        peer.until_closed().await;
    });
    assert_eq!(sent.source_ip, None);
    assert_eq!(sent.partial, None);
    assert_failed(sent, ErrorKind::Timeout, "no answer within 200 ms");
    receiver.assert_no_other_connection().await;
}

#[tokio::test]
async fn a_receiver_that_stops_within_the_headers() {
    let receiver = Receiver::start().await;
    let client = client();
    let mut outgoing = post(&receiver.url("/"), "{}");
    outgoing.timeout = SHORT;
    let (sent, _peer) = join!(client.send(outgoing), receiver.answer(b"HTTP/1.1 200 OK\r\ncontent-"));
    assert_eq!(sent.partial, None);
    assert_failed(sent, ErrorKind::Timeout, "no answer within 200 ms");
}

#[tokio::test]
async fn a_receiver_that_resets() {
    let receiver = Receiver::start().await;
    let client = client();
    let (sent, ()) = join!(client.send(post(&receiver.url("/"), "{}")), async {
        receiver.answer(b"").await.1.reset();
    });
    assert_failed(sent, ErrorKind::Protocol, "the receiver reset the connection before an answer came");
    receiver.assert_no_other_connection().await;
}
