//! Receivers that respond without having taken the whole request.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    join,
    sync::oneshot,
};

use super::{
    LOOPBACK, SHORT_TIMEOUT, TEST_TIMEOUT, client, post,
    scripted_receiver::{OK, Receiver},
    send, whole_response,
};
use crate::{connection::keep_alive::ConnectionLimits, connection::pool::ConnectionPool};

/// More than the sockets' buffers hold.
const LARGE_BODY_BYTES: usize = 32 * 1024 * 1024;

/// The rest of the request would be written before the next request.
#[tokio::test]
async fn a_connection_whose_request_was_not_taken_is_not_reused() {
    let receiver = Receiver::start().await;
    let client = client();
    let mut request = post(&receiver.url("/"), "");
    request.body = vec![b'x'; LARGE_BODY_BYTES].into();
    let (outcome, _peer) = join!(send(&client, request), async {
        let mut peer = receiver.accept().await;
        peer.read_more().await.expect("the beginning of a request");
        peer.write(OK).await;
        peer
    });
    assert_eq!(whole_response(outcome).status, 200);
    let mut request = post(&receiver.url("/"), "2");
    request.timeout = Duration::from_secs(10);
    let (outcome, (received, _)) = join!(send(&client, request), receiver.respond(OK));
    assert_eq!(whole_response(outcome).status, 200);
    assert_eq!(received.body, b"2");
}

#[tokio::test]
async fn a_connection_whose_request_was_not_taken_is_closed_after_the_response() {
    for head in ["200 OK\r\nconnection: close", "413 Too Large", "503 Busy"] {
        let receiver = Receiver::start().await;
        let client = client();
        let mut request = post(&receiver.url("/"), "");
        request.body = vec![b'x'; LARGE_BODY_BYTES].into();
        let (outcome, mut peer) = join!(send(&client, request), async {
            let mut peer = receiver.accept().await;
            peer.read_more().await.expect("the beginning of a request");
            peer.write(format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\n\r\n").as_bytes()).await;
            peer
        });
        whole_response(outcome);
        assert_eq!(peer.read_request().await, None, "the rest of the request is not written any more");
    }
}

/// A stream whose shutdown never ends, like that of a TLS stream while the receiver takes nothing. The other end of the
/// channel shows when it is dropped.
struct EndlessShutdown(#[expect(dead_code, reason = "the other end sees the drop")] oneshot::Sender<()>);

impl AsyncRead for EndlessShutdown {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for EndlessShutdown {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

#[tokio::test]
async fn a_tls_shutdown_that_is_not_taken_does_not_hold_the_connection() {
    let pool = Arc::new(ConnectionPool::new(ConnectionLimits {
        shutdown_timeout: SHORT_TIMEOUT,
        ..ConnectionLimits::default()
    }));
    let active_request = pool.register_request("https://core.example.test");
    let (dropped, stream_dropped) = oneshot::channel();
    let handshake = http1::handshake(TokioIo::new(EndlessShutdown(dropped))).await.expect("a connection");
    let connection =
        active_request.start_connection(handshake, Arc::default(), LOOPBACK, (LOOPBACK, 443).into());
    connection.close();
    let ended = tokio::time::timeout(TEST_TIMEOUT, stream_dropped).await.expect("in time");
    ended.expect_err("the stream is dropped");
}
