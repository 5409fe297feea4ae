//! Rules of the fair shares, over receivers that hang.

use uuid::Uuid;

use super::*;

fn queue(tenant: &str, subscription: u128) -> QueueId {
    QueueId {
        tenant: TenantId::try_from(tenant.to_owned()).expect("a tenant"),
        subscription: SubscriptionId::from_uuid(Uuid::from_u128(subscription)),
        automatic: true,
    }
}

/// Queues that always have more, and so many permits; no request that begins ever ends.
struct Hanging {
    shares: FairShares,
    permits: PermitCounts,
}

impl Hanging {
    fn new(total: usize) -> Self {
        Self { shares: FairShares::default(), permits: PermitCounts { total, free: total } }
    }

    /// As many as may begin of these queues, one at a time in their order; gives how many of each are in flight.
    fn fill(&mut self, queues: &[QueueId]) -> Vec<usize> {
        for queue in queues {
            self.shares.make_ready(queue.clone());
        }
        while let Some(next) = self.shares.pop_next(self.permits) {
            self.shares.add_in_flight(&next, 1, &[]);
            self.permits.free -= 1;
            self.shares.make_ready(next);
        }
        queues.iter().map(|queue| self.shares.in_flight(queue)).collect()
    }
}

#[test]
fn one_subscription_holds_a_quarter_of_the_permits_at_most() {
    for (total, most) in [(1, 1), (2, 1), (3, 1), (4, 1), (8, 2), (16, 4), (256, 64)] {
        assert_eq!(Hanging::new(total).fill(&[queue("a", 1)]), [most], "of {total}");
    }
}

#[test]
fn one_tenant_holds_half_of_the_permits_at_most() {
    for (total, most) in [(4, 2), (16, 8), (256, 128)] {
        let queues: Vec<_> = (0..300).map(|subscription| queue("a", subscription)).collect();
        let held: usize = Hanging::new(total).fill(&queues).iter().sum();
        assert_eq!(held, most, "of {total}");
    }
}

#[test]
fn a_subscription_with_nothing_in_flight_may_begin_however_many_receivers_hang() {
    let mut hanging = Hanging::new(256);
    let tenants = ["a", "b", "c", "d", "e", "f"];
    for tenant in tenants {
        let queues: Vec<_> = (0..100).map(|subscription| queue(tenant, subscription)).collect();
        let held: usize = hanging.fill(&queues).iter().sum();
        assert!(held > 0, "{tenant} finds permits although those before it took all that they may");
    }
    assert!(hanging.permits.free > 0, "and some are left for who comes next");
}

#[test]
fn the_smallest_load_is_next_and_equal_loads_take_turns() {
    let mut shares = FairShares::default();
    let permits = PermitCounts { total: 256, free: 256 };
    for queue in [queue("a", 1), queue("a", 2), queue("b", 3)] {
        shares.make_ready(queue);
    }
    let mut order = Vec::new();
    for _ in 0..6 {
        let next = shares.pop_next(permits).expect("all may go");
        order.push(next.subscription.uuid().as_u128());
        shares.make_ready(next);
    }
    assert_eq!(order, [1, 2, 3, 1, 2, 3], "with nothing in flight, as they came");

    let busy = queue("a", 1);
    let since = shares.sequence - 2;
    assert!(shares.tenants[&busy.tenant].ready.contains(&(0, since, busy.clone())));
    shares.add_in_flight(&busy, 5, &[(since, busy.clone())]);
    let next = shares.pop_next(permits).expect("all may go");
    assert_eq!(next, queue("b", 3), "the other tenant has nothing in flight");
    let next = shares.pop_next(permits).expect("all may go");
    assert_eq!(next, queue("a", 2), "the other subscription has nothing in flight");
    shares.remove_in_flight(&busy, 5, &[(since, busy.clone())]);
    assert_eq!(shares.pop_next(permits), Some(busy));
    assert!(shares.ready_tenants.is_empty() && shares.tenants.is_empty(), "nothing is kept of who is done");
}

#[test]
fn the_share_at_once_is_what_may_begin_one_by_one() {
    for total in [4, 16, 17, 255, 256] {
        for (subscription, tenant, taken) in [(0, 0, 0), (1, 1, 1), (1, 5, 9), (3, 3, 3)] {
            if taken > total {
                continue;
            }
            let (mut s, mut t, mut permits) =
                (subscription, tenant, PermitCounts { total, free: total - taken });
            let at_once = permits.share(s, t);
            let mut one_by_one = 0;
            while permits.free > 0 && 2 * s + t < permits.free {
                (s, t, permits.free, one_by_one) = (s + 1, t + 1, permits.free - 1, one_by_one + 1);
            }
            assert_eq!(at_once, one_by_one, "{subscription} of {tenant} in flight, {taken} of {total} taken");
        }
    }
}
