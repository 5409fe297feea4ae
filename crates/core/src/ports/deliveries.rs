//! Ports of deliveries: accepted, claimed, completed, released, canceled.

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use uuid::Uuid;

use super::{QueueMessage, StoreResult};
use crate::model::attempt::Attempt;
use crate::model::delivery::Delivery;
use crate::model::id::{EventId, LoanId, SubscriptionId, TenantId, TraceId};
use crate::model::ledger::{Decision, DecisionKind, LedgerEvent, Verdict};
use crate::model::payload::PayloadKey;
use crate::model::time::Timestamp;
use crate::model::trigger_state::TriggerReading;

/// The time that it takes at most to write down what came of a request, where a store is slow.
pub const MAX_RECORDING_TIME: Duration = Duration::from_secs(8);

/// Record of an idempotency key of intake: enough to finish, without matching again, what a
/// crashed first call left undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// `Event::digest`.
    pub digest: PayloadKey,
    pub event_id: EventId,
    pub accepted_at: Timestamp,
    /// The subscriptions that matched, in the version that did.
    pub matched: Vec<(SubscriptionId, u64)>,
    /// The subscriptions that did not, each in the version that decided, and what it decided.
    pub unmatched: Vec<(SubscriptionId, u64, DecisionKind)>,
}

impl IdempotencyRecord {
    /// The record of an event with these verdicts.
    pub fn new(digest: PayloadKey, event_id: EventId, accepted_at: Timestamp, verdicts: &[Verdict]) -> Self {
        let record = Self { digest, event_id, accepted_at, matched: Vec::new(), unmatched: Vec::new() };
        record.with_verdicts(verdicts)
    }

    /// The same, with verdicts that were not known before.
    #[must_use]
    pub fn with_verdicts(mut self, verdicts: &[Verdict]) -> Self {
        for Verdict { subscription_id, version, decision, .. } in verdicts {
            match decision.kind() {
                DecisionKind::Delivered => self.matched.push((*subscription_id, *version)),
                kind => self.unmatched.push((*subscription_id, *version, kind)),
            }
        }
        self.matched.sort_unstable();
        self.unmatched.sort_unstable_by_key(|(id, version, _)| (*id, *version));
        self
    }
}

/// An idempotency key, as the caller chose it, and until when it is remembered.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    pub key: String,
    pub until: Timestamp,
}

/// An event that was matched, with what is to be stored of it.
#[derive(Debug, Clone)]
pub struct AcceptRequest {
    pub tenant: TenantId,
    pub loan_id: LoanId,
    /// The idempotency key of the call and its record.
    pub idempotency: Option<(IdempotencyKey, IdempotencyRecord)>,
    /// The event, for the ledger; none where that keeps no such event. Without the verdicts of what is watched.
    pub event: Option<NewLedgerEvent>,
    /// What is sent in any case: deliveries with their payloads.
    pub deliveries: Vec<(Delivery, Bytes)>,
    /// Triggers of the kind `on-change`, each as it is at this event.
    pub watched: Vec<WatchedTrigger>,
    /// The subscriptions that keep an order now, among others: an engine whose own step tells has no need of it.
    pub in_order: BTreeSet<SubscriptionId>,
    /// Whether it completes an event that an earlier call with the same key began: the event may be promised, so nothing that
    /// is stored of it is taken away where this call fails.
    pub completes_earlier: bool,
    pub now: Timestamp,
}

impl AcceptRequest {
    /// The same, with what the watched triggers decided: in the record of its key and in the event. Nothing is watched any
    /// more.
    #[must_use]
    pub fn with_verdicts(mut self, verdicts: &[Verdict]) -> Self {
        self.watched.clear();
        self.idempotency = self.idempotency.map(|(key, record)| (key, record.with_verdicts(verdicts)));
        self.event = self.event.map(|new| new.with_verdicts(verdicts));
        self
    }
}

/// An event that is to be stored in the ledger.
#[derive(Debug, Clone)]
pub struct NewLedgerEvent {
    pub event: LedgerEvent,
    /// The payload of which its context is a part.
    pub envelope: Bytes,
}

impl NewLedgerEvent {
    /// The same, with verdicts that were not known before.
    #[must_use]
    pub fn with_verdicts(mut self, verdicts: &[Verdict]) -> Self {
        self.event.add_verdicts(verdicts.iter().cloned());
        self
    }
}

/// A trigger at an event, and the delivery that comes of it if it has a rising edge; none where a restriction forbids.
#[derive(Debug, Clone)]
pub struct WatchedTrigger {
    pub watch: TriggerReading,
    /// The title of its subscription.
    pub title: String,
    /// The version of its subscription.
    pub version: u64,
    pub delivery: Option<(Delivery, Bytes)>,
}

impl WatchedTrigger {
    /// The trace of the delivery that it makes on its rising edge.
    pub fn trace_if_fired(&self) -> Option<TraceId> {
        self.delivery.as_ref().map(|(delivery, _)| delivery.snapshot.trace_id)
    }

    /// What its subscription decides; `rises` says whether it had its rising edge.
    pub fn verdict(&self, rises: bool) -> Verdict {
        let decision = match (self.watch.holds, rises, self.trace_if_fired()) {
            (false, ..) => Decision::TriggerFalse,
            (true, false, _) => Decision::AlreadyTrue,
            (true, true, None) => Decision::RestrictionFalse,
            (true, true, Some(trace)) => Decision::Delivered(trace),
        };
        let (subscription_id, title) = (self.watch.subscription, self.title.clone());
        Verdict { subscription_id, title, version: self.version, decision }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub enum AcceptOutcome {
    /// All is stored and queued; these subscriptions fired because their triggers had a rising edge.
    Stored { fired: Vec<SubscriptionId> },
    /// The key was used before: nothing was stored, and no trigger's state changed.
    Duplicate(IdempotencyRecord),
}

pub trait Intake {
    /// Room for the new deliveries of one event. The default is that of an event which did not wait; it is free again when
    /// this is dropped.
    type Room: Default + Send;

    /// Room for new deliveries of these subscriptions, as soon as there is some, in an engine where intake keeps pace with
    /// sending. `bytes` is what the event takes in memory while it waits.
    ///
    /// It is asked for before memory is reserved for what the event renders to, by every caller: who waits here holds
    /// nothing that another event waits for, so no two events wait for each other.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`](super::StoreError::Busy) where too much waits already, or there was no room in time.
    fn wait_for_room(
        &self,
        tenant: &TenantId,
        subscriptions: BTreeSet<SubscriptionId>,
        bytes: usize,
    ) -> impl Future<Output = StoreResult<Self::Room>> + Send;

    /// Stores deliveries with their payloads and queues their first attempts; a delivery that is there
    /// already stays as it is, and so does the event. With a key, its record comes first and decides: if there is one that is
    /// not over at `now`, that is the answer. Order: record, payload of the event, event, payload, delivery, message.
    ///
    /// Where triggers are watched, it takes in what each of them is now, and what comes of those that rise is stored
    /// and queued with the other deliveries. Whether one rises is decided by [`TriggerState::update`] on the state as it
    /// is in the same step, so that of events that come at once one fires. What a key's record says matched is completed
    /// with the subscriptions that fired, and so are the verdicts of the event. Order then: payload and delivery of those that
    /// rise, and the payload of the event; record, trigger state and event together; the other payloads and deliveries,
    /// messages. What a crash left without its message is found by a call with the same key, or by the next event of the loan ([`TriggerState::fired_recently`]).
    ///
    /// [`TriggerState::update`]: crate::model::trigger_state::TriggerState::update
    /// [`TriggerState::fired_recently`]: crate::model::trigger_state::TriggerState::fired_recently
    fn accept(
        &self,
        request: AcceptRequest,
        room: Self::Room,
    ) -> impl Future<Output = StoreResult<AcceptOutcome>> + Send;
}

#[derive(Debug)]
pub enum ClaimOutcome {
    /// The caller holds the claim: the row is stored, as `sending`.
    Claimed(Box<(Delivery, Attempt)>),
    /// Nothing is claimed; the delivery as it is, if there is one.
    NotClaimed(Option<Box<Delivery>>),
}

/// What became of a claim that was to be given back.
#[derive(Debug, PartialEq, Eq)]
pub enum ReleaseOutcome {
    Released,
    /// The delivery is not in flight under the token any more.
    Superseded,
    /// A resend was asked for since the claim. It may name the row, and only what was attempted can be resent, so nothing
    /// changed: the attempt counts. So it does where somebody found the lease over and completed the row meanwhile.
    ReferencedByResend,
}

#[derive(Debug)]
pub enum CancelOutcome {
    Canceled,
    NotPending,
    NotFound,
}

pub trait Deliveries {
    /// Claims the automatic attempt of this number for the holder of the token, if it is next, none is in flight, and
    /// the order of its subscription lets it begin. Order: claim, row.
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

    /// Stores the frozen headers of a delivery again, without the credentials that an earlier version of loanhook stored with
    /// them. Nothing else of the delivery changes.
    fn replace_frozen_headers(&self, delivery: &Delivery) -> impl Future<Output = StoreResult<()>> + Send;

    /// Ends the automatic attempts of a pending delivery.
    fn cancel(
        &self,
        tenant: &TenantId,
        trace: TraceId,
    ) -> impl Future<Output = StoreResult<CancelOutcome>> + Send;
}
