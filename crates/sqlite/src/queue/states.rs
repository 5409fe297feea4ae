//! States of the queues: for each, when a message of it is due, and how many of its requests are in flight; and the pace
//! and the throttle of each subscription.
//!
//! `scheduler` holds these behind its lock.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Instant;

use super::fair_shares::FairShares;
use super::id::QueueId;
use super::pace::{Load, Pace, ShareBounds};
use loanhook_core::model::flow::throttle::Throttle;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::time::Timestamp;

#[derive(Default)]
pub(super) struct QueueStates {
    pub(super) queues: HashMap<QueueId, QueueState>,
    /// When the queues that are [`Stage::Scheduled`] are due, and those that are [`Stage::Throttled`] go on.
    pub(super) timers: BTreeSet<(Timestamp, QueueId)>,
    pub(super) shares: FairShares,
    pub(super) paces: HashMap<SubscriptionId, Pace>,
    /// Of the subscriptions that have one: see [`Throttle`].
    pub(super) throttles: HashMap<SubscriptionId, Throttle>,
    /// The keys of `throttles`, by tenant.
    pub(super) throttled: BTreeSet<(TenantId, SubscriptionId)>,
    /// How many paces there are when those that can be forgotten are looked for.
    next_pace_check: usize,
}

/// How many paces are kept before any is looked at.
const MIN_PACE_CHECK: usize = 256;

#[derive(Default)]
pub(super) struct QueueState {
    /// When the first message is due that no handler has; none if there is none.
    pub(super) due: Option<Timestamp>,
    /// IDs of messages that a handler has, and that are in the table.
    pub(super) handling: HashSet<i64>,
    /// Permits for requests on the wire, taken or reserved.
    pub(super) wire_permits: usize,
    pub(super) stage: Stage,
}

#[derive(Default, Clone, Copy, PartialEq)]
pub(super) enum Stage {
    /// Nothing of it is known to be due.
    #[default]
    Idle,
    /// Its first message is due later.
    Scheduled,
    /// It waits for permits; the number orders queues by when they became ready.
    Ready(u64),
    /// Its subscription has as many requests in flight as it may have, or is held.
    AtLimit,
    /// The rate or the hold of its subscription lets nothing begin before then.
    Throttled(Timestamp),
}

impl QueueStates {
    /// A message that no handler has is due then.
    pub(super) fn schedule(&mut self, id: QueueId, due: Timestamp) {
        let queue = self.queues.entry(id.clone()).or_default();
        let first = queue.due.map_or(due, |first| first.min(due));
        if queue.stage == Stage::Scheduled
            && let Some(before) = queue.due
        {
            self.timers.remove(&(before, id.clone()));
        }
        queue.due = Some(first);
        if matches!(queue.stage, Stage::Idle | Stage::Scheduled) {
            queue.stage = Stage::Scheduled;
            self.timers.insert((first, id));
        }
    }

    pub(super) fn make_ready(&mut self, id: QueueId) {
        if let Some(queue) = self.queues.get_mut(&id) {
            queue.stage = Stage::Ready(self.shares.make_ready(id));
        }
    }

    pub(super) fn in_flight(&self, id: &QueueId) -> usize {
        self.queues.get(id).map_or(0, |queue| queue.handling.len() + queue.wire_permits)
    }

    /// How many more requests of a queue may begin by the share of its subscription, which begins at `initial`. Of
    /// resends a quarter of that.
    pub(super) fn remaining_share(&self, id: &QueueId, initial: usize) -> usize {
        let limit = self.paces.get(&id.subscription).map_or(initial, |pace| pace.share(Instant::now()));
        let own = if id.automatic { limit } else { limit.div_ceil(4) };
        own.saturating_sub(self.in_flight(id)).min(limit.saturating_sub(self.shares.in_flight(id)))
    }

    /// Whether a message of a queue is due that no handler has.
    pub(super) fn has_due(&self, id: &QueueId, now: Timestamp) -> bool {
        self.queues.get(id).is_some_and(|queue| queue.due.is_some_and(|due| due <= now))
    }

    /// Changes what of a queue is in flight, and counts the difference in the shares.
    pub(super) fn update(&mut self, id: &QueueId, change: impl FnOnce(&mut QueueState)) {
        let before = self.in_flight(id);
        change(self.queues.entry(id.clone()).or_default());
        let after = self.in_flight(id);
        let ready = [id.clone(), id.sibling()].map(|id| match self.queues.get(&id)?.stage {
            Stage::Ready(since) => Some((since, id)),
            _ => None,
        });
        let ready: Vec<_> = ready.into_iter().flatten().collect();
        if after > before {
            self.shares.add_in_flight(id, after - before, &ready);
        } else if before > after {
            self.shares.remove_in_flight(id, before - after, &ready);
        }
    }

    /// The pace of a queue's subscription.
    pub(super) fn pace(&mut self, id: &QueueId, bounds: ShareBounds) -> &mut Pace {
        let now = Instant::now();
        if self.paces.len() >= self.next_pace_check.max(MIN_PACE_CHECK)
            && !self.paces.contains_key(&id.subscription)
        {
            self.paces.retain(|_, pace| !pace.is_forgettable(now));
            self.next_pace_check = 2 * self.paces.len();
        }
        self.paces.entry(id.subscription).or_insert_with(|| Pace::new(bounds, now))
    }

    /// Gives places of a queue's subscription to events that wait for them, as many as there is room for.
    pub(super) fn admit_waiting(&mut self, id: &QueueId) {
        if self.paces.get(&id.subscription).is_none_or(Pace::nobody_waits) {
            return;
        }
        let load = self.load(id);
        if let Some(pace) = self.paces.get_mut(&id.subscription) {
            pace.admit_waiting(load, Instant::now());
        }
    }

    /// What of a queue's subscription is under way.
    pub(super) fn load(&self, id: &QueueId) -> Load {
        let has_due = match id.automatic {
            true => self.has_due(id, Timestamp::now()),
            false => self.has_due(&id.sibling(), Timestamp::now()),
        };
        let throttle = self.throttles.get(&id.subscription);
        let is_held_back = throttle.is_some_and(|throttle| throttle.holds_back(has_due));
        Load { in_flight: self.shares.in_flight(id), has_due, is_held_back }
    }

    /// Forgets a queue that has nothing due and nothing in flight.
    pub(super) fn remove_if_empty(&mut self, id: &QueueId) {
        let empty = |queue: &QueueState| {
            queue.stage == Stage::Idle && queue.handling.is_empty() && queue.wire_permits == 0
        };
        if self.queues.get(id).is_some_and(empty) {
            self.queues.remove(id);
        }
    }
}
