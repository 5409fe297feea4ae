//! Receivers that answer, or go on, without having taken what was written.

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
    LOOPBACK, PATIENCE, SHORT, answer, client, post,
    scripted_receiver::{OK, Receiver},
    send,
};
use crate::{connection::keep_alive::ConnectionLimits, connection::pool::ConnectionPool};

/// More than the sockets' buffers hold.
const LONG: usize = 32 * 1024 * 1024;

/// An answer may come before the request was read. What is left of the request would stand before the next one.
#[tokio::test]
async fn a_connection_that_has_not_taken_its_request_is_not_used_again() {
    let receiver = Receiver::start().await;
    let client = client();
    let mut outgoing = post(&receiver.url("/"), "");
    outgoing.body = Some(vec![b'x'; LONG].into());
    let (sent, _peer) = join!(send(&client, outgoing), async {
        let mut peer = receiver.accept().await;
        peer.more().await.expect("the beginning of a request");
        peer.write(OK).await;
        peer
    });
    assert_eq!(answer(sent).status, 200);
    let mut outgoing = post(&receiver.url("/"), "2");
    outgoing.timeout = Duration::from_secs(10);
    let (sent, (request, _)) = join!(send(&client, outgoing), receiver.answer(OK));
    assert_eq!(answer(sent).status, 200);
    assert_eq!(request.body, b"2");
}

#[tokio::test]
async fn a_connection_that_has_not_taken_its_request_ends_with_the_answer() {
    for head in ["200 OK\r\nconnection: close", "413 Too Large", "503 Busy"] {
        let receiver = Receiver::start().await;
        let client = client();
        let mut outgoing = post(&receiver.url("/"), "");
        outgoing.body = Some(vec![b'x'; LONG].into());
        let (sent, mut peer) = join!(send(&client, outgoing), async {
            let mut peer = receiver.accept().await;
            peer.more().await.expect("the beginning of a request");
            peer.write(format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\n\r\n").as_bytes()).await;
            peer
        });
        answer(sent);
        assert_eq!(peer.request().await, None, "the rest of the request is not written any more");
    }
}

/// A stream whose end never comes about, as that of a TLS stream does not while the receiver takes nothing. Whoever
/// holds the other end of the channel hears when it is dropped.
struct Endless(#[expect(dead_code, reason = "its end is seen")] oneshot::Sender<()>);

impl AsyncRead for Endless {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Endless {
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
async fn a_farewell_that_is_not_taken_does_not_hold_a_connection() {
    let pool = Arc::new(ConnectionPool::new(ConnectionLimits {
        shutdown_timeout: SHORT,
        ..ConnectionLimits::default()
    }));
    let seat = pool.register_request("https://core.example.test");
    let (ends, ended) = oneshot::channel();
    let shaken = http1::handshake(TokioIo::new(Endless(ends))).await.expect("a connection");
    let connection = seat.start_connection(shaken, Arc::default(), LOOPBACK, (LOOPBACK, 443).into());
    connection.close();
    let ended = tokio::time::timeout(PATIENCE, ended).await.expect("in time");
    ended.expect_err("the stream is dropped");
}
