//! The state of lanes: for each, when something of it is due, and how much of it is under way.
//!
//! [`super::lanes`] says what a lane is, and keeps this behind its lock.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::queue::fair_shares::FairShares;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DueWork, QueueMessage};

/// One lane of a subscription.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct QueueId {
    pub(crate) tenant: TenantId,
    pub(crate) subscription: SubscriptionId,
    pub(crate) automatic: bool,
}

impl QueueId {
    pub(crate) fn of(message: &QueueMessage) -> Self {
        let automatic = matches!(message.work, DueWork::Attempt(_));
        Self { tenant: message.tenant.clone(), subscription: message.subscription_id, automatic }
    }

    pub(crate) fn sibling(&self) -> Self {
        Self { automatic: !self.automatic, ..self.clone() }
    }
}

#[derive(Default)]
pub(crate) struct QueueStates {
    pub(crate) queues: HashMap<QueueId, QueueState>,
    pub(crate) timers: BTreeSet<(Timestamp, QueueId)>,
    pub(crate) shares: FairShares,
}

#[derive(Default)]
pub(crate) struct QueueState {
    /// When the first message that is in nobody's hand is due; none if there is none.
    pub(crate) due: Option<Timestamp>,
    /// Messages that are in the table and in a worker's hand, by row.
    pub(crate) handling: HashSet<i64>,
    /// Requests on the wire, and those that a look at the table may begin.
    pub(crate) wire_permits: usize,
    pub(crate) stage: Stage,
}

#[derive(Default, Clone, Copy, PartialEq)]
pub(crate) enum Stage {
    #[default]
    Idle,
    Scheduled,
    /// For its turn, since then.
    Ready(u64),
    /// Its subscription has as much under way as one may have.
    AtLimit,
}

impl QueueStates {
    pub(crate) fn schedule(&mut self, id: QueueId, due: Timestamp) {
        let lane = self.queues.entry(id.clone()).or_default();
        let first = lane.due.map_or(due, |first| first.min(due));
        if lane.stage == Stage::Scheduled
            && let Some(before) = lane.due
        {
            self.timers.remove(&(before, id.clone()));
        }
        lane.due = Some(first);
        if matches!(lane.stage, Stage::Idle | Stage::Scheduled) {
            lane.stage = Stage::Scheduled;
            self.timers.insert((first, id));
        }
    }

    pub(crate) fn make_ready(&mut self, id: QueueId) {
        if let Some(lane) = self.queues.get_mut(&id) {
            lane.stage = Stage::Ready(self.shares.make_ready(id));
        }
    }

    fn in_flight(&self, id: &QueueId) -> usize {
        self.queues.get(id).map_or(0, |lane| lane.handling.len() + lane.wire_permits)
    }

    /// How many more requests of a lane may begin, of `most` of its subscription; of resends a quarter of that.
    pub(crate) fn remaining_limit(&self, id: &QueueId, most: usize) -> usize {
        let own = self.in_flight(id);
        let share = if id.automatic { most } else { most.div_ceil(4) };
        share.saturating_sub(own).min(most.saturating_sub(self.shares.in_flight(id)))
    }

    /// Whether something of a lane is due that was not looked at.
    pub(crate) fn has_due(&self, id: &QueueId, now: Timestamp) -> bool {
        self.queues.get(id).is_some_and(|lane| lane.due.is_some_and(|due| due <= now))
    }

    /// Changes what is under way of a lane, and counts the difference.
    pub(crate) fn update(&mut self, id: &QueueId, change: impl FnOnce(&mut QueueState)) {
        let before = self.in_flight(id);
        change(self.queues.entry(id.clone()).or_default());
        let after = self.in_flight(id);
        let waiting = [id.clone(), id.sibling()].map(|id| match self.queues.get(&id)?.stage {
            Stage::Ready(since) => Some((since, id)),
            _ => None,
        });
        let waiting: Vec<_> = waiting.into_iter().flatten().collect();
        if after > before {
            self.shares.add_in_flight(id, after - before, &waiting);
        } else if before > after {
            self.shares.remove_in_flight(id, before - after, &waiting);
        }
    }

    pub(crate) fn remove_if_empty(&mut self, id: &QueueId) {
        let over = |lane: &QueueState| {
            lane.stage == Stage::Idle && lane.handling.is_empty() && lane.wire_permits == 0
        };
        if self.queues.get(id).is_some_and(over) {
            self.queues.remove(id);
        }
    }
}
