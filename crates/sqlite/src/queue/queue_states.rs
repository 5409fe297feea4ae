//! The state of lanes: for each, when something of it is due, and how much of it is under way.
//!
//! [`super::lanes`] says what a lane is, and keeps this behind its lock.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::queue::fair_shares::Turns;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DueWork, QueueMessage};

/// One lane of a subscription.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LaneId {
    pub(crate) tenant: TenantId,
    pub(crate) subscription: SubscriptionId,
    pub(crate) automatic: bool,
}

impl LaneId {
    pub(crate) fn of(message: &QueueMessage) -> Self {
        let automatic = matches!(message.work, DueWork::Attempt(_));
        Self { tenant: message.tenant.clone(), subscription: message.subscription_id, automatic }
    }

    pub(crate) fn other(&self) -> Self {
        Self { automatic: !self.automatic, ..self.clone() }
    }
}

#[derive(Default)]
pub(crate) struct LaneStates {
    pub(crate) lanes: HashMap<LaneId, Lane>,
    pub(crate) clock: BTreeSet<(Timestamp, LaneId)>,
    pub(crate) turns: Turns,
}

#[derive(Default)]
pub(crate) struct Lane {
    /// When the first message that is in nobody's hand is due; none if there is none.
    pub(crate) due: Option<Timestamp>,
    /// Messages that are in the table and in a worker's hand, by row.
    pub(crate) in_hand: HashSet<i64>,
    /// Requests on the wire, and those that a look at the table may begin.
    pub(crate) taken: usize,
    pub(crate) stage: Stage,
}

#[derive(Default, Clone, Copy, PartialEq)]
pub(crate) enum Stage {
    #[default]
    Idle,
    Clock,
    /// For its turn, since then.
    Waiting(u64),
    /// Its subscription has as much under way as one may have.
    Full,
}

impl LaneStates {
    pub(crate) fn due(&mut self, id: LaneId, due: Timestamp) {
        let lane = self.lanes.entry(id.clone()).or_default();
        let first = lane.due.map_or(due, |first| first.min(due));
        if lane.stage == Stage::Clock
            && let Some(before) = lane.due
        {
            self.clock.remove(&(before, id.clone()));
        }
        lane.due = Some(first);
        if matches!(lane.stage, Stage::Idle | Stage::Clock) {
            lane.stage = Stage::Clock;
            self.clock.insert((first, id));
        }
    }

    pub(crate) fn wait(&mut self, id: LaneId) {
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.stage = Stage::Waiting(self.turns.wait(id));
        }
    }

    fn own(&self, id: &LaneId) -> usize {
        self.lanes.get(id).map_or(0, |lane| lane.in_hand.len() + lane.taken)
    }

    /// How many more requests of a lane may begin, of `most` of its subscription; of resends a quarter of that.
    pub(crate) fn room(&self, id: &LaneId, most: usize) -> usize {
        let own = self.own(id);
        let share = if id.automatic { most } else { most.div_ceil(4) };
        share.saturating_sub(own).min(most.saturating_sub(self.turns.under_way(id)))
    }

    /// Whether something of a lane is due that was not looked at.
    pub(crate) fn waits(&self, id: &LaneId, now: Timestamp) -> bool {
        self.lanes.get(id).is_some_and(|lane| lane.due.is_some_and(|due| due <= now))
    }

    /// Changes what is under way of a lane, and counts the difference.
    pub(crate) fn change(&mut self, id: &LaneId, change: impl FnOnce(&mut Lane)) {
        let before = self.own(id);
        change(self.lanes.entry(id.clone()).or_default());
        let after = self.own(id);
        let waiting = [id.clone(), id.other()].map(|id| match self.lanes.get(&id)?.stage {
            Stage::Waiting(since) => Some((since, id)),
            _ => None,
        });
        let waiting: Vec<_> = waiting.into_iter().flatten().collect();
        if after > before {
            self.turns.begin(id, after - before, &waiting);
        } else if before > after {
            self.turns.end(id, before - after, &waiting);
        }
    }

    pub(crate) fn remove_if_over(&mut self, id: &LaneId) {
        let over = |lane: &Lane| lane.stage == Stage::Idle && lane.in_hand.is_empty() && lane.taken == 0;
        if self.lanes.get(id).is_some_and(over) {
            self.lanes.remove(id);
        }
    }
}
