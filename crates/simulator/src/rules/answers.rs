//! Answers of the API: what one says is stored at the moment at which it is given, so that a crash right after it changes
//! nothing.

use loanhook_core::intake::Receipt;
use loanhook_core::model::attempt::{AttemptNumber, AttemptState};
use loanhook_core::model::id::{AttemptId, SubscriptionId, TenantId, TraceId};
use loanhook_core::model::progress::Progress;
use loanhook_core::ports::{DueWork, QueueMessage};
use loanhook_memory::State;

use super::Rule;
use crate::model::{KeyUse, SeenDelivery};
use crate::world::Inner;

/// An event was accepted; `expected` are subscriptions that match it whatever came between.
pub(crate) fn accepted(
    inner: &mut Inner,
    state: &State,
    (tenant, event, key): (&TenantId, u32, Option<&String>),
    receipt: &Receipt,
    expected: &[SubscriptionId],
) {
    let promised: Vec<_> =
        receipt.deliveries.iter().map(|promised| (promised.subscription_id, promised.trace_id)).collect();
    for (_, trace) in &promised {
        promise(inner, state, tenant, *trace);
    }
    if let Some(missing) = expected.iter().find(|id| promised.iter().all(|(promised, _)| promised != *id)) {
        inner.broken(Rule::PromiseKept, format!("event {event} is not for {missing}, which matches it"));
    }
    let ended = inner.model.moment();
    if let Some(seen) = inner.model.events.get_mut(&event) {
        seen.ended = Some(ended);
        seen.promised.clone_from(&promised);
    }
    let Some(key) = key else { return };
    let traces: Vec<_> = promised.into_iter().map(|(_, trace)| trace).collect();
    let known = inner.model.event_keys.entry((tenant.clone(), key.clone())).or_insert(KeyUse {
        event,
        event_id: receipt.event_id,
        traces: traces.clone(),
    });
    let same = (known.event, known.event_id, &known.traces) == (event, receipt.event_id, &traces);
    if !same {
        inner.broken(Rule::DuplicateMakesNothing, format!("key {key} has another answer than before"));
    }
    // A repeat renders what matched then, in the version of then.
    let Some(record) = state.event_record(tenant, key) else {
        return inner.broken(Rule::AnsweredIsCommitted, format!("key {key} was answered and has no record"));
    };
    let stored = traces.iter().filter_map(|trace| state.deliveries.get(&(tenant.clone(), *trace)));
    let rendered =
        stored.map(|delivery| (delivery.snapshot.subscription_id, delivery.snapshot.subscription_version));
    if !rendered.eq(record.matched.iter().copied()) {
        let detail = format!("key {key} stands for other versions than were rendered");
        inner.broken(Rule::DuplicateMakesNothing, detail);
    }
}

/// A delivery was named in an answer.
pub(crate) fn promise(inner: &mut Inner, state: &State, tenant: &TenantId, trace: TraceId) {
    let key = (tenant.clone(), trace);
    let name = inner.trace.delivery(trace);
    let broken =
        |inner: &mut Inner, what: &str| inner.broken(Rule::AnsweredIsCommitted, format!("{name} {what}"));
    let Some(delivery) = state.deliveries.get(&key) else {
        return broken(inner, "was answered and is not stored");
    };
    let payload = delivery.snapshot.request.payload.key;
    if payload.is_some_and(|payload| !state.has_payload(tenant, payload)) {
        return broken(inner, "was answered and its payload is not stored");
    }
    // What may wait for an earlier delivery has no message until that has ended. Whether it comes shows at the end of the run.
    if let Progress::Waiting(next) = delivery.progress
        && !(next.number == 1 && delivery.snapshot.sequence > Some(1))
        && !wakes(inner, state, |message| {
            message.trace_id == trace
                && matches!(message.work, DueWork::Attempt(number) if number == next.number || number + 1 == next.number)
        })
    {
        return broken(inner, "was answered and no message wakes it");
    }
    let seen = inner.model.deliveries.entry(key).or_insert_with(|| SeenDelivery::new(delivery));
    seen.promised = true;
}

/// A resend was accepted.
pub(crate) fn resend(
    inner: &mut Inner,
    state: &State,
    (tenant, trace, key): (&TenantId, TraceId, Option<&String>),
    id: AttemptId,
) {
    let name = inner.trace.attempt(id);
    let Some(row) = state.rows.get(&(tenant.clone(), id)).and_then(|row| row.readable()) else {
        return inner.broken(Rule::AnsweredIsCommitted, format!("resend {name} was answered and has no row"));
    };
    if row.number != AttemptNumber::Manual || row.trace_id != trace {
        return inner.broken(Rule::AnsweredIsCommitted, format!("resend {name} has the row of another"));
    }
    let waits = row.state == AttemptState::Queued;
    let woken = wakes(
        inner,
        state,
        |message| matches!(message.work, DueWork::Resend { attempt_id, .. } if attempt_id == id),
    );
    if waits && !woken {
        inner
            .broken(Rule::AnsweredIsCommitted, format!("resend {name} was answered and no message wakes it"));
    }
    inner.model.resends.insert((tenant.clone(), id), trace);
    if let Some(key) = key {
        let known = *inner.model.resend_keys.entry((tenant.clone(), key.clone())).or_insert((trace, id));
        if known != (trace, id) {
            inner.broken(
                Rule::DuplicateMakesNothing,
                format!("key {key} of a resend has another answer than before"),
            );
        }
    }
}

/// A cancel was accepted.
pub(crate) fn canceled(inner: &mut Inner, state: &State, tenant: &TenantId, trace: TraceId) {
    let key = (tenant.clone(), trace);
    let in_flight = match state.deliveries.get(&key).map(|delivery| delivery.progress) {
        Some(Progress::Canceled) => None,
        Some(Progress::Canceling(claim)) => Some(claim.attempt_id),
        other => {
            let name = inner.trace.delivery(trace);
            return inner.broken(Rule::AnsweredIsCommitted, format!("{name} was canceled and is {other:?}"));
        }
    };
    if let Some(seen) = inner.model.deliveries.get_mut(&key) {
        seen.canceled = Some(in_flight);
    }
}

fn wakes(inner: &Inner, state: &State, wanted: impl Fn(&QueueMessage) -> bool) -> bool {
    state.messages.iter().any(&wanted) || inner.queue.wakes(wanted)
}
