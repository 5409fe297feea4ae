//! TLS settings as their author gives them, and the rules that they must keep.

use loanhook_certificates::{ClientIdentity, IdentityFault, authorities};

use super::{ClientCertificate, Tls, timestamp};
use crate::model::subscription::write_only::{Moved, keep_stored};
use crate::model::time::Timestamp;
use crate::model::validation::ValidationErrors;

const MAX_CERTIFICATE_BYTES: usize = 32 * 1024;
const MAX_KEY_BYTES: usize = 16 * 1024;
const MAX_CA_BYTES: usize = 64 * 1024;
const CERTIFICATE: &str = "/request/tls/clientCertificate";
const KEY: &str = "/request/tls/clientKey";
const CA: &str = "/request/tls/ca";

/// `request.tls`, before any rule was checked.
#[derive(Clone, Default)]
pub struct TlsInput {
    pub client_certificate: Option<String>,
    /// `***` keeps the stored one.
    pub client_key: Option<String>,
    pub ca: Option<String>,
}

impl std::fmt::Debug for TlsInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsInput")
    }
}

/// The TLS settings, a key that `***` keeps taken from the `stored` ones; `moved` says where it is not kept. A certificate that is
/// stored already may have expired: other settings can still be changed.
pub(in crate::model::subscription) fn check_tls(
    input: TlsInput,
    stored: Option<&Tls>,
    moved: Moved,
    errors: &mut ValidationErrors,
) -> Tls {
    let TlsInput { client_certificate, client_key, ca } = input;
    let stored = stored.and_then(|stored| stored.client.as_ref());
    let client = match (client_certificate, client_key) {
        (None, None) => {
            if ca.is_none() {
                errors.add(
                    "/request/tls",
                    "must have clientCertificate with clientKey, or ca, or both; null is none",
                );
            }
            None
        }
        (Some(_), None) => {
            errors.add(KEY, "is required where there is a clientCertificate");
            None
        }
        (None, Some(_)) => {
            errors.add(CERTIFICATE, "is required where there is a clientKey");
            None
        }
        (Some(certificate), Some(key)) => {
            let key = keep_stored(key, stored.map(|stored| &stored.key), moved, KEY, errors);
            Some(ClientCertificate { certificate, key })
        }
    };
    if let Some(client) = &client {
        check_client(client, stored, errors);
    }
    if let Some(ca) = &ca {
        if ca.len() > MAX_CA_BYTES {
            errors.add(CA, "must have at most 64 KiB");
        } else if let Err(fault) = authorities(ca) {
            errors.add(CA, fault.to_string());
        }
    }
    Tls { client, ca }
}

fn check_client(
    client: &ClientCertificate,
    stored: Option<&ClientCertificate>,
    errors: &mut ValidationErrors,
) {
    let ClientCertificate { certificate, key } = client;
    if certificate.len() > MAX_CERTIFICATE_BYTES {
        return errors.add(CERTIFICATE, "must have at most 32 KiB");
    }
    if key.len() > MAX_KEY_BYTES {
        return errors.add(KEY, "must have at most 16 KiB");
    }
    // There is an error already.
    if key == crate::model::destination::HIDDEN {
        return;
    }
    let identity = match ClientIdentity::read(certificate, key) {
        Ok(identity) => identity,
        Err(IdentityFault::Certificate(fault)) => return errors.add(CERTIFICATE, fault.to_string()),
        Err(IdentityFault::Key(fault)) => return errors.add(KEY, fault.to_string()),
        Err(fault @ (IdentityFault::UnsupportedKey | IdentityFault::Mismatch)) => {
            return errors.add(KEY, format!("cannot be used: {fault}"));
        }
    };
    let expires_at = timestamp(identity.expires_at);
    let is_stored = stored.is_some_and(|stored| stored.certificate == *certificate);
    if expires_at <= Timestamp::now() && !is_stored {
        errors.add(CERTIFICATE, format!("has a certificate that expired at {expires_at}: give a new one"));
    }
}

#[cfg(test)]
#[path = "input_tests.rs"]
mod tests;
