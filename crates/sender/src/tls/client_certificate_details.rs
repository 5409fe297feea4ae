//! The details of failures in which a receiver refused our client certificate, or asked for one.

use rustls::AlertDescription as Alert;

use crate::{destination::Destination, tls::tls_connector::ClientCertificateTimes};
use loanhook_core::model::time::Timestamp;

/// The sentence for an alert that is about our certificate; none for other alerts.
pub(super) fn client_certificate_detail(
    alert: Alert,
    client: Option<ClientCertificateTimes>,
    destination: &Destination,
) -> Option<String> {
    let is_about_it = matches!(
        alert,
        Alert::CertificateRequired
            | Alert::BadCertificate
            | Alert::CertificateUnknown
            | Alert::CertificateExpired
            | Alert::CertificateRevoked
            | Alert::UnsupportedCertificate
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::DecryptError
    );
    // A handshake in which no certificate was shown fails so in TLS 1.2; without one of ours that means other things too.
    if !is_about_it {
        return None;
    }
    let host_and_port = destination.shown_host_and_port();
    let Some(client) = client else {
        return Some(format!("{host_and_port} asks for a client certificate"));
    };
    let why = match alert {
        _ if client.expires_at <= Timestamp::now() => {
            format!("it expired at {}; give the webhook a new one", client.expires_at)
        }
        Alert::UnknownCA => "it does not know the authority that issued it".to_owned(),
        Alert::CertificateExpired => "it takes it for expired".to_owned(),
        Alert::CertificateRevoked => "it has been revoked".to_owned(),
        Alert::UnsupportedCertificate => "it does not take certificates of this kind".to_owned(),
        Alert::AccessDenied => "it is not allowed there".to_owned(),
        Alert::CertificateRequired => "it takes none of the kind that it has".to_owned(),
        _ => "it says no more than that".to_owned(),
    };
    Some(format!("{host_and_port} refused our client certificate: {why}"))
}
