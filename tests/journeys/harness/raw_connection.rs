//! A bare socket to the server: for requests that no client would make.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::server::Target;
use super::wait::within;

pub(crate) struct Socket(TcpStream);

impl Socket {
    pub(crate) async fn connect(target: &Target) -> Self {
        let base = target.base().expect("the server runs");
        let address = base.strip_prefix("http://").expect("plain HTTP");
        Self(TcpStream::connect(address).await.expect("the server listens"))
    }

    /// Whether all of it could be written.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.0.write_all(bytes.as_ref()).await.is_ok()
    }

    /// Reads until these words have come.
    pub(crate) async fn hears(&mut self, words: &str) -> String {
        let mut heard = Vec::new();
        while !String::from_utf8_lossy(&heard).contains(words) {
            let more = within("an answer", self.0.read_buf(&mut heard)).await.expect("readable");
            assert_ne!(more, 0, "the connection ended before {words}: {}", String::from_utf8_lossy(&heard));
        }
        String::from_utf8_lossy(&heard).into_owned()
    }

    /// Everything that comes until the server ends the connection, in whatever way.
    pub(crate) async fn heard_until_closed(mut self) -> String {
        let mut heard = Vec::new();
        while let Ok(1..) = within("the end of the connection", self.0.read_buf(&mut heard)).await {}
        String::from_utf8_lossy(&heard).into_owned()
    }
}

/// What the server says to bytes, on a connection of their own.
pub(crate) async fn answer_to(target: &Target, bytes: impl AsRef<[u8]>) -> String {
    let mut socket = Socket::connect(target).await;
    socket.send(bytes).await;
    socket.heard_until_closed().await
}
