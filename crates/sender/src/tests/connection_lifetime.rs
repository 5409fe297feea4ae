//! Which connections are kept, and for how long.

use std::time::Duration;

use tokio::join;

use super::{
    LOOPBACK, SHORT, always, answer, client, failure, loopback, post,
    scripted_receiver::{OK, Peer, Receiver},
    send,
};
use crate::{WebhookClient, connection::keep_alive::ConnectionLimits};
use loanhook_core::model::failure::ErrorKind;

/// Sends one request that is answered over this connection.
async fn exchange<S>(client: &WebhookClient, url: &str, peer: &mut Peer<S>, bytes: &[u8])
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let (sent, ()) = join!(send(client, post(url, "{}")), async {
        peer.request().await.expect("a request on this connection");
        peer.write(bytes).await;
    });
    answer(sent);
}

#[tokio::test]
async fn as_many_connections_are_kept_as_were_at_work() {
    let receiver = Receiver::start().await;
    let client = client();
    let url = receiver.url("/");
    let at_once = || futures_util::future::join_all((0..40).map(|_| send(&client, post(&url, "{}"))));
    let (sent, mut peers) = join!(at_once(), async {
        let mut peers = Vec::new();
        for _ in 0..40 {
            let mut peer = receiver.accept().await;
            peer.request().await.expect("a request");
            peers.push(peer);
        }
        for peer in &mut peers {
            peer.write(OK).await;
        }
        peers
    });
    assert!(sent.into_iter().all(|sent| answer(sent).status == 200));
    // The next wave finds them all.
    let (sent, _) = join!(
        at_once(),
        futures_util::future::join_all(peers.iter_mut().map(|peer| async {
            peer.request().await.expect("a request");
            peer.write(OK).await;
        }))
    );
    assert!(sent.into_iter().all(|sent| answer(sent).status == 200));
    receiver.assert_no_other_connection().await;
}

/// A client whose connections last as long as this.
fn limited(limits: ConnectionLimits) -> WebhookClient {
    WebhookClient::build(loopback(), always(vec![LOOPBACK]), &[], limits).expect("a client")
}

#[tokio::test]
async fn a_connection_ends_at_its_greatest_age_and_without_requests() {
    for limits in [
        ConnectionLimits { max_age: Duration::ZERO, ..ConnectionLimits::default() },
        ConnectionLimits { max_idle_time: Duration::ZERO, ..ConnectionLimits::default() },
        ConnectionLimits { max_idle_connections: 0, ..ConnectionLimits::default() },
        // These are found by whoever looks for what has waited too long.
        ConnectionLimits { max_age: SHORT, ..ConnectionLimits::default() },
        ConnectionLimits { max_idle_time: SHORT, ..ConnectionLimits::default() },
    ] {
        let receiver = Receiver::start().await;
        let client = limited(limits);
        let (sent, (_, peer)) = join!(send(&client, post(&receiver.url("/"), "{}")), receiver.answer(OK));
        answer(sent);
        peer.until_closed().await;
    }
}

#[tokio::test]
async fn a_connection_ends_after_its_greatest_number_of_requests() {
    let receiver = Receiver::start().await;
    let client = limited(ConnectionLimits { max_requests: 3, ..ConnectionLimits::default() });
    let url = receiver.url("/");
    let (sent, (_, mut peer)) = join!(send(&client, post(&url, "{}")), receiver.answer(OK));
    answer(sent);
    for _ in 1..3 {
        exchange(&client, &url, &mut peer, OK).await;
    }
    peer.until_closed().await;
}

#[tokio::test]
async fn a_failure_ends_a_connection() {
    for status in ["500 Broken", "503 Busy"] {
        let receiver = Receiver::start().await;
        let client = client();
        let bytes = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
        let outgoing = post(&receiver.url("/"), "{}");
        let (sent, (_, peer)) = join!(send(&client, outgoing), receiver.answer(bytes.as_bytes()));
        answer(sent);
        peer.until_closed().await;
    }
}

#[tokio::test]
async fn a_receiver_that_waits_for_a_second_is_not_kept_waiting() {
    for said in ["timeout=1, max=1000", "timeout=30, max=0"] {
        let receiver = Receiver::start().await;
        let client = client();
        let bytes = format!("HTTP/1.1 200 OK\r\nkeep-alive: {said}\r\ncontent-length: 0\r\n\r\n");
        let outgoing = post(&receiver.url("/"), "{}");
        let (sent, (_, peer)) = join!(send(&client, outgoing), receiver.answer(bytes.as_bytes()));
        answer(sent);
        peer.until_closed().await;
    }
}

#[tokio::test]
async fn a_connection_on_which_the_receiver_spoke_unasked_is_not_used() {
    let receiver = Receiver::start().await;
    let client = client();
    let url = receiver.url("/");
    let (sent, (_, mut peer)) = join!(send(&client, post(&url, "1")), receiver.answer(OK));
    answer(sent);
    peer.write(b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").await;
    let (sent, (request, _)) = join!(send(&client, post(&url, "2")), receiver.answer(OK));
    assert_eq!(answer(sent).status, 200);
    assert_eq!(request.body, b"2");
}

#[tokio::test]
async fn a_fresh_connection_is_one_that_was_not_used_before() {
    let receiver = Receiver::start().await;
    let client = client();
    let url = receiver.url("/");
    let (sent, (_, _kept)) = join!(send(&client, post(&url, "1")), receiver.answer(OK));
    answer(sent);
    let mut outgoing = post(&url, "2");
    outgoing.fresh_connection = true;
    let (sent, (request, _peer)) = join!(send(&client, outgoing), receiver.answer(OK));
    answer(sent);
    assert_eq!(request.body, b"2");
}

/// A part of an answer means that the request was read.
#[tokio::test]
async fn a_kept_connection_that_ends_within_an_answer_is_a_failure() {
    let receiver = Receiver::start().await;
    let client = client();
    let url = receiver.url("/");
    let (sent, (_, mut peer)) = join!(send(&client, post(&url, "1")), receiver.answer(OK));
    answer(sent);
    let (sent, ()) = join!(send(&client, post(&url, "2")), async {
        peer.request().await.expect("a request");
        peer.write(b"HTTP/1.1 200 O").await;
        drop(peer);
    });
    assert_eq!(failure(sent).kind, ErrorKind::Protocol);
}
