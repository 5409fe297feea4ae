//! The details of TLS failures: one sentence for each error of rustls about a receiver's certificate, its version of TLS
//! or its alerts.
//!
//! `failures` uses this for the handshake and for errors after it. A sentence names the host, the port and up to three
//! names of the certificate, and nothing else that the receiver chose.

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible};

use crate::{destination::Destination, tls::client_certificate_details::client_certificate_detail};

/// The predicate of a sentence about a receiver that does not speak HTTP/1.1.
pub(crate) const HTTP_2_ONLY: &str =
    "speaks HTTP/2 only, and webhooks are sent as HTTP/1.1; let it take HTTP/1.1 too";
const NO_TLS_VERSION_IN_COMMON: &str =
    "has neither TLS 1.2 nor TLS 1.3, and older versions are not used; enable TLS 1.2 there";
const WRONG_KEY_USAGE: &str =
    "it is for other uses than servers (its extended key usage lacks TLS server authentication)";
const UNKNOWN_CRITICAL_EXTENSION: &str = "it has a critical extension that is not known here";
/// How many of the names that a certificate is valid for are shown.
const MAX_SHOWN_NAMES: usize = 3;

/// The sentence for an error of TLS, as the detail of a failure.
pub(crate) fn tls_error_detail(error: &Error, destination: &Destination) -> String {
    let host_and_port = destination.shown_host_and_port();
    match error {
        Error::InvalidCertificate(reason) => certificate_detail(reason, destination),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            format!("{host_and_port} does not speak TLS on this port")
        }
        Error::AlertReceived(alert) => alert_detail(*alert, destination),
        Error::PeerIncompatible(reason) => incompatibility_detail(reason, &host_and_port),
        Error::NoCertificatesPresented => format!("{host_and_port} showed no certificate"),
        Error::NoApplicationProtocol => format!("{host_and_port} {HTTP_2_ONLY}"),
        Error::PeerSentOversizedRecord | Error::InvalidMessage(_) => {
            format!("{host_and_port} sent something in the TLS handshake that is not TLS")
        }
        other => format!("the TLS handshake with {host_and_port} failed: {}", variant_in_words(other)),
    }
}

fn alert_detail(alert: AlertDescription, destination: &Destination) -> String {
    use AlertDescription as Alert;
    if let Some(detail) = client_certificate_detail(alert, destination.client_certificate(), destination) {
        return detail;
    }
    let host_and_port = destination.shown_host_and_port();
    match alert {
        Alert::NoApplicationProtocol => format!("{host_and_port} {HTTP_2_ONLY}"),
        Alert::ProtocolVersion => {
            format!("{host_and_port} {NO_TLS_VERSION_IN_COMMON}")
        }
        Alert::HandshakeFailure | Alert::InsufficientSecurity => format!(
            "{host_and_port} found no cipher suite, curve or signature in common with us; let it offer an ECDHE suite with \
             AES-GCM"
        ),
        Alert::UnrecognisedName => {
            format!("{host_and_port} has no certificate for the name {}", destination.shown_host())
        }
        Alert::InternalError => format!("{host_and_port} had an error of its own in the TLS handshake"),
        other => format!("{host_and_port} refused the TLS connection: {}", variant_in_words(&other)),
    }
}

fn incompatibility_detail(reason: &PeerIncompatible, host_and_port: &str) -> String {
    use PeerIncompatible as Reason;
    match reason {
        Reason::ServerDoesNotSupportTls12Or13
        | Reason::ServerTlsVersionIsDisabledByOurConfig
        | Reason::Tls12NotOffered
        | Reason::Tls12NotOfferedOrEnabled => {
            format!("{host_and_port} {NO_TLS_VERSION_IN_COMMON}")
        }
        Reason::ExtendedMasterSecretExtensionRequired => {
            format!(
                "{host_and_port} lacks an extension of TLS 1.2 that is required (RFC 7627); update its TLS library"
            )
        }
        _ => format!("{host_and_port} has no cipher suite, curve or signature of TLS in common with us"),
    }
}

fn certificate_detail(reason: &CertificateError, destination: &Destination) -> String {
    use CertificateError as Reason;
    let untrusted = |why: &str| format!("the receiver's certificate is not trusted: {why}");
    match reason {
        Reason::Expired | Reason::ExpiredContext { .. } => {
            "the receiver's certificate has expired; renew it there".to_owned()
        }
        Reason::NotValidYet | Reason::NotValidYetContext { .. } => {
            "the receiver's certificate is not valid yet".to_owned()
        }
        Reason::NotValidForName => untrusted(&format!("it is not for {}", destination.shown_host())),
        Reason::NotValidForNameContext { presented, .. } => {
            let named = shown_names(presented).map(|names| format!(", but for {names}")).unwrap_or_default();
            untrusted(&format!("it is not for {}{named}", destination.shown_host()))
        }
        Reason::UnknownIssuer => untrusted(
            "it is self-signed, or no known authority issued it, or the receiver does not send the certificates between",
        ),
        Reason::BadSignature => untrusted(
            "its signature cannot be verified; its key may be too short (RSA needs 2048 bits) or not the certificate's own",
        ),
        Reason::UnsupportedSignatureAlgorithmContext { signature_algorithm_id, .. } => {
            untrusted(&signature_algorithm_detail(signature_algorithm_id))
        }
        Reason::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => untrusted(
            "its key is of a kind that is not supported; use RSA of 2048 bits or more, or the curves P-256 or P-384",
        ),
        Reason::InvalidPurpose | Reason::InvalidPurposeContext { .. } => untrusted(WRONG_KEY_USAGE),
        Reason::UnhandledCriticalExtension => untrusted(UNKNOWN_CRITICAL_EXTENSION),
        Reason::BadEncoding => untrusted("it is not well-formed"),
        Reason::Revoked => "the receiver's certificate has been revoked".to_owned(),
        // Errors of the verifier (webpki) for which rustls has no variant.
        Reason::Other(reason) => match variant_in_words(reason).as_str() {
            "ca used as end entity" => untrusted("it is an authority's own, most often a self-signed one"),
            "eku error" => untrusted(WRONG_KEY_USAGE),
            "unsupported critical extension" => untrusted(UNKNOWN_CRITICAL_EXTENSION),
            "name constraint violation" => {
                untrusted("its authority may not issue certificates for this name")
            }
            "path len constraint violated" | "end entity used as ca" => {
                untrusted("one of those that issued it is not allowed to")
            }
            "unsupported cert version" => {
                untrusted("it is of an old version (X.509 v1 or v2); version 3 is needed")
            }
            other => untrusted(other),
        },
        other => untrusted(&variant_in_words(other)),
    }
}

/// What is wrong with a signature algorithm. `algorithm` is the content of its AlgorithmIdentifier in DER; the object
/// identifiers are those of RFC 8017 (RSA, 1.2.840.113549.1.1) and RFC 5480 (ECDSA with SHA-1, 1.2.840.10045.4.1).
fn signature_algorithm_detail(algorithm: &[u8]) -> String {
    const RSA: [u8; 10] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
    const ECDSA_SHA1: [u8; 9] = [0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01];
    let digest = match algorithm.strip_prefix(&RSA) {
        Some([2 | 4, ..]) => Some("MD5"),
        Some([5, ..]) => Some("SHA-1"),
        _ if algorithm.starts_with(&ECDSA_SHA1) => Some("SHA-1"),
        _ => None,
    };
    match digest {
        Some(digest) => {
            format!("it is signed with {digest}, which can be forged; have it issued with SHA-256")
        }
        None => {
            "it is signed with an algorithm that is not supported; have it issued with SHA-256".to_owned()
        }
    }
}

/// The first names that a certificate is valid for; rustls writes them as `DnsName("core.example.com")`. Characters
/// that no host name has are left out.
fn shown_names(presented: &[String]) -> Option<String> {
    let names = presented.iter().map(|name| {
        let (_, inner) = name.split_once('(').unwrap_or(("", name));
        let harmless = |c: &char| c.is_ascii_alphanumeric() || ".-*:_".contains(*c);
        inner.chars().filter(harmless).take(64).collect::<String>()
    });
    let mut named: Vec<String> = names.filter(|name| !name.is_empty()).take(MAX_SHOWN_NAMES + 1).collect();
    if named.len() > MAX_SHOWN_NAMES {
        named[MAX_SHOWN_NAMES] = "others".to_owned();
    }
    (!named.is_empty()).then(|| named.join(", "))
}

/// The name of an error's variant in words: "handshake failure".
fn variant_in_words(error: &impl std::fmt::Debug) -> String {
    let text = format!("{error:?}");
    // The wrapped error is the one to name.
    let text = text.strip_prefix("OtherError(").unwrap_or(&text);
    let name = text.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    let mut words = String::with_capacity(name.len() + 8);
    let mut before = ' ';
    for c in name.chars() {
        if c.is_ascii_uppercase() && before.is_ascii_lowercase() {
            words.push(' ');
        }
        words.push(c.to_ascii_lowercase());
        before = c;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_variant_is_shown_as_words() {
        assert_eq!(variant_in_words(&AlertDescription::HandshakeFailure), "handshake failure");
        assert_eq!(variant_in_words(&AlertDescription::UnknownCA), "unknown ca");
        assert_eq!(
            variant_in_words(&Error::PeerMisbehaved(rustls::PeerMisbehaved::TooMuchEarlyDataReceived)),
            "peer misbehaved"
        );
    }

    #[test]
    fn the_names_of_a_certificate_are_shown_without_their_type() {
        let presented = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let two = presented(&["DnsName(\"core.example.com\")", "IpAddress(192.0.2.1)"]);
        assert_eq!(shown_names(&two).as_deref(), Some("core.example.com, 192.0.2.1"));
        let many = presented(&["DnsName(\"a\")"; 9]);
        assert_eq!(shown_names(&many).as_deref(), Some("a, a, a, others"));
        assert_eq!(shown_names(&[]), None);
    }

    #[test]
    fn a_weak_signature_algorithm_is_named() {
        let sha_1 = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05, 0x05, 0x00];
        assert!(signature_algorithm_detail(&sha_1).contains("SHA-1"));
        assert!(
            signature_algorithm_detail(&[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01])
                .contains("SHA-1")
        );
        assert!(signature_algorithm_detail(&[0x06, 0x03, 0x2b, 0x65, 0x70]).contains("not supported"));
    }
}
