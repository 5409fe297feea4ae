//! What has something in the queue, and when it is due.
//!
//! A subscription has two lanes, one of automatic attempts and one of resends, so that neither waits behind
//! the other and nobody behind another's slow receiver. A lane knows its earliest due time and how many places
//! of it are taken: by requests that are on the wire, by messages in a worker's hand, and by a look at the table
//! that is under way; the messages themselves stay in the table, so memory is bounded whatever waits. A lane is
//! in one of four places: idle, on the clock until it is due, in the ring of those that take turns, or parked
//! because too much of it is under way. No step looks at more lanes than it moves.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Row};
use tokio::sync::{Notify, Semaphore};

use super::places::Places;
use super::tables::uuid;
use super::unreadable::read_all;
use crate::model::id::SubscriptionId;
use crate::model::time::Timestamp;
use crate::ports::{Due, Wake};

/// One lane of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct LaneId {
    pub(super) subscription: SubscriptionId,
    pub(super) automatic: bool,
}

impl LaneId {
    pub(super) fn of(wake: &Wake) -> Self {
        Self { subscription: wake.subscription_id, automatic: matches!(wake.what, Due::Attempt(_)) }
    }

    fn other(self) -> Self {
        Self { automatic: !self.automatic, ..self }
    }
}

#[derive(Default)]
pub(super) struct Lanes {
    state: Mutex<State>,
    /// Something was added or done with.
    pub(super) changed: Notify,
}

#[derive(Default)]
struct State {
    lanes: HashMap<LaneId, Lane>,
    clock: BTreeSet<(Timestamp, LaneId)>,
    ring: VecDeque<LaneId>,
}

#[derive(Default)]
struct Lane {
    /// When the first message that is in nobody's hand is due; none if there is none.
    due: Option<Timestamp>,
    /// Messages that are in the table and in a worker's hand, by row.
    in_hand: HashSet<i64>,
    /// Places that are taken: by requests on the wire, and by a look at the table.
    taken: usize,
    place: Place,
}

#[derive(Default, PartialEq)]
enum Place {
    #[default]
    Idle,
    Clock,
    Ring,
    Parked,
}

/// What can be done now.
#[derive(Debug)]
pub(super) enum Turn {
    /// This lane has something due, and so many places for it, which are taken.
    Lane(LaneId, usize),
    /// Nothing is due before then.
    Nothing(Option<Timestamp>),
}

impl State {
    fn due(&mut self, id: LaneId, due: Timestamp) {
        let lane = self.lanes.entry(id).or_default();
        let first = lane.due.map_or(due, |first| first.min(due));
        if lane.place == Place::Clock
            && let Some(before) = lane.due
        {
            self.clock.remove(&(before, id));
        }
        lane.due = Some(first);
        if matches!(lane.place, Place::Idle | Place::Clock) {
            lane.place = Place::Clock;
            self.clock.insert((first, id));
        }
    }

    fn join_ring(&mut self, id: LaneId) {
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.place = Place::Ring;
            self.ring.push_back(id);
        }
    }

    fn under_way(&self, id: LaneId) -> usize {
        self.lanes.get(&id).map_or(0, |lane| lane.in_hand.len() + lane.taken)
    }

    /// How many more of a lane may be under way, of `most` of its subscription; of resends a quarter of that.
    fn room(&self, id: LaneId, most: usize) -> usize {
        let own = self.under_way(id);
        let share = if id.automatic { most } else { most.div_ceil(4) };
        share.saturating_sub(own).min(most.saturating_sub(own + self.under_way(id.other())))
    }

    /// Whether something of a lane is due that was not looked at.
    fn waits(&self, id: LaneId, now: Timestamp) -> bool {
        self.lanes.get(&id).is_some_and(|lane| lane.due.is_some_and(|due| due <= now))
    }

    fn remove_if_over(&mut self, id: LaneId) {
        let over = |lane: &Lane| lane.place == Place::Idle && lane.in_hand.is_empty() && lane.taken == 0;
        if self.lanes.get(&id).is_some_and(over) {
            self.lanes.remove(&id);
        }
    }
}

impl Lanes {
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let lanes = Self::default();
        let mut statement = connection
            .prepare("SELECT subscription, number IS NOT NULL, min(due) FROM queue GROUP BY 1, 2")?;
        let lane = |row: &Row<'_>| Ok((uuid(row, 0)?, row.get(1)?, row.get(2)?));
        for (subscription, automatic, due) in
            read_all(statement.query([])?, &"messages by subscription", lane)?
        {
            let id = LaneId { subscription: SubscriptionId::from_uuid(subscription), automatic };
            lanes.due(id, Timestamp::from_millis(due));
        }
        Ok(lanes)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Messages were put into the queue.
    pub(super) fn add(&self, wakes: &[Wake]) {
        let mut state = self.state();
        for wake in wakes {
            state.due(LaneId::of(wake), wake.due);
        }
        drop(state);
        if !wakes.is_empty() {
            self.changed.notify_one();
        }
    }

    /// A message that is in nobody's hand is due then.
    pub(super) fn due(&self, id: LaneId, due: Timestamp) {
        self.state().due(id, due);
        self.changed.notify_one();
    }

    /// The next lane, in turn, that has something due and room for it, `most` of its subscription being under way
    /// at once and a slot being free for it. It counts as empty until it is told otherwise, so that what is added while its
    /// messages are read is not missed.
    pub(super) fn next(&self, most: usize, slots: &Semaphore, now: Timestamp) -> Turn {
        let mut state = self.state();
        while let Some((due, id)) = state.clock.first().copied().filter(|(due, _)| *due <= now) {
            state.clock.remove(&(due, id));
            state.join_ring(id);
        }
        // Looked at while the ring is held: a slot that is given back after this finds in it who waits.
        let free = slots.available_permits();
        while free > 0
            && let Some(id) = state.ring.pop_front()
        {
            let room = state.room(id, most).min(free);
            let Some(lane) = state.lanes.get_mut(&id) else { continue };
            if room == 0 {
                lane.place = Place::Parked;
                continue;
            }
            lane.place = Place::Idle;
            lane.due = None;
            lane.taken += room;
            return Turn::Lane(id, room);
        }
        Turn::Nothing(state.clock.first().map(|(due, _)| *due))
    }

    /// Takes a place for what is not in the table, unless something of the subscription waits for one, or any
    /// lane for its turn.
    pub(super) fn take_free_place(
        self: &Arc<Self>,
        id: LaneId,
        most: usize,
        now: Timestamp,
    ) -> Option<Places> {
        let mut state = self.state();
        if !state.ring.is_empty()
            || state.waits(id, now)
            || state.waits(id.other(), now)
            || state.room(id, most) == 0
        {
            return None;
        }
        state.lanes.entry(id).or_default().taken += 1;
        Some(Places::taken(self, id, 1))
    }

    /// How many messages of a lane are in the table and in hand.
    pub(super) fn held(&self, id: LaneId) -> usize {
        self.state().lanes.get(&id).map_or(0, |lane| lane.in_hand.len())
    }

    pub(super) fn holds(&self, id: LaneId, row: i64) -> bool {
        self.state().lanes.get(&id).is_some_and(|lane| lane.in_hand.contains(&row))
    }

    /// Takes a message into hand. False if it is there already.
    pub(super) fn take(&self, id: LaneId, row: i64) -> bool {
        self.state().lanes.entry(id).or_default().in_hand.insert(row)
    }

    /// A message is out of hand.
    pub(super) fn put_down(&self, id: LaneId, row: i64) {
        self.give_back(id, |lane| {
            lane.in_hand.remove(&row);
        });
    }

    /// So many places are taken no more.
    pub(super) fn give_places_back(&self, id: LaneId, count: usize) {
        self.give_back(id, |lane| lane.taken = lane.taken.saturating_sub(count));
    }

    fn give_back(&self, id: LaneId, change: impl FnOnce(&mut Lane)) {
        let mut state = self.state();
        state.lanes.get_mut(&id).map(change);
        // The other lane first: a place that is free goes to and fro between the two.
        for id in [id.other(), id] {
            if state.lanes.get(&id).is_some_and(|lane| lane.place == Place::Parked) {
                state.join_ring(id);
            }
        }
        state.remove_if_over(id);
        self.wake_if_any_waits(state);
    }

    /// Something that lanes wait for has become free.
    pub(super) fn wake_if_waiting(&self) {
        self.wake_if_any_waits(self.state());
    }

    fn wake_if_any_waits(&self, state: MutexGuard<'_, State>) {
        let any_waits = !state.ring.is_empty();
        drop(state);
        if any_waits {
            self.changed.notify_one();
        }
    }
}

#[cfg(test)]
#[path = "lanes_tests.rs"]
mod tests;
