//! Scheduler of the queues: which queue is next, and how many requests it may begin.
//!
//! A queue is in one of five stages: idle; scheduled until its first message is due; ready, waiting for permits in the
//! order of the fair shares; at its limit, because its subscription has as many requests in flight as one
//! may have, or is held; or throttled until a time, by the rate or the hold of its subscription (`throttling`). In flight are: requests on the wire, messages that a handler has, and wire permits that are reserved while
//! messages are read from the table. Each step costs the logarithm of the number of queues, for
//! each queue that it moves.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use super::adaptive_share::Answer;
use super::fair_shares::PermitCounts;
use super::id::QueueId;
use super::pace::ShareBounds;
use super::permits::ReservedPermits;
use super::states::{QueueState, QueueStates, Stage};
use loanhook_core::model::flow::throttle::{Allowance, Reservation};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::QueueMessage;

#[derive(Default)]
pub(crate) struct QueueScheduler {
    state: Mutex<QueueStates>,
    /// Wakes the worker: a message was added, or something became free that a queue waits for.
    pub(crate) changed: Notify,
}

/// What the worker can do now.
#[derive(Debug)]
pub(crate) enum NextQueue {
    /// This queue has something due, and may begin as many requests as wire permits are reserved for it.
    Ready(QueueId, ReservedPermits),
    /// Nothing is due before then.
    Idle(Option<Timestamp>),
}

impl QueueScheduler {
    /// A scheduler of queues whose first messages are due then.
    pub(crate) fn new(queues: Vec<(QueueId, Timestamp)>) -> Self {
        let scheduler = Self::default();
        for (id, due) in queues {
            scheduler.schedule(id, due);
        }
        scheduler
    }

    pub(super) fn state(&self) -> MutexGuard<'_, QueueStates> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in messages that were put into the table.
    pub(crate) fn add_messages(&self, messages: &[QueueMessage]) {
        if messages.is_empty() {
            return;
        }
        let mut state = self.state();
        for message in messages {
            state.schedule(QueueId::of(message), message.due);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Follows due times that were moved by so many milliseconds in the table.
    pub(crate) fn shift_due_times(&self, millis: i64) {
        let mut state = self.state();
        for queue in state.queues.values_mut() {
            queue.due = queue.due.map(|due| due.plus_millis(millis));
            if let Stage::Throttled(until) = &mut queue.stage {
                *until = until.plus_millis(millis);
            }
        }
        state.throttles.values_mut().for_each(|throttle| throttle.shift(millis));
        state.timers = state.timers.iter().map(|(due, id)| (due.plus_millis(millis), id.clone())).collect();
        drop(state);
        self.changed.notify_one();
    }

    /// A message that no handler has is due then.
    pub(crate) fn schedule(&self, id: QueueId, due: Timestamp) {
        self.state().schedule(id, due);
        self.changed.notify_one();
    }

    /// The next queue that may begin requests, where the share of a subscription begins at `initial_share`. It then
    /// counts as idle, so that what is added while its messages are read is not missed.
    ///
    /// `permits` is asked while the state is locked: whoever returns a process permit after that finds the queues that
    /// wait for it.
    pub(crate) fn next_queue(
        &self,
        initial_share: usize,
        permits: impl Fn() -> PermitCounts,
        now: Timestamp,
    ) -> NextQueue {
        let mut state = self.state();
        while let Some((due, id)) = state.timers.first().cloned().filter(|(due, _)| *due <= now) {
            state.timers.remove(&(due, id.clone()));
            state.make_ready(id);
        }
        let permits = permits();
        while let Some(id) = state.shares.pop_next(permits) {
            let own = state.remaining_share(&id, initial_share);
            let share = own.min(state.shares.remaining_share(&id, permits));
            let allowance = state.allowance(&id, share, now);
            let Some(queue) = state.queues.get_mut(&id) else { continue };
            match allowance {
                Allowance::None => queue.stage = Stage::AtLimit,
                Allowance::NotBefore(time) => {
                    queue.stage = Stage::Throttled(time);
                    state.timers.insert((time, id));
                }
                Allowance::Requests(count) => {
                    queue.stage = Stage::Idle;
                    queue.due = None;
                    let reserved = state.reserve(&id, count, now);
                    return NextQueue::Ready(id, reserved);
                }
            }
        }
        NextQueue::Idle(state.timers.first().map(|(due, _)| *due))
    }

    /// Reserves wire permits for requests of a queue whose messages are about to be read, besides those that
    /// [`Self::next_queue`] reserved: as many as came free since.
    pub(crate) fn reserve_more(
        &self,
        id: &QueueId,
        initial_share: usize,
        permits: PermitCounts,
    ) -> ReservedPermits {
        let mut state = self.state();
        let own = state.remaining_share(id, initial_share);
        let share = own.min(state.shares.remaining_share(id, permits)).min(permits.free);
        let now = Timestamp::now();
        match state.allowance(id, share, now) {
            Allowance::Requests(count) => state.reserve(id, count, now),
            Allowance::NotBefore(_) | Allowance::None => ReservedPermits::default(),
        }
    }

    /// Reserves a wire permit for a request of no message. None, and nothing is reserved, where a message of the
    /// subscription is due, where a ready queue may begin a request, or where the share is used up.
    pub(crate) fn reserve_wire_permit(
        &self,
        id: &QueueId,
        initial_share: usize,
        permits: PermitCounts,
        now: Timestamp,
    ) -> Option<ReservedPermits> {
        let mut state = self.state();
        if state.shares.any_may_begin(permits)
            || state.has_due(id, now)
            || state.has_due(&id.sibling(), now)
            || state.remaining_share(id, initial_share) == 0
            || state.shares.remaining_share(id, permits) == 0
            || !matches!(state.allowance(id, 1, now), Allowance::Requests(_))
        {
            return None;
        }
        Some(state.reserve(id, 1, now))
    }

    /// Gives wire permits back that were not used.
    pub(crate) fn return_wire_permits(&self, id: &QueueId, unused: ReservedPermits) {
        let (mut state, count) = (self.state(), unused.count);
        state.give_back(id, unused);
        self.release_locked(state, id, |queue| queue.wire_permits = queue.wire_permits.saturating_sub(count));
    }

    /// Gives a wire permit back that its request, which is in flight as a message, used.
    pub(crate) fn return_used_wire_permit(&self, id: &QueueId, reservation: Reservation) {
        let mut state = self.state();
        state.record_sent(id, reservation, Instant::now());
        self.release_locked(state, id, |queue| queue.wire_permits = queue.wire_permits.saturating_sub(1));
    }

    /// A request leaves, under a wire permit of its own.
    pub(crate) fn record_sent(&self, id: &QueueId, reservation: Reservation, bounds: ShareBounds) {
        let (mut state, now) = (self.state(), Instant::now());
        state.record_sent(id, reservation, now);
        state.pace(id, bounds).record_sent(now);
    }

    /// A request has ended, and gives its wire permit back.
    pub(crate) fn record_end(&self, id: &QueueId, answer: Option<Answer>) {
        let mut state = self.state();
        let in_flight = state.shares.in_flight(id);
        if let Some(pace) = state.paces.get_mut(&id.subscription) {
            pace.record_end(answer, in_flight, Instant::now());
        }
        self.release_locked(state, id, |queue| queue.wire_permits = queue.wire_permits.saturating_sub(1));
    }

    pub(super) fn release_locked(
        &self,
        mut state: MutexGuard<'_, QueueStates>,
        id: &QueueId,
        change: impl FnOnce(&mut QueueState),
    ) {
        state.update(id, change);
        // The other queue first: where both are at the limit, what becomes free goes to each in turn.
        for id in [id.sibling(), id.clone()] {
            if state.queues.get(&id).is_some_and(|queue| queue.stage == Stage::AtLimit) {
                state.make_ready(id);
            }
        }
        state.remove_if_empty(id);
        state.admit_waiting(id);
        self.unlock_and_notify(state);
    }

    /// Wakes the worker if a queue is ready: something that it waits for has become free.
    pub(crate) fn notify_if_any_ready(&self) {
        self.unlock_and_notify(self.state());
    }

    pub(super) fn unlock_and_notify(&self, state: MutexGuard<'_, QueueStates>) {
        let any_ready = state.shares.any_ready();
        drop(state);
        if any_ready {
            self.changed.notify_one();
        }
    }
}
