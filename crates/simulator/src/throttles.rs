//! Throttles of a run: what may be handed out by the limits and the hold of each subscription. The code of core decides it that
//! the one process decides with.
//!
//! A throttle follows a change of its subscription right after the step that made it. What is handed out has a [`Permit`] until
//! its worker has ended or crashed; only then does it count as in flight no more. At its claim the throttle is asked again, as a
//! limit or a hold may have come since.

use std::collections::BTreeMap;

use loanhook_core::model::flow::throttle::{Allowance, InFlight, Now, Reservation, SentBefore, Throttle};
use loanhook_core::model::flow::{FlowSettings, FlowState};
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DueWork, QueueMessage};
use loanhook_memory::State;
use tokio::time::Instant;

use crate::breaks::Break;
use crate::world::World;

/// Which permit it is: no two of a run are the same.
pub(crate) type PermitId = u64;

/// The throttle of a subscription, and what of it was seen last.
struct Followed {
    throttle: Throttle,
    settings: FlowSettings,
    state: FlowState,
}

/// What a message was handed out with.
struct InUse {
    of: SubscriptionId,
    automatic: bool,
    reservation: Reservation,
    /// Its request has left.
    sent: bool,
}

/// The throttles of all subscriptions, and the permits that are in use.
pub(crate) struct Throttles {
    followed: BTreeMap<SubscriptionId, Followed>,
    in_use: BTreeMap<PermitId, InUse>,
    last: PermitId,
    deliberate: Option<Break>,
}

impl Throttles {
    pub(crate) fn new(deliberate: Option<Break>) -> Self {
        Self { followed: BTreeMap::new(), in_use: BTreeMap::new(), last: 0, deliberate }
    }

    /// Follows what changed of settings and holds. Whether anything did.
    pub(crate) fn follow(&mut self, state: &State) -> bool {
        let mut changed = false;
        for subscription in state.every_subscription() {
            let of = (subscription.tenant.clone(), subscription.id);
            let settings = state.flow_settings(&of.0, of.1).unwrap_or_default();
            changed |= self.follow_one(&of, settings, state.flow_states.get(&of));
        }
        changed
    }

    fn follow_one(
        &mut self,
        (tenant, id): &(TenantId, SubscriptionId),
        mut settings: FlowSettings,
        stored: Option<&FlowState>,
    ) -> bool {
        let (now, deliberate) = (now(), self.deliberate);
        match deliberate {
            Some(Break::InFlightIgnored) => settings.max_in_flight = None,
            Some(Break::RateIgnored) => settings.max_per_second = None,
            _ => {}
        }
        let stored = stored.filter(|_| deliberate != Some(Break::HoldIgnored));
        let is_new = !self.followed.contains_key(id);
        let followed = self.followed.entry(*id).or_insert_with(|| Followed {
            throttle: Throttle::new(tenant.clone()),
            settings: FlowSettings::default(),
            state: FlowState::default(),
        });
        let mut changed = false;
        if followed.settings != settings {
            let sent = if is_new { SentBefore::Nothing } else { SentBefore::Unknown };
            followed.throttle.set_settings(settings, sent, now.instant);
            (followed.settings, changed) = (settings, true);
        }
        if followed.state != stored.cloned().unwrap_or_default() {
            match stored {
                Some(stored) => followed.throttle.set_state(stored, now.instant),
                // It is deleted.
                None => followed.throttle.forget_state(now),
            }
            if deliberate == Some(Break::PaceIgnored) {
                followed.throttle.end_pace();
            }
            (followed.state, changed) = (stored.cloned().unwrap_or_default(), true);
        }
        changed
    }

    /// What says of each message that is visible whether it may be handed out now. It asks the throttle of each subscription once,
    /// and so is right until something is handed out.
    pub(crate) fn allowances(&mut self) -> impl FnMut(&QueueMessage) -> Allowance {
        let mut known = BTreeMap::new();
        move |message| {
            let (of, automatic) = (message.subscription_id, is_automatic(message));
            *known.entry((of, automatic)).or_insert_with(|| self.allowance_of(of, automatic))
        }
    }

    fn allowance_of(&mut self, of: SubscriptionId, automatic: bool) -> Allowance {
        let own = self.in_use.values().filter(|permit| permit.of == of);
        let in_flight = own.fold(InFlight { automatic: 0, all: 0 }, |count, permit| InFlight {
            automatic: count.automatic + usize::from(permit.automatic),
            all: count.all + 1,
        });
        let Some(followed) = self.followed.get_mut(&of) else { return Allowance::Requests(1) };
        followed.throttle.allowance(automatic, in_flight, now())
    }

    /// Whether a message waits for the end of a hold or for a probe.
    pub(crate) fn holds(&self, message: &QueueMessage) -> bool {
        let followed = self.followed.get(&message.subscription_id);
        is_automatic(message) && followed.is_some_and(|followed| followed.state.hold.is_some())
    }

    /// Takes a permit for a message that may be handed out.
    pub(crate) fn take(&mut self, message: &QueueMessage) -> PermitId {
        let (of, automatic) = (message.subscription_id, is_automatic(message));
        let reservation = self.reserve(of, automatic);
        self.last += 1;
        self.in_use.insert(self.last, InUse { of, automatic, reservation, sent: false });
        self.last
    }

    fn reserve(&mut self, of: SubscriptionId, automatic: bool) -> Reservation {
        let followed = self.followed.get_mut(&of);
        let reserved = followed.map(|followed| followed.throttle.reserve(automatic, 1, Timestamp::now()));
        reserved.unwrap_or_default()
    }

    /// Whether what was handed out may be claimed still. Where it may, it is reserved anew.
    pub(crate) fn keeps(&mut self, id: PermitId) -> bool {
        let Some(mut permit) = self.in_use.remove(&id) else { return true };
        if let Some(followed) = self.followed.get_mut(&permit.of) {
            followed.throttle.give_back(permit.automatic, permit.reservation, 1);
        }
        let allowance = self.allowance_of(permit.of, permit.automatic);
        let keeps = matches!(allowance, Allowance::Requests(_));
        permit.reservation = match keeps {
            true => self.reserve(permit.of, permit.automatic),
            false => Reservation::default(),
        };
        self.in_use.insert(id, permit);
        keeps
    }

    /// The request of a message leaves.
    pub(crate) fn record_sent(&mut self, id: PermitId) {
        let Some(permit) = self.in_use.get_mut(&id) else { return };
        permit.sent = true;
        if let Some(followed) = self.followed.get_mut(&permit.of) {
            followed.throttle.record_sent(permit.reservation, now().instant);
        }
    }

    /// The worker of a message has ended, in whatever way.
    fn give_back(&mut self, id: PermitId) {
        let Some(permit) = self.in_use.remove(&id) else { return };
        let Some(followed) = self.followed.get_mut(&permit.of) else { return };
        if !permit.sent {
            followed.throttle.give_back(permit.automatic, permit.reservation, 1);
        } else if permit.automatic {
            followed.throttle.end_probe();
        }
    }
}

/// The permit of a message that was handed out, until this is dropped: its worker has ended or crashed.
pub(crate) struct Permit {
    pub(crate) world: World,
    pub(crate) id: PermitId,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let inner = &mut *self.world.lock();
        inner.throttles.give_back(self.id);
        inner.model.flows.ended(self.id);
    }
}

pub(crate) const fn is_automatic(message: &QueueMessage) -> bool {
    matches!(message.work, DueWork::Attempt(_))
}

fn now() -> Now {
    Now { time: Timestamp::now(), instant: Instant::now().into_std() }
}
