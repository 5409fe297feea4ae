//! Private authorities: a receiver's certificate is trusted if the platform trusts it, or if an authority of the webhook issued it.

use std::sync::Arc;

use rustls::{
    CertificateError, DigitallySignedStruct, Error, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use rustls_platform_verifier::Verifier;

#[derive(Debug)]
pub(super) struct PrivateAuthorities {
    pub(super) platform: Arc<Verifier>,
    pub(super) private: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for PrivateAuthorities {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let by_platform =
            self.platform.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let Err(platform_error) = by_platform else { return by_platform };
        let by_private =
            self.private.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        // Of two errors the one counts that knows the authority.
        by_private.map_err(|error| match error {
            Error::InvalidCertificate(CertificateError::UnknownIssuer) => platform_error,
            error => error,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.private.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.private.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.private.supported_verify_schemes()
    }
}
