//! The reader of a response, within limits.
//!
//! The history keeps the response, since it explains a failure. A receiver may send any amount, so what is kept is cut at
//! 1 MiB of body and 16 KiB of headers, and marked as cut. The status of a response that was cut still decides whether
//! the webhook succeeded.

use std::time::Duration;

use bytes::BytesMut;
use http::{HeaderMap, HeaderValue, Response, header::CONTENT_LENGTH, response::Parts};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use crate::{
    connection::{exchange_monitor::ExchangeMonitor, keep_alive::receiver_idle_time},
    response::{
        head_check::{HeadCheck, check_head},
        http_response::HttpResponse,
    },
};
use loanhook_core::ports::ReceivedResponse;

/// How much of a body is kept, in bytes.
pub(crate) const MAX_BODY_BYTES: usize = 1024 * 1024;
/// How much of the headers is kept, in bytes of names and values.
pub(crate) const MAX_HEADER_BYTES: usize = 16 * 1024;
/// A response with more headers is not accepted. hyper's default is 100, which a receiver behind a few proxies may
/// exceed. All headers together may be some 400 KiB, the size of hyper's buffer.
pub(crate) const MAX_HEADER_COUNT: usize = 1024;

/// A response whose body is still to be read.
pub(crate) struct ResponseReader {
    head: Parts,
    head_check: HeadCheck,
    stream: Incoming,
    body: BytesMut,
    body_truncated: bool,
    complete: bool,
}

impl ResponseReader {
    /// `monitor` is that of the connection; it has the head as it came.
    pub(crate) fn new(response: Response<Incoming>, monitor: &ExchangeMonitor) -> Self {
        let (head, stream) = response.into_parts();
        let head_check = monitor.inspect_head(|raw_head| check_head(raw_head, head.headers.len()));
        Self { head, head_check, stream, body: BytesMut::new(), body_truncated: false, complete: false }
    }

    /// Reads to the end of the body, or to the limit. It may be dropped at any time: what has arrived is kept.
    pub(crate) async fn read(&mut self) -> Result<(), hyper::Error> {
        while let Some(frame) = self.stream.frame().await {
            let Ok(chunk) = frame?.into_data() else { continue };
            let room = MAX_BODY_BYTES - self.body.len();
            self.body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                self.body_truncated = true;
                return Ok(());
            }
        }
        self.complete = true;
        Ok(())
    }

    pub(crate) fn is_server_error(&self) -> bool {
        self.head.status.is_server_error()
    }

    /// Whether the body was read to its end.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    /// For how long the connection may be idle before the next request; none if it must not be used again.
    pub(crate) fn allowed_idle_time(&self) -> Option<Duration> {
        if !self.complete || self.head_check.nonconforming {
            return None;
        }
        receiver_idle_time(self.head.status, self.head.version, &self.head.headers)
    }

    pub(crate) fn progress(&self) -> ResponseProgress {
        ResponseProgress {
            status: self.head.status.as_u16(),
            body_bytes: self.body.len(),
            content_length: self.head.headers.get(CONTENT_LENGTH).and_then(parse_content_length),
        }
    }

    /// What is kept of it, however far it was read.
    pub(crate) fn into_response(self) -> HttpResponse {
        let (headers, headers_truncated) = kept_headers(&self.head.headers);
        HttpResponse {
            status: self.head.status.as_u16(),
            received: ReceivedResponse {
                headers,
                headers_truncated,
                headers_dropped: self.head_check.dropped_lines,
                body: self.body.freeze(),
                truncated: self.body_truncated,
            },
        }
    }
}

/// How much of a response has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ResponseProgress {
    pub(crate) status: u16,
    pub(crate) body_bytes: usize,
    /// The value of `content-length`, if the receiver sent one.
    pub(crate) content_length: Option<u64>,
}

fn parse_content_length(value: &HeaderValue) -> Option<u64> {
    value.to_str().ok()?.trim().parse().ok()
}

/// Headers up to [`MAX_HEADER_BYTES`], and whether there were more. The last one that is kept may be cut short.
fn kept_headers(headers: &HeaderMap) -> (Vec<(String, String)>, bool) {
    let mut bytes_left = MAX_HEADER_BYTES;
    let mut kept = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        let (name, mut value) = (name.as_str().to_owned(), header_text(value));
        let Some(left) = bytes_left.checked_sub(name.len()) else {
            return (kept, true);
        };
        if value.len() > left {
            value.truncate(value.floor_char_boundary(left));
            kept.push((name, value));
            return (kept, true);
        }
        bytes_left = left - value.len();
        kept.push((name, value));
    }
    (kept, false)
}

/// A value as UTF-8, or else as Latin-1.
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

    fn total_bytes(headers: &[(String, String)]) -> usize {
        headers.iter().map(|(name, value)| name.len() + value.len()).sum()
    }

    #[test]
    fn a_header_value_is_read_as_utf_8_or_else_as_latin_1() {
        let (kept, truncated) = kept_headers(&headers(&[("a", "Zoë".as_bytes()), ("b", b"Zo\xeb")]));
        assert!(!truncated);
        assert_eq!(kept, [("a".into(), "Zoë".into()), ("b".into(), "Zoë".into())]);
    }

    #[test]
    fn headers_beyond_the_limit_are_cut_and_marked() {
        let exact = vec![b'x'; MAX_HEADER_BYTES - 1];
        let (all, truncated) = kept_headers(&headers(&[("a", &exact)]));
        assert!(!truncated);
        assert_eq!(total_bytes(&all), MAX_HEADER_BYTES);

        let (cut, truncated) = kept_headers(&headers(&[("a", &exact), ("b", b"y")]));
        assert!(truncated);
        assert_eq!(cut, all);

        let long = vec![b'x'; MAX_HEADER_BYTES];
        let (cut, truncated) = kept_headers(&headers(&[("a", &long)]));
        assert!(truncated);
        assert_eq!(cut, all);
    }

    #[test]
    fn a_header_value_is_not_cut_within_a_character() {
        let long = "ë".repeat(MAX_HEADER_BYTES);
        let (cut, truncated) = kept_headers(&headers(&[("a", long.as_bytes())]));
        assert!(truncated);
        assert_eq!(total_bytes(&cut), MAX_HEADER_BYTES - 1);
    }
}
