//! Answers of receivers, within limits.
//!
//! The history keeps the answer, since it explains a failure. A receiver may send any amount, so what is kept is cut at
//! 1 MiB of body and 16 KiB of headers, and marked as cut. The status of an answer that was cut still decides whether the
//! webhook succeeded.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Response, response::Parts};
use http_body_util::BodyExt as _;

use crate::{
    connection::keep_alive::allowed_idle_time,
    connection::monitored_stream::ExchangeMonitor,
    response::head_check::{HeadCheck, check_head},
};

/// How much of a body is kept, in bytes.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;
/// How much of the headers is kept, in bytes of names and values.
pub const MAX_HEADER_BYTES: usize = 16 * 1024;

/// An answer, or as much of it as is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResponse {
    pub status: u16,
    /// Names in lower case. Values are read as UTF-8, or else as Latin-1. Values of one name keep their order.
    pub headers: Vec<(String, String)>,
    /// Whether the headers went on beyond [`MAX_HEADER_BYTES`]; the last one that is kept may be cut short.
    pub headers_truncated: bool,
    /// How many header lines could not be read and were left out.
    pub headers_dropped: u32,
    /// The bytes as they came, never decompressed.
    pub body: Bytes,
    /// Whether the body went on beyond [`MAX_BODY_BYTES`].
    pub truncated: bool,
}

/// An answer whose body is still coming.
pub(crate) struct ResponseReader {
    head: Parts,
    head_check: HeadCheck,
    stream: hyper::body::Incoming,
    body: BytesMut,
    truncated: bool,
    complete: bool,
}

impl ResponseReader {
    pub(crate) fn new(response: Response<hyper::body::Incoming>, watch: &ExchangeMonitor) -> Self {
        let (head, stream) = response.into_parts();
        let irregular = watch.inspect_head(|raw| check_head(raw, head.headers.len()));
        Self { head, head_check: irregular, stream, body: BytesMut::new(), truncated: false, complete: false }
    }

    /// Reads to the end of the body, or to the limit. May be abandoned at any time: what has arrived is kept.
    pub(crate) async fn read(&mut self) -> Result<(), hyper::Error> {
        while let Some(frame) = self.stream.frame().await {
            let Ok(chunk) = frame?.into_data() else { continue };
            let room = MAX_BODY_BYTES - self.body.len();
            self.body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                self.truncated = true;
                return Ok(());
            }
        }
        self.complete = true;
        Ok(())
    }

    pub(crate) fn is_server_error(&self) -> bool {
        self.head.status.is_server_error()
    }

    /// Whether all of it was read.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    /// For how long its connection may wait for another request; none if it is not to be used again.
    pub(crate) fn allowed_idle_time(&self) -> Option<Duration> {
        let Parts { status, version, headers, .. } = &self.head;
        allowed_idle_time(*status, *version, headers)
            .filter(|_| self.complete && !self.head_check.nonconforming)
    }

    pub(crate) fn progress(&self) -> ResponseProgress {
        ResponseProgress {
            status: self.head.status.as_u16(),
            body_bytes: self.body.len(),
            content_length: self
                .head
                .headers
                .get(http::header::CONTENT_LENGTH)
                .and_then(parse_content_length),
        }
    }

    /// What is kept of it.
    pub(crate) fn into_response(self) -> HttpResponse {
        let (headers, headers_truncated) = stored_headers(&self.head.headers);
        HttpResponse {
            status: self.head.status.as_u16(),
            headers,
            headers_truncated,
            headers_dropped: self.head_check.dropped_lines,
            body: self.body.freeze(),
            truncated: self.truncated,
        }
    }
}

/// How far an answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ResponseProgress {
    pub(crate) status: u16,
    /// Bytes of the body.
    pub(crate) body_bytes: usize,
    /// `content-length`, if the receiver sent one.
    pub(crate) content_length: Option<u64>,
}

fn parse_content_length(value: &HeaderValue) -> Option<u64> {
    value.to_str().ok()?.trim().parse().ok()
}

fn stored_headers(headers: &HeaderMap) -> (Vec<(String, String)>, bool) {
    let mut room = MAX_HEADER_BYTES;
    let mut kept = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        let (name, mut value) = (name.as_str().to_owned(), header_text(value));
        let Some(left) = room.checked_sub(name.len()) else {
            return (kept, true);
        };
        if value.len() > left {
            value.truncate(value.floor_char_boundary(left));
            kept.push((name, value));
            return (kept, true);
        }
        room = left - value.len();
        kept.push((name, value));
    }
    (kept, false)
}

fn header_text(value: &HeaderValue) -> String {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => text.to_owned(),
        Err(_) => value.as_bytes().iter().copied().map(char::from).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[(&'static str, &[u8])]) -> HeaderMap {
        values
            .iter()
            .map(|(name, value)| {
                let value = HeaderValue::from_bytes(value).expect("a value");
                (http::HeaderName::from_static(name), value)
            })
            .collect()
    }

    fn bytes(headers: &[(String, String)]) -> usize {
        headers.iter().map(|(name, value)| name.len() + value.len()).sum()
    }

    #[test]
    fn a_value_is_utf8_or_else_latin_1() {
        let (kept, truncated) = stored_headers(&headers(&[("a", "Zoë".as_bytes()), ("b", b"Zo\xeb")]));
        assert!(!truncated);
        assert_eq!(kept, [("a".into(), "Zoë".into()), ("b".into(), "Zoë".into())]);
    }

    #[test]
    fn headers_are_kept_to_the_limit_and_marked_beyond_it() {
        let exact = vec![b'x'; MAX_HEADER_BYTES - 1];
        let (all, truncated) = stored_headers(&headers(&[("a", &exact)]));
        assert!(!truncated);
        assert_eq!(bytes(&all), MAX_HEADER_BYTES);

        let (cut, truncated) = stored_headers(&headers(&[("a", &exact), ("b", b"y")]));
        assert!(truncated);
        assert_eq!(cut, all);

        let long = vec![b'x'; MAX_HEADER_BYTES];
        let (cut, truncated) = stored_headers(&headers(&[("a", &long)]));
        assert!(truncated);
        assert_eq!(cut, all);
    }

    #[test]
    fn a_value_is_never_cut_within_a_character() {
        let long = "ë".repeat(MAX_HEADER_BYTES);
        let (cut, truncated) = stored_headers(&headers(&[("a", long.as_bytes())]));
        assert!(truncated);
        assert_eq!(bytes(&cut), MAX_HEADER_BYTES - 1);
    }
}
