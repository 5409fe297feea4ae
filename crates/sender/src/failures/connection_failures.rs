//! The failures of a request of which no response began: name lookup, connection, TLS, and a connection that ended.

use std::io;

use crate::{
    connection::exchange_monitor::ByteCounts, destination::Destination,
    failures::error_chain::innermost_error, tls::tls_details::tls_error_detail,
};
use loanhook_core::model::failure::{ErrorKind, Failure, Phase};

/// The name exists without an address, or does not exist.
pub(crate) fn name_without_address(destination: &Destination) -> Failure {
    let detail = format!(
        "the name {} does not resolve: it has no address; nothing was sent",
        destination.shown_host()
    );
    Failure::at(Phase::Resolve, ErrorKind::Dns, detail)
}

/// The name is not one that a TLS certificate can be valid for.
pub(crate) fn invalid_host_name(destination: &Destination) -> Failure {
    let detail =
        format!("the name {} is not one that a host can have; nothing was sent", destination.shown_host());
    Failure::at(Phase::Resolve, ErrorKind::Dns, detail)
}

/// The name server's answer to the name lookup is an error, or there is none.
pub(crate) fn lookup_failed(error: &io::Error, destination: &Destination) -> Failure {
    let detail = format!("the name {} does not resolve: {error}; nothing was sent", destination.shown_host());
    Failure::at(Phase::Resolve, ErrorKind::Dns, detail)
}

/// No address accepted a connection. `address_count` is how many the host has.
pub(crate) fn connect_failed(error: &io::Error, destination: &Destination, address_count: usize) -> Failure {
    use io::ErrorKind as Io;
    let tried = match address_count {
        0 | 1 => String::new(),
        _ => format!(" (all {address_count} of its addresses were tried)"),
    };
    let host_and_port = destination.shown_host_and_port();
    let (kind, detail) = match error.kind() {
        Io::ConnectionRefused => (
            ErrorKind::Connect,
            format!("{host_and_port} refused the connection{tried}: nothing listens there"),
        ),
        Io::HostUnreachable | Io::NetworkUnreachable | Io::AddrNotAvailable => {
            (ErrorKind::Connect, format!("{host_and_port} cannot be reached{tried}: there is no route to it"))
        }
        Io::TimedOut => (
            ErrorKind::Timeout,
            format!("no connection to {host_and_port} came about{tried}: it did not answer"),
        ),
        Io::PermissionDenied => (
            ErrorKind::Connect,
            format!("no connection to {host_and_port}{tried}: a firewall on our side does not allow it"),
        ),
        Io::ConnectionReset | Io::ConnectionAborted => {
            (ErrorKind::Connect, format!("{host_and_port} broke the connection off as it was made{tried}"))
        }
        _ => (ErrorKind::Connect, format!("no connection to {host_and_port} could be made{tried}")),
    };
    Failure::at(Phase::Connect, kind, format!("{detail}; nothing was sent"))
}

/// The TLS settings of the webhook cannot be used. They were checked when they were saved, so another version saved them.
pub(crate) fn unusable_tls(reason: &str) -> Failure {
    Failure::at(Phase::Prepare, ErrorKind::Tls, format!("{reason}; nothing was sent"))
}

/// The TLS handshake failed.
pub(crate) fn tls_failed(error: &io::Error, destination: &Destination) -> Failure {
    let detail = match innermost_error::<rustls::Error>(error) {
        Some(error) => tls_error_detail(error, destination),
        None => format!(
            "{} closed the connection during the TLS handshake; it may not speak TLS on this port",
            destination.shown_host_and_port()
        ),
    };
    Failure::at(Phase::Tls, ErrorKind::Tls, detail)
}

/// The connection ended before the request was written to it.
pub(crate) fn closed_before_request(destination: &Destination) -> Failure {
    let detail = format!(
        "{} closed the connection before the request was sent; it has seen nothing of it",
        destination.shown_host_and_port()
    );
    Failure::at(Phase::Send, ErrorKind::Protocol, detail)
}

/// A reused connection ended without one byte of a response: whether the receiver has read the request is unknown.
pub(crate) fn interrupted(byte_counts: ByteCounts, destination: &Destination) -> Failure {
    let phase = if byte_counts.write_blocked { Phase::Send } else { Phase::Wait };
    let detail = format!(
        "the connection to {}, kept from an earlier request, ended before an answer began; whether the receiver has \
         seen this request is unknown",
        destination.shown_host_and_port()
    );
    Failure::at(phase, ErrorKind::Interrupted, detail)
}
