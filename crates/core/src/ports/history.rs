//! Ports of the history: rows, resends and payloads.

use std::cmp::Reverse;
use std::future::Future;

use bytes::Bytes;
use uuid::Uuid;

use super::{IdempotencyKey, QueueMessage, StoreResult};
use crate::model::attempt::{Attempt, ResendTo};
use crate::model::credentials::CredentialsVersion;
use crate::model::delivery::Delivery;
use crate::model::failure::{ErrorKind, Failure};
use crate::model::id::{AttemptId, LoanId, TenantId, TraceId};
use crate::model::payload::PayloadKey;
use crate::model::time::Timestamp;

/// A row, and what it says of its delivery as it is now.
#[derive(Debug, Clone)]
pub struct HistoryRow {
    pub attempt: Attempt,
    /// How often the delivery was manually resent so far.
    pub resends: u32,
    /// The version of the subscription that its delivery matched; none where the delivery cannot be read.
    pub subscription_version: Option<u64>,
}

impl HistoryRow {
    /// A row of this delivery.
    pub fn new(attempt: Attempt, delivery: &Delivery) -> Self {
        let subscription_version = Some(delivery.snapshot.subscription_version);
        Self { attempt, resends: delivery.history.resends, subscription_version }
    }

    /// The version of the subscription that gave the credentials of its request. None before that has ended, where nobody
    /// saw what left, and where no version had credentials for its destination. Of a request that could not be rendered it
    /// is the version that was to render it.
    pub fn credentials_version(&self) -> Option<u64> {
        let completion = self.attempt.completion()?;
        let unseen = |error: &Failure| error.kind == ErrorKind::Interrupted && error.phase.is_none();
        if completion.error().is_some_and(unseen) {
            return None;
        }
        match self.attempt.credentials {
            CredentialsVersion::Own => self.attempt.address_version.or(self.subscription_version),
            CredentialsVersion::Other(version) => Some(version),
            CredentialsVersion::NoVersion => None,
        }
    }
}

/// Which attempts of a delivery are read, and in which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptRange {
    /// Those after this one, the oldest first.
    OldestFirst { after: Option<AttemptId> },
    /// Those before this one, the newest first.
    NewestFirst { before: Option<AttemptId> },
}

impl AttemptRange {
    /// All of them, from the oldest.
    pub const OLDEST_FIRST: Self = Self::OldestFirst { after: None };

    pub fn contains(self, id: AttemptId) -> bool {
        match self {
            Self::OldestFirst { after } => after.is_none_or(|after| after < id),
            Self::NewestFirst { before } => before.is_none_or(|before| id < before),
        }
    }

    pub fn sort(self, attempts: &mut [Attempt]) {
        match self {
            Self::OldestFirst { .. } => attempts.sort_unstable_by_key(|attempt| attempt.id),
            Self::NewestFirst { .. } => attempts.sort_unstable_by_key(|attempt| Reverse(attempt.id)),
        }
    }
}

/// Lists leave out a row that cannot be read, and say so in the log; what asks for one row or delivery fails then.
pub trait Attempts {
    /// Attempts of a loan, the newest first, with IDs from `oldest` to before `before`: at most `limit`, and fewer
    /// only where there are no more.
    fn rows(
        &self,
        tenant: &TenantId,
        loan: &LoanId,
        oldest: Option<AttemptId>,
        before: Option<AttemptId>,
        limit: usize,
    ) -> impl Future<Output = StoreResult<Vec<Attempt>>> + Send;

    /// These attempts with what their deliveries say now, in the same order. A delivery that cannot be read leaves out no row.
    fn history_rows(
        &self,
        tenant: &TenantId,
        attempts: Vec<Attempt>,
    ) -> impl Future<Output = StoreResult<Vec<HistoryRow>>> + Send;

    fn row(
        &self,
        tenant: &TenantId,
        loan: &LoanId,
        id: AttemptId,
    ) -> impl Future<Output = StoreResult<Option<HistoryRow>>> + Send;

    fn delivery(
        &self,
        tenant: &TenantId,
        trace: TraceId,
    ) -> impl Future<Output = StoreResult<Option<Delivery>>> + Send;

    /// A delivery and attempts of it, no older than the delivery: at most `limit`, and fewer only where there are
    /// no more.
    fn delivery_with_attempts(
        &self,
        tenant: &TenantId,
        trace: TraceId,
        span: AttemptRange,
        limit: usize,
    ) -> impl Future<Output = StoreResult<Option<(Delivery, Vec<Attempt>)>>> + Send;
}

#[derive(Debug, PartialEq, Eq)]
pub enum EnqueueOutcome {
    Enqueued,
    /// The key was used before, for this resend.
    Duplicate(EarlierResend),
    /// The attempt that the row names as `resend_of` has no row any more: its claim was released, so it never happened.
    /// No resend was stored.
    NamedAttemptReleased,
}

/// The resend that was asked for with an idempotency key before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EarlierResend {
    pub trace_id: TraceId,
    pub attempt: AttemptId,
    /// Where it goes; none where that was not read: it is of another delivery than is asked for, or its row is gone.
    pub to: Option<ResendTo>,
}

#[derive(Debug)]
pub enum ResendClaimOutcome {
    Claimed(Box<(Delivery, Attempt)>),
    /// The row as it is, if there is one.
    NotClaimed(Option<Box<Attempt>>),
}

pub trait Resends {
    /// Puts the row of a resend, as `queued`, and its message; counts it on its delivery. With a key
    /// that was used before, the attempt of that time is the answer, and what a crash left undone of it is
    /// finished instead. Order: record, then the row and its count together, message.
    fn enqueue_resend(
        &self,
        row: Attempt,
        key: Option<IdempotencyKey>,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<EnqueueOutcome>> + Send;

    /// The resend that was enqueued with this key before; none where there is none with a row. `asked` is the row that would be
    /// stored now: nothing of it is, but what a crash left undone of the earlier one is finished.
    fn earlier_resend(
        &self,
        asked: &Attempt,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<Option<EarlierResend>>> + Send;

    /// Takes a queued resend for the holder of the token; one that waited too long is completed as
    /// interrupted instead.
    fn claim_resend(
        &self,
        message: &QueueMessage,
        loan: &LoanId,
        id: AttemptId,
        token: Uuid,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<ResendClaimOutcome>> + Send;

    /// Completes the row of a resend that was claimed under the token, and records on its delivery a
    /// success. False if the row is not the token's any more. Order: response, row, delivery.
    fn complete_resend(
        &self,
        token: Uuid,
        row: Attempt,
        response: Option<Bytes>,
    ) -> impl Future<Output = StoreResult<bool>> + Send;

    /// Gives a resend back that was taken under the token and of which nothing was sent: its row is queued again, and
    /// its message is due then. False if the row is not the token's any more. Order: row, message.
    fn release_resend(
        &self,
        token: Uuid,
        row: Attempt,
        due: Timestamp,
    ) -> impl Future<Output = StoreResult<bool>> + Send;
}

pub trait Payloads {
    fn payload(
        &self,
        tenant: &TenantId,
        key: PayloadKey,
    ) -> impl Future<Output = StoreResult<Option<Bytes>>> + Send;
}
