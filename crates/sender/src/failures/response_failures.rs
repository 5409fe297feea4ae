//! The failures of a response: it never began, it is not HTTP, or it did not end.

use std::io;

use crate::{
    address_guard::Scheme,
    connection::exchange_monitor::ByteCounts,
    destination::Destination,
    failures::{connection_failures::closed_before_request, error_chain::innermost_error},
    response::response_reader::{MAX_HEADER_COUNT, ResponseProgress},
    tls::tls_details::{HTTP_2_ONLY, tls_error_detail},
};
use loanhook_core::model::failure::{ErrorKind, Failure, Phase};

/// No response could be read from a connection. `raw_head` is what came instead, `byte_counts` how much of the request
/// was written.
pub(crate) fn no_response(
    error: &hyper::Error,
    raw_head: &[u8],
    byte_counts: ByteCounts,
    destination: &Destination,
) -> Failure {
    if let Some(error) = innermost_error::<rustls::Error>(error) {
        return Failure::at(Phase::Tls, ErrorKind::Tls, tls_error_detail(error, destination));
    }
    if error.is_parse() {
        return Failure::at(
            Phase::Read,
            ErrorKind::Protocol,
            invalid_response_detail(&error.to_string(), raw_head, destination),
        );
    }
    if byte_counts.written == 0 {
        return closed_before_request(destination);
    }
    let ended = match innermost_error::<io::Error>(error).map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => {
            "the receiver reset the connection before an answer came"
        }
        _ => "the receiver closed the connection before an answer came",
    };
    let (phase, seen) = match (raw_head.is_empty(), byte_counts.write_blocked) {
        (false, _) => (Phase::Read, "it has seen the request, and broke off within the answer's head"),
        (true, true) => (Phase::Send, "it can have seen a part of the request at most"),
        (true, false) => (Phase::Wait, "it may have seen the request"),
    };
    Failure::at(phase, ErrorKind::Protocol, format!("{ended}; {seen}"))
}

/// The detail for bytes that are not a response. hyper says only in its error's text what it could not parse.
fn invalid_response_detail(parse_error: &str, raw_head: &[u8], destination: &Destination) -> String {
    let host_and_port = destination.shown_host_and_port();
    if parse_error.contains("too large") {
        return format!("the answer had more than {MAX_HEADER_COUNT} headers, or more than 400 KiB of them");
    }
    if is_http_2(raw_head) {
        return format!("{host_and_port} {HTTP_2_ONLY}");
    }
    // The beginning of a TLS record: an alert or a handshake message (RFC 8446, section 5.1).
    if matches!(raw_head, [0x15 | 0x16, 3, ..]) && destination.scheme == Scheme::Http {
        return format!("{host_and_port} answered in TLS; use https://");
    }
    let reason = if parse_error.contains("version") {
        "it does not begin with HTTP/1.0 or HTTP/1.1"
    } else if parse_error.contains("status") {
        "its status is not a number of three digits"
    } else if parse_error.contains("header") {
        "its headers cannot be read"
    } else {
        "it cannot be read"
    };
    format!("the answer was not HTTP: {reason}; the receiver may have seen the request")
}

/// Whether the bytes are a connection preface, or the frame that an HTTP/2 server begins with: SETTINGS, or GOAWAY, on
/// stream 0 (RFC 9113, sections 3.4 and 6).
fn is_http_2(raw_head: &[u8]) -> bool {
    raw_head.starts_with(b"PRI * HTTP/2") || matches!(raw_head, [0, 0, _, 4 | 7, _, 0, 0, 0, 0, ..])
}

/// A response that had begun did not end.
pub(crate) fn incomplete_response(
    error: &hyper::Error,
    progress: ResponseProgress,
    destination: &Destination,
) -> Failure {
    if let Some(error) = innermost_error::<rustls::Error>(error) {
        return Failure::at(Phase::Read, ErrorKind::Tls, tls_error_detail(error, destination));
    }
    let so_far = received_so_far(progress);
    let detail = match innermost_error::<io::Error>(error).map(io::Error::kind) {
        Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => {
            format!("the answer's chunks are malformed after {so_far}; the receiver has seen the request")
        }
        _ => format!("the answer broke off after {so_far}; the receiver has seen the request"),
    };
    Failure::at(Phase::Read, ErrorKind::Protocol, detail)
}

/// How much of a response has arrived, for a detail.
pub(crate) fn received_so_far(
    ResponseProgress { status, body_bytes, content_length }: ResponseProgress,
) -> String {
    match content_length {
        Some(content_length) => format!("{body_bytes} of {content_length} bytes (its status was {status})"),
        None => format!("{body_bytes} bytes (its status was {status})"),
    }
}
