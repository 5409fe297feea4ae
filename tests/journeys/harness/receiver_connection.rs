//! One connection of the receiver. Requests are read from the bare socket, so that a test sees them as they were sent.

use std::time::SystemTime;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::receiver::Received;
use super::reply::{Reply, Step};
use super::wait::pause;

const MOST_HEADERS: usize = 200;

/// Serves one connection until the other side or a reply ends it.
pub(super) async fn serve_connection(
    mut socket: TcpStream,
    reply_to: impl Fn(Received) -> Reply,
) -> std::io::Result<()> {
    let mut unread = Vec::new();
    while let Some(request) = read_request(&mut socket, &mut unread).await? {
        for step in reply_to(request).steps {
            match step {
                Step::Await(gate) => gate.opened().await,
                Step::Wait(time) => pause(time).await,
                Step::Send(bytes) => socket.write_all(&bytes).await?,
                Step::Reset => {
                    socket.set_zero_linger()?;
                    return Ok(());
                }
                Step::Close => return socket.shutdown().await,
            }
        }
    }
    Ok(())
}

/// The next request; none at the end of the connection.
pub(super) async fn read_request(
    socket: &mut (impl AsyncRead + Unpin),
    unread: &mut Vec<u8>,
) -> std::io::Result<Option<Received>> {
    loop {
        if let Some((mut request, head, length)) = parse_head(unread)? {
            while unread.len() < head + length {
                if socket.read_buf(unread).await? == 0 {
                    return Ok(None);
                }
            }
            request.body = unread[head..head + length].to_vec();
            request.at = SystemTime::now();
            unread.drain(..head + length);
            return Ok(Some(request));
        }
        if socket.read_buf(unread).await? == 0 {
            return Ok(None);
        }
    }
}

/// The request without its body, the length of its head, and the length of the body that follows.
fn parse_head(bytes: &[u8]) -> std::io::Result<Option<(Received, usize, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let head = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(head)) => head,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(no_http) => return Err(std::io::Error::other(no_http)),
    };
    let headers: Vec<(String, String)> = parsed
        .headers
        .iter()
        .map(|header| (header.name.to_ascii_lowercase(), String::from_utf8_lossy(header.value).into_owned()))
        .collect();
    let request = Received {
        method: parsed.method.unwrap_or_default().to_owned(),
        path_and_query: parsed.path.unwrap_or_default().to_owned(),
        headers,
        body: Vec::new(),
        at: SystemTime::UNIX_EPOCH,
    };
    assert!(request.header("transfer-encoding").is_none(), "a webhook is sent with a content-length");
    let length =
        request.header("content-length").map_or(0, |length| length.parse().expect("a length is a number"));
    Ok(Some((request, head, length)))
}
