//! The keep-alive rule: which connections are kept, and for how long.

use std::time::Duration;

use tokio::join;

use super::{
    LOOPBACK, SHORT_TIMEOUT, client, failure, loopback_network, post, resolving_to,
    scripted_receiver::{OK, Peer, Receiver},
    send, whole_response,
};
use crate::{WebhookClient, connection::keep_alive::ConnectionLimits};
use loanhook_core::model::failure::ErrorKind;

/// Sends a request that gets its response over this connection.
async fn exchange<S>(client: &WebhookClient, url: &str, peer: &mut Peer<S>, bytes: &[u8])
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let (outcome, ()) = join!(send(client, post(url, "{}")), async {
        peer.read_request().await.expect("a request on this connection");
        peer.write(bytes).await;
    });
    whole_response(outcome);
}

#[tokio::test]
async fn as_many_connections_are_kept_as_requests_were_active() {
    let receiver = Receiver::start().await;
    let client = client();
    let url = receiver.url("/");
    let burst = || futures_util::future::join_all((0..40).map(|_| send(&client, post(&url, "{}"))));
    let (outcome, mut peers) = join!(burst(), async {
        let mut peers = Vec::new();
        for _ in 0..40 {
            let mut peer = receiver.accept().await;
            peer.read_request().await.expect("a request");
            peers.push(peer);
        }
        for peer in &mut peers {
            peer.write(OK).await;
        }
        peers
    });
    assert!(outcome.into_iter().all(|outcome| whole_response(outcome).status == 200));
    // The next burst uses them all.
    let (outcome, _) = join!(
        burst(),
        futures_util::future::join_all(peers.iter_mut().map(|peer| async {
            peer.read_request().await.expect("a request");
            peer.write(OK).await;
        }))
    );
    assert!(outcome.into_iter().all(|outcome| whole_response(outcome).status == 200));
    receiver.assert_no_other_connection().await;
}

/// A client with these limits of connections.
fn client_with_limits(limits: ConnectionLimits) -> WebhookClient {
    WebhookClient::build(loopback_network(), resolving_to(vec![LOOPBACK]), &[], limits).expect("a client")
}

#[tokio::test]
async fn a_connection_is_closed_at_its_age_limit_and_at_its_idle_limits() {
    for limits in [
        ConnectionLimits { max_age: Duration::ZERO, ..ConnectionLimits::default() },
        ConnectionLimits { max_idle_time: Duration::ZERO, ..ConnectionLimits::default() },
        ConnectionLimits { max_idle_connections: 0, ..ConnectionLimits::default() },
        // The sweep closes these.
        ConnectionLimits { max_age: SHORT_TIMEOUT, ..ConnectionLimits::default() },
        ConnectionLimits { max_idle_time: SHORT_TIMEOUT, ..ConnectionLimits::default() },
    ] {
        let receiver = Receiver::start().await;
        let client = client_with_limits(limits);
        let (outcome, (_, peer)) = join!(send(&client, post(&receiver.url("/"), "{}")), receiver.respond(OK));
        whole_response(outcome);
        peer.assert_closed().await;
    }
}

#[tokio::test]
async fn a_connection_is_closed_after_its_maximum_number_of_requests() {
    let receiver = Receiver::start().await;
    let client = client_with_limits(ConnectionLimits { max_requests: 3, ..ConnectionLimits::default() });
    let url = receiver.url("/");
    let (outcome, (_, mut peer)) = join!(send(&client, post(&url, "{}")), receiver.respond(OK));
    whole_response(outcome);
    for _ in 1..3 {
        exchange(&client, &url, &mut peer, OK).await;
    }
    peer.assert_closed().await;
}

/// Checks that the client closes its connection after a response with this status and these header lines.
async fn assert_closed_after(head: &str) {
    let receiver = Receiver::start().await;
    let client = client();
    let bytes = format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\n\r\n");
    let request = post(&receiver.url("/"), "{}");
    let (outcome, (_, peer)) = join!(send(&client, request), receiver.respond(bytes.as_bytes()));
    whole_response(outcome);
    peer.assert_closed().await;
}

#[tokio::test]
async fn a_server_error_closes_the_connection() {
    for status in ["500 Broken", "503 Busy"] {
        assert_closed_after(status).await;
    }
}

#[tokio::test]
async fn a_connection_is_closed_where_keep_alive_leaves_no_idle_time() {
    for keep_alive in ["timeout=1, max=1000", "timeout=30, max=0"] {
        assert_closed_after(&format!("200 OK\r\nkeep-alive: {keep_alive}")).await;
    }
}

#[tokio::test]
async fn a_connection_with_unrequested_bytes_is_not_reused() {
    let receiver = Receiver::start().await;
    let client = client();
    let url = receiver.url("/");
    let (outcome, (_, mut peer)) = join!(send(&client, post(&url, "1")), receiver.respond(OK));
    whole_response(outcome);
    peer.write(b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").await;
    let (outcome, (received, _)) = join!(send(&client, post(&url, "2")), receiver.respond(OK));
    assert_eq!(whole_response(outcome).status, 200);
    assert_eq!(received.body, b"2");
}

#[tokio::test]
async fn a_fresh_connection_was_not_used_before() {
    let receiver = Receiver::start().await;
    let client = client();
    let url = receiver.url("/");
    let (outcome, (_, _kept)) = join!(send(&client, post(&url, "1")), receiver.respond(OK));
    whole_response(outcome);
    let mut request = post(&url, "2");
    request.fresh_connection = true;
    let (outcome, (received, _peer)) = join!(send(&client, request), receiver.respond(OK));
    whole_response(outcome);
    assert_eq!(received.body, b"2");
}

/// A part of a response means that the request was read.
#[tokio::test]
async fn a_reused_connection_that_ends_within_a_response_is_a_protocol_failure() {
    let receiver = Receiver::start().await;
    let client = client();
    let url = receiver.url("/");
    let (outcome, (_, mut peer)) = join!(send(&client, post(&url, "1")), receiver.respond(OK));
    whole_response(outcome);
    let (outcome, ()) = join!(send(&client, post(&url, "2")), async {
        peer.read_request().await.expect("a request");
        peer.write(b"HTTP/1.1 200 O").await;
        drop(peer);
    });
    assert_eq!(failure(outcome).kind, ErrorKind::Protocol);
}
