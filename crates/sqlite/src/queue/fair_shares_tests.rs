use uuid::Uuid;

use super::*;

fn lane(tenant: &str, subscription: u128) -> QueueId {
    QueueId {
        tenant: TenantId::try_from(tenant.to_owned()).expect("a tenant"),
        subscription: SubscriptionId::from_uuid(Uuid::from_u128(subscription)),
        automatic: true,
    }
}

/// Turns of lanes that always have more, with so many slots; nothing that begins ever ends.
struct Hanging {
    turns: FairShares,
    slots: PermitCounts,
}

impl Hanging {
    fn new(in_all: usize) -> Self {
        Self { turns: FairShares::default(), slots: PermitCounts { total: in_all, free: in_all } }
    }

    /// As many as may begin of these lanes, one at a time in their turns; gives how many of each are under way.
    fn fill(&mut self, lanes: &[QueueId]) -> Vec<usize> {
        for lane in lanes {
            self.turns.make_ready(lane.clone());
        }
        while let Some(next) = self.turns.pop_next(self.slots) {
            self.turns.add_in_flight(&next, 1, &[]);
            self.slots.free -= 1;
            self.turns.make_ready(next);
        }
        lanes.iter().map(|lane| self.turns.in_flight(lane)).collect()
    }
}

#[test]
fn one_subscription_holds_a_quarter_of_the_slots_at_most() {
    for (in_all, most) in [(1, 1), (2, 1), (3, 1), (4, 1), (8, 2), (16, 4), (256, 64)] {
        assert_eq!(Hanging::new(in_all).fill(&[lane("a", 1)]), [most], "of {in_all}");
    }
}

#[test]
fn one_tenant_holds_half_of_the_slots_at_most() {
    for (in_all, most) in [(4, 2), (16, 8), (256, 128)] {
        let lanes: Vec<_> = (0..300).map(|subscription| lane("a", subscription)).collect();
        let held: usize = Hanging::new(in_all).fill(&lanes).iter().sum();
        assert_eq!(held, most, "of {in_all}");
    }
}

#[test]
fn whoever_holds_nothing_may_begin_however_many_hang() {
    let mut hanging = Hanging::new(256);
    let tenants = ["a", "b", "c", "d", "e", "f"];
    for tenant in tenants {
        let lanes: Vec<_> = (0..100).map(|subscription| lane(tenant, subscription)).collect();
        let held: usize = hanging.fill(&lanes).iter().sum();
        assert!(held > 0, "{tenant} finds slots although those before it took all that they may");
    }
    assert!(hanging.slots.free > 0, "and some are left for who comes next");
}

#[test]
fn equals_take_turns_and_who_holds_less_goes_first() {
    let mut turns = FairShares::default();
    let slots = PermitCounts { total: 256, free: 256 };
    for lane in [lane("a", 1), lane("a", 2), lane("b", 3)] {
        turns.make_ready(lane);
    }
    let mut order = Vec::new();
    for _ in 0..6 {
        let next = turns.pop_next(slots).expect("all may go");
        order.push(next.subscription.uuid().as_u128());
        turns.make_ready(next);
    }
    assert_eq!(order, [1, 2, 3, 1, 2, 3], "with nothing under way, as they came");

    let busy = lane("a", 1);
    let since = turns.sequence - 2;
    assert!(turns.tenants[&busy.tenant].ready.contains(&(0, since, busy.clone())));
    turns.add_in_flight(&busy, 5, &[(since, busy.clone())]);
    let next = turns.pop_next(slots).expect("all may go");
    assert_eq!(next, lane("b", 3), "the other tenant has nothing under way");
    let next = turns.pop_next(slots).expect("all may go");
    assert_eq!(next, lane("a", 2), "the other subscription has nothing under way");
    turns.remove_in_flight(&busy, 5, &[(since, busy.clone())]);
    assert_eq!(turns.pop_next(slots), Some(busy));
    assert!(turns.ready_tenants.is_empty() && turns.tenants.is_empty(), "nothing is kept of who is done");
}

#[test]
fn several_may_begin_at_once_as_they_might_one_by_one() {
    for in_all in [4, 16, 17, 255, 256] {
        for (subscription, tenant, taken) in [(0, 0, 0), (1, 1, 1), (1, 5, 9), (3, 3, 3)] {
            if taken > in_all {
                continue;
            }
            let (mut s, mut t, mut slots) =
                (subscription, tenant, PermitCounts { total: in_all, free: in_all - taken });
            let at_once = slots.share(s, t);
            let mut one_by_one = 0;
            while slots.free > 0 && 2 * s + t < slots.free {
                (s, t, slots.free, one_by_one) = (s + 1, t + 1, slots.free - 1, one_by_one + 1);
            }
            assert_eq!(
                at_once, one_by_one,
                "{subscription} of {tenant} under way, {taken} of {in_all} taken"
            );
        }
    }
}
