//! Time: what it brings, and what becomes of states where subscriptions change: a look at each tenant of which something is due.

use std::collections::{BTreeSet, HashMap};

use super::looks::Look;
use super::observers::{self, Observers};
use super::outbox;
use super::recording::forget_before;
use super::states::{States, StoredState};
use crate::cache::SubscriptionList;
use crate::engine::Aws;
use crate::queue::Receiver;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::operational::{EXHAUSTED_WINDOW, Subject, is_observed};
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{FailedTenants, StatesAdvanced, StoreResult};

/// What a look at a tenant leaves.
#[derive(Debug, Clone, Copy, Default)]
struct Looked {
    /// When the next window of exhausted deliveries ends.
    window: Option<Timestamp>,
    /// When notice of a certificate is due next.
    notice: Option<Timestamp>,
    /// Somebody else changed a state meanwhile: the next run looks again.
    superseded: bool,
}

impl Aws {
    pub(super) async fn advance_states(&self, now: Timestamp) -> StoreResult<StatesAdvanced> {
        let (states, planned) = (self.operational_states().await?, self.planned_looks().await?);
        let windows = states
            .iter()
            .filter_map(|(of, stored)| Some((&of.tenant, stored.state.window_end(EXHAUSTED_WINDOW)?)));
        let looks = planned.iter().map(|look| (&look.tenant, look.due));
        let (mut due, mut advanced) = (BTreeSet::new(), StatesAdvanced::default());
        for (tenant, at) in windows.chain(looks) {
            if at <= now {
                due.insert(tenant);
            } else {
                advanced.next_due = Timestamp::first_of(advanced.next_due, Some(at));
            }
        }
        for tenant in due {
            let look = planned.iter().find(|look| look.tenant == *tenant);
            match self.look_at(tenant, look, &states, now).await {
                Ok(at) => advanced.next_due = Timestamp::first_of(advanced.next_due, at),
                // It holds up no other tenant.
                Err(failure) => {
                    advanced.next_due = Some(now);
                    let first = || FailedTenants { count: 0, first: tenant.clone(), failure };
                    advanced.failed.get_or_insert_with(first).count += 1;
                }
            }
        }
        Ok(advanced)
    }

    /// Looks at a tenant, and plans the next look.
    async fn look_at(
        &self,
        tenant: &TenantId,
        look: Option<&Look>,
        states: &States,
        now: Timestamp,
    ) -> StoreResult<Option<Timestamp>> {
        let subscriptions = self.subscriptions_now(tenant).await?;
        let looked = if is_observed(&subscriptions) {
            self.advance_tenant(tenant, &subscriptions, states, now).await?
        } else {
            self.forget_tenant(tenant, states).await?
        };
        if looked.superseded {
            return Ok(Some(now));
        }
        self.plan_next_look(tenant, look, looked.notice).await?;
        Ok(Timestamp::first_of(looked.window, looked.notice))
    }

    /// Tells what is due of each subscription of a tenant.
    async fn advance_tenant(
        &self,
        tenant: &TenantId,
        subscriptions: &SubscriptionList,
        states: &States,
        now: Timestamp,
    ) -> StoreResult<Looked> {
        let current: HashMap<_, _> = subscriptions.iter().map(|one| (one.id, one)).collect();
        let certified = subscriptions.iter().filter(|one| one.client_certificate().is_some());
        let mut ids: BTreeSet<_> = certified.map(|one| one.id).collect();
        ids.extend(states.of_tenant(tenant).into_iter().map(|of| of.subscription_id));
        let observed_since = states
            .observers(tenant)
            .map_or_else(|| Observers::of(subscriptions).since, |stored| stored.since);
        let mut looked = Looked::default();
        for subscription_id in ids {
            let of = Receiver { tenant: tenant.clone(), subscription_id };
            let (before, subscription) = (states.get(&of), current.get(&subscription_id));
            let mut state = before.state.clone();
            forget_before(&mut state, observed_since);
            match subscription {
                None => state.forget_receiver(),
                // It tells nothing of itself.
                Some(subscription) if subscription.is_operational() => state.failing = None,
                Some(_) => {}
            }
            let title = state.exhausted.as_ref().map(|open| open.title.clone()).unwrap_or_default();
            let subject = Subject::as_then(subscriptions, (tenant, subscription_id), &title);
            let certificate = subscription.and_then(|one| Subscription::client_certificate(one));
            let events = state.advance(&subject, certificate, EXHAUSTED_WINDOW, now);
            looked.window = Timestamp::first_of(looked.window, state.window_end(EXHAUSTED_WINDOW));
            let notice = certificate.and_then(|certificate| state.next_notice(certificate));
            looked.notice = Timestamp::first_of(looked.notice, notice);
            let table = &self.stack().reports;
            let mut writes: Vec<_> =
                before.replace(table, &of, &StoredState::followed_by(state)?)?.into_iter().collect();
            for event in &events {
                writes.push(outbox::put(table, event)?);
            }
            if !writes.is_empty() {
                looked.superseded |= !self.transact(writes).await?.is_done();
            }
        }
        Ok(looked)
    }

    /// Takes the states of a tenant away that nobody observes any more, and after them what says that somebody does.
    async fn forget_tenant(&self, tenant: &TenantId, states: &States) -> StoreResult<Looked> {
        let (table, mut looked) = (&self.stack().reports, Looked::default());
        let mut deletes = Vec::new();
        for of in states.of_tenant(tenant) {
            deletes.extend(states.get(&of).replace(table, &of, &StoredState::default())?);
        }
        deletes.extend(observers::replace(table, tenant, states.observers(tenant), None)?);
        for delete in deletes {
            looked.superseded |= !self.transact(vec![delete]).await?.is_done();
        }
        Ok(looked)
    }
}
