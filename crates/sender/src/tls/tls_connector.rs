//! The TLS settings for receivers: TLS 1.2 and 1.3, HTTP/1.1 only (by ALPN), and the operating system's trusted
//! certificates.

use std::sync::Arc;

use rustls::{ClientConfig, crypto::aws_lc_rs, pki_types::CertificateDer};
use rustls_platform_verifier::Verifier;
use tokio_rustls::TlsConnector;

/// A connector that trusts what the operating system trusts, or the file that `SSL_CERT_FILE` names, and `extra_roots` as
/// well.
///
/// # Errors
///
/// When there are no trusted certificates, or `extra_roots` cannot be read.
pub(crate) fn tls_connector(extra_roots: &[CertificateDer<'static>]) -> Result<TlsConnector, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Verifier::new_with_extra_roots(extra_roots.iter().cloned(), Arc::clone(&provider))?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}
