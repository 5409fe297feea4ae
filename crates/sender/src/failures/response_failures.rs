//! Failures of requests: a kind, a phase and a sentence for each error of a library.
//!
//! An error has a chain of causes: hyper's, the TLS library's, the operating system's. All of them are looked at, and
//! one decides, in this order: TLS, then HTTP, then the connection.
//!
//! Only what is known to be harmless is quoted: hosts, ports, byte counts and statuses. The libraries' own texts are
//! not: they are for programmers.

use std::{error::Error, io, iter};

use crate::{
    address_guard::Scheme, client::MAX_HEADER_COUNT, connection::monitored_stream::ByteCounts,
    prepared_request::Destination, resource_exhaustion, response::response_reader::ResponseProgress,
    tls::tls_details,
};
use loanhook_core::model::failure::{ErrorKind, Failure, Phase};
use loanhook_core::ports::NotSent;

const HTTP_2_ONLY: &str = "speaks HTTP/2 only, and webhooks are sent as HTTP/1.1; let it take HTTP/1.1 too";

pub(crate) fn name_without_address(to: &Destination) -> Failure {
    let detail =
        format!("the name {} does not resolve: it has no address; nothing was sent", to.shown_host());
    Failure::at(Phase::Resolve, ErrorKind::Dns, detail)
}

pub(crate) fn invalid_host_name(to: &Destination) -> Failure {
    let detail = format!("the name {} is not one that a host can have; nothing was sent", to.shown_host());
    Failure::at(Phase::Resolve, ErrorKind::Dns, detail)
}

/// Why a name was not resolved, unless this machine is to blame.
pub(crate) fn lookup_failed(error: &io::Error, to: &Destination) -> Result<Failure, NotSent> {
    if let Some(not_sent) = resource_exhaustion::not_sent(error) {
        return Err(not_sent);
    }
    let detail = format!("the name {} does not resolve: {error}; nothing was sent", to.shown_host());
    Ok(Failure::at(Phase::Resolve, ErrorKind::Dns, detail))
}

/// Why there is no connection to any of a host's addresses.
pub(crate) fn connect_failed(error: &io::Error, to: &Destination, addresses: usize) -> Failure {
    use io::ErrorKind as Io;
    let of =
        if addresses > 1 { format!(" (all {addresses} of its addresses were tried)") } else { String::new() };
    let place = to.shown_host_and_port();
    let (kind, detail) = match error.kind() {
        Io::ConnectionRefused => {
            (ErrorKind::Connect, format!("{place} refused the connection{of}: nothing listens there"))
        }
        Io::HostUnreachable | Io::NetworkUnreachable | Io::AddrNotAvailable => {
            (ErrorKind::Connect, format!("{place} cannot be reached{of}: there is no route to it"))
        }
        Io::TimedOut => {
            (ErrorKind::Timeout, format!("no connection to {place} came about{of}: it did not answer"))
        }
        Io::PermissionDenied => (
            ErrorKind::Connect,
            format!("no connection to {place}{of}: a firewall on our side does not allow it"),
        ),
        Io::ConnectionReset | Io::ConnectionAborted => {
            (ErrorKind::Connect, format!("{place} broke the connection off as it was made{of}"))
        }
        _ => (ErrorKind::Connect, format!("no connection to {place} could be made{of}")),
    };
    Failure::at(Phase::Connect, kind, format!("{detail}; nothing was sent"))
}

/// Why a connection was not secured.
pub(crate) fn tls_failed(error: &io::Error, to: &Destination) -> Failure {
    let detail = match innermost_error::<rustls::Error>(error) {
        Some(error) => tls_details::tls_error_detail(error, to),
        None => format!(
            "{} closed the connection during the TLS handshake; it may not speak TLS on this port",
            to.shown_host_and_port()
        ),
    };
    Failure::at(Phase::Tls, ErrorKind::Tls, detail)
}

/// That a connection ended before the request was written to it.
pub(crate) fn closed_before_request(to: &Destination) -> Failure {
    let detail = format!(
        "{} closed the connection before the request was sent; it has seen nothing of it",
        to.shown_host_and_port()
    );
    Failure::at(Phase::Send, ErrorKind::Protocol, detail)
}

/// That nobody knows what became of a request on a kept connection.
pub(crate) fn interrupted(bytes: ByteCounts, to: &Destination) -> Failure {
    let phase = if bytes.write_blocked { Phase::Send } else { Phase::Wait };
    let detail = format!(
        "the connection to {}, kept from an earlier request, ended before an answer began; whether the receiver has \
         seen this request is unknown",
        to.shown_host_and_port()
    );
    Failure::at(phase, ErrorKind::Interrupted, detail)
}

/// What this machine lacked to write a request.
pub(crate) fn not_sent(error: &hyper::Error) -> Option<NotSent> {
    innermost_error::<io::Error>(error).and_then(resource_exhaustion::not_sent)
}

/// Why no answer came over a connection. `raw` is what came instead, `bytes` how much of the request was written.
pub(crate) fn no_response(error: &hyper::Error, raw: &[u8], bytes: ByteCounts, to: &Destination) -> Failure {
    if let Some(error) = innermost_error::<rustls::Error>(error) {
        return Failure::at(Phase::Tls, ErrorKind::Tls, tls_details::tls_error_detail(error, to));
    }
    if error.is_parse() {
        return Failure::at(
            Phase::Read,
            ErrorKind::Protocol,
            invalid_response_detail(&error.to_string(), raw, to),
        );
    }
    if bytes.written == 0 {
        return closed_before_request(to);
    }
    let how = match innermost_error::<io::Error>(error).map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => {
            "the receiver reset the connection before an answer came"
        }
        _ => "the receiver closed the connection before an answer came",
    };
    let (phase, seen) = match (raw.is_empty(), bytes.write_blocked) {
        (false, _) => (Phase::Read, "it has seen the request, and broke off within the answer's head"),
        (true, true) => (Phase::Send, "it can have seen a part of the request at most"),
        (true, false) => (Phase::Wait, "it may have seen the request"),
    };
    Failure::at(phase, ErrorKind::Protocol, format!("{how}; {seen}"))
}

/// What came that is not an answer. The parser has only its text to tell apart what it did not like.
fn invalid_response_detail(reason: &str, raw: &[u8], to: &Destination) -> String {
    let place = to.shown_host_and_port();
    if reason.contains("too large") {
        return format!("the answer had more than {MAX_HEADER_COUNT} headers, or more than 400 KiB of them");
    }
    if is_http_2(raw) {
        return format!("{place} {HTTP_2_ONLY}");
    }
    if matches!(raw, [0x15 | 0x16, 3, ..]) && to.scheme == Scheme::Http {
        return format!("{place} answered in TLS; use https://");
    }
    let what = match reason {
        _ if reason.contains("version") => "it does not begin with HTTP/1.0 or HTTP/1.1",
        _ if reason.contains("status") => "its status is not a number of three digits",
        _ if reason.contains("header") => "its headers cannot be read",
        _ => "it cannot be read",
    };
    format!("the answer was not HTTP: {what}; the receiver may have seen the request")
}

/// A connection preface, or the frame that an HTTP/2 server begins with: SETTINGS, or GOAWAY, on stream 0.
fn is_http_2(raw: &[u8]) -> bool {
    raw.starts_with(b"PRI * HTTP/2") || matches!(raw, [0, 0, _, 4 | 7, _, 0, 0, 0, 0, ..])
}

/// Why an answer that had begun did not end.
pub(crate) fn incomplete_response(
    error: &hyper::Error,
    progress: ResponseProgress,
    to: &Destination,
) -> Failure {
    if let Some(error) = innermost_error::<rustls::Error>(error) {
        return Failure::at(Phase::Read, ErrorKind::Tls, tls_details::tls_error_detail(error, to));
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

/// How far an answer came.
pub(crate) fn received_so_far(
    ResponseProgress { status, body_bytes: arrived, content_length: announced }: ResponseProgress,
) -> String {
    match announced {
        Some(announced) => format!("{arrived} of {announced} bytes (its status was {status})"),
        None => format!("{arrived} bytes (its status was {status})"),
    }
}

/// The innermost error of a type in the chain. `io::Error` hides the error that it wraps from `source`, so it is
/// opened here.
fn innermost_error<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let causes = iter::successors(Some(error), |&error| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        }
    });
    causes.filter_map(|error| error.downcast_ref()).last()
}
