//! Task: what the worker hands to its handler, and the bounds of what is in flight.

use crate::queue::WirePermits;
use loanhook_core::deliver::{ClaimedAttempt, Deliver};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    Deliveries, EgressAddresses, Payloads, Queue, QueueMessage, Resends, Sender, StoreResult, Subscriptions,
};

/// How many attempts are in flight at once.
#[derive(Debug, Clone, Copy)]
pub struct DispatchLimits {
    /// In the whole process, from the claim of an attempt until its completion is committed.
    pub process_permits: u32,
    /// Of a subscription on the wire, until the response has come. Of a small number of process permits a subscription
    /// holds a quarter at most, and its tenant half: see `queue::fair_shares`.
    pub wire_permits_per_subscription: usize,
}

impl Default for DispatchLimits {
    fn default() -> Self {
        Self { process_permits: 256, wire_permits_per_subscription: 16 }
    }
}

/// What is due, for the handler.
pub enum Task {
    /// A message; nothing is claimed yet.
    Message(QueueMessage),
    /// An automatic attempt that is claimed. The permit is to be dropped once its response has come.
    Claimed(Box<ClaimedAttempt>, WirePermit),
}

impl Task {
    /// Does what is due; on an error its message must come again.
    pub async fn run<S, O>(self, deliver: &Deliver<S, O>, now: Timestamp) -> StoreResult<()>
    where
        S: Deliveries + Resends + Payloads + Subscriptions + Queue + EgressAddresses + Sync,
        O: Sender + Sync,
    {
        match self {
            Self::Message(message) => deliver.handle(message, now).await,
            Self::Claimed(claimed, permit) => deliver.send_claimed(*claimed, permit).await,
        }
    }
}

/// Permit for one of the requests that a subscription may have on the wire at once, until this is dropped.
pub struct WirePermit(#[expect(dead_code, reason = "it is held, not read")] pub(super) WirePermits);
