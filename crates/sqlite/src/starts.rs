//! What may leave at once.
//!
//! While a worker is at work, what comes in need not go through the queue: where a slot and a place are free and
//! nothing of its subscription waits for one, intake claims the first attempt in its own commit, and the request
//! leaves after it. The worker opens this and closes it; while it is closed everything is queued.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;

use super::lane::LaneId;
use super::lanes::Lanes;
use super::places::{Places, Slot};
use super::turns::Slots;
use super::worker::{Limits, Task, WirePermit};
use loanhook_core::deliver::ClaimedAttempt;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::QueueMessage;

/// Starts the handler of what is due; `row` is its message, if that is in the table still.
pub(super) trait Start: Send + Sync {
    fn start(&self, message: QueueMessage, task: Task, row: Option<i64>, slot: Slot);

    /// Starts an attempt that is claimed and committed.
    fn start_claimed(&self, message: QueueMessage, claimed: Box<ClaimedAttempt>, place: Places, slot: Slot) {
        self.start(message, Task::Claimed(claimed, WirePermit(place)), None, slot);
    }
}

#[derive(Default)]
pub(super) struct Starts(Mutex<Option<Arc<Open>>>);

pub(super) struct Open {
    /// One for each slot.
    pub(super) permits: Arc<Semaphore>,
    pub(super) limits: Limits,
    pub(super) starter: Box<dyn Start>,
}

impl Open {
    pub(super) fn slots(&self) -> Slots {
        Slots { in_all: self.limits.in_all as usize, free: self.permits.available_permits() }
    }
}

/// What decides whether an attempt may begin at once.
pub(super) type Door = (Arc<Starts>, Arc<Lanes>);

/// A slot and a place for one attempt.
pub(super) struct Admission {
    slot: Slot,
    place: Places,
    open: Arc<Open>,
}

impl Starts {
    fn state(&self) -> MutexGuard<'_, Option<Arc<Open>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens this until the guard is dropped.
    pub(super) fn open(&self, open: Arc<Open>) -> Opened<'_> {
        *self.state() = Some(open);
        Opened(self)
    }

    /// A slot and a place in a lane, if there are any and nothing waits for them.
    pub(super) fn admit(&self, lanes: &Arc<Lanes>, id: LaneId, now: Timestamp) -> Option<Admission> {
        let (open, slot, slots) = {
            // Whoever closes this waits for every slot that was taken before.
            let state = self.state();
            let open = Arc::clone(state.as_ref()?);
            let slots = open.slots();
            let slot = Slot::take(&open.permits, lanes)?;
            (open, slot, slots)
        };
        let place = lanes.take_free_place(id, open.limits.per_subscription, slots, now)?;
        Some(Admission { slot, place, open })
    }
}

impl Admission {
    pub(super) fn start(self, message: QueueMessage, claimed: Box<ClaimedAttempt>) {
        self.open.starter.start_claimed(message, claimed, self.place, self.slot);
    }
}

pub(super) struct Opened<'a>(&'a Starts);

impl Drop for Opened<'_> {
    fn drop(&mut self) {
        self.0.state().take();
    }
}
