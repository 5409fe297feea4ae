//! What bounds the requests that are under way: places of a subscription, slots of the whole process.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::queue::queue_states::LaneId;
use crate::queue::scheduler::Lanes;

/// One of the slots, taken until this is dropped.
pub(crate) struct Slot {
    permit: Option<OwnedSemaphorePermit>,
    lanes: Arc<Lanes>,
}

impl Slot {
    /// One of these, if one is free.
    pub(crate) fn take(slots: &Arc<Semaphore>, lanes: &Arc<Lanes>) -> Option<Self> {
        let permit = Arc::clone(slots).try_acquire_owned().ok();
        permit.is_some().then(|| Self { permit, lanes: Arc::clone(lanes) })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // It is free before anybody is told.
        drop(self.permit.take());
        self.lanes.wake_if_waiting();
    }
}

/// Places of a lane, taken until this is dropped.
pub(crate) struct Places {
    lanes: Arc<Lanes>,
    id: LaneId,
    pub(crate) count: usize,
}

impl Places {
    /// Those that the lanes have taken for somebody.
    pub(crate) fn taken(lanes: &Arc<Lanes>, id: LaneId, count: usize) -> Self {
        Self { lanes: Arc::clone(lanes), id, count }
    }

    /// One of them by itself, if one is left.
    pub(crate) fn split_one(&mut self) -> Option<Self> {
        self.count = self.count.checked_sub(1)?;
        Some(Self { lanes: Arc::clone(&self.lanes), id: self.id.clone(), count: 1 })
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        if self.count > 0 {
            self.lanes.give_places_back(&self.id, self.count);
        }
    }
}
