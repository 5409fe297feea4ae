//! Turns of lanes that have something due, and the share of the send slots that each may take.
//!
//! A receiver that hangs holds its slots until its time is up, and nothing can take them back. So no
//! subscription and no tenant may take all of them, even while nobody else wants one. Where `free` slots are
//! free, a subscription with `s` requests under way, of a tenant with `t` of them, may begin another while
//! `2 s + t < free` (a dynamic threshold, as switches share a buffer among their queues: Choudhury and Hahne,
//! "Dynamic queue length thresholds", 1998). It follows that
//!
//! - one subscription alone holds at most a quarter of all slots, and one tenant alone at most half;
//! - however many hang, some slots stay free, and they are for whoever holds fewest: a subscription with
//!   nothing under way waits for no other.
//!
//! Of several lanes that may go on, the one with the smallest `2 s + t` is next; among equals, the one that has
//! waited longest. Each step costs the logarithm of how many wait.

use std::collections::{BTreeSet, HashMap};

use crate::queue::queue_states::LaneId;
use loanhook_core::model::id::{SubscriptionId, TenantId};

/// With fewer slots than this there are no quarters: each subscription has one request under way at most.
const SMALLEST_SHARED: usize = 4;

/// Who waits for a turn, and what is under way of whom.
#[derive(Default)]
pub(crate) struct Turns {
    tenants: HashMap<TenantId, Tenant>,
    /// Tenants with lanes that wait: what their first lane has to pay, since when, who.
    order: BTreeSet<(usize, u64, TenantId)>,
    sequence: u64,
}

#[derive(Default)]
struct Tenant {
    under_way: usize,
    subscriptions: HashMap<SubscriptionId, usize>,
    /// What their subscriptions have under way, since when they wait, who.
    waiting: BTreeSet<(usize, u64, LaneId)>,
    /// Where it stands in the order of tenants.
    place: Option<(usize, u64)>,
}

/// How many slots there are, and how many are free.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slots {
    pub(crate) in_all: usize,
    pub(crate) free: usize,
}

impl Slots {
    /// How many more requests may begin of a subscription with `subscription` of its tenant's `tenant` requests
    /// under way.
    fn room(self, subscription: usize, tenant: usize) -> usize {
        if self.in_all < SMALLEST_SHARED {
            return usize::from(subscription == 0).min(self.free);
        }
        // Each that begins adds 2 and 1 on the left, and takes 1 away on the right.
        self.free.saturating_sub(2 * subscription + tenant).div_ceil(4)
    }
}

impl Turns {
    /// How many requests of a subscription are under way.
    pub(crate) fn under_way(&self, id: &LaneId) -> usize {
        let tenant = self.tenants.get(&id.tenant);
        tenant.and_then(|tenant| tenant.subscriptions.get(&id.subscription)).copied().unwrap_or(0)
    }

    /// How many more requests of a lane's subscription may begin.
    pub(crate) fn room(&self, id: &LaneId, slots: Slots) -> usize {
        let tenant = self.tenants.get(&id.tenant).map_or(0, |tenant| tenant.under_way);
        slots.room(self.under_way(id), tenant)
    }

    /// A lane waits for its turn, which nothing says of it yet.
    pub(crate) fn wait(&mut self, id: LaneId) -> u64 {
        self.sequence += 1;
        let (sequence, tenant) = (self.sequence, id.tenant.clone());
        self.change(&tenant, |tenant| {
            let under_way = tenant.subscriptions.get(&id.subscription).copied().unwrap_or(0);
            tenant.waiting.insert((under_way, sequence, id));
        });
        sequence
    }

    /// The lane whose turn it is, if one of those that wait may go on. It waits no more.
    pub(crate) fn take_next(&mut self, slots: Slots) -> Option<LaneId> {
        let id = self.peek(slots)?.clone();
        let tenant = id.tenant.clone();
        self.change(&tenant, |tenant| {
            tenant.waiting.pop_first();
        });
        Some(id)
    }

    /// Whether one of those that wait may go on.
    pub(crate) fn any_may_go(&self, slots: Slots) -> bool {
        self.peek(slots).is_some()
    }

    pub(crate) fn any_waits(&self) -> bool {
        !self.order.is_empty()
    }

    fn peek(&self, slots: Slots) -> Option<&LaneId> {
        let (_, _, tenant) = self.order.first()?;
        let tenant = self.tenants.get(tenant)?;
        let (under_way, _, id) = tenant.waiting.first()?;
        (slots.room(*under_way, tenant.under_way) > 0).then_some(id)
    }

    /// So many more requests of a lane are under way. `waiting` are the lanes of its subscription that wait, and since
    /// when.
    pub(crate) fn begin(&mut self, id: &LaneId, count: usize, waiting: &[(u64, LaneId)]) {
        self.count(id, waiting, |under_way| under_way + count);
    }

    /// So many requests of a lane are over.
    pub(crate) fn end(&mut self, id: &LaneId, count: usize, waiting: &[(u64, LaneId)]) {
        self.count(id, waiting, |under_way| under_way.saturating_sub(count));
    }

    fn count(&mut self, id: &LaneId, waiting: &[(u64, LaneId)], change: impl FnOnce(usize) -> usize) {
        self.change(&id.tenant, |tenant| {
            let before = tenant.subscriptions.remove(&id.subscription).unwrap_or(0);
            let after = change(before);
            if after > 0 {
                tenant.subscriptions.insert(id.subscription, after);
            }
            tenant.under_way = tenant.under_way - before + after;
            for (since, lane) in waiting {
                tenant.waiting.remove(&(before, *since, lane.clone()));
                tenant.waiting.insert((after, *since, lane.clone()));
            }
        });
    }

    /// Changes a tenant and puts it where it then belongs; one of which nothing is left is forgotten.
    fn change(&mut self, id: &TenantId, change: impl FnOnce(&mut Tenant)) {
        let tenant = self.tenants.entry(id.clone()).or_default();
        change(tenant);
        let next =
            tenant.waiting.first().map(|(under_way, since, _)| (2 * under_way + tenant.under_way, *since));
        let before = std::mem::replace(&mut tenant.place, next);
        if tenant.under_way == 0 && tenant.waiting.is_empty() {
            self.tenants.remove(id);
        }
        if before == next {
            return;
        }
        if let Some((price, since)) = before {
            self.order.remove(&(price, since, id.clone()));
        }
        if let Some((price, since)) = next {
            self.order.insert((price, since, id.clone()));
        }
    }
}

#[cfg(test)]
#[path = "fair_shares_tests.rs"]
mod tests;
