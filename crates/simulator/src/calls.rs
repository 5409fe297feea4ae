//! Calls of the API as the server carries them out, each with the checks of its answer: between an answer and its checks
//! nothing else runs, so they see what a crash right after the answer would leave.

use fastrand::Rng;
use loanhook_core::intake::{self, IntakeError, Submission};
use loanhook_core::model::attempt::{AttemptNumber, ResendTo};
use loanhook_core::model::event::Event;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::subscription::{Criteria, MAX_SUBSCRIPTIONS, Subscription};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{ReplaceOutcome, Subscriptions as _};
use loanhook_core::resend::{self, ResendError, ResendRequest, ResendTarget};
use loanhook_memory::State;

use crate::Simulation;
use crate::plan::Target;
use crate::rules::{Rule, answers};
use crate::settings;

/// A subscription of a tenant, in a version.
pub(crate) type Version = (TenantId, SubscriptionId, u64);

/// A call of intake.
pub(crate) struct EventCall {
    pub(crate) number: u32,
    pub(crate) event: Event,
    pub(crate) key: Option<String>,
    /// What matched when the client sent it first.
    pub(crate) expected: Vec<Version>,
}

/// The subscriptions that match every event.
pub(crate) fn matching(state: &State) -> Vec<Version> {
    let current =
        crate::TENANTS.iter().flat_map(|tenant| state.current_subscriptions(&crate::tenant(tenant)));
    let matching = current.filter(|subscription| {
        subscription.settings.enabled && matches!(subscription.settings.criteria, Criteria::Events(_))
    });
    matching
        .map(|subscription| (subscription.tenant.clone(), subscription.id, subscription.version))
        .collect()
}

/// True if the client need not call again.
pub(crate) async fn accept(simulation: Simulation, tenant: TenantId, call: EventCall) -> bool {
    let EventCall { number, event, key, expected } = call;
    let submission = Submission { event, key: key.clone() };
    let accepted = intake::accept(&simulation.store, &tenant, submission, Timestamp::now()).await;
    let inner = &mut *simulation.world.lock();
    let state = simulation.memory.state();
    inner.trace.line(&inner.current.name, |trace| match &accepted {
        Ok(receipt) => {
            let traces = receipt.deliveries.iter().map(|promised| trace.delivery(promised.trace_id));
            format!("answers {:?}", traces.collect::<Vec<_>>())
        }
        Err(error) => format!("answers: {error}"),
    });
    match accepted {
        Ok(receipt) => {
            inner.totals.events += 1;
            // What matched when it was sent and still matches, matched at every moment between.
            let still = matching(&state);
            let certain = expected.iter().filter(|version| version.0 == tenant && still.contains(version));
            let certain: Vec<_> = certain.map(|(_, id, _)| *id).collect();
            answers::accepted(inner, &state, (&tenant, number, key.as_ref()), &receipt, &certain);
            true
        }
        Err(IntakeError::KeyReused) => {
            let known = key.and_then(|key| inner.model.event_keys.get(&(tenant, key)));
            if known.is_some_and(|known| known.event == number) {
                let detail = format!("event {number} is refused under its own key");
                inner.broken(Rule::DuplicateMakesNothing, detail);
            }
            true
        }
        Err(IntakeError::Store(_)) => false,
    }
}

pub(crate) async fn send_test(simulation: Simulation, tenant: TenantId, number: u32, choice: usize) {
    let Ok(subscriptions) = simulation.store.subscriptions(&tenant).await else { return };
    let Some(subscription) = subscriptions.get(choice % subscriptions.len().max(1)) else { return };
    let event = settings::event(number, 0, 40);
    let accepted =
        intake::accept_test(&simulation.store, subscription.clone(), &event, Timestamp::now()).await;
    let inner = &mut *simulation.world.lock();
    let state = simulation.memory.state();
    for promised in accepted.iter().flat_map(|receipt| &receipt.deliveries) {
        inner
            .trace
            .line(&inner.current.name, |trace| format!("answers {}", trace.delivery(promised.trace_id)));
        answers::promise(inner, &state, &tenant, promised.trace_id);
    }
}

pub(crate) async fn cancel(simulation: Simulation, tenant: TenantId, choice: usize) {
    let Some((_, trace)) = simulation.known_delivery(&tenant, choice) else { return };
    if let Some(seen) = simulation.world.lock().model.deliveries.get_mut(&(tenant.clone(), trace)) {
        seen.cancel_asked = true;
    }
    let canceled = resend::cancel(&simulation.store, &tenant, trace).await;
    let inner = &mut *simulation.world.lock();
    inner.trace.line(&inner.current.name, |names| format!("{}: answers {canceled:?}", names.delivery(trace)));
    if canceled.is_ok() {
        inner.totals.cancels += 1;
        answers::canceled(inner, &simulation.memory.state(), &tenant, trace);
    }
}

/// True if the client need not call again.
pub(crate) async fn resend(
    simulation: Simulation,
    tenant: TenantId,
    (choice, target): (usize, Target),
    key: Option<String>,
) -> bool {
    let Some((_, trace_id)) = simulation.known_delivery(&tenant, choice) else { return true };
    let attempt = match target {
        Target::Newest => ResendTarget::Newest,
        Target::Number(number) => ResendTarget::Number(number),
        Target::AnyRow => {
            let state = simulation.memory.state();
            let rows: Vec<_> = state.rows_of(&tenant).filter(|row| row.trace_id == trace_id).collect();
            match rows.get(choice % rows.len().max(1)) {
                Some(row) => ResendTarget::Row(row.id),
                None => ResendTarget::Number(AttemptNumber::Manual),
            }
        }
    };
    let request = ResendRequest {
        trace_id,
        attempt,
        to: ResendTo::Original,
        requested_by: "Servicing".into(),
        key: key.clone(),
    };
    let resent = resend::resend(&simulation.store, &tenant, request, Timestamp::now()).await;
    let inner = &mut *simulation.world.lock();
    inner.trace.line(&inner.current.name, |trace| match &resent {
        Ok(id) => format!("{}: answers {}", trace.delivery(trace_id), trace.attempt(*id)),
        Err(error) => format!("{}: answers: {error}", trace.delivery(trace_id)),
    });
    match resent {
        Ok(id) => {
            inner.totals.resends += 1;
            answers::resend(inner, &simulation.memory.state(), (&tenant, trace_id, key.as_ref()), id);
            true
        }
        Err(ResendError::Store(_)) => false,
        Err(_) => true,
    }
}

pub(crate) async fn edit(simulation: Simulation, tenant: TenantId, choice: usize, seed: u64) {
    let (store, rng, now) = (&simulation.store, &mut Rng::with_seed(seed), Timestamp::now());
    let Ok(subscriptions) = store.subscriptions(&tenant).await else { return };
    let chosen = subscriptions.get(choice % subscriptions.len().max(1));
    let (Some(chosen), 1..) = (chosen, rng.u32(..5)) else {
        let new = settings::webhook(rng, &tenant, 10, now);
        // Whether it was made shows in what comes of later events.
        let _ = store.create(new, MAX_SUBSCRIPTIONS).await;
        return;
    };
    if rng.u32(..5) == 0 {
        let _ = store.delete(&tenant, chosen.id, None).await;
        return;
    }
    let mut next = Subscription::clone(chosen);
    next.version += 1;
    next.updated_at = now;
    settings::change(rng, &mut next);
    next.settings.enabled = rng.u32(..5) > 0;
    let (id, version) = (next.id, next.version);
    if let Ok(ReplaceOutcome::Replaced) = store.replace(next).await {
        let state = simulation.memory.state();
        let stored = state.every_subscription().find(|subscription| subscription.id == id);
        if stored.is_none_or(|stored| stored.version < version) {
            drop(state);
            simulation
                .world
                .broken(Rule::AnsweredIsCommitted, "a subscription was answered and is not stored");
        }
    }
}
