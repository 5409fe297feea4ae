//! A receiver of webhooks that does as it is told.

use std::net::IpAddr;

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

pub(super) const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// A sender that does not do what a test waits for fails the test, and does not stop it for ever.
async fn within<T>(expected: impl Future<Output = T>) -> T {
    let patient = tokio::time::timeout(super::PATIENCE, expected);
    patient.await.expect("the sender does what the receiver waits for")
}

pub(super) struct Receiver(TcpListener);

impl Receiver {
    pub(super) async fn start() -> Self {
        Self::start_at(super::LOOPBACK).await
    }

    pub(super) async fn start_at(address: IpAddr) -> Self {
        Self(TcpListener::bind((address, 0)).await.expect("a port"))
    }

    pub(super) async fn start_on(address: IpAddr, port: u16) -> Self {
        Self(TcpListener::bind((address, port)).await.expect("the port"))
    }

    pub(super) fn port(&self) -> u16 {
        self.0.local_addr().expect("an address").port()
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port())
    }

    pub(super) async fn accept(&self) -> Peer<TcpStream> {
        let (stream, _) = within(self.0.accept()).await.expect("a connection");
        Peer::new(stream)
    }

    /// Accepts one connection, reads one request and answers it with `bytes`; the connection stays open.
    pub(super) async fn answer(&self, bytes: &[u8]) -> (Request, Peer<TcpStream>) {
        let mut peer = self.accept().await;
        let request = peer.request().await.expect("a request");
        peer.write(bytes).await;
        (request, peer)
    }

    /// That no connection was made beyond those accepted. Connections are accepted in the order in which they were
    /// made, so the next one must be the one made here.
    pub(super) async fn assert_no_other_connection(&self) {
        let own = TcpStream::connect(("127.0.0.1", self.port())).await.expect("a connection");
        let (_, next) = self.0.accept().await.expect("a connection");
        assert_eq!(next, own.local_addr().expect("an address"), "there was another connection");
    }
}

/// A request as it stood on the wire.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) line: String,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(candidate, _)| candidate == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// One connection of the sender, in the clear or not.
pub(super) struct Peer<S> {
    stream: S,
    unread: Vec<u8>,
}

impl Peer<TcpStream> {
    pub(super) fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// Ends the connection with a reset, as a receiver that crashes does.
    pub(super) fn reset(self) {
        self.stream.set_zero_linger().expect("a reset");
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, unread: Vec::new() }
    }

    /// The next request; none when the sender closes the connection first.
    pub(super) async fn request(&mut self) -> Option<Request> {
        const END: &[u8] = b"\r\n\r\n";
        let end = loop {
            if let Some(at) = self.unread.windows(END.len()).position(|window| window == END) {
                break at;
            }
            self.more().await?;
        };
        let head = String::from_utf8(self.unread.drain(..end + END.len()).collect()).expect("text");
        let (line, rest) = head.split_once("\r\n").expect("a request line");
        let headers = rest.lines().filter_map(|line| line.split_once(": "));
        let mut request = Request {
            line: line.to_owned(),
            headers: headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect(),
            body: Vec::new(),
        };
        let length = request.header("content-length").map_or(0, |length| length.parse().expect("a length"));
        while self.unread.len() < length {
            self.more().await?;
        }
        request.body = self.unread.drain(..length).collect();
        Some(request)
    }

    /// Reads what comes next; none at the end.
    pub(super) async fn more(&mut self) -> Option<()> {
        // A sender that drops the connection may reset it.
        let read = within(self.stream.read_buf(&mut self.unread)).await.unwrap_or(0);
        (read > 0).then_some(())
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("written");
        self.stream.flush().await.expect("flushed");
    }

    /// Writes until the sender no longer takes it.
    pub(super) async fn write_forever(&mut self, bytes: &[u8]) {
        while self.stream.write_all(bytes).await.is_ok() {}
    }

    /// Says that nothing more will be written, and waits until the sender has closed its side too.
    pub(super) async fn close(mut self) {
        self.stream.shutdown().await.expect("closed");
        self.until_closed().await;
    }

    /// Waits until the sender closes the connection, whatever it has sent.
    pub(super) async fn until_end(mut self) {
        while self.more().await.is_some() {}
    }

    /// Waits until the sender closes the connection, having sent nothing more.
    pub(super) async fn until_closed(mut self) {
        assert_eq!(self.request().await, None);
        assert_eq!(self.unread, b"");
    }
}
