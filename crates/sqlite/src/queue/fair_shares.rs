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

use crate::queue::queue_states::QueueId;
use loanhook_core::model::id::{SubscriptionId, TenantId};

/// With fewer slots than this there are no quarters: each subscription has one request under way at most.
const MIN_SHARED_PERMITS: usize = 4;

/// Who waits for a turn, and what is under way of whom.
#[derive(Default)]
pub(crate) struct FairShares {
    tenants: HashMap<TenantId, TenantShare>,
    /// Tenants with lanes that wait: what their first lane has to pay, since when, who.
    ready_tenants: BTreeSet<(usize, u64, TenantId)>,
    sequence: u64,
}

#[derive(Default)]
struct TenantShare {
    in_flight: usize,
    subscriptions: HashMap<SubscriptionId, usize>,
    /// What their subscriptions have under way, since when they wait, who.
    ready: BTreeSet<(usize, u64, QueueId)>,
    /// Where it stands in the order of tenants.
    position: Option<(usize, u64)>,
}

/// How many slots there are, and how many are free.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PermitCounts {
    pub(crate) total: usize,
    pub(crate) free: usize,
}

impl PermitCounts {
    /// How many more requests may begin of a subscription with `subscription` of its tenant's `tenant` requests
    /// under way.
    fn share(self, subscription: usize, tenant: usize) -> usize {
        if self.total < MIN_SHARED_PERMITS {
            return usize::from(subscription == 0).min(self.free);
        }
        // Each that begins adds 2 and 1 on the left, and takes 1 away on the right.
        self.free.saturating_sub(2 * subscription + tenant).div_ceil(4)
    }
}

impl FairShares {
    /// How many requests of a subscription are under way.
    pub(crate) fn in_flight(&self, id: &QueueId) -> usize {
        let tenant = self.tenants.get(&id.tenant);
        tenant.and_then(|tenant| tenant.subscriptions.get(&id.subscription)).copied().unwrap_or(0)
    }

    /// How many more requests of a lane's subscription may begin.
    pub(crate) fn remaining_share(&self, id: &QueueId, slots: PermitCounts) -> usize {
        let tenant = self.tenants.get(&id.tenant).map_or(0, |tenant| tenant.in_flight);
        slots.share(self.in_flight(id), tenant)
    }

    /// A lane waits for its turn, which nothing says of it yet.
    pub(crate) fn make_ready(&mut self, id: QueueId) -> u64 {
        self.sequence += 1;
        let (sequence, tenant) = (self.sequence, id.tenant.clone());
        self.update_tenant(&tenant, |tenant| {
            let under_way = tenant.subscriptions.get(&id.subscription).copied().unwrap_or(0);
            tenant.ready.insert((under_way, sequence, id));
        });
        sequence
    }

    /// The lane whose turn it is, if one of those that wait may go on. It waits no more.
    pub(crate) fn pop_next(&mut self, slots: PermitCounts) -> Option<QueueId> {
        let id = self.peek(slots)?.clone();
        let tenant = id.tenant.clone();
        self.update_tenant(&tenant, |tenant| {
            tenant.ready.pop_first();
        });
        Some(id)
    }

    /// Whether one of those that wait may go on.
    pub(crate) fn any_may_begin(&self, slots: PermitCounts) -> bool {
        self.peek(slots).is_some()
    }

    pub(crate) fn any_ready(&self) -> bool {
        !self.ready_tenants.is_empty()
    }

    fn peek(&self, slots: PermitCounts) -> Option<&QueueId> {
        let (_, _, tenant) = self.ready_tenants.first()?;
        let tenant = self.tenants.get(tenant)?;
        let (under_way, _, id) = tenant.ready.first()?;
        (slots.share(*under_way, tenant.in_flight) > 0).then_some(id)
    }

    /// So many more requests of a lane are under way. `waiting` are the lanes of its subscription that wait, and since
    /// when.
    pub(crate) fn add_in_flight(&mut self, id: &QueueId, count: usize, waiting: &[(u64, QueueId)]) {
        self.update_in_flight(id, waiting, |under_way| under_way + count);
    }

    /// So many requests of a lane are over.
    pub(crate) fn remove_in_flight(&mut self, id: &QueueId, count: usize, waiting: &[(u64, QueueId)]) {
        self.update_in_flight(id, waiting, |under_way| under_way.saturating_sub(count));
    }

    fn update_in_flight(
        &mut self,
        id: &QueueId,
        waiting: &[(u64, QueueId)],
        change: impl FnOnce(usize) -> usize,
    ) {
        self.update_tenant(&id.tenant, |tenant| {
            let before = tenant.subscriptions.remove(&id.subscription).unwrap_or(0);
            let after = change(before);
            if after > 0 {
                tenant.subscriptions.insert(id.subscription, after);
            }
            tenant.in_flight = tenant.in_flight - before + after;
            for (since, lane) in waiting {
                tenant.ready.remove(&(before, *since, lane.clone()));
                tenant.ready.insert((after, *since, lane.clone()));
            }
        });
    }

    /// Changes a tenant and puts it where it then belongs; one of which nothing is left is forgotten.
    fn update_tenant(&mut self, id: &TenantId, change: impl FnOnce(&mut TenantShare)) {
        let tenant = self.tenants.entry(id.clone()).or_default();
        change(tenant);
        let next =
            tenant.ready.first().map(|(under_way, since, _)| (2 * under_way + tenant.in_flight, *since));
        let before = std::mem::replace(&mut tenant.position, next);
        if tenant.in_flight == 0 && tenant.ready.is_empty() {
            self.tenants.remove(id);
        }
        if before == next {
            return;
        }
        if let Some((price, since)) = before {
            self.ready_tenants.remove(&(price, since, id.clone()));
        }
        if let Some((price, since)) = next {
            self.ready_tenants.insert((price, since, id.clone()));
        }
    }
}

#[cfg(test)]
#[path = "fair_shares_tests.rs"]
mod tests;
