//! A bare TCP connection to the server, for requests that no HTTP client would make.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::server::Server;
use super::wait::within;

pub(crate) struct RawConnection(TcpStream);

impl RawConnection {
    pub(crate) async fn connect(server: &Server) -> Self {
        let base = server.base_url().expect("the server runs");
        let address = base.strip_prefix("http://").expect("plain HTTP");
        Self(TcpStream::connect(address).await.expect("the server listens"))
    }

    /// Whether all of it could be written.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.0.write_all(bytes.as_ref()).await.is_ok()
    }

    /// Reads until these words have come, and returns everything read so far.
    pub(crate) async fn read_until(&mut self, words: &str) -> String {
        let mut received = Vec::new();
        while !String::from_utf8_lossy(&received).contains(words) {
            let more = within("an answer", self.0.read_buf(&mut received)).await.expect("readable");
            assert_ne!(
                more,
                0,
                "the connection ended before {words}: {}",
                String::from_utf8_lossy(&received)
            );
        }
        String::from_utf8_lossy(&received).into_owned()
    }

    /// Everything that comes until the server ends the connection, in whatever way.
    pub(crate) async fn read_until_closed(mut self) -> String {
        let mut received = Vec::new();
        while let Ok(1..) = within("the end of the connection", self.0.read_buf(&mut received)).await {}
        String::from_utf8_lossy(&received).into_owned()
    }
}

/// Everything that the server answers to these bytes, on a connection of their own, until it closes that.
pub(crate) async fn response_to(server: &Server, bytes: impl AsRef<[u8]>) -> String {
    let mut socket = RawConnection::connect(server).await;
    socket.send(bytes).await;
    socket.read_until_closed().await
}
