//! Task: what the worker hands to its handler, and the bounds of what is in flight.

use std::time::Duration;

use crate::queue::{Answer, SendingPermit, ShareBounds};
use loanhook_core::deliver::{ClaimedAttempt, Deliver};
use loanhook_core::model::attempt::Completion;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    Deliveries, EgressAddresses, Payloads, Queue, QueueMessage, Resends, SendPermit, Sender, StoreResult,
    Subscriptions,
};

/// How many attempts are in flight at once.
#[derive(Debug, Clone, Copy)]
pub struct DispatchLimits {
    /// In the whole process, from the claim of an attempt until its completion is committed.
    pub process_permits: u32,
    /// Of a subscription on the wire, until the response has come, as long as nothing is known of its receiver: see
    /// `queue::adaptive_share`. A subscription holds a quarter of the process permits at most, and its tenant half: see
    /// `queue::fair_shares`.
    pub initial_share: usize,
}

impl DispatchLimits {
    pub(super) fn share_bounds(&self) -> ShareBounds {
        // More than a quarter of the permits nobody gets.
        let quarter = self.process_permits as usize / 4;
        ShareBounds { initial: self.initial_share, most: quarter.max(self.initial_share) }
    }
}

impl Default for DispatchLimits {
    fn default() -> Self {
        Self { process_permits: 256, initial_share: 16 }
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
pub struct WirePermit(pub(super) SendingPermit);

impl SendPermit for WirePermit {
    fn end(self, completion: &Completion) {
        // Without a response time there was no request.
        if let Some(millis) = completion.response_time_ms {
            let elapsed = Duration::from_secs_f64(millis.max(0.0) / 1000.0);
            self.0.end(Answer::new(completion.succeeded(), elapsed));
        }
    }
}
