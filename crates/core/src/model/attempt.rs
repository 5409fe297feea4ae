//! Attempt: one HTTP request of a delivery, and one row of the history.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use uuid::Uuid;

use super::address::Address;
use super::credentials::CredentialsVersion;
use super::failure::{ErrorKind, Failure};
use super::id::{AttemptId, LoanId, SubscriptionId, TenantId, TraceId};
use super::payload::Payload;
use super::subscription::Method;
use super::time::Timestamp;

/// A resend that no worker took for this long reads as failed, interrupted.
pub const MAX_RESEND_WAIT: Duration = Duration::from_secs(15 * 60);

/// One row of a loan's history. What it says of its delivery was frozen at intake, but for the destination of a resend to the
/// current URL.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    pub id: AttemptId,
    pub tenant: TenantId,
    pub loan_id: LoanId,
    pub trace_id: TraceId,
    pub subscription_id: SubscriptionId,
    pub event_title: String,
    pub event_name: String,
    pub occurred_at: Option<String>,
    /// A subscription's test sent it: no event of the loan.
    pub test: bool,
    pub method: Method,
    pub destination: String,
    pub content_type: Option<String>,
    pub source: Payload,
    pub number: AttemptNumber,
    /// Of a resend: the name of the key, or the viewer of the portal link.
    pub requested_by: Option<String>,
    pub resend_of: Option<AttemptId>,
    /// Of a resend to the subscription's current URL: the version of the subscription that gave its destination. None where
    /// the delivery's own request is sent.
    pub address_version: Option<u64>,
    /// Which version of the subscription gave the credentials of its request.
    pub credentials: CredentialsVersion,
    /// For a queued row: when it was asked for.
    pub sent_at: Timestamp,
    pub state: AttemptState,
    /// What was scheduled when this attempt failed.
    pub next_attempt_at: Option<Timestamp>,
}

/// Which URL a resend goes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ResendTo {
    /// The URL that was rendered at intake.
    #[default]
    Original,
    /// The URL that the subscription has when the resend is asked for, rendered for the delivery's event.
    Current,
}

/// How far an attempt has come.
#[derive(Debug, Clone, PartialEq)]
pub enum AttemptState {
    Queued,
    /// Under way, by the sender that holds this token.
    Sending {
        token: Uuid,
    },
    Complete(Completion),
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    pub ended_at: Timestamp,
    /// From the start of the request to the end of the answer; none where there was no request, or
    /// nobody saw its end.
    pub response_time_ms: Option<f64>,
    pub source_ip: Option<IpAddr>,
    /// The answer's status, or why there was none.
    pub result: Result<u16, Failure>,
    pub response: Option<StoredResponse>,
}

/// An answer as it is kept. Where an answer broke off, what had come of it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredResponse {
    pub payload: Payload,
    pub content_type: Option<String>,
    /// The body was longer than what is kept, or broke off.
    pub truncated: bool,
    pub headers: Vec<(String, String)>,
    pub headers_truncated: bool,
    /// How many header lines could not be read and were left out; none in rows of an older version.
    pub headers_dropped: u32,
}

/// Which attempt of its delivery this is: 1, 2, … for automatic ones, `manual` for a resend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttemptNumber {
    Manual,
    Auto(u32),
}

impl fmt::Display for AttemptNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto(number) => number.fmt(f),
            Self::Manual => f.write_str("manual"),
        }
    }
}

/// The outcome of a row, by the words of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    Queued,
    Sending,
    Succeeded,
    Failed,
}

impl Outcome {
    pub const ALL: [Self; 4] = [Self::Queued, Self::Sending, Self::Succeeded, Self::Failed];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

impl FromStr for Outcome {
    type Err = ();

    /// An outcome by its name, in small letters.
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == text).ok_or(())
    }
}

impl Completion {
    /// Nobody is left to say how this attempt ended.
    pub fn interrupted(now: Timestamp, detail: &str) -> Self {
        Self::not_sent(now, Failure::new(ErrorKind::Interrupted, detail))
    }

    /// No request left, or nobody saw what came of it.
    pub fn not_sent(now: Timestamp, failure: Failure) -> Self {
        Self { ended_at: now, response_time_ms: None, source_ip: None, result: Err(failure), response: None }
    }

    pub fn succeeded(&self) -> bool {
        matches!(self.result, Ok(200..=299))
    }

    pub fn error(&self) -> Option<&Failure> {
        self.result.as_ref().err()
    }
}

/// What the row of a sender that died says.
pub const SENDER_DIED: &str =
    "the sender stopped while this request was under way; what the receiver got of it is unknown";
/// What the row of a resend says that nobody ever sent.
const NEVER_CLAIMED: &str = "no sender took this resend within 15 minutes; it was not sent";

impl Attempt {
    pub fn is_manual(&self) -> bool {
        self.number == AttemptNumber::Manual
    }

    /// The same resend, sent to this address.
    #[must_use]
    pub fn to_address(mut self, address: Address) -> Self {
        self.destination = address.url;
        self.address_version = Some(address.version);
        self
    }

    /// Where it goes, if it is a resend.
    pub const fn resend_to(&self) -> ResendTo {
        if self.address_version.is_some() { ResendTo::Current } else { ResendTo::Original }
    }

    pub fn completion(&self) -> Option<&Completion> {
        match &self.state {
            AttemptState::Complete(completion) => Some(completion),
            AttemptState::Queued | AttemptState::Sending { .. } => None,
        }
    }

    pub fn outcome(&self) -> Outcome {
        match &self.state {
            AttemptState::Queued => Outcome::Queued,
            AttemptState::Sending { .. } => Outcome::Sending,
            AttemptState::Complete(completion) if completion.succeeded() => Outcome::Succeeded,
            AttemptState::Complete(_) => Outcome::Failed,
        }
    }

    /// The same without the body of its answer, if it has one: the body is lost, and counts as cut.
    pub fn without_body(mut self) -> Option<Self> {
        let AttemptState::Complete(Completion { response: Some(response), .. }) = &mut self.state else {
            return None;
        };
        response.payload.key.take()?;
        response.payload.bytes = 0;
        response.truncated = true;
        Some(self)
    }

    /// A row as it reads now: a resend that waited too long has failed, even before anything wrote so.
    pub fn as_of(mut self, now: Timestamp) -> Self {
        if self.state == AttemptState::Queued && now.since(self.sent_at) >= MAX_RESEND_WAIT {
            let ended = self.sent_at + MAX_RESEND_WAIT;
            self.state = AttemptState::Complete(Completion::interrupted(ended, NEVER_CLAIMED));
        }
        self
    }

    /// Gives a resend back that was taken: it is queued again, as if it were asked for now.
    pub fn release(&mut self, now: Timestamp) {
        self.credentials = CredentialsVersion::Own;
        self.state = AttemptState::Queued;
        self.sent_at = now;
    }

    /// Takes a queued resend: it is sent from now, by the holder of the token. False if it is not
    /// waiting any more; one that waited too long is completed as interrupted.
    pub fn claim(&mut self, token: Uuid, now: Timestamp) -> bool {
        *self = self.clone().as_of(now);
        let waits = self.state == AttemptState::Queued;
        if waits {
            self.state = AttemptState::Sending { token };
            self.sent_at = now;
        }
        waits
    }
}
