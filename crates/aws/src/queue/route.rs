//! The choice of a queue: where a message is sent, and what becomes of one that was received.
//!
//! A batch ends with its slowest request, so what a receiver that hangs holds is instances of the delivery function. The
//! *fast queue* is for requests that are expected to end soon; retries, and all that is for a receiver with a slow mark, are
//! for the *slow queue*. What a receiver can hold in each is bounded:
//!
//! - fast: where there are at least eight instances ([`super::instances`]), each is *closed* to an eighth of the receivers,
//!   by a hash of both. A receiver that begins to hang can hold the other instances until it has a slow mark, and these never.
//! - slow: a batch sends to a receiver only with a permit of it ([`super::permits`]).

use sha2::{Digest, Sha256};
use uuid::Uuid;

use loanhook_core::model::attempt::MAX_RESEND_WAIT;
use loanhook_core::model::delivery::DeliverySnapshot;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DueWork, QueueMessage};

/// An instance is closed to one of so many receivers.
const CLOSED_TO_ONE_OF: u8 = 8;

/// The receiver of a subscription: what may be slow, and what has a share of the instances.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Receiver {
    pub(crate) tenant: TenantId,
    pub(crate) subscription_id: SubscriptionId,
}

impl Receiver {
    pub(crate) fn of(message: &QueueMessage) -> Self {
        Self { tenant: message.tenant.clone(), subscription_id: message.subscription_id }
    }

    pub(crate) fn of_snapshot(snapshot: &DeliverySnapshot) -> Self {
        Self { tenant: snapshot.tenant.clone(), subscription_id: snapshot.subscription_id }
    }
}

/// The two queues of a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QueueKind {
    Fast,
    Slow,
}

/// The queue of what is due; `is_slow` says whether its receiver has a slow mark.
pub(super) fn queue_for(work: &DueWork, is_slow: bool) -> QueueKind {
    match work {
        DueWork::Attempt(..=1) | DueWork::Resend { .. } if !is_slow => QueueKind::Fast,
        DueWork::Attempt(_) | DueWork::Resend { .. } => QueueKind::Slow,
    }
}

/// An instance of the delivery function, by a random ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstanceId(Uuid);

impl InstanceId {
    /// A new instance.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    pub(super) const fn uuid(self) -> Uuid {
        self.0
    }

    /// Whether this instance takes no message for a receiver from the fast queue.
    pub fn is_closed_to(self, tenant: &TenantId, subscription: SubscriptionId) -> bool {
        let hash = Sha256::new()
            .chain_update(self.0.as_bytes())
            .chain_update(subscription.uuid().as_bytes())
            .chain_update(tenant.as_str())
            .finalize();
        hash[0] % CLOSED_TO_ONE_OF == 0
    }
}

/// A message that was received, and what is known where it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Received<'a> {
    pub(super) message: &'a QueueMessage,
    pub(super) from: QueueKind,
    /// An instance that is closed to its receiver has returned it to the fast queue before.
    pub(super) was_returned: bool,
    /// Its receiver has a slow mark.
    pub(super) is_slow: bool,
    /// This instance is closed to its receiver.
    pub(super) is_closed: bool,
    pub(super) now: Timestamp,
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// It is handled here.
    Handle,
    /// It is handled here, with a permit of its receiver.
    HandleWithPermit,
    /// It is sent to the slow queue.
    PassOn,
    /// It is sent to the fast queue again, for another instance.
    Return,
}

pub(super) fn route(received: Received<'_>) -> Route {
    let Received { message, from, was_returned, is_slow, is_closed, now } = received;
    match from {
        // It goes back to a queue without any call to DynamoDB.
        _ if now < message.due => Route::Handle,
        // It is not sent any more, which is all that is written.
        QueueKind::Slow if is_expired_resend(message, now) => Route::Handle,
        // Also where its receiver has recovered: a message that moves only one way cannot go in circles.
        QueueKind::Slow => Route::HandleWithPermit,
        QueueKind::Fast if queue_for(&message.work, is_slow) == QueueKind::Slow => Route::PassOn,
        QueueKind::Fast if !is_closed => Route::Handle,
        // Where few instances are left, the next one may be this one again.
        QueueKind::Fast if was_returned => Route::PassOn,
        QueueKind::Fast => Route::Return,
    }
}

fn is_expired_resend(message: &QueueMessage, now: Timestamp) -> bool {
    matches!(message.work, DueWork::Resend { .. }) && now.since(message.due) >= MAX_RESEND_WAIT
}

#[cfg(test)]
#[path = "route_tests.rs"]
mod tests;
