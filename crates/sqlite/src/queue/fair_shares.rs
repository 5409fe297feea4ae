//! Fair shares of the process permits: which of the ready queues is next, and how many requests it may begin.
//!
//! A receiver that hangs holds its permits until its time-out, and nothing can take them back. So no subscription and
//! no tenant may take all of them, even while nobody else wants one. Where `free` permits are free, a subscription with
//! `s` requests in flight, of a tenant with `t` of them, may begin another while `2 s + t < free` (a dynamic
//! threshold, as switches share a buffer among their queues: Choudhury and Hahne, "Dynamic queue length thresholds",
//! 1998). It follows that
//!
//! - one subscription alone holds at most a quarter of all permits, and one tenant alone at most half;
//! - however many receivers hang, some permits stay free for whoever holds fewest: a subscription with nothing in flight
//!   waits for no other.
//!
//! Of several ready queues, the one with the smallest `2 s + t` (its load) is next; among equals, the one that
//! has been ready longest. Each step costs the logarithm of how many are ready.

use std::collections::{BTreeSet, HashMap};

use super::id::QueueId;
use loanhook_core::model::id::{SubscriptionId, TenantId};

/// With fewer permits than this there are no quarters: each subscription has one request in flight at most.
const MIN_SHARED_PERMITS: usize = 4;

/// The ready queues in their order, and how many requests each tenant and subscription has in flight.
#[derive(Default)]
pub(super) struct FairShares {
    tenants: HashMap<TenantId, TenantShare>,
    /// Tenants with ready queues: the load of their first one, the sequence number under which it became ready, the tenant.
    ready_tenants: BTreeSet<(usize, u64, TenantId)>,
    /// Counts queues as they become ready.
    sequence: u64,
}

#[derive(Default)]
struct TenantShare {
    in_flight: usize,
    subscriptions: HashMap<SubscriptionId, usize>,
    /// Ready queues: what their subscription has in flight, the sequence number under which they became ready, the queue.
    ready: BTreeSet<(usize, u64, QueueId)>,
    /// The entry of this tenant in `ready_tenants`.
    position: Option<(usize, u64)>,
}

/// How many process permits there are, and how many are free.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PermitCounts {
    pub(crate) total: usize,
    pub(crate) free: usize,
}

impl PermitCounts {
    /// How many more requests a subscription may begin that has `subscription` of its tenant's `tenant` requests in
    /// flight.
    fn share(self, subscription: usize, tenant: usize) -> usize {
        if self.total < MIN_SHARED_PERMITS {
            return usize::from(subscription == 0).min(self.free);
        }
        // Each that begins adds 2 and 1 on the left, and takes 1 away on the right.
        self.free.saturating_sub(2 * subscription + tenant).div_ceil(4)
    }
}

impl FairShares {
    /// How many requests a queue's subscription has in flight.
    pub(super) fn in_flight(&self, id: &QueueId) -> usize {
        let tenant = self.tenants.get(&id.tenant);
        tenant.and_then(|tenant| tenant.subscriptions.get(&id.subscription)).copied().unwrap_or(0)
    }

    /// How many more requests a queue's subscription may begin.
    pub(super) fn remaining_share(&self, id: &QueueId, permits: PermitCounts) -> usize {
        let tenant = self.tenants.get(&id.tenant).map_or(0, |tenant| tenant.in_flight);
        permits.share(self.in_flight(id), tenant)
    }

    /// Puts a queue among the ready ones, which it is not yet, and gives the sequence number under which it became ready.
    pub(super) fn make_ready(&mut self, id: QueueId) -> u64 {
        self.sequence += 1;
        let (sequence, tenant) = (self.sequence, id.tenant.clone());
        self.update_tenant(&tenant, |tenant| {
            let in_flight = tenant.subscriptions.get(&id.subscription).copied().unwrap_or(0);
            tenant.ready.insert((in_flight, sequence, id));
        });
        sequence
    }

    /// Takes the next queue out of the ready ones, if one of them may begin a request.
    pub(super) fn pop_next(&mut self, permits: PermitCounts) -> Option<QueueId> {
        let id = self.peek(permits)?.clone();
        let tenant = id.tenant.clone();
        self.update_tenant(&tenant, |tenant| {
            tenant.ready.pop_first();
        });
        Some(id)
    }

    /// Whether one of the ready queues may begin a request.
    pub(super) fn any_may_begin(&self, permits: PermitCounts) -> bool {
        self.peek(permits).is_some()
    }

    pub(super) fn any_ready(&self) -> bool {
        !self.ready_tenants.is_empty()
    }

    fn peek(&self, permits: PermitCounts) -> Option<&QueueId> {
        let (_, _, tenant) = self.ready_tenants.first()?;
        let tenant = self.tenants.get(tenant)?;
        let (in_flight, _, id) = tenant.ready.first()?;
        (permits.share(*in_flight, tenant.in_flight) > 0).then_some(id)
    }

    /// Counts so many more requests of a queue. `ready` are the queues of its subscription that are ready, each with its
    /// sequence number.
    pub(super) fn add_in_flight(&mut self, id: &QueueId, count: usize, ready: &[(u64, QueueId)]) {
        self.update_in_flight(id, ready, |in_flight| in_flight + count);
    }

    /// Counts so many requests of a queue less, as [`Self::add_in_flight`] counts them.
    pub(super) fn remove_in_flight(&mut self, id: &QueueId, count: usize, ready: &[(u64, QueueId)]) {
        self.update_in_flight(id, ready, |in_flight| in_flight.saturating_sub(count));
    }

    fn update_in_flight(
        &mut self,
        id: &QueueId,
        ready: &[(u64, QueueId)],
        change: impl FnOnce(usize) -> usize,
    ) {
        self.update_tenant(&id.tenant, |tenant| {
            let before = tenant.subscriptions.remove(&id.subscription).unwrap_or(0);
            let after = change(before);
            if after > 0 {
                tenant.subscriptions.insert(id.subscription, after);
            }
            tenant.in_flight = tenant.in_flight - before + after;
            for (since, queue) in ready {
                tenant.ready.remove(&(before, *since, queue.clone()));
                tenant.ready.insert((after, *since, queue.clone()));
            }
        });
    }

    /// Changes a tenant and its entry among the ready ones. A tenant with nothing ready or in flight is forgotten.
    fn update_tenant(&mut self, id: &TenantId, change: impl FnOnce(&mut TenantShare)) {
        let tenant = self.tenants.entry(id.clone()).or_default();
        change(tenant);
        let next =
            tenant.ready.first().map(|(in_flight, since, _)| (2 * in_flight + tenant.in_flight, *since));
        let before = std::mem::replace(&mut tenant.position, next);
        if tenant.in_flight == 0 && tenant.ready.is_empty() {
            self.tenants.remove(id);
        }
        if before == next {
            return;
        }
        if let Some((load, since)) = before {
            self.ready_tenants.remove(&(load, since, id.clone()));
        }
        if let Some((load, since)) = next {
            self.ready_tenants.insert((load, since, id.clone()));
        }
    }
}

#[cfg(test)]
#[path = "fair_shares_tests.rs"]
mod tests;
