//! From a library's error to a kind and a sentence.
//!
//! The error of a request is a chain: the HTTP client's, its connector's, the protocol's, the TLS library's, the
//! operating system's. The cause that tells a servicer most is somewhere within, so the chain is walked, and the
//! most telling link decides: a refusal or a name that does not resolve, then TLS, then the connection, then HTTP.
//!
//! Only what is known to be harmless is quoted: hosts, ports, byte counts, statuses and fixed phrases of the
//! libraries. The client's own text is not, since it names the whole URL.

use std::{error::Error, io, iter, time::Duration};

use rustls::{AlertDescription, CertificateError, InvalidMessage, pki_types::InvalidDnsNameError};
use url::Url;

use super::{guard::Scheme, resolve::LookupError, response::Progress};
use crate::model::failure::{ErrorKind, Failure};

/// Where a request goes, as a failure's sentence names it.
pub(super) struct Destination {
    scheme: Scheme,
    host: String,
    port: u16,
}

impl Destination {
    pub(super) fn new(scheme: Scheme, url: &Url) -> Self {
        let host = url.host_str().unwrap_or_default().to_owned();
        let port = url.port_or_known_default().unwrap_or_default();
        Self { scheme, host, port }
    }

    fn place(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// Why no answer came.
pub(super) fn without_answer(error: &reqwest::Error, to: &Destination) -> Failure {
    if let Some(failure) = lookup(error).or_else(|| tls(error, to)) {
        return failure;
    }
    let system = find::<io::Error>(error).map(io::Error::kind);
    if find::<InvalidDnsNameError>(error).is_some() {
        let detail = format!("the name {} is not one that a host can have", to.host);
        return Failure::new(ErrorKind::Dns, detail);
    }
    if error.is_connect() {
        return unconnected(system, to);
    }
    if error.is_builder() {
        return Failure::new(ErrorKind::Blocked, "the URL cannot be sent: it is not a valid request target");
    }
    if let Some(http) = find::<hyper::Error>(error).filter(|http| http.is_parse()) {
        return protocol(unparsable(&http.to_string()));
    }
    protocol(match system {
        Some(io::ErrorKind::ConnectionReset) => "the receiver reset the connection before an answer came",
        _ => "the connection was closed before an answer came",
    })
}

/// The parser has only its text to tell a head that is too large, in a build that cannot serve HTTP too.
fn unparsable(reason: &str) -> String {
    if reason.contains("too large") {
        let limit = super::client::MAX_HEADERS;
        return format!("the answer had more than {limit} headers, or more than 400 KiB of them");
    }
    format!("the answer was not HTTP: {reason}")
}

/// Why an answer that had begun did not end.
pub(super) fn within_answer(error: &reqwest::Error, progress: Progress, to: &Destination) -> Failure {
    if let Some(failure) = tls(error, to) {
        return failure;
    }
    let so_far = so_far(progress);
    protocol(match find::<io::Error>(error).map(io::Error::kind) {
        Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => {
            format!("the answer's chunks are malformed after {so_far}")
        }
        _ => format!("the answer broke off after {so_far}"),
    })
}

pub(super) fn no_answer_in_time(timeout: Duration) -> Failure {
    Failure::new(ErrorKind::Timeout, format!("no answer within {}", seconds(timeout)))
}

pub(super) fn answer_not_in_time(timeout: Duration, progress: Progress) -> Failure {
    let (seconds, so_far) = (seconds(timeout), so_far(progress));
    Failure::new(
        ErrorKind::Timeout,
        format!("the answer was not complete within {seconds}: it stopped after {so_far}"),
    )
}

fn lookup(error: &reqwest::Error) -> Option<Failure> {
    let found = find::<LookupError>(error)?;
    let kind = match found {
        LookupError::Unknown(_) | LookupError::Failed { .. } => ErrorKind::Dns,
        LookupError::Refused { .. } => ErrorKind::Blocked,
    };
    Some(Failure::new(kind, found.to_string()))
}

fn tls(error: &reqwest::Error, to: &Destination) -> Option<Failure> {
    use rustls::Error::{AlertReceived, InvalidCertificate, InvalidMessage as Invalid, PeerIncompatible};
    let place = to.place();
    let detail = match find::<rustls::Error>(error)? {
        InvalidCertificate(reason) => certificate(reason, to),
        Invalid(InvalidMessage::InvalidContentType) => format!("{place} does not speak TLS"),
        AlertReceived(AlertDescription::CertificateRequired) => {
            format!("{place} asks for a client certificate")
        }
        AlertReceived(alert) => format!("{place} refused the TLS connection: {alert:?}"),
        PeerIncompatible(_) => format!("{place} has no version or cipher of TLS in common with us"),
        other => format!("the TLS connection to {place} failed: {other}"),
    };
    Some(Failure::new(ErrorKind::Tls, detail))
}

fn certificate(reason: &CertificateError, to: &Destination) -> String {
    use CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext,
        Other, Revoked, UnknownIssuer,
    };
    match reason {
        Expired | ExpiredContext { .. } => "the receiver's certificate has expired".to_owned(),
        NotValidYet | NotValidYetContext { .. } => "the receiver's certificate is not valid yet".to_owned(),
        NotValidForName | NotValidForNameContext { .. } => {
            format!("the receiver's certificate is not trusted: it is not for {}", to.host)
        }
        UnknownIssuer => {
            "the receiver's certificate is not trusted: it is self-signed, or no known authority issued it"
                .to_owned()
        }
        // The verifier's error is not a type of rustls'.
        Other(reason) if reason.to_string() == "CaUsedAsEndEntity" => {
            "the receiver's certificate is not trusted: it is an authority's own, most often a \
             self-signed one"
                .to_owned()
        }
        Revoked => "the receiver's certificate has been revoked".to_owned(),
        other => format!("the receiver's certificate is not trusted: {other}"),
    }
}

fn unconnected(system: Option<io::ErrorKind>, to: &Destination) -> Failure {
    use io::ErrorKind as Io;
    let place = to.place();
    let (kind, detail) = match (system, to.scheme) {
        (Some(Io::ConnectionRefused), _) => (ErrorKind::Connect, format!("{place} refused the connection")),
        (Some(Io::HostUnreachable | Io::NetworkUnreachable), _) => {
            (ErrorKind::Connect, format!("{place} cannot be reached: there is no route to it"))
        }
        (Some(Io::TimedOut), _) => {
            (ErrorKind::Timeout, format!("{place} did not take the connection in time"))
        }
        // Only a connection that stands can end like this, so what it was doing is the handshake.
        (
            Some(Io::UnexpectedEof | Io::ConnectionReset | Io::ConnectionAborted | Io::BrokenPipe),
            Scheme::Https,
        ) => (ErrorKind::Tls, format!("{place} closed the connection during the TLS handshake")),
        (Some(other), _) => (ErrorKind::Connect, format!("no connection to {place}: {other}")),
        (None, _) => (ErrorKind::Connect, format!("no connection to {place}")),
    };
    Failure::new(kind, detail)
}

fn protocol(detail: impl Into<String>) -> Failure {
    Failure::new(ErrorKind::Protocol, detail)
}

fn so_far(Progress { status, arrived, announced }: Progress) -> String {
    match announced {
        Some(announced) => format!("{arrived} of {announced} bytes (its status was {status})"),
        None => format!("{arrived} bytes (its status was {status})"),
    }
}

fn seconds(time: Duration) -> String {
    match time.subsec_millis() {
        0 => format!("{} s", time.as_secs()),
        _ => format!("{} ms", time.as_millis()),
    }
}

/// The innermost error of a type in the chain. `io::Error` hides the error that it wraps from `source`, so it is
/// opened here.
fn find<E: Error + 'static>(error: &reqwest::Error) -> Option<&E> {
    let causes = iter::successors(error.source(), |&error| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        }
    });
    causes.filter_map(|error| error.downcast_ref()).last()
}
