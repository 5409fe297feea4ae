//! What the use cases ask of the world.
//!
//! Each trait is one capability; an engine implements them all. An operation that changes several
//! things names, in its words here, the order in which their effects may become durable: an engine that
//! has transactions does it in one, another writes in that order, and every prefix is a state that the
//! next wake of the delivery heals.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model::attempt::{Attempt, AttemptNumber};
use crate::model::delivery::Delivery;
use crate::model::failure::Failure;
use crate::model::id::{AttemptId, EventId, KeyId, LoanId, SubscriptionId, TenantId, TraceId};
use crate::model::key::{Key, KeyHash};
use crate::model::payload::PayloadKey;
use crate::model::secret::{Secrets, SigningSecret};
use crate::model::subscription::{Method, Subscription};
use crate::model::time::Timestamp;

/// Why a store did not do what it was asked. Nothing of the operation took effect, as far as is known.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// More is waiting than can be taken in; later it will go.
    #[error("the store is busy")]
    Busy,
    #[error("the store failed: {0}")]
    Failed(Arc<str>),
}

pub type Stored<T> = Result<T, StoreError>;

/// A message: something of a delivery is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wake {
    pub tenant: TenantId,
    pub trace_id: TraceId,
    /// What shares a receiver: a slow one delays no other.
    pub subscription_id: SubscriptionId,
    pub due: Timestamp,
    pub what: Due,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// The automatic attempt of this number.
    Attempt(u32),
    /// A resend, by its row.
    Resend { loan_id: LoanId, attempt_id: AttemptId },
}

/// What an idempotency key of intake stands for: enough to finish, without matching again, what a
/// crashed first call left undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// SHA-256 of the event's bytes.
    pub digest: PayloadKey,
    pub event_id: EventId,
    pub accepted_at: Timestamp,
    /// The subscriptions that matched, in the version that did.
    pub matched: Vec<(SubscriptionId, u64)>,
}

/// An idempotency key, as the caller chose it, and until when it is remembered.
#[derive(Debug, Clone)]
pub struct Idempotency {
    pub key: String,
    pub until: Timestamp,
}

#[derive(Debug)]
pub enum Accepted {
    /// All is stored and queued.
    Stored,
    /// The key was used before: nothing was stored.
    Known(Remembered),
}

pub trait Intake {
    /// Stores deliveries with their payloads and queues their first attempts; a delivery that is there
    /// already stays as it is. With a key, its record comes first and decides: if there is one that is
    /// not over at `now`, that is the answer. Order: record, payload, delivery, message.
    fn accept(
        &self,
        tenant: &TenantId,
        remember: Option<(Idempotency, Remembered)>,
        deliveries: Vec<(Delivery, Bytes)>,
        now: Timestamp,
    ) -> impl Future<Output = Stored<Accepted>> + Send;
}

#[derive(Debug)]
pub enum Begun {
    /// The attempt is the caller's: its row stands, as `sending`.
    Won(Box<(Delivery, Attempt)>),
    /// It is not; the delivery as it is, if there is one.
    Lost(Option<Box<Delivery>>),
}

#[derive(Debug)]
pub enum Canceled {
    Done,
    NotPending,
    Unknown,
}

pub trait Deliveries {
    fn delivery(
        &self,
        tenant: &TenantId,
        trace: TraceId,
    ) -> impl Future<Output = Stored<Option<Delivery>>> + Send;

    /// Claims the automatic attempt of this number for the holder of the token, if it is next and none
    /// is in flight. Order: claim, row.
    fn begin(
        &self,
        wake: &Wake,
        number: u32,
        token: Uuid,
        now: Timestamp,
    ) -> impl Future<Output = Stored<Begun>> + Send;

    /// Ends the automatic attempt of a complete row that began under this token: the row, the delivery
    /// moved on, its successor queued. A row that is complete already stands, and the delivery moves on
    /// from that. False if the delivery is not in flight under the token any more. `claimed` is the
    /// delivery as the claim gave it. Order: response, row, delivery, message.
    fn settle(
        &self,
        claimed: &Delivery,
        token: Uuid,
        row: Attempt,
        response: Option<Bytes>,
    ) -> impl Future<Output = Stored<bool>> + Send;

    /// Ends the automatic attempts of a pending delivery.
    fn cancel(&self, tenant: &TenantId, trace: TraceId) -> impl Future<Output = Stored<Canceled>> + Send;
}

/// A row, and what it says of its delivery as it is now.
#[derive(Debug, Clone)]
pub struct Row {
    pub attempt: Attempt,
    /// How often the delivery was manually resent so far.
    pub resends: u32,
}

pub trait Attempts {
    /// Rows of a loan, the newest first: at most `limit`, with IDs from `oldest` to before `before`.
    fn rows(
        &self,
        tenant: &TenantId,
        loan: &LoanId,
        oldest: Option<AttemptId>,
        before: Option<AttemptId>,
        limit: usize,
    ) -> impl Future<Output = Stored<Vec<Row>>> + Send;

    fn row(
        &self,
        tenant: &TenantId,
        loan: &LoanId,
        id: AttemptId,
    ) -> impl Future<Output = Stored<Option<Row>>> + Send;

    /// All attempts of a delivery, the oldest first.
    fn attempts_of(&self, delivery: &Delivery) -> impl Future<Output = Stored<Vec<Attempt>>> + Send;
}

#[derive(Debug, PartialEq, Eq)]
pub enum Queued {
    New,
    /// The key was used before, for this attempt of this delivery.
    Known(TraceId, AttemptId),
}

#[derive(Debug)]
pub enum Taken {
    Won(Box<(Delivery, Attempt)>),
    /// The row as it is, if there is one.
    Lost(Option<Box<Attempt>>),
}

pub trait Resends {
    /// Puts the row of a resend, as `queued`, and its message; counts it on its delivery. With a key
    /// that was used before, nothing is put. Order: record, row, count, message.
    fn queue_resend(
        &self,
        row: Attempt,
        key: Option<Idempotency>,
        now: Timestamp,
    ) -> impl Future<Output = Stored<Queued>> + Send;

    /// Takes a queued resend for the holder of the token; one that waited too long is completed as
    /// interrupted instead.
    fn take_resend(
        &self,
        wake: &Wake,
        loan: &LoanId,
        id: AttemptId,
        token: Uuid,
        now: Timestamp,
    ) -> impl Future<Output = Stored<Taken>> + Send;

    /// Completes the row of a resend that was taken under the token, and tells its delivery of a
    /// success. False if the row is not the token's any more. Order: response, row, delivery.
    fn settle_resend(
        &self,
        token: Uuid,
        row: Attempt,
        response: Option<Bytes>,
    ) -> impl Future<Output = Stored<bool>> + Send;
}

pub trait Payloads {
    fn payload(
        &self,
        tenant: &TenantId,
        key: PayloadKey,
    ) -> impl Future<Output = Stored<Option<Bytes>>> + Send;
}

pub trait Queue {
    /// Puts a message that is due at `wake.due`.
    fn send_on(&self, wake: Wake) -> impl Future<Output = Stored<()>> + Send;
}

#[derive(Debug, PartialEq, Eq)]
pub enum Replaced {
    Done,
    /// Another change came first.
    Changed,
    Unknown,
}

pub trait Subscriptions {
    /// The subscriptions of a tenant as they are now, the oldest first.
    fn subscriptions(
        &self,
        tenant: &TenantId,
    ) -> impl Future<Output = Stored<Arc<Vec<Arc<Subscription>>>>> + Send;

    /// A subscription in a version it has or had, deleted or not.
    fn subscription_version(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        version: u64,
    ) -> impl Future<Output = Stored<Option<Arc<Subscription>>>> + Send;

    /// The secrets of a subscription as they are now, even of a deleted one; at least as new as
    /// `version`.
    fn secrets(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        version: u64,
    ) -> impl Future<Output = Stored<Option<Secrets>>> + Send;

    /// False if the tenant has `most` already.
    fn create(&self, subscription: Subscription, most: usize) -> impl Future<Output = Stored<bool>> + Send;

    /// Puts the next version of a subscription, if it still is at the version before that.
    fn replace(&self, subscription: Subscription) -> impl Future<Output = Stored<Replaced>> + Send;

    /// False if there was none.
    fn delete(&self, tenant: &TenantId, id: SubscriptionId) -> impl Future<Output = Stored<bool>> + Send;
}

pub trait Keys {
    fn key(&self, hash: KeyHash) -> impl Future<Output = Stored<Option<Arc<Key>>>> + Send;

    fn add_key(&self, key: Key, hash: KeyHash) -> impl Future<Output = Stored<()>> + Send;

    /// The keys of a tenant, the oldest first: at most `limit`, after the one with the ID `after`.
    fn keys(
        &self,
        tenant: &TenantId,
        after: Option<KeyId>,
        limit: usize,
    ) -> impl Future<Output = Stored<Vec<Key>>> + Send;

    /// False if the tenant has no such key.
    fn delete_key(&self, tenant: &TenantId, id: KeyId) -> impl Future<Output = Stored<bool>> + Send;
}

/// Where requests come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Egress {
    pub addresses: Vec<IpAddr>,
    /// They will not change.
    pub fixed: bool,
}

pub trait EgressAddresses {
    fn egress(&self, now: Timestamp) -> impl Future<Output = Stored<Egress>> + Send;

    /// A request left from this address.
    fn left_from(&self, address: IpAddr, now: Timestamp);
}

/// A request about to leave: what was frozen at intake, and what belongs to this attempt alone.
#[derive(Debug)]
pub struct Outgoing {
    pub method: Method,
    pub url: String,
    pub headers: BTreeMap<String, String>,
    pub content_type: Option<String>,
    /// Empty where there is no body.
    pub body: Bytes,
    pub trace_id: TraceId,
    pub attempt_id: AttemptId,
    pub number: AttemptNumber,
    pub event_name: String,
    /// All that sign.
    pub secrets: Vec<SigningSecret>,
    pub sent_at: Timestamp,
    /// Over the whole request.
    pub timeout: Duration,
}

/// What came of a request.
#[derive(Debug)]
pub struct Sent {
    pub elapsed: Duration,
    /// The address the request left from.
    pub source_ip: Option<IpAddr>,
    /// The answer's status, or why there was none.
    pub result: Result<u16, Failure>,
    /// The answer; where it broke off, what had come of it.
    pub received: Option<Received>,
}

/// An answer, up to what is kept of one.
#[derive(Debug, Clone)]
pub struct Received {
    pub headers: Vec<(String, String)>,
    pub headers_truncated: bool,
    pub body: Bytes,
    pub truncated: bool,
}

pub trait Sender {
    /// Sends one request, once. It never fails: a failure is what came of it.
    fn send(&self, outgoing: Outgoing) -> impl Future<Output = Sent> + Send;
}
