//! PEM texts (RFC 7468): certificates and private keys, and what can be wrong with a text.

use rustls::pki_types::pem::{PemObject as _, SectionKind};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// How many certificates a text may have.
const MAX_CERTIFICATES: usize = 100;

/// What is wrong with a text. It reads after the name of its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PemFault {
    #[error("is not PEM: it must have lines from -----BEGIN … to -----END …, with base64 between them")]
    NotPem,
    #[error("has no certificate: it must have -----BEGIN CERTIFICATE-----")]
    NoCertificate,
    #[error("has a private key, which belongs into clientKey")]
    KeyAmongCertificates,
    #[error("has something else than certificates: leave it out")]
    OtherSection,
    #[error("has more than {MAX_CERTIFICATES} certificates")]
    TooMany,
    /// The number of the certificate, from 1.
    #[error("has a certificate that cannot be read, number {0} of them")]
    Unreadable(usize),
    /// The number of the certificate, from 1.
    #[error("has a certificate that cannot be an authority's, number {0} of them")]
    NoAuthority(usize),
    #[error("has no private key: it must have -----BEGIN PRIVATE KEY-----")]
    NoKey,
    #[error("is encrypted: give the key without a passphrase")]
    EncryptedKey,
    #[error("has more than one key, or something else beside it: leave that out")]
    NotOnlyAKey,
}

pub(crate) struct Chain {
    pub(crate) certificates: Vec<CertificateDer<'static>>,
    /// The earliest end of any of them, in seconds since 1970.
    pub(crate) expires_at: i64,
    /// That of the first.
    pub(crate) subject: String,
}

fn sections(text: &str) -> Result<Vec<(SectionKind, Vec<u8>)>, PemFault> {
    let sections: Result<Vec<_>, _> = <(SectionKind, Vec<u8>)>::pem_slice_iter(text.as_bytes()).collect();
    sections.map_err(|_| PemFault::NotPem)
}

/// The certificates of a text, in their order: at least one.
pub(crate) fn chain(text: &str) -> Result<Chain, PemFault> {
    // The reader skips what it does not know, encrypted keys among it.
    if text.contains("PRIVATE KEY") {
        return Err(PemFault::KeyAmongCertificates);
    }
    let mut certificates = Vec::new();
    let mut expires_at = i64::MAX;
    let mut subject = String::new();
    for (kind, der) in sections(text)? {
        match kind {
            SectionKind::Certificate => {}
            _ => return Err(PemFault::OtherSection),
        }
        let number = certificates.len() + 1;
        if number > MAX_CERTIFICATES {
            return Err(PemFault::TooMany);
        }
        let (rest, certificate) =
            X509Certificate::from_der(&der).map_err(|_| PemFault::Unreadable(number))?;
        if !rest.is_empty() {
            return Err(PemFault::Unreadable(number));
        }
        expires_at = expires_at.min(certificate.validity().not_after.timestamp());
        if certificates.is_empty() {
            subject = certificate.subject().to_string();
        }
        certificates.push(CertificateDer::from(der));
    }
    if certificates.is_empty() {
        let is_pem = text.contains("-----BEGIN ");
        return Err(if is_pem { PemFault::NoCertificate } else { PemFault::NotPem });
    }
    Ok(Chain { certificates, expires_at, subject })
}

/// The private key of a text (PKCS #8, PKCS #1 or SEC 1). Parameters of a curve may stand before it, as OpenSSL writes them.
pub(crate) fn private_key(text: &str) -> Result<PrivateKeyDer<'static>, PemFault> {
    // What is not known is skipped by the reader, and so are encrypted keys of the old form.
    if text.contains("ENCRYPTED") {
        return Err(PemFault::EncryptedKey);
    }
    let mut key = None;
    for (kind, der) in sections(text)? {
        if !is_key(kind) || key.is_some() {
            return Err(PemFault::NotOnlyAKey);
        }
        key = PrivateKeyDer::from_pem(kind, der);
    }
    let is_pem = text.contains("-----BEGIN ");
    key.ok_or(if is_pem { PemFault::NoKey } else { PemFault::NotPem })
}

const fn is_key(kind: SectionKind) -> bool {
    matches!(kind, SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey)
}
