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

use crate::dispatch::permits::Places;
use crate::queue::fair_shares::Slots;
use crate::queue::queue_states::{Lane, LaneId, LaneStates, Stage};
use crate::rows::{text, uuid};
use crate::unreadable::{read_all, read_some};
use loanhook_core::model::id::SubscriptionId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::QueueMessage;

#[derive(Default)]
pub(crate) struct Lanes {
    state: Mutex<LaneStates>,
    /// Something was added or done with.
    pub(crate) changed: Notify,
}

/// What can be done now.
#[derive(Debug)]
pub(crate) enum Turn {
    /// This lane has something due, and may begin so many requests, which count as under way.
    Lane(LaneId, usize),
    /// Nothing is due before then.
    Nothing(Option<Timestamp>),
}

impl Lanes {
    pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let lanes = Self::default();
        let mut statement = connection
            .prepare("SELECT subscription, number IS NOT NULL, min(due) FROM queue GROUP BY 1, 2")?;
        let lane = |row: &Row<'_>| Ok((uuid(row, 0)?, row.get(1)?, row.get(2)?));
        // The index has no tenant: a message of each lane tells it.
        let mut of_lane = connection
            .prepare("SELECT tenant FROM queue WHERE subscription = ?1 AND (number IS NOT NULL) = ?2")?;
        for (subscription, automatic, due) in
            read_all(statement.query([])?, &"messages by subscription", lane)?
        {
            let subscription: uuid::Uuid = subscription;
            let found = of_lane.query(params![subscription.as_bytes(), automatic])?;
            let tenants = read_some(found, 1, &"tenant of a message", |row| text(row, 0))?;
            let Some(tenant) = tenants.into_iter().next() else { continue };
            let id = LaneId { tenant, subscription: SubscriptionId::from_uuid(subscription), automatic };
            lanes.due(id, Timestamp::from_millis(due));
        }
        Ok(lanes)
    }

    fn state(&self) -> MutexGuard<'_, LaneStates> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Messages were put into the queue.
    pub(crate) fn add(&self, messages: &[QueueMessage]) {
        let mut state = self.state();
        for message in messages {
            state.due(LaneId::of(message), message.due);
        }
        drop(state);
        if !messages.is_empty() {
            self.changed.notify_one();
        }
    }

    /// The clock was set, and all due times were moved with it by so many milliseconds.
    pub(crate) fn shift(&self, millis: i64) {
        let mut state = self.state();
        for lane in state.lanes.values_mut() {
            lane.due = lane.due.map(|due| due.plus_millis(millis));
        }
        state.clock = state.clock.iter().map(|(due, id)| (due.plus_millis(millis), id.clone())).collect();
        drop(state);
        self.changed.notify_one();
    }

    /// A message that is in nobody's hand is due then.
    pub(crate) fn due(&self, id: LaneId, due: Timestamp) {
        self.state().due(id, due);
        self.changed.notify_one();
    }

    /// The next lane, in turn, that has something due and room for it, `most` of its subscription being under way
    /// at once. It counts as empty until it is told otherwise, so that what is added while its messages are read is
    /// not missed. `slots` is asked while the lanes are held: a slot that is given back after that finds who waits.
    pub(crate) fn next(&self, most: usize, slots: impl Fn() -> Slots, now: Timestamp) -> Turn {
        let mut state = self.state();
        while let Some((due, id)) = state.clock.first().cloned().filter(|(due, _)| *due <= now) {
            state.clock.remove(&(due, id.clone()));
            state.wait(id);
        }
        let slots = slots();
        while let Some(id) = state.turns.take_next(slots) {
            let room = state.room(&id, most).min(state.turns.room(&id, slots));
            let Some(lane) = state.lanes.get_mut(&id) else { continue };
            if room == 0 {
                lane.stage = Stage::Full;
                continue;
            }
            lane.stage = Stage::Idle;
            lane.due = None;
            state.change(&id, |lane| lane.taken += room);
            return Turn::Lane(id, room);
        }
        Turn::Nothing(state.clock.first().map(|(due, _)| *due))
    }

    /// Counts a request as under way that is not in the table, unless something of its subscription waits, or any
    /// lane that may go on, or its share is used up.
    pub(crate) fn take_free_place(
        self: &Arc<Self>,
        id: LaneId,
        most: usize,
        slots: Slots,
        now: Timestamp,
    ) -> Option<Places> {
        let mut state = self.state();
        if state.turns.any_may_go(slots)
            || state.waits(&id, now)
            || state.waits(&id.other(), now)
            || state.room(&id, most) == 0
            || state.turns.room(&id, slots) == 0
        {
            return None;
        }
        state.change(&id, |lane| lane.taken += 1);
        drop(state);
        Some(Places::taken(self, id, 1))
    }

    /// How many messages of a lane are in the table and in hand.
    pub(crate) fn held(&self, id: &LaneId) -> usize {
        self.state().lanes.get(id).map_or(0, |lane| lane.in_hand.len())
    }

    pub(crate) fn holds(&self, id: &LaneId, row: i64) -> bool {
        self.state().lanes.get(id).is_some_and(|lane| lane.in_hand.contains(&row))
    }

    /// Takes a message into hand. False if it is there already.
    pub(crate) fn take(&self, id: &LaneId, row: i64) -> bool {
        let mut new = false;
        self.state().change(id, |lane| new = lane.in_hand.insert(row));
        new
    }

    /// A message is out of hand.
    pub(crate) fn put_down(&self, id: &LaneId, row: i64) {
        self.give_back(id, |lane| {
            lane.in_hand.remove(&row);
        });
    }

    /// So many requests are not under way any more.
    pub(crate) fn give_places_back(&self, id: &LaneId, count: usize) {
        self.give_back(id, |lane| lane.taken = lane.taken.saturating_sub(count));
    }

    fn give_back(&self, id: &LaneId, change: impl FnOnce(&mut Lane)) {
        let mut state = self.state();
        state.change(id, change);
        // The other lane first: what is free goes to and fro between the two.
        for id in [id.other(), id.clone()] {
            if state.lanes.get(&id).is_some_and(|lane| lane.stage == Stage::Full) {
                state.wait(id);
            }
        }
        state.remove_if_over(id);
        self.wake_if_any_waits(state);
    }

    /// Something that lanes wait for has become free.
    pub(crate) fn wake_if_waiting(&self) {
        self.wake_if_any_waits(self.state());
    }

    fn wake_if_any_waits(&self, state: MutexGuard<'_, LaneStates>) {
        let any_waits = state.turns.any_waits();
        drop(state);
        if any_waits {
            self.changed.notify_one();
        }
    }
}

#[cfg(test)]
#[path = "scheduler_tests.rs"]
mod tests;
