//! Gathered happenings of a transaction, and how many items it may write of them.

use std::collections::{HashMap, HashSet};

use super::happening::Happening;
use super::states::States;
use crate::queue::Receiver;
use loanhook_core::model::id::TenantId;

/// So many failures of a subscription tell at most one event, and the success after them another.
const FAILURES_PER_EVENT: usize = 4;

/// What records tell, in the order in which they were taken.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pub(super) happenings: Vec<Happening>,
    tallies: HashMap<Receiver, Tally>,
    changed_tenants: HashSet<TenantId>,
    /// How many items may be written of all of it at most.
    items: usize,
}

/// How much was gathered of a subscription.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    failures: usize,
    has_success: bool,
    /// Holds that began or ended.
    holds: usize,
    has_exhausted: bool,
}

/// What is known of a subscription before.
#[derive(Debug, Clone, Copy)]
struct Known {
    /// It has failures in a row.
    fails: bool,
    /// They were told.
    is_told: bool,
}

impl Known {
    fn of(of: &Receiver, states: &States) -> Self {
        Self { fails: states.fails(of), is_told: states.is_told(of) }
    }
}

impl Tally {
    /// How many items may be written: its state, and events. A success says nothing where nothing is known to fail, and neither does
    /// a failure of a run that was told, until a success ends it.
    const fn most_items(&self, known: Known) -> usize {
        let changes = self.holds > 0 || self.has_exhausted;
        if known.is_told && !self.has_success {
            return if changes { 1 + self.holds } else { 0 };
        }
        if changes || self.failures > 0 || (known.fails && self.has_success) {
            2 + 2 * self.failures.div_ceil(FAILURES_PER_EVENT) + self.holds
        } else {
            0
        }
    }

    const fn add(&mut self, happening: &Happening) {
        match happening {
            Happening::Ended { end, .. } if end.succeeded() => self.has_success = true,
            Happening::Ended { .. } => self.failures += 1,
            Happening::Exhausted { .. } => self.has_exhausted = true,
            Happening::Held { .. } => self.holds += 1,
            Happening::HoldEnded { .. } => (self.has_success, self.holds) = (true, self.holds + 1),
            Happening::JobFinished(_) | Happening::SettingsChanged(_) => {}
        }
    }
}

impl Happening {
    pub(super) const fn receiver(&self) -> Option<&Receiver> {
        match self {
            Self::Ended { of, .. }
            | Self::Exhausted { of, .. }
            | Self::Held { of, .. }
            | Self::HoldEnded { of, .. } => Some(of),
            Self::JobFinished(_) | Self::SettingsChanged(_) => None,
        }
    }
}

impl Gathered {
    /// How many items may be written of all of it at most.
    pub(crate) const fn item_count(&self) -> usize {
        self.items
    }

    /// How many more items there may be with this.
    pub(crate) fn items_of(&self, happening: &Happening, states: &States) -> usize {
        match (happening, happening.receiver()) {
            (Happening::SettingsChanged(tenant), _) => usize::from(!self.changed_tenants.contains(tenant)),
            (_, Some(of)) => {
                let before = self.tallies.get(of).copied().unwrap_or_default();
                let mut after = before;
                after.add(happening);
                let known = Known::of(of, states);
                after.most_items(known) - before.most_items(known)
            }
            (_, None) => 1,
        }
    }

    pub(crate) fn add(&mut self, happening: Happening, states: &States) {
        self.items += self.items_of(&happening, states);
        if let Some(of) = happening.receiver() {
            self.tallies.entry(of.clone()).or_default().add(&happening);
        }
        if let Happening::SettingsChanged(tenant) = &happening {
            self.changed_tenants.insert(tenant.clone());
        }
        self.happenings.push(happening);
    }

    /// Whether anything may be told of a subscription.
    pub(super) fn may_tell(&self, of: &Receiver, states: &States) -> bool {
        self.tallies.get(of).is_some_and(|tally| tally.most_items(Known::of(of, states)) > 0)
    }

    /// The tenants whose subscriptions changed.
    pub(super) fn changed_tenants(&self) -> impl Iterator<Item = &TenantId> {
        self.changed_tenants.iter()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use uuid::Uuid;

    use super::super::states::{Observed, StoredState};
    use super::*;
    use crate::cache::SubscriptionList;
    use loanhook_core::model::id::{AttemptId, SubscriptionId};
    use loanhook_core::model::operational::{AttemptEnd, EndOutcome, FailingRun, OperationalState};
    use loanhook_core::model::time::Timestamp;

    fn ended(subscription: u128, outcome: EndOutcome) -> Happening {
        let tenant = TenantId::try_from("acme".to_owned()).expect("a tenant");
        let of =
            Receiver { tenant, subscription_id: SubscriptionId::from_uuid(Uuid::from_u128(subscription)) };
        let at = Timestamp::from_millis(1_795_428_000_000);
        Happening::Ended {
            of,
            title: "Core".into(),
            end: AttemptEnd { ended_at: at, attempt: AttemptId::at(at), outcome },
        }
    }

    #[test]
    fn successes_take_no_room_and_failures_that_of_a_state_and_their_events() {
        let states = States::default();
        let mut gathered = Gathered::default();
        let (success, failure) = (EndOutcome::Succeeded, EndOutcome::Answered(500));
        for (subscription, outcome, items) in [
            (1, success, 0),
            (1, success, 0),
            // The state, an event of four failures, one of the success after them, and one for a run that was told before.
            (1, failure, 4),
            (1, failure, 4),
            (1, failure, 4),
            (1, failure, 4),
            (1, failure, 6),
            (2, success, 6),
            (3, failure, 10),
        ] {
            gathered.add(ended(subscription, outcome), &states);
            assert_eq!(gathered.item_count(), items, "{subscription} {outcome:?}");
        }
    }

    #[test]
    fn a_failure_of_a_run_that_was_told_takes_no_room_before_a_success() {
        let (success, failure) = (EndOutcome::Succeeded, EndOutcome::Answered(500));
        let told_at = Timestamp::from_millis(1_795_428_000_000);
        // By when somebody began to observe: a run that is older is forgotten.
        for (since, expected) in [(told_at, [0, 0, 4, 4, 4]), (told_at + Duration::from_millis(1), [4; 5])] {
            let mut states = States::default();
            let of = ended(1, failure).receiver().expect("a subscription").clone();
            let failing = Some(FailingRun { count: 4, since: told_at });
            let state = OperationalState { failing, ..OperationalState::default() };
            let observed = Observed { subscriptions: SubscriptionList::default(), since };
            states.put_observed(of.tenant.clone(), Some(observed));
            states.put(of, StoredState::followed_by(state).expect("a document"));
            let mut gathered = Gathered::default();
            for (outcome, items) in [failure, failure, success, failure, failure].into_iter().zip(expected) {
                gathered.add(ended(1, outcome), &states);
                assert_eq!(gathered.item_count(), items, "{outcome:?} {since}");
            }
        }
    }

    #[test]
    fn a_changed_tenant_is_one_item_however_often() {
        let (states, mut gathered) = (States::default(), Gathered::default());
        let tenant = TenantId::try_from("acme".to_owned()).expect("a tenant");
        for _ in 0..3 {
            gathered.add(Happening::SettingsChanged(tenant.clone()), &states);
        }
        assert_eq!((gathered.item_count(), gathered.changed_tenants().count()), (1, 1));
    }
}
