//! A receiver of webhooks that does what the test says.

use std::net::IpAddr;

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

pub(super) const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// Fails the test where the client does not do what the test waits for.
async fn within_timeout<T>(expected: impl Future<Output = T>) -> T {
    let waiting = tokio::time::timeout(super::TEST_TIMEOUT, expected);
    waiting.await.expect("the client does what the receiver waits for")
}

pub(super) struct Receiver(TcpListener);

impl Receiver {
    pub(super) async fn start() -> Self {
        Self::start_at(super::LOOPBACK, 0).await
    }

    /// At this port, or at any free one if it is 0.
    pub(super) async fn start_at(address: IpAddr, port: u16) -> Self {
        Self(TcpListener::bind((address, port)).await.expect("the port"))
    }

    pub(super) fn port(&self) -> u16 {
        self.0.local_addr().expect("an address").port()
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port())
    }

    pub(super) async fn accept(&self) -> Peer<TcpStream> {
        let (stream, _) = within_timeout(self.0.accept()).await.expect("a connection");
        Peer::new(stream)
    }

    /// Accepts a connection, reads a request and responds with `bytes`. The connection stays open.
    pub(super) async fn respond(&self, bytes: &[u8]) -> (ReceivedRequest, Peer<TcpStream>) {
        let mut peer = self.accept().await;
        let received = peer.read_request().await.expect("a request");
        peer.write(bytes).await;
        (received, peer)
    }

    /// That no connection was made besides those that were accepted. Connections are accepted in the order in which they
    /// are made, so the next one must be the one made here.
    pub(super) async fn assert_no_other_connection(&self) {
        let own = TcpStream::connect(("127.0.0.1", self.port())).await.expect("a connection");
        let (_, next) = self.0.accept().await.expect("a connection");
        assert_eq!(next, own.local_addr().expect("an address"), "there was another connection");
    }
}

/// A request as it stood on the wire.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ReceivedRequest {
    pub(super) line: String,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl ReceivedRequest {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(candidate, _)| candidate == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// The receiver's end of a connection, in plain or over TLS.
pub(super) struct Peer<S> {
    stream: S,
    unread: Vec<u8>,
}

impl Peer<TcpStream> {
    pub(super) fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// Ends the connection with a TCP reset, as a receiver that crashes does.
    pub(super) fn reset(self) {
        self.stream.set_zero_linger().expect("a reset");
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, unread: Vec::new() }
    }

    /// The next request; none when the client closes the connection first.
    pub(super) async fn read_request(&mut self) -> Option<ReceivedRequest> {
        const END: &[u8] = b"\r\n\r\n";
        let end = loop {
            if let Some(at) = self.unread.windows(END.len()).position(|window| window == END) {
                break at;
            }
            self.read_more().await?;
        };
        let head = String::from_utf8(self.unread.drain(..end + END.len()).collect()).expect("text");
        let (line, rest) = head.split_once("\r\n").expect("a request line");
        let headers = rest.lines().filter_map(|line| line.split_once(": "));
        let mut received = ReceivedRequest {
            line: line.to_owned(),
            headers: headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect(),
            body: Vec::new(),
        };
        let length = received.header("content-length").map_or(0, |length| length.parse().expect("a length"));
        while self.unread.len() < length {
            self.read_more().await?;
        }
        received.body = self.unread.drain(..length).collect();
        Some(received)
    }

    /// Reads what comes next; none at the end.
    pub(super) async fn read_more(&mut self) -> Option<()> {
        // A client that drops the connection may reset it.
        let read = within_timeout(self.stream.read_buf(&mut self.unread)).await.unwrap_or(0);
        (read > 0).then_some(())
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("written");
        self.stream.flush().await.expect("flushed");
    }

    /// Writes again and again, until the client closes the connection.
    pub(super) async fn write_until_closed(&mut self, bytes: &[u8]) {
        while self.stream.write_all(bytes).await.is_ok() {}
    }

    /// Closes the receiver's side, and waits until the client has closed its side too.
    pub(super) async fn close(mut self) {
        self.stream.shutdown().await.expect("closed");
        self.assert_closed().await;
    }

    /// Waits until the client closes the connection, whatever it has sent.
    pub(super) async fn read_until_closed(mut self) {
        while self.read_more().await.is_some() {}
    }

    /// Waits until the client closes the connection, and checks that it has sent nothing more.
    pub(super) async fn assert_closed(mut self) {
        assert_eq!(self.read_request().await, None);
        assert_eq!(self.unread, b"");
    }
}
