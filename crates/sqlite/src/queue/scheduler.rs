//! Lanes: what has something in the queue, and when it is due.
//!
//! A subscription has two lanes, one of automatic attempts and one of resends, so that neither waits behind
//! the other and nobody behind another's slow receiver. A lane knows its earliest due time and how many requests
//! of it are under way: on the wire, in a worker's hand as messages, and as a look at the table that is going on;
//! the messages themselves stay in the table, so memory is bounded whatever waits. A lane is in one of four states:
//! idle, on the clock until it is due, waiting for its turn ([`super::turns`] has the order and the shares), or
//! full because its subscription has as many requests under way as one may have. No step looks at more lanes than
//! it moves.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Row, params};
use tokio::sync::Notify;

use crate::dispatch::permits::WirePermits;
use crate::queue::fair_shares::PermitCounts;
use crate::queue::queue_states::{QueueId, QueueState, QueueStates, Stage};
use crate::rows::{text_column, uuid_column};
use crate::unreadable::{read_all, read_up_to};
use loanhook_core::model::id::SubscriptionId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::QueueMessage;

#[derive(Default)]
pub(crate) struct QueueScheduler {
    state: Mutex<QueueStates>,
    /// Something was added or done with.
    pub(crate) changed: Notify,
}

/// What can be done now.
#[derive(Debug)]
pub(crate) enum NextQueue {
    /// This lane has something due, and may begin so many requests, which count as under way.
    Ready(QueueId, usize),
    /// Nothing is due before then.
    Idle(Option<Timestamp>),
}

impl QueueScheduler {
    pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let lanes = Self::default();
        let mut statement = connection
            .prepare("SELECT subscription, number IS NOT NULL, min(due) FROM queue GROUP BY 1, 2")?;
        let lane = |row: &Row<'_>| Ok((uuid_column(row, 0)?, row.get(1)?, row.get(2)?));
        // The index has no tenant: a message of each lane tells it.
        let mut of_lane = connection
            .prepare("SELECT tenant FROM queue WHERE subscription = ?1 AND (number IS NOT NULL) = ?2")?;
        for (subscription, automatic, due) in
            read_all(statement.query([])?, &"messages by subscription", lane)?
        {
            let subscription: uuid::Uuid = subscription;
            let found = of_lane.query(params![subscription.as_bytes(), automatic])?;
            let tenants = read_up_to(found, 1, &"tenant of a message", |row| text_column(row, 0))?;
            let Some(tenant) = tenants.into_iter().next() else { continue };
            let id = QueueId { tenant, subscription: SubscriptionId::from_uuid(subscription), automatic };
            lanes.schedule(id, Timestamp::from_millis(due));
        }
        Ok(lanes)
    }

    fn state(&self) -> MutexGuard<'_, QueueStates> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Messages were put into the queue.
    pub(crate) fn add_messages(&self, messages: &[QueueMessage]) {
        let mut state = self.state();
        for message in messages {
            state.schedule(QueueId::of(message), message.due);
        }
        drop(state);
        if !messages.is_empty() {
            self.changed.notify_one();
        }
    }

    /// The clock was set, and all due times were moved with it by so many milliseconds.
    pub(crate) fn shift_due_times(&self, millis: i64) {
        let mut state = self.state();
        for lane in state.queues.values_mut() {
            lane.due = lane.due.map(|due| due.plus_millis(millis));
        }
        state.timers = state.timers.iter().map(|(due, id)| (due.plus_millis(millis), id.clone())).collect();
        drop(state);
        self.changed.notify_one();
    }

    /// A message that is in nobody's hand is due then.
    pub(crate) fn schedule(&self, id: QueueId, due: Timestamp) {
        self.state().schedule(id, due);
        self.changed.notify_one();
    }

    /// The next lane, in turn, that has something due and room for it, `most` of its subscription being under way
    /// at once. It counts as empty until it is told otherwise, so that what is added while its messages are read is
    /// not missed. `slots` is asked while the lanes are held: a slot that is given back after that finds who waits.
    pub(crate) fn next_queue(
        &self,
        most: usize,
        slots: impl Fn() -> PermitCounts,
        now: Timestamp,
    ) -> NextQueue {
        let mut state = self.state();
        while let Some((due, id)) = state.timers.first().cloned().filter(|(due, _)| *due <= now) {
            state.timers.remove(&(due, id.clone()));
            state.make_ready(id);
        }
        let slots = slots();
        while let Some(id) = state.shares.pop_next(slots) {
            let room = state.remaining_limit(&id, most).min(state.shares.remaining_share(&id, slots));
            let Some(lane) = state.queues.get_mut(&id) else { continue };
            if room == 0 {
                lane.stage = Stage::AtLimit;
                continue;
            }
            lane.stage = Stage::Idle;
            lane.due = None;
            state.update(&id, |lane| lane.wire_permits += room);
            return NextQueue::Ready(id, room);
        }
        NextQueue::Idle(state.timers.first().map(|(due, _)| *due))
    }

    /// Counts a request as under way that is not in the table, unless something of its subscription waits, or any
    /// lane that may go on, or its share is used up.
    pub(crate) fn reserve_wire_permit(
        self: &Arc<Self>,
        id: QueueId,
        most: usize,
        slots: PermitCounts,
        now: Timestamp,
    ) -> Option<WirePermits> {
        let mut state = self.state();
        if state.shares.any_may_begin(slots)
            || state.has_due(&id, now)
            || state.has_due(&id.sibling(), now)
            || state.remaining_limit(&id, most) == 0
            || state.shares.remaining_share(&id, slots) == 0
        {
            return None;
        }
        state.update(&id, |lane| lane.wire_permits += 1);
        drop(state);
        Some(WirePermits::taken(self, id, 1))
    }

    /// How many messages of a lane are in the table and in hand.
    pub(crate) fn handling_count(&self, id: &QueueId) -> usize {
        self.state().queues.get(id).map_or(0, |lane| lane.handling.len())
    }

    pub(crate) fn is_handling(&self, id: &QueueId, row: i64) -> bool {
        self.state().queues.get(id).is_some_and(|lane| lane.handling.contains(&row))
    }

    /// Takes a message into hand. False if it is there already.
    pub(crate) fn begin_handling(&self, id: &QueueId, row: i64) -> bool {
        let mut new = false;
        self.state().update(id, |lane| new = lane.handling.insert(row));
        new
    }

    /// A message is out of hand.
    pub(crate) fn end_handling(&self, id: &QueueId, row: i64) {
        self.release(id, |lane| {
            lane.handling.remove(&row);
        });
    }

    /// So many requests are not under way any more.
    pub(crate) fn return_wire_permits(&self, id: &QueueId, count: usize) {
        self.release(id, |lane| lane.wire_permits = lane.wire_permits.saturating_sub(count));
    }

    fn release(&self, id: &QueueId, change: impl FnOnce(&mut QueueState)) {
        let mut state = self.state();
        state.update(id, change);
        // The other lane first: what is free goes to and fro between the two.
        for id in [id.sibling(), id.clone()] {
            if state.queues.get(&id).is_some_and(|lane| lane.stage == Stage::AtLimit) {
                state.make_ready(id);
            }
        }
        state.remove_if_empty(id);
        self.unlock_and_notify(state);
    }

    /// Something that lanes wait for has become free.
    pub(crate) fn notify_if_any_ready(&self) {
        self.unlock_and_notify(self.state());
    }

    fn unlock_and_notify(&self, state: MutexGuard<'_, QueueStates>) {
        let any_waits = state.shares.any_ready();
        drop(state);
        if any_waits {
            self.changed.notify_one();
        }
    }
}

#[cfg(test)]
#[path = "scheduler_tests.rs"]
mod tests;
