//! TLS settings of a request: a client certificate, and private authorities that its receiver's certificate may be issued by.

mod input;

use std::fmt;

use loanhook_certificates::{expires_at, subject};

pub use input::TlsInput;
pub(super) use input::check_tls;

use crate::model::time::Timestamp;

/// TLS settings: a client certificate, authorities, or both. Its `Debug` shows no value.
#[derive(Clone, PartialEq, Eq)]
pub struct Tls {
    pub client: Option<ClientCertificate>,
    /// Authorities in PEM, trusted beside those of the platform.
    pub ca: Option<String>,
}

/// A certificate with its key, by which a receiver knows us.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The chain in PEM, our own certificate first.
    pub certificate: String,
    /// The private key in PEM: a secret.
    pub key: String,
}

impl ClientCertificate {
    /// When the chain ends: the earliest end of its certificates. None where it cannot be read, which is not saved.
    pub fn expires_at(&self) -> Option<Timestamp> {
        expires_at(&self.certificate).ok().map(timestamp)
    }

    /// Whose it is: the subject of our own certificate, `CN=…`. None where it cannot be read.
    pub fn subject(&self) -> Option<String> {
        subject(&self.certificate).ok()
    }
}

/// A time of a certificate, which is in seconds.
pub(super) fn timestamp(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds.saturating_mul(1000))
}

/// The days of notice that are due before a certificate ends: 1, 7 or 30, the fewest that are left no more than. None where more
/// than 30 days are left.
pub fn notice_days(expires_at: Timestamp, now: Timestamp) -> Option<u32> {
    const DAY: i64 = 24 * 3_600_000;
    let left = expires_at.millis().saturating_sub(now.millis());
    [1, 7, 30].into_iter().find(|days| left <= i64::from(*days) * DAY)
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientCertificate")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notice_is_due_thirty_seven_and_one_days_before_the_end() {
        const DAY: i64 = 24 * 3_600_000;
        let end = Timestamp::from_millis(100 * DAY);
        for (left, notice) in [
            (31 * DAY, None),
            (30 * DAY + 1, None),
            (30 * DAY, Some(30)),
            (7 * DAY + 1, Some(30)),
            (7 * DAY, Some(7)),
            (DAY + 1, Some(7)),
            (DAY, Some(1)),
            (0, Some(1)),
            (-DAY, Some(1)),
        ] {
            assert_eq!(notice_days(end, Timestamp::from_millis(100 * DAY - left)), notice, "{left}");
        }
    }
}
