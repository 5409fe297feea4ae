//! Certificates of a client and of private authorities, in PEM: read, checked, and ready for TLS.
//!
//! Core asks when settings are saved and shown, the sender when it makes the TLS settings of a receiver. This crate knows nothing
//! of loanhook and does no I/O. No error quotes what the PEM holds.

mod client_identity;
mod pem;
#[cfg(test)]
mod tests;

use rustls::RootCertStore;

pub use client_identity::{ClientIdentity, IdentityFault};
pub use pem::PemFault;

/// The earliest end of the certificates of a chain: from then on a receiver refuses it. Seconds since 1970.
///
/// # Errors
///
/// What is wrong with the PEM.
pub fn expires_at(chain: &str) -> Result<i64, PemFault> {
    pem::chain(chain).map(|chain| chain.expires_at)
}

/// Whose the first certificate of a chain is: its subject, such as `O=Lender, CN=hooks`.
///
/// # Errors
///
/// What is wrong with the PEM.
pub fn subject(chain: &str) -> Result<String, PemFault> {
    pem::chain(chain).map(|chain| chain.subject)
}

/// Authorities that the certificates of receivers may be issued by.
///
/// # Errors
///
/// What is wrong with the PEM, or with a certificate in it.
pub fn authorities(bundle: &str) -> Result<RootCertStore, PemFault> {
    let mut roots = RootCertStore::empty();
    for (index, certificate) in pem::chain(bundle)?.certificates.into_iter().enumerate() {
        roots.add(certificate).map_err(|_| PemFault::NoAuthority(index + 1))?;
    }
    Ok(roots)
}
