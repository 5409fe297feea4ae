//! Every way in which no answer comes.

use std::io;

use futures_util::FutureExt as _;
use tokio::join;

use super::{
    Answer, LOOPBACK, SHORT, always, answer, assert_failed, client, loopback, post,
    scripted_receiver::{OK, Receiver},
    send,
};
use crate::WebhookClient;
use loanhook_core::model::failure::{ErrorKind, Phase};

const NO_ANSWER: &str =
    "no answer within 200 ms: the request was sent, and the receiver may have acted on it";

#[tokio::test]
async fn a_name_without_an_address() {
    let client = WebhookClient::with_resolver(Vec::new(), always(Vec::new())).expect("a client");
    let sent = send(&client, post("https://core.example.test/hooks", "{}")).await;
    let detail = "the name core.example.test does not resolve: it has no address; nothing was sent";
    assert_failed(sent, Phase::Resolve, ErrorKind::Dns, detail);
}

#[tokio::test]
async fn a_name_that_cannot_be_resolved() {
    let broken = |_: String| -> Answer {
        let error = io::Error::other("no name server answered in time");
        std::future::ready(Err(error)).boxed()
    };
    let client = WebhookClient::with_resolver(Vec::new(), broken).expect("a client");
    let sent = send(&client, post("https://core.example.test/hooks", "{}")).await;
    let detail =
        "the name core.example.test does not resolve: no name server answered in time; nothing was sent";
    assert_failed(sent, Phase::Resolve, ErrorKind::Dns, detail);
}

/// No label of a name is longer than 63 bytes, so the system knows this without asking anyone.
#[tokio::test]
async fn a_name_that_the_system_does_not_know() {
    let client = WebhookClient::new(Vec::new()).expect("a client");
    let name = format!("{}.test", "x".repeat(64));
    let sent = send(&client, post(&format!("http://{name}/"), "{}")).await;
    let detail = format!(
        "the name {name} does not resolve: it is not a name that the domain name system can have; nothing was sent"
    );
    assert_failed(sent, Phase::Resolve, ErrorKind::Dns, &detail);
}

#[tokio::test]
async fn a_name_that_no_certificate_can_be_for() {
    let sent = send(&client(), post("https://core!.example.test/", "{}")).await;
    let detail = "the name core!.example.test is not one that a host can have; nothing was sent";
    assert_failed(sent, Phase::Resolve, ErrorKind::Dns, detail);
}

#[tokio::test]
async fn a_lookup_that_never_ends() {
    let stuck = |_: String| -> Answer { std::future::pending().boxed() };
    let client = WebhookClient::with_resolver(Vec::new(), stuck).expect("a client");
    let mut outgoing = post("https://core.example.test/", "{}");
    outgoing.timeout = SHORT;
    let detail = "the name core.example.test was not resolved within 200 ms; nothing was sent. Check the name servers \
                  of its domain";
    assert_failed(send(&client, outgoing).await, Phase::Resolve, ErrorKind::Timeout, detail);
}

#[tokio::test]
async fn a_port_where_nobody_listens() {
    let receiver = Receiver::start().await;
    let port = receiver.port();
    drop(receiver);
    for scheme in ["http", "https"] {
        for host in ["127.0.0.1", "core.example.test"] {
            let sent = send(&client(), post(&format!("{scheme}://{host}:{port}/?token=secret"), "{}")).await;
            let detail =
                format!("{host}:{port} refused the connection: nothing listens there; nothing was sent");
            assert_failed(sent, Phase::Connect, ErrorKind::Connect, &detail);
        }
    }
}

#[tokio::test]
async fn the_second_address_is_tried_when_the_first_refuses() {
    let receiver = Receiver::start().await;
    let other = "127.0.0.2".parse().expect("an address");
    let client = WebhookClient::with_resolver(loopback(), always(vec![other, LOOPBACK])).expect("a client");
    let url = format!("http://core.example.test:{}/", receiver.port());
    let (sent, (_, _peer)) = join!(send(&client, post(&url, "{}")), receiver.answer(OK));
    assert_eq!(answer(sent).status, 200);
}

#[tokio::test]
async fn a_receiver_that_never_answers() {
    let receiver = Receiver::start().await;
    let client = client();
    let mut outgoing = post(&receiver.url("/"), "{}");
    outgoing.timeout = SHORT;
    let (sent, ()) = join!(send(&client, outgoing), async {
        let mut peer = receiver.accept().await;
        peer.request().await.expect("a request");
        // The sender gives up, and does not try again.
        peer.until_closed().await;
    });
    assert_eq!(sent.source_ip, None);
    assert_eq!(sent.partial_response, None);
    assert_failed(sent, Phase::Wait, ErrorKind::Timeout, NO_ANSWER);
    receiver.assert_no_other_connection().await;
}

#[tokio::test]
async fn a_receiver_that_stops_within_the_headers() {
    let receiver = Receiver::start().await;
    let client = client();
    let mut outgoing = post(&receiver.url("/"), "{}");
    outgoing.timeout = SHORT;
    let (sent, _peer) = join!(send(&client, outgoing), receiver.answer(b"HTTP/1.1 200 OK\r\ncontent-"));
    assert_eq!(sent.partial_response, None);
    assert_failed(sent, Phase::Wait, ErrorKind::Timeout, NO_ANSWER);
}

#[tokio::test]
async fn a_receiver_that_resets() {
    let receiver = Receiver::start().await;
    let client = client();
    let (sent, ()) = join!(send(&client, post(&receiver.url("/"), "{}")), async {
        receiver.answer(b"").await.1.reset();
    });
    let detail = "the receiver reset the connection before an answer came; it may have seen the request";
    assert_failed(sent, Phase::Wait, ErrorKind::Protocol, detail);
    receiver.assert_no_other_connection().await;
}
