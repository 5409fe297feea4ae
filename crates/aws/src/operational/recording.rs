//! Recording: what was gathered makes states and events, which are written in the transaction of the checkpoints.

use std::collections::{BTreeMap, HashMap, HashSet};

use aws_sdk_dynamodb::types::TransactWriteItem;

use super::gathered::Gathered;
use super::happening::Happening;
use super::observers::Observers;
use super::states::{States, StoredState};
use super::{looks, observers, outbox};
use crate::engine::Aws;
use crate::queue::Receiver;
use loanhook_core::model::flow::{EndedHold, Hold};
use loanhook_core::model::id::{TenantId, TraceId};
use loanhook_core::model::operational::{
    AttemptEnd, EXHAUSTED_WINDOW, OperationalEvent, OperationalState, Subject,
};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;

/// What a transaction writes of operational events, and what is known once it is done.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    pub(crate) writes: Vec<TransactWriteItem>,
    states: Vec<(Receiver, StoredState)>,
    successes: Vec<(Receiver, Timestamp)>,
    /// Of each tenant whose subscriptions changed.
    observers: Vec<(TenantId, Option<Observers>)>,
}

impl Recorded {
    /// Takes in that the transaction was done.
    pub(crate) fn follow(self, known: &mut States) {
        self.states.into_iter().for_each(|(of, stored)| known.put(of, stored));
        self.successes.into_iter().for_each(|(of, at)| known.put_success(of, at));
        self.observers.into_iter().for_each(|(tenant, stored)| known.put_observers(tenant, stored));
    }
}

/// What happened to a subscription.
#[derive(Default)]
struct OfReceiver {
    /// Its title then, where it is known.
    title: String,
    /// Each with the hold that it ended, where that was gathered too; in the order in which they were gathered.
    ends: Vec<(AttemptEnd, Option<EndedHold>)>,
    /// Deliveries whose schedules ended without success, each with when it did.
    exhausted: Vec<(Option<Timestamp>, TraceId)>,
    holds: Vec<Hold>,
}

impl OfReceiver {
    fn add(&mut self, happening: Happening) {
        match happening {
            Happening::Ended { title, end, .. } => {
                self.title = title;
                self.add_end(end, None);
            }
            Happening::HoldEnded { end, hold, .. } => self.add_end(end, Some(hold)),
            Happening::Exhausted { title, trace, end, .. } => {
                self.title = title;
                self.exhausted.push((end.at, trace));
            }
            Happening::Held { hold, .. } => self.holds.push(hold),
            Happening::JobFinished(_) | Happening::SettingsChanged(_) => {}
        }
    }

    fn add_end(&mut self, end: AttemptEnd, ended_hold: Option<EndedHold>) {
        match self.ends.iter_mut().find(|(known, _)| known.attempt == end.attempt) {
            Some((_, known)) => *known = known.or(ended_hold),
            None => self.ends.push((end, ended_hold)),
        }
    }

    /// What it tells, and the state after it: of what happened since somebody observes.
    fn record(
        mut self,
        subject: &Subject,
        (of, known): (&Receiver, &States),
        (since, now): (Timestamp, Timestamp),
    ) -> (OperationalState, Vec<OperationalEvent>) {
        let mut state = known.get(of).state;
        forget_before(&mut state, since);
        let mut exhausted: Vec<_> =
            self.exhausted.iter().map(|(at, trace)| (*trace, at.unwrap_or(now))).collect();
        exhausted.sort_unstable_by_key(|(trace, at)| (*at, trace.uuid()));
        let exhausted = exhausted.into_iter().filter(|(_, at)| since <= *at);
        let mut events: Vec<_> =
            exhausted.filter_map(|ended| state.record_exhausted(subject, ended, EXHAUSTED_WINDOW)).collect();
        if !subject.is_current {
            return (state, events);
        }
        let holds = self.holds.iter().filter(|hold| since <= hold.since);
        events.extend(holds.map(|hold| OperationalEvent::held(subject, hold)));
        // Those of one moment stay in their order.
        self.ends.sort_by_key(|(end, _)| end.ended_at);
        for (end, ended_hold) in self.ends.into_iter().filter(|(end, _)| since <= end.ended_at) {
            // A success that an earlier transaction took in came later: the run of failures ended then.
            if !end.succeeded() && known.succeeded_after(of, end.ended_at) {
                continue;
            }
            let later = state.failing.take_if(|run| end.succeeded() && end.ended_at < run.since);
            events.extend(state.record_end(subject, end, ended_hold));
            state.failing = later.or(state.failing);
        }
        (state, events)
    }
}

/// Takes away what began for observers that are gone: the present ones were made since.
pub(super) fn forget_before(state: &mut OperationalState, since: Timestamp) {
    state.failing.take_if(|run| run.since < since);
    state.exhausted.take_if(|open| open.opened_at < since);
}

impl Aws {
    /// What is written of what was gathered.
    pub(crate) fn record_operational(
        &self,
        gathered: &Gathered,
        known: &States,
        now: Timestamp,
    ) -> StoreResult<Recorded> {
        let table = &self.stack().reports;
        let mut recorded = Recorded::default();
        let mut observers: BTreeMap<&TenantId, Option<Observers>> = BTreeMap::new();
        for change in gathered.settings_changes() {
            let tenant = &change.tenant;
            let after = observers.entry(tenant).or_insert_with(|| known.observers(tenant).cloned());
            *after = Observers::after(after.take(), change);
        }
        for (tenant, after) in &observers {
            recorded.writes.push(looks::plan_at_once(table, tenant)?);
            let replaced = observers::replace(table, tenant, known.observers(tenant), after.as_ref())?;
            recorded.writes.extend(replaced);
            recorded.observers.push(((*tenant).clone(), after.clone()));
        }
        // Since when somebody observes, and who.
        let observed = |tenant: &TenantId| {
            let observed = known.observed(tenant)?;
            let observers = observers.get(tenant).map_or(Some(&observed.observers), Option::as_ref);
            observers.map(|observers| (observers.since, observed))
        };
        let mut receivers: HashMap<Receiver, OfReceiver> = HashMap::new();
        let mut jobs = Vec::new();
        for happening in &gathered.happenings {
            if let Happening::Ended { of, end, .. } = happening
                && end.succeeded()
            {
                recorded.successes.push((of.clone(), end.ended_at));
            }
            match (happening, happening.receiver()) {
                (Happening::JobFinished(event), _) => jobs.push(event.clone()),
                (_, Some(of)) if gathered.may_tell(of, known) => {
                    receivers.entry(of.clone()).or_default().add(happening.clone());
                }
                _ => {}
            }
        }
        jobs.retain(|event: &OperationalEvent| {
            observed(&event.tenant).is_some_and(|(since, _)| since <= event.occurred_at)
        });
        let mut events = jobs;
        for (of, happened) in receivers {
            let Some((since, observed)) = observed(&of.tenant) else { continue };
            let Some(subject) = observed.subject(&of, &happened.title) else { continue };
            let (state, told) = happened.record(&subject, (&of, known), (since, now));
            events.extend(told);
            let (before, after) = (known.get(&of), StoredState::followed_by(state)?);
            recorded.writes.extend(before.replace(table, &of, &after)?);
            recorded.states.push((of, after));
        }
        let mut ids = HashSet::new();
        for event in events.iter().filter(|event| ids.insert(event.id)) {
            recorded.writes.push(outbox::put(table, event)?);
        }
        Ok(recorded)
    }

    /// Whether somebody may be told of this: asked once for each tenant, and not where a success says nothing.
    pub(crate) async fn may_be_told(&self, happening: &Happening, known: &mut States) -> StoreResult<bool> {
        let tenant = match happening {
            Happening::SettingsChanged(_) => return Ok(true),
            Happening::Ended { of, end, .. } if end.succeeded() && !known.fails(of) => return Ok(true),
            Happening::JobFinished(event) => &event.tenant,
            Happening::Ended { of, .. }
            | Happening::Exhausted { of, .. }
            | Happening::Held { of, .. }
            | Happening::HoldEnded { of, .. } => &of.tenant,
        };
        if !known.was_asked(tenant) {
            let observed = self.who_observes(tenant, known).await?;
            known.put_observed(tenant.clone(), observed);
        }
        Ok(known.observed(tenant).is_some())
    }
}
