//! Operational events: what happens to loanhook itself, such as a receiver that fails, told by webhooks as any event is.
//!
//! A step that stores a change asks these functions what the change tells: the end of an attempt and the end of a delivery
//! change the [`OperationalState`] of the subscription ([`OperationalState::record_end`],
//! [`OperationalState::record_exhausted`]), a hold and a job tell by themselves ([`OperationalEvent::held`],
//! [`OperationalEvent::job_finished`]), and time ends a window or makes notice of a certificate due
//! ([`OperationalState::advance`]). What they give is stored in the same step, in the outbox, and taken in later, by
//! [`crate::operational`].
//!
//! A transition that is seen twice gives an event with the same ID: the ID is made of what happened, by whatever path it was
//! seen.

mod attempt_end;
mod certificate;
mod event;
mod facts;
mod holds;
mod jobs;
mod samples;
mod state;
mod subject;

use std::fmt;
use std::str::FromStr;

pub use attempt_end::{AttemptEnd, EndOutcome};
pub use certificate::CertificateNotice;
pub use event::{OperationalEvent, OperationalEventId};
pub(super) use facts::body;
pub use state::{EXHAUSTED_WINDOW, ExhaustedWindow, FailingRun, MAX_TOLD_TRACES, OperationalState};
pub use subject::{Subject, is_exhausted_now, is_observed};

use super::time::Timestamp;

/// What an operational event tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OperationalKind {
    /// Attempts of a subscription failed four times in a row.
    SubscriptionFailing,
    /// A hold of a subscription began.
    SubscriptionHeld,
    /// A success after it was told that a subscription fails, or one that ended its hold.
    SubscriptionRecovered,
    /// Schedules of deliveries of a subscription ended without success.
    DeliveryExhausted,
    /// The client certificate of a subscription ends soon.
    CertificateExpiring,
    /// A recovery job ended or was stopped.
    JobFinished,
}

impl OperationalKind {
    /// Every kind, in the order the documentation lists them.
    pub const ALL: [Self; 6] = [
        Self::SubscriptionFailing,
        Self::SubscriptionHeld,
        Self::SubscriptionRecovered,
        Self::DeliveryExhausted,
        Self::CertificateExpiring,
        Self::JobFinished,
    ];

    /// The name of its events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SubscriptionFailing => "subscription.failing",
            Self::SubscriptionHeld => "subscription.held",
            Self::SubscriptionRecovered => "subscription.recovered",
            Self::DeliveryExhausted => "delivery.exhausted",
            Self::CertificateExpiring => "certificate.expiring",
            Self::JobFinished => "job.finished",
        }
    }

    /// The variables of its events, in the order in which they are sent.
    pub fn variables(self) -> Vec<String> {
        let sample = Subject::sample().map(|subject| self.sample(&subject, Timestamp::from_millis(0)));
        sample.map(|sample| sample.variables()).unwrap_or_default()
    }
}

impl fmt::Display for OperationalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is no name of an operational event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "an operational event is one of subscription.failing, subscription.held, subscription.recovered, delivery.exhausted, \
     certificate.expiring, job.finished"
)]
pub struct UnknownOperationalKind;

impl FromStr for OperationalKind {
    type Err = UnknownOperationalKind;

    fn from_str(text: &str) -> Result<Self, UnknownOperationalKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownOperationalKind)
    }
}

#[cfg(test)]
#[path = "tests/mod.rs"]
mod tests;
