//! Notice of a client certificate that ends soon: 30, 7 and 1 days before, once for each certificate and number of days.

use std::time::Duration;

use super::facts::Facts;
use super::{OperationalEvent, OperationalKind, OperationalState, Subject};
use crate::model::payload::PayloadKey;
use crate::model::subscription::{ClientCertificate, notice_days};
use crate::model::time::Timestamp;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// So many days before its end the first notice of a certificate is given.
const FIRST_NOTICE_DAYS: u32 = 30;

/// The last notice that was given of a subscription's client certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CertificateNotice {
    /// The SHA-256 of the chain's PEM: another certificate is told anew.
    pub certificate: PayloadKey,
    /// How many days before the end it was due: 30, 7 or 1.
    pub days: u32,
}

impl OperationalState {
    /// When the next notice of this certificate is due; none after the last.
    pub fn next_notice(&self, certificate: &ClientCertificate) -> Option<Timestamp> {
        let expires_at = certificate.expires_at()?;
        let days = match self.told_days(certificate) {
            None => FIRST_NOTICE_DAYS,
            Some(30..) => 7,
            Some(7..30) => 1,
            Some(_) => return None,
        };
        Some(expires_at.minus(days * DAY))
    }

    /// Gives notice of the subscription's client certificate where that is due. Of several that are due at once, as at the first
    /// look at a certificate that ends tomorrow, the last is given alone.
    pub(super) fn give_notice(
        &mut self,
        subject: &Subject,
        certificate: &ClientCertificate,
        now: Timestamp,
    ) -> Option<OperationalEvent> {
        let expires_at = certificate.expires_at()?;
        let days = notice_days(expires_at, now)?;
        if self.told_days(certificate).is_some_and(|told| told <= days) {
            return None;
        }
        let notice = CertificateNotice { certificate: name_of(certificate), days };
        self.certificate = Some(notice);
        let name = notice.certificate.to_string();
        let told = Told { name: &name, days, expires_at, subject: certificate.subject() };
        Some(notice_event(subject, told, now))
    }

    /// How many days before the end of this certificate its last notice was due.
    fn told_days(&self, certificate: &ClientCertificate) -> Option<u32> {
        self.certificate.filter(|told| told.certificate == name_of(certificate)).map(|told| told.days)
    }
}

/// What is told of a certificate.
pub(super) struct Told<'a> {
    pub(super) name: &'a str,
    pub(super) days: u32,
    pub(super) expires_at: Timestamp,
    /// Whose it is.
    pub(super) subject: Option<String>,
}

pub(super) fn notice_event(subject: &Subject, told: Told<'_>, now: Timestamp) -> OperationalEvent {
    let kind = OperationalKind::CertificateExpiring;
    // Whole days, rounded up; 0 once it has ended.
    let days_left = told.expires_at.since(now).as_secs().div_ceil(DAY.as_secs());
    let facts = Facts::of_kind(kind, Some(subject), now)
        .with("expires-at", told.expires_at.to_string())
        .with("days-left", days_left)
        .with("subject", told.subject);
    OperationalEvent::of_subject(kind, subject, now, &[told.name, &told.days.to_string()], facts)
}

fn name_of(certificate: &ClientCertificate) -> PayloadKey {
    PayloadKey::of(certificate.certificate.as_bytes())
}
