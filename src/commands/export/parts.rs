//! The bytes of an exported list, part after part. The header line of CSV is that of the first part.
//!
//! What goes wrong after the first byte was given is an error that says that the export is incomplete.

use bytes::Bytes;
use reqwest::header::LINK;
use url::Url;

use super::link;
use crate::client::{ApiClient, Call};
use crate::error::{CommandError, CommandResult};

pub(super) struct Parts {
    /// Of the first part, until it is asked for.
    first: Option<Call>,
    /// The answer that is being read.
    answer: Option<Answer>,
    /// The part after that.
    next: Option<Url>,
    media_type: Option<&'static str>,
    has_header: bool,
    /// Bytes were given.
    has_begun: bool,
}

struct Answer {
    response: reqwest::Response,
    /// The header line of this part is still to be left out.
    header_is_left: bool,
}

impl Parts {
    /// All parts of the list of this call. With `has_header` each begins with a header line.
    pub(super) fn new(call: Call, has_header: bool) -> Self {
        Self {
            media_type: call.media_type(),
            first: Some(call),
            answer: None,
            next: None,
            has_header,
            has_begun: false,
        }
    }

    /// The bytes that come next; none at the end of the list.
    pub(super) async fn next(&mut self, client: &ApiClient) -> CommandResult<Option<Bytes>> {
        match self.read(client).await {
            Ok(bytes) => {
                self.has_begun |= bytes.is_some();
                Ok(bytes)
            }
            Err(why) if self.has_begun => Err(CommandError::Message(format!(
                "the export is incomplete: {why}; what was written is a part of the list"
            ))),
            Err(error) => Err(error),
        }
    }

    async fn read(&mut self, client: &ApiClient) -> CommandResult<Option<Bytes>> {
        loop {
            if let Some(answer) = &mut self.answer {
                match answer.read().await? {
                    Some(bytes) => return Ok(Some(bytes)),
                    None => self.answer = None,
                }
            }
            let (response, header_is_left) = match (self.first.take(), self.next.take()) {
                (Some(call), _) => (client.open(&call).await?, false),
                (None, Some(url)) => (client.open_url(url, self.media_type).await?, self.has_header),
                (None, None) => return Ok(None),
            };
            self.next = next_part(&response)?;
            self.answer = Some(Answer { response, header_is_left });
        }
    }
}

impl Answer {
    async fn read(&mut self) -> CommandResult<Option<Bytes>> {
        loop {
            let chunk = self.response.chunk().await.map_err(|error| broken_off(&error))?;
            let Some(mut bytes) = chunk else { return Ok(None) };
            if self.header_is_left {
                // No name of a column has a line break.
                let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else { continue };
                bytes = bytes.slice(end + 1..);
                self.header_is_left = false;
            }
            if !bytes.is_empty() {
                return Ok(Some(bytes));
            }
        }
    }
}

/// The address of the part after this one; none where it is the last.
///
/// # Errors
///
/// A `Link` header cannot be read: it may have named one.
fn next_part(response: &reqwest::Response) -> CommandResult<Option<Url>> {
    let unreadable =
        || CommandError::Message("the answer has a `Link` header that cannot be read".to_owned());
    let mut next = None;
    for value in response.headers().get_all(LINK) {
        let target =
            value.to_str().ok().map_or(Err(link::Unreadable), link::next).map_err(|_| unreadable())?;
        if let Some(target) = target.filter(|_| next.is_none()) {
            next = Some(response.url().join(target).map_err(|_| unreadable())?);
        }
    }
    Ok(next)
}

/// An answer did not come to its end.
fn broken_off(error: &reqwest::Error) -> CommandError {
    let why = if error.is_timeout() { "it took too long" } else { "the answer broke off" };
    CommandError::Message(why.to_owned())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::Parts;
    use crate::client::{ApiClient, Call};

    const NEXT: &str = "link: <?cursor=2>; rel=\"next\"\r\n";

    /// An answer with these headers, whose body should have `missing` more bytes.
    fn answer(status: &str, headers: &str, body: &str, missing: usize) -> String {
        let length = body.len() + missing;
        format!("HTTP/1.1 {status}\r\n{headers}connection: close\r\ncontent-length: {length}\r\n\r\n{body}")
    }

    /// What is written of an export that is answered so, and the error at its end.
    async fn export(answers: Vec<String>) -> (String, Option<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let server = tokio::spawn(async move {
            for answer in answers {
                let (mut socket, _) = listener.accept().await.expect("a connection");
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    assert_ne!(socket.read_buf(&mut head).await.expect("a request"), 0);
                }
                socket.write_all(answer.as_bytes()).await.expect("it reads");
            }
        });
        let client = ApiClient::new(&base, "key").expect("a client");
        let mut parts = Parts::new(Call::get(&["v1", "webhooks"]).accept("text/csv"), true);
        let mut written = Vec::new();
        let error = loop {
            match parts.next(&client).await {
                Ok(Some(bytes)) => written.extend(bytes),
                Ok(None) => break None,
                Err(error) => break Some(error.to_string()),
            }
        };
        server.await.expect("every answer was asked for");
        (String::from_utf8(written).expect("UTF-8"), error)
    }

    #[tokio::test]
    async fn parts_are_written_with_one_header_line() {
        let first = answer("200 OK", NEXT, "n\r\n1\r\n", 0);
        let empty = answer("200 OK", NEXT, "n\r\n", 0);
        let last = answer("200 OK", "", "n\r\n2\r\n", 0);
        assert_eq!(export(vec![first, empty, last]).await, ("n\r\n1\r\n2\r\n".to_owned(), None));
    }

    #[tokio::test]
    async fn an_error_after_the_first_byte_says_that_the_export_is_incomplete() {
        let first = || answer("200 OK", NEXT, "n\r\n1\r\n", 0);
        for second in [
            answer("403 Forbidden", "", "no", 0),
            answer("200 OK", "", "n\r\n2", 9),
            answer("200 OK", "link: ?cursor=3\r\n", "n\r\n2\r\n", 0),
            answer("200 OK", "link: <http://[>; rel=next\r\n", "n\r\n2\r\n", 0),
        ] {
            let (written, error) = export(vec![first(), second.clone()]).await;
            assert!(written.starts_with("n\r\n1\r\n"), "{written}");
            let error = error.expect(&second);
            assert!(error.starts_with("the export is incomplete: "), "{error}");
            assert!(error.ends_with("; what was written is a part of the list"), "{error}");
        }
    }

    #[tokio::test]
    async fn an_error_before_the_first_byte_says_what_is_wrong_alone() {
        for first in [answer("403 Forbidden", "", "no", 0), answer("200 OK", "link: x\r\n", "n\r\n", 0)] {
            let (written, error) = export(vec![first]).await;
            assert_eq!(written, "");
            assert!(error.is_some_and(|error| !error.contains("incomplete")));
        }
    }
}
