//! Deliveries: accepted, claimed, moved on, canceled.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{QueueMessage, StoreResult};
use crate::model::attempt::Attempt;
use crate::model::delivery::Delivery;
use crate::model::id::{EventId, SubscriptionId, TenantId, TraceId};
use crate::model::payload::PayloadKey;
use crate::model::time::Timestamp;

/// The time that it takes at most to write down what came of a request, where a store is slow.
pub const MAX_RECORDING_TIME: Duration = Duration::from_secs(8);

/// What an idempotency key of intake stands for: enough to finish, without matching again, what a
/// crashed first call left undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyRecord {
    /// `Event::digest`.
    pub digest: PayloadKey,
    pub event_id: EventId,
    pub accepted_at: Timestamp,
    /// The subscriptions that matched, in the version that did.
    pub matched: Vec<(SubscriptionId, u64)>,
}

/// An idempotency key, as the caller chose it, and until when it is remembered.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    pub key: String,
    pub until: Timestamp,
}

#[derive(Debug)]
pub enum AcceptOutcome {
    /// All is stored and queued.
    Stored,
    /// The key was used before: nothing was stored.
    Duplicate(IdempotencyRecord),
}

pub trait Intake {
    /// Stores deliveries with their payloads and queues their first attempts; a delivery that is there
    /// already stays as it is. With a key, its record comes first and decides: if there is one that is
    /// not over at `now`, that is the answer. Order: record, payload, delivery, message.
    fn accept(
        &self,
        tenant: &TenantId,
        remember: Option<(IdempotencyKey, IdempotencyRecord)>,
        deliveries: Vec<(Delivery, Bytes)>,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<AcceptOutcome>> + Send;
}

#[derive(Debug)]
pub enum ClaimOutcome {
    /// The attempt is the caller's: its row stands, as `sending`.
    Claimed(Box<(Delivery, Attempt)>),
    /// It is not; the delivery as it is, if there is one.
    NotClaimed(Option<Box<Delivery>>),
}

/// What became of a claim that was to be given back.
#[derive(Debug, PartialEq, Eq)]
pub enum ReleaseOutcome {
    Released,
    /// The delivery is not in flight under the token any more.
    Superseded,
    /// A resend was asked for since the claim. It may name the row, and only what was attempted can be resent, so nothing
    /// changed: the attempt counts.
    ReferencedByResend,
}

#[derive(Debug)]
pub enum CancelOutcome {
    Canceled,
    NotPending,
    NotFound,
}

pub trait Deliveries {
    /// Claims the automatic attempt of this number for the holder of the token, if it is next and none
    /// is in flight. Order: claim, row.
    fn claim(
        &self,
        message: &QueueMessage,
        number: u32,
        token: Uuid,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<ClaimOutcome>> + Send;

    /// Ends the automatic attempt of a complete row that began under this token: the row, the delivery
    /// moved on, its successor queued. A row that is complete already stands, and the delivery moves on
    /// from that. False if the delivery is not in flight under the token any more. `claimed` is the
    /// delivery as the claim gave it. Order: response, row, delivery, message.
    fn complete(
        &self,
        claimed: &Delivery,
        token: Uuid,
        row: Attempt,
        response: Option<Bytes>,
    ) -> impl Future<Output = StoreResult<bool>> + Send;

    /// Gives a claim back whose request could not leave, since something of ours was missing: its row is taken away,
    /// and the attempt of the same number is due again then. `claimed` is the delivery as the claim gave it. Order:
    /// row and delivery together, message; a repeated call queues the message again.
    fn release(
        &self,
        claimed: &Delivery,
        token: Uuid,
        row: &Attempt,
        due: Timestamp,
    ) -> impl Future<Output = StoreResult<ReleaseOutcome>> + Send;

    /// Ends the automatic attempts of a pending delivery.
    fn cancel(
        &self,
        tenant: &TenantId,
        trace: TraceId,
    ) -> impl Future<Output = StoreResult<CancelOutcome>> + Send;
}
