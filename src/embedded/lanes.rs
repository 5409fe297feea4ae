//! Which subscriptions have something in the queue, and when it is due.
//!
//! One lane a subscription, so that nobody waits behind another's slow receiver. A lane knows its
//! earliest due time and the messages of it that are in a worker's hand; the messages themselves stay in
//! the table, so memory is bounded whatever waits.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::sync::Notify;

use super::tables::uuid;
use crate::model::id::SubscriptionId;
use crate::model::time::Timestamp;
use crate::ports::Wake;

#[derive(Default)]
pub(super) struct Lanes {
    lanes: Mutex<BTreeMap<SubscriptionId, Lane>>,
    /// Something was added or done with.
    pub(super) changed: Notify,
}

#[derive(Default)]
struct Lane {
    /// When the first message that is in nobody's hand is due; none if there is none.
    due: Option<Timestamp>,
    /// Messages in a worker's hand, by row.
    in_hand: HashSet<i64>,
}

/// What can be done now.
pub(super) enum Turn {
    /// This lane has something due, and room for so many.
    Lane(SubscriptionId, usize),
    /// Nothing is due before then.
    Nothing(Option<Timestamp>),
}

impl Lanes {
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let lanes = Self::default();
        let mut statement =
            connection.prepare("SELECT subscription, min(due) FROM queue GROUP BY subscription")?;
        for lane in statement.query_map([], |row| Ok((uuid(row, 0)?, row.get(1)?)))? {
            let (subscription, due) = lane?;
            lanes.due(SubscriptionId::from_uuid(subscription), Timestamp::from_millis(due));
        }
        Ok(lanes)
    }

    fn lanes(&self) -> MutexGuard<'_, BTreeMap<SubscriptionId, Lane>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Messages were put into the queue.
    pub(super) fn add(&self, wakes: &[Wake]) {
        for wake in wakes {
            self.due(wake.subscription_id, wake.due);
        }
        if !wakes.is_empty() {
            self.changed.notify_one();
        }
    }

    /// A message that is in nobody's hand is due then.
    pub(super) fn due(&self, subscription: SubscriptionId, due: Timestamp) {
        let mut lanes = self.lanes();
        let lane = lanes.entry(subscription).or_default();
        lane.due = Some(lane.due.map_or(due, |first| first.min(due)));
    }

    /// The first lane after `last`, in turn, that has something due and fewer than `most` in hand. It
    /// counts as empty until it is told otherwise, so that what is added while it is read is not missed.
    pub(super) fn next(&self, last: Option<SubscriptionId>, most: usize, now: Timestamp) -> Turn {
        use std::ops::Bound::{Excluded, Included, Unbounded};
        let mut lanes = self.lanes();
        let ready = |lane: &Lane| lane.in_hand.len() < most && lane.due.is_some_and(|due| due <= now);
        let after = last.map_or(Unbounded, Excluded);
        let upto = last.map_or(Unbounded, Included);
        let found = lanes
            .range((after, Unbounded))
            .find(|(_, lane)| ready(lane))
            .or_else(|| last.and_then(|_| lanes.range((Unbounded, upto)).find(|(_, lane)| ready(lane))));
        let Some(subscription) = found.map(|(subscription, _)| *subscription) else {
            let waiting = lanes.values().filter(|lane| lane.in_hand.len() < most);
            return Turn::Nothing(waiting.filter_map(|lane| lane.due).min());
        };
        let lane = lanes.entry(subscription).or_default();
        lane.due = None;
        Turn::Lane(subscription, most - lane.in_hand.len())
    }

    /// How many messages of a lane are in hand.
    pub(super) fn held(&self, subscription: SubscriptionId) -> usize {
        self.lanes().get(&subscription).map_or(0, |lane| lane.in_hand.len())
    }

    /// Takes a message into hand. False if it is there already.
    pub(super) fn take(&self, subscription: SubscriptionId, row: i64) -> bool {
        self.lanes().entry(subscription).or_default().in_hand.insert(row)
    }

    /// A message is out of hand; it is due again then, if it was not done with.
    pub(super) fn put_down(&self, subscription: SubscriptionId, row: i64, again: Option<Timestamp>) {
        let mut lanes = self.lanes();
        if let Some(lane) = lanes.get_mut(&subscription) {
            lane.in_hand.remove(&row);
            if let Some(again) = again {
                lane.due = Some(lane.due.map_or(again, |first| first.min(again)));
            }
            if lane.in_hand.is_empty() && lane.due.is_none() {
                lanes.remove(&subscription);
            }
        }
        drop(lanes);
        self.changed.notify_one();
    }
}

#[cfg(test)]
#[path = "lanes_tests.rs"]
mod tests;
