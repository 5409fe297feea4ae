//! Delivery: one event matched to one subscription.
//!
//! What it sends is its [`DeliverySnapshot`], made at intake; how far its automatic schedule has come is its
//! [`Progress`]. A delivery is the one source of truth about the schedule: a queue message only wakes it.

mod completion;

use uuid::Uuid;

use super::attempt::{Attempt, AttemptNumber, AttemptState};
use super::credentials::{CredentialsVersion, FrozenHeaders};
use super::id::{AttemptId, EventId, LoanId, SubscriptionId, TenantId, TraceId};
use super::payload::Payload;
use super::progress::{Claim, InvalidTransition, Progress};
use super::retry::RetryPolicy;
use super::subscription::Method;
use super::time::Timestamp;
use super::trace_context::TraceContext;

/// A delivery as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    pub snapshot: DeliverySnapshot,
    pub progress: Progress,
    pub history: DeliveryHistory,
}

/// What a delivery says of its attempts so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeliveryHistory {
    /// How many automatic attempts in a row were interrupted.
    pub interruptions: u32,
    /// The newest row, automatic or manual.
    pub newest_attempt: Option<AttemptId>,
    /// How often it was manually resent.
    pub resends: u32,
    /// A resend reached the receiver.
    pub resend_succeeded: bool,
    /// The schedule ran out without success: a resend is what delivered it.
    pub delivered_by_resend: bool,
}

/// What never changes: every attempt sends this, whatever becomes of the loan or the subscription.
#[derive(Debug, Clone, PartialEq)]
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
    pub test: bool,
    pub accepted_at: Timestamp,
    /// Its number among the deliveries of its loan and subscription: 1, 2, 3 and so on, in the order of acceptance. The store
    /// gives it where the subscription keeps an order; none where it does not.
    pub sequence: Option<u64>,
    /// Of its event: each attempt is a span of that trace.
    pub trace_context: Option<TraceContext>,
    pub request: RequestSnapshot,
    pub retry: RetryPolicy,
    pub timeout_seconds: u32,
}

/// The request but for what differs from attempt to attempt, credentials among it.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestSnapshot {
    pub method: Method,
    pub url: String,
    pub headers: FrozenHeaders,
    /// None where there is no body.
    pub content_type: Option<String>,
    pub payload: Payload,
    /// Why there is nothing to send: a template did not render. A sentence.
    pub unrenderable: Option<String>,
}

/// The place of a delivery in a list of a tenant's deliveries: they are sorted by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeliveryPosition {
    pub accepted_at: Timestamp,
    pub trace: TraceId,
}

impl DeliveryPosition {
    /// The first position of a time: before it stands what was accepted earlier.
    pub const fn first_at(time: Timestamp) -> Self {
        Self { accepted_at: time, trace: TraceId::from_uuid(Uuid::nil()) }
    }
}

impl Delivery {
    /// A delivery whose first attempt is due then.
    pub fn new(snapshot: DeliverySnapshot, due: Timestamp) -> Self {
        Self { snapshot, progress: Progress::new(due), history: DeliveryHistory::default() }
    }

    pub const fn position(&self) -> DeliveryPosition {
        DeliveryPosition { accepted_at: self.snapshot.accepted_at, trace: self.snapshot.trace_id }
    }

    /// Takes the automatic attempt of this number for the holder of the token, and gives its row.
    ///
    /// # Errors
    ///
    /// Where that attempt does not wait.
    pub fn claim(&mut self, number: u32, token: Uuid, now: Timestamp) -> Result<Attempt, InvalidTransition> {
        let id = AttemptId::at_or_after(now, self.history.newest_attempt);
        let (progress, claim) = self.progress.claim(number, id, token, now)?;
        self.progress = progress;
        self.history.record_newest(id);
        Ok(self.attempt_row(&claim))
    }

    /// Gives the attempt that is in flight under the token back, of which nothing was sent: the same number is due
    /// again then. `newest` is the newest row of the delivery without it.
    ///
    /// # Errors
    ///
    /// Where no attempt is in flight under the token.
    pub fn release(
        &mut self,
        token: Uuid,
        due: Timestamp,
        newest: Option<AttemptId>,
    ) -> Result<(), InvalidTransition> {
        self.progress = self.progress.release(token, due)?;
        self.history.newest_attempt = newest;
        Ok(())
    }

    /// Ends the automatic attempts; one in flight finishes.
    ///
    /// # Errors
    ///
    /// Where the delivery is not pending.
    pub fn cancel(&mut self) -> Result<(), InvalidTransition> {
        self.progress = self.progress.cancel()?;
        Ok(())
    }

    /// Counts a resend that was asked for: the schedule does not move.
    pub fn record_resend(&mut self, id: AttemptId) {
        self.history.resends += 1;
        self.history.record_newest(id);
    }

    /// Takes in that a resend succeeded: an exhausted delivery has been delivered after all.
    pub fn record_resend_success(&mut self) {
        self.history.resend_succeeded = true;
        if self.progress == Progress::Failed {
            self.progress = Progress::Succeeded;
            self.history.delivered_by_resend = true;
        }
    }

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
            address_version: None,
            credentials: CredentialsVersion::Own,
            sent_at,
            state,
            next_attempt_at: None,
        }
    }
}

impl DeliveryHistory {
    fn record_newest(&mut self, id: AttemptId) {
        self.newest_attempt = self.newest_attempt.max(Some(id));
    }
}
