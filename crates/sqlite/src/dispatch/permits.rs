//! What bounds the requests that are under way: places of a subscription, slots of the whole process.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::queue::queue_states::QueueId;
use crate::queue::scheduler::QueueScheduler;

/// One of the slots, taken until this is dropped.
pub(crate) struct ProcessPermit {
    permit: Option<OwnedSemaphorePermit>,
    lanes: Arc<QueueScheduler>,
}

impl ProcessPermit {
    /// One of these, if one is free.
    pub(crate) fn take(slots: &Arc<Semaphore>, lanes: &Arc<QueueScheduler>) -> Option<Self> {
        let permit = Arc::clone(slots).try_acquire_owned().ok();
        permit.is_some().then(|| Self { permit, lanes: Arc::clone(lanes) })
    }
}

impl Drop for ProcessPermit {
    fn drop(&mut self) {
        // It is free before anybody is told.
        drop(self.permit.take());
        self.lanes.notify_if_any_ready();
    }
}

/// Places of a lane, taken until this is dropped.
pub(crate) struct WirePermits {
    lanes: Arc<QueueScheduler>,
    id: QueueId,
    pub(crate) count: usize,
}

impl WirePermits {
    /// Those that the lanes have taken for somebody.
    pub(crate) fn taken(lanes: &Arc<QueueScheduler>, id: QueueId, count: usize) -> Self {
        Self { lanes: Arc::clone(lanes), id, count }
    }

    /// One of them by itself, if one is left.
    pub(crate) fn split_one(&mut self) -> Option<Self> {
        self.count = self.count.checked_sub(1)?;
        Some(Self { lanes: Arc::clone(&self.lanes), id: self.id.clone(), count: 1 })
    }
}

impl Drop for WirePermits {
    fn drop(&mut self) {
        if self.count > 0 {
            self.lanes.return_wire_permits(&self.id, self.count);
        }
    }
}
