//! One event matched to one subscription.
//!
//! What it sends was frozen at intake ([`Frozen`]); how far its automatic schedule has come is its
//! [`Progress`]. A delivery is the one source of truth about the schedule: a queued message only wakes it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::attempt::{Attempt, AttemptNumber, AttemptState, Completion};
use super::failure::ErrorKind;
use super::id::{AttemptId, EventId, LoanId, SubscriptionId, TenantId, TraceId};
use super::payload::Payload;
use super::progress::{AttemptResult, Claim, Progress};
use super::retry::RetryPolicy;
use super::subscription::Method;
use super::time::Timestamp;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    pub snapshot: DeliverySnapshot,
    pub progress: Progress,
}

/// What never changes: every attempt sends this, whatever becomes of the loan or the subscription.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeliverySnapshot {
    pub trace_id: TraceId,
    pub tenant: TenantId,
    pub event_id: EventId,
    pub loan_id: LoanId,
    pub subscription_id: SubscriptionId,
    pub subscription_version: u64,
    pub event_title: String,
    pub event_name: String,
    pub occurred_at: Option<String>,
    /// A subscription's test sent it: no event of the loan.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub test: bool,
    pub accepted_at: Timestamp,
    pub request: RequestSnapshot,
    pub retry: RetryPolicy,
    pub timeout_seconds: u32,
}

/// The request but for what differs from attempt to attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RequestSnapshot {
    pub method: Method,
    pub url: String,
    pub headers: BTreeMap<String, String>,
    /// None where there is no body.
    pub content_type: Option<String>,
    pub payload: Payload,
    /// Why there is nothing to send: a template did not render. A sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unrenderable: Option<String>,
}

impl Delivery {
    /// The row of the automatic attempt that is in flight, as it begins.
    pub fn attempt_row(&self, claim: &Claim) -> Attempt {
        let state = AttemptState::Sending { token: claim.token };
        self.row(claim.attempt_id, AttemptNumber::Auto(claim.number), claim.since, state)
    }

    /// The row of a resend, as it is asked for.
    pub fn resend_row(&self, id: AttemptId, of: AttemptId, by: String, now: Timestamp) -> Attempt {
        let mut row = self.row(id, AttemptNumber::Manual, now, AttemptState::Queued);
        row.resend_of = Some(of);
        row.requested_by = Some(by);
        row
    }

    fn row(&self, id: AttemptId, number: AttemptNumber, sent_at: Timestamp, state: AttemptState) -> Attempt {
        let snapshot = &self.snapshot;
        Attempt {
            id,
            tenant: snapshot.tenant.clone(),
            loan_id: snapshot.loan_id.clone(),
            trace_id: snapshot.trace_id,
            subscription_id: snapshot.subscription_id,
            event_title: snapshot.event_title.clone(),
            event_name: snapshot.event_name.clone(),
            occurred_at: snapshot.occurred_at.clone(),
            test: snapshot.test,
            method: snapshot.request.method,
            destination: snapshot.request.url.clone(),
            content_type: snapshot.request.content_type.clone(),
            source: snapshot.request.payload,
            number,
            requested_by: None,
            resend_of: None,
            sent_at,
            state,
            next_attempt_at: None,
        }
    }

    /// Moves on from the attempt in flight, which ended as its row says, and gives when the next one is
    /// due. None, and nothing changed, if the row's sender is not the one in flight.
    pub fn complete_attempt(&mut self, token: Uuid, completion: &Completion) -> Option<Option<Timestamp>> {
        let claim = self.progress.in_flight.clone().filter(|claim| claim.token == token)?;
        let DeliverySnapshot { retry, trace_id, .. } = &self.snapshot;
        let delay = |retry_after| retry.delay(claim.slot, *trace_id, retry_after);
        Some(self.progress.complete(ending(completion), completion.ended_at, delay))
    }
}

/// What the end of an attempt means for the schedule.
fn ending(completion: &Completion) -> AttemptResult {
    if completion.succeeded() {
        return AttemptResult::Succeeded;
    }
    match completion.error().map(|error| error.kind) {
        Some(ErrorKind::Interrupted) => AttemptResult::Interrupted,
        Some(ErrorKind::Blocked | ErrorKind::Template) => AttemptResult::PermanentFailure,
        _ => AttemptResult::Failed { retry_after: retry_after(completion) },
    }
}

/// What a 429 or 503 asks for (RFC 9110, 10.2.3): seconds or an HTTP date.
fn retry_after(completion: &Completion) -> Option<Duration> {
    let (Ok(429 | 503), Some(response)) = (&completion.result, &completion.response) else { return None };
    let (_, value) = response.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))?;
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(value.trim()).ok()?;
    let since_epoch = at.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some((Timestamp::from_millis(0) + since_epoch).since(completion.ended_at))
}

#[cfg(test)]
#[path = "delivery_tests.rs"]
mod tests;
