//! Permits that bound the requests in flight: of the whole process, and on the wire for each subscription.
//!
//! A permit is held until it is dropped; then the scheduler hears of it.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::adaptive_share::Answer;
use super::fair_shares::PermitCounts;
use super::id::QueueId;
use super::pace::ShareBounds;
use super::scheduler::QueueScheduler;
use loanhook_core::model::flow::throttle::Reservation;
use loanhook_core::model::time::Timestamp;

/// The permits of the whole process.
pub(crate) struct ProcessPermits {
    semaphore: Arc<Semaphore>,
    total: u32,
    scheduler: Arc<QueueScheduler>,
}

impl ProcessPermits {
    pub(crate) fn new(total: u32, scheduler: Arc<QueueScheduler>) -> Self {
        Self { semaphore: Arc::new(Semaphore::new(total as usize)), total, scheduler }
    }

    pub(crate) fn counts(&self) -> PermitCounts {
        PermitCounts { total: self.total as usize, free: self.semaphore.available_permits() }
    }

    /// One of them, if one is free.
    pub(crate) fn try_acquire(&self) -> Option<ProcessPermit> {
        let permit = Arc::clone(&self.semaphore).try_acquire_owned().ok();
        permit.is_some().then(|| ProcessPermit { permit, scheduler: Arc::clone(&self.scheduler) })
    }

    /// Waits until nobody holds one.
    pub(crate) async fn all_returned(&self) {
        // Nobody closes the semaphore.
        let _ = self.semaphore.acquire_many(self.total).await;
    }
}

/// One of the permits of the process: from the claim of an attempt until its handler has ended.
pub(crate) struct ProcessPermit {
    permit: Option<OwnedSemaphorePermit>,
    scheduler: Arc<QueueScheduler>,
}

impl Drop for ProcessPermit {
    fn drop(&mut self) {
        // It is free before the worker wakes.
        drop(self.permit.take());
        self.scheduler.notify_if_any_ready();
    }
}

/// Wire permits that the scheduler reserved in one step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ReservedPermits {
    pub(crate) count: usize,
    /// What the throttle of the subscription reserved for them.
    pub(crate) reservation: Reservation,
}

/// Permits for requests of a queue on the wire: from their reservation until the response has come.
pub(crate) struct WirePermits {
    scheduler: Arc<QueueScheduler>,
    queue: QueueId,
    pub(super) count: usize,
    reservation: Reservation,
}

impl WirePermits {
    /// Those that the scheduler reserved: see [`NextQueue::Ready`](super::NextQueue::Ready).
    pub(crate) fn reserved(
        scheduler: &Arc<QueueScheduler>,
        queue: QueueId,
        reserved: ReservedPermits,
    ) -> Self {
        let ReservedPermits { count, reservation } = reserved;
        Self { scheduler: Arc::clone(scheduler), queue, count, reservation }
    }

    /// One for a request of no message, where the scheduler grants it: see [`QueueScheduler::reserve_wire_permit`].
    pub(crate) fn reserve_one(
        scheduler: &Arc<QueueScheduler>,
        queue: QueueId,
        initial_share: usize,
        permits: PermitCounts,
        now: Timestamp,
    ) -> Option<Self> {
        let reserved = scheduler.reserve_wire_permit(&queue, initial_share, permits, now)?;
        Some(Self::reserved(scheduler, queue, reserved))
    }

    /// Adds those that came free since, where they are reserved as these are, and says how many: see
    /// [`QueueScheduler::reserve_more`].
    pub(crate) fn reserve_more(&mut self, initial_share: usize, permits: PermitCounts) -> usize {
        let more = self.scheduler.reserve_more(&self.queue, initial_share, permits);
        if self.count == 0 {
            self.reservation = more.reservation;
        }
        if more.count > 0 && more.reservation != self.reservation {
            // Another second of a paced end has begun since.
            self.scheduler.return_wire_permits(&self.queue, more);
            return 0;
        }
        self.count += more.count;
        more.count
    }

    /// Gives back those that may not begin any more: see [`QueueScheduler::keep_allowed`].
    pub(crate) fn keep_allowed(&mut self) {
        let kept = self.scheduler.keep_allowed(&self.queue, self.all());
        (self.count, self.reservation) = (kept.count, kept.reservation);
    }

    /// One of them by itself, if one is left.
    pub(crate) fn split_one(&mut self) -> Option<Self> {
        self.count = self.count.checked_sub(1)?;
        let one = ReservedPermits { count: 1, reservation: self.reservation };
        Some(Self::reserved(&self.scheduler, self.queue.clone(), one))
    }

    fn all(&self) -> ReservedPermits {
        ReservedPermits { count: self.count, reservation: self.reservation }
    }

    /// Gives the one that is left back, whose request a handler sends that counts as in flight by itself.
    pub(crate) fn hand_over(mut self) {
        self.count = 0;
        self.scheduler.return_used_wire_permit(&self.queue, self.reservation);
    }

    /// The one that is left, for a request that leaves now.
    pub(crate) fn begin_sending(mut self, bounds: ShareBounds) -> SendingPermit {
        self.count = 0;
        self.scheduler.record_sent(&self.queue, self.reservation, bounds);
        SendingPermit { scheduler: Arc::clone(&self.scheduler), queue: self.queue.clone(), answer: None }
    }
}

impl Drop for WirePermits {
    fn drop(&mut self) {
        if self.count > 0 {
            self.scheduler.return_wire_permits(&self.queue, self.all());
        }
    }
}

/// The wire permit of a request that has left: until its response has come.
pub(crate) struct SendingPermit {
    scheduler: Arc<QueueScheduler>,
    queue: QueueId,
    answer: Option<Answer>,
}

impl SendingPermit {
    /// Gives it back with what the receiver answered. One that is dropped says nothing of its receiver.
    pub(crate) fn end(mut self, answer: Answer) {
        self.answer = Some(answer);
    }
}

impl Drop for SendingPermit {
    fn drop(&mut self) {
        self.scheduler.record_end(&self.queue, self.answer);
    }
}
