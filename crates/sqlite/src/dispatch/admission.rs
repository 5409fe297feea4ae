//! What may leave at once.
//!
//! While a worker is at work, what comes in need not go through the queue: where a slot and a place are free and
//! nothing of its subscription waits for one, intake claims the first attempt in its own commit, and the request
//! leaves after it. The worker opens this and closes it; while it is closed everything is queued.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;

use crate::dispatch::permits::{ProcessPermit, WirePermits};
use crate::dispatch::worker::{DispatchLimits, Task, WirePermit};
use crate::queue::fair_shares::PermitCounts;
use crate::queue::queue_states::QueueId;
use crate::queue::scheduler::QueueScheduler;
use loanhook_core::deliver::ClaimedAttempt;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::QueueMessage;

/// Starts the handler of what is due; `row` is its message, if that is in the table still.
pub(crate) trait StartHandler: Send + Sync {
    fn start(&self, message: QueueMessage, task: Task, row: Option<i64>, slot: ProcessPermit);

    /// Starts an attempt that is claimed and committed.
    fn start_claimed(
        &self,
        message: QueueMessage,
        claimed: Box<ClaimedAttempt>,
        place: WirePermits,
        slot: ProcessPermit,
    ) {
        self.start(message, Task::Claimed(claimed, WirePermit(place)), None, slot);
    }
}

#[derive(Default)]
pub(crate) struct AdmissionControl(Mutex<Option<Arc<Dispatcher>>>);

pub(crate) struct Dispatcher {
    /// One for each slot.
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) limits: DispatchLimits,
    pub(crate) starter: Box<dyn StartHandler>,
}

impl Dispatcher {
    pub(crate) fn slots(&self) -> PermitCounts {
        PermitCounts { total: self.limits.process_permits as usize, free: self.permits.available_permits() }
    }
}

/// What decides whether an attempt may begin at once.
pub(crate) type Door = (Arc<AdmissionControl>, Arc<QueueScheduler>);

/// A slot and a place for one attempt.
pub(crate) struct Admission {
    slot: ProcessPermit,
    place: WirePermits,
    open: Arc<Dispatcher>,
}

impl AdmissionControl {
    fn state(&self) -> MutexGuard<'_, Option<Arc<Dispatcher>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens this until the guard is dropped.
    pub(crate) fn open(&self, open: Arc<Dispatcher>) -> Opened<'_> {
        *self.state() = Some(open);
        Opened(self)
    }

    /// A slot and a place in a lane, if there are any and nothing waits for them.
    pub(crate) fn admit(
        &self,
        lanes: &Arc<QueueScheduler>,
        id: QueueId,
        now: Timestamp,
    ) -> Option<Admission> {
        let (open, slot, slots) = {
            // Whoever closes this waits for every slot that was taken before.
            let state = self.state();
            let open = Arc::clone(state.as_ref()?);
            let slots = open.slots();
            let slot = ProcessPermit::take(&open.permits, lanes)?;
            (open, slot, slots)
        };
        let place = lanes.reserve_wire_permit(id, open.limits.wire_permits_per_subscription, slots, now)?;
        Some(Admission { slot, place, open })
    }
}

impl Admission {
    pub(crate) fn start(self, message: QueueMessage, claimed: Box<ClaimedAttempt>) {
        self.open.starter.start_claimed(message, claimed, self.place, self.slot);
    }
}

pub(crate) struct Opened<'a>(&'a AdmissionControl);

impl Drop for Opened<'_> {
    fn drop(&mut self) {
        self.0.state().take();
    }
}
