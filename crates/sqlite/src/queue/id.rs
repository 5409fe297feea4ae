//! Name of a queue.

use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::ports::{DueWork, QueueMessage};

/// One of the two queues of a subscription: of automatic attempts, or of resends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct QueueId {
    pub(crate) tenant: TenantId,
    pub(crate) subscription: SubscriptionId,
    pub(crate) automatic: bool,
}

impl QueueId {
    pub(crate) fn of(message: &QueueMessage) -> Self {
        let automatic = matches!(message.work, DueWork::Attempt(_));
        Self { tenant: message.tenant.clone(), subscription: message.subscription_id, automatic }
    }

    /// The other queue of the same subscription.
    pub(crate) fn sibling(&self) -> Self {
        Self { automatic: !self.automatic, ..self.clone() }
    }
}
