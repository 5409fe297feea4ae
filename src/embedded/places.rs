//! Places of a subscription among the requests that may be on the wire at once.

use std::sync::Arc;

use super::lanes::{LaneId, Lanes};

/// Places of a lane, taken until this is dropped.
pub(super) struct Places {
    lanes: Arc<Lanes>,
    id: LaneId,
    pub(super) count: usize,
}

impl Places {
    /// Those that the lanes have taken for somebody.
    pub(super) fn taken(lanes: &Arc<Lanes>, id: LaneId, count: usize) -> Self {
        Self { lanes: Arc::clone(lanes), id, count }
    }

    /// One of them by itself, if one is left.
    pub(super) fn split_one(&mut self) -> Option<Self> {
        self.count = self.count.checked_sub(1)?;
        Some(Self { lanes: Arc::clone(&self.lanes), id: self.id, count: 1 })
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        if self.count > 0 {
            self.lanes.give_places_back(self.id, self.count);
        }
    }
}
