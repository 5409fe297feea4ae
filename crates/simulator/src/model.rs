//! Model of a run: what was promised and what was seen from outside, against which the rules are checked.

use std::collections::BTreeMap;
use std::time::Duration;

use loanhook_core::model::delivery::{Delivery, DeliverySnapshot};
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::id::{AttemptId, EventId, JobId, LoanId, SubscriptionId, TenantId, TraceId};
use loanhook_core::model::progress::Progress;
use loanhook_core::ports::QueueMessage;

use crate::rules::flow::SeenFlows;

/// A delivery of a tenant.
pub(crate) type DeliveryKey = (TenantId, TraceId);

/// A delivery as it was first seen, and what happened to it since.
pub(crate) struct SeenDelivery {
    pub(crate) snapshot: DeliverySnapshot,
    /// As it was last seen.
    pub(crate) progress: Progress,
    /// An answer named it.
    pub(crate) promised: bool,
    /// Somebody asked for its cancel, whether there was an answer or not.
    pub(crate) cancel_asked: bool,
    /// The cancel was answered; the attempt that was in flight then may still leave.
    pub(crate) canceled: Option<Option<AttemptId>>,
    /// The automatic attempts whose requests left.
    pub(crate) requests: BTreeMap<u32, AttemptId>,
}

impl SeenDelivery {
    pub(crate) fn new(delivery: &Delivery) -> Self {
        Self {
            snapshot: delivery.snapshot.clone(),
            progress: delivery.progress,
            promised: false,
            cancel_asked: false,
            canceled: None,
            requests: BTreeMap::new(),
        }
    }
}

/// An event as a client sends it, with all its calls.
#[derive(Clone)]
pub(crate) struct SeenEvent {
    pub(crate) tenant: TenantId,
    pub(crate) loan: LoanId,
    /// Whether the triggers are true at it.
    pub(crate) triggers: bool,
    /// When its first call began.
    pub(crate) began: u64,
    /// When its last call was answered; none where one never was.
    pub(crate) ended: Option<u64>,
    /// The subscriptions that were promised to hear of it.
    pub(crate) promised: Vec<(SubscriptionId, TraceId)>,
}

/// A request that left.
#[derive(Default)]
pub(crate) struct SentRequest {
    /// How long it took, and what came of it, where its worker heard of that.
    pub(crate) answer: Option<(Duration, Result<u16, ErrorKind>)>,
}

/// What an idempotency key was answered with.
pub(crate) struct KeyUse {
    pub(crate) event: u32,
    pub(crate) event_id: EventId,
    pub(crate) traces: Vec<TraceId>,
}

#[derive(Default)]
pub(crate) struct Model {
    pub(crate) deliveries: BTreeMap<DeliveryKey, SeenDelivery>,
    /// By the number that each event carries.
    pub(crate) events: BTreeMap<u32, SeenEvent>,
    pub(crate) event_keys: BTreeMap<(TenantId, String), KeyUse>,
    pub(crate) resend_keys: BTreeMap<(TenantId, String), (TraceId, AttemptId)>,
    /// The resends that an answer named.
    pub(crate) resends: BTreeMap<(TenantId, AttemptId), TraceId>,
    /// The recovery jobs that were answered, by their number.
    pub(crate) jobs: BTreeMap<(TenantId, u32), JobId>,
    /// Attempts whose requests left, of every kind.
    pub(crate) sent: BTreeMap<AttemptId, SentRequest>,
    /// By which delivery a receiver got an event.
    pub(crate) received: BTreeMap<(TenantId, u32, SubscriptionId), TraceId>,
    /// Limits, holds, and what is handed out under them.
    pub(crate) flows: SeenFlows,
    moments: u64,
}

impl Model {
    /// A moment after all moments before.
    pub(crate) fn moment(&mut self) -> u64 {
        self.moments += 1;
        self.moments
    }

    /// Whether a message is of a delivery that was promised.
    pub(crate) fn promises(&self, message: &QueueMessage) -> bool {
        let seen = self.deliveries.get(&(message.tenant.clone(), message.trace_id));
        seen.is_some_and(|seen| seen.promised)
    }

    /// The deliveries that a client knows of, in an order that is the same for the same seed.
    pub(crate) fn known(&self) -> Vec<DeliveryKey> {
        let promised = self.deliveries.iter().filter(|(_, seen)| seen.promised);
        promised.map(|(key, _)| key.clone()).collect()
    }
}
