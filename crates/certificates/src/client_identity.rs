//! The identity of a client: a certificate chain with its private key.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};
use thiserror::Error as ThisError;

use crate::pem::{self, PemFault};

/// A certificate chain, its own certificate first, and the private key that fits it.
#[derive(Clone)]
pub struct ClientIdentity {
    /// For a TLS handshake.
    pub key: Arc<CertifiedKey>,
    /// The earliest end of the certificates of the chain, in seconds since 1970.
    pub expires_at: i64,
}

/// It does not show the key.
impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientIdentity").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// What is wrong with a certificate and its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ThisError)]
pub enum IdentityFault {
    #[error("the certificate {0}")]
    Certificate(PemFault),
    #[error("the key {0}")]
    Key(PemFault),
    #[error(
        "the key is of a kind that is not supported: use RSA of 2048 bits or more, or the curves P-256, P-384 or P-521, or Ed25519"
    )]
    UnsupportedKey,
    #[error("the key does not fit the certificate: the first certificate of the chain must be its own")]
    Mismatch,
}

impl ClientIdentity {
    /// The identity of these PEM texts.
    ///
    /// # Errors
    ///
    /// What is wrong with them; of two faults that of the certificate.
    pub fn read(certificate: &str, key: &str) -> Result<Self, IdentityFault> {
        let chain = pem::chain(certificate).map_err(IdentityFault::Certificate)?;
        let key = pem::private_key(key).map_err(IdentityFault::Key)?;
        let key = aws_lc_rs::sign::any_supported_type(&key).map_err(|_| IdentityFault::UnsupportedKey)?;
        let key = CertifiedKey::new(chain.certificates, key);
        match key.keys_match() {
            Ok(()) => Ok(Self { key: Arc::new(key), expires_at: chain.expires_at }),
            // The key is one that we sign with; whether it fits shows when the receiver checks.
            Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => Err(IdentityFault::UnsupportedKey),
            Err(Error::InconsistentKeys(_)) => Err(IdentityFault::Mismatch),
            Err(_) => Err(IdentityFault::Certificate(PemFault::Unreadable(1))),
        }
    }
}
