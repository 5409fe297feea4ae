//! Intake of events with triggers of the kind `on-change`.
//!
//! The trigger state of the loan is changed with the record of the event's key and the event of the ledger, on condition
//! that it still is as it was read; else all is decided anew. Before that go the deliveries of the triggers that have a rising edge: without a message
//! nobody has heard of them, and where the decision falls otherwise they are taken away again.

use bytes::Bytes;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::{LoanId, TenantId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::model::trigger_state::TriggerState;
use loanhook_core::ports::{
    AcceptOutcome, AcceptRequest, IdempotencyRecord, QueueMessage, StoreError, StoreResult, WatchedTrigger,
};

use super::State;
use super::intake::remember;
use super::state::Stored;
use super::step::{Call, StepKind};

/// How often an event is decided anew because another changed what it read.
const MAX_DECISIONS: u32 = 64;

/// What became of a decision about triggers.
enum Decision {
    /// The messages of what fired.
    Made(Vec<QueueMessage>),
    /// The event's key was used before.
    Known(IdempotencyRecord),
    /// Another event of the loan came first.
    Overtaken,
}

impl Call<'_> {
    /// Stores an event with triggers.
    pub(super) async fn accept_watched(&mut self, request: AcceptRequest) -> StoreResult<AcceptOutcome> {
        let (tenant, loan, now) = (request.tenant.clone(), request.loan_id.clone(), request.now);
        for _ in 0..MAX_DECISIONS {
            let read = self
                .step(StepKind::Read, |state| read(state, (&tenant, &loan), &request.watched, now))
                .await?;
            let (before, lost) = read;
            self.put_messages(lost).await?;
            let mut after = before.clone();
            let (mut fired, mut verdicts) = (Vec::new(), Vec::new());
            for watched in &request.watched {
                let rises = after.update(watched.watch, watched.trace_if_fired(), now);
                fired.extend(watched.delivery.clone().filter(|_| rises));
                verdicts.push(watched.verdict(rises));
            }
            let decided = request.clone().with_verdicts(&verdicts);
            if after == before {
                return self.accept_unwatched(decided).await;
            }
            self.put_deliveries(&tenant, &fired, false).await?;
            if let Some(event) = &decided.event {
                self.put_event_payload(event).await?;
            }
            let decision = self
                .step(StepKind::TriggerState, |state| decide(state, &decided, &fired, (&before, after)))
                .await??;
            match decision {
                Decision::Made(messages) => {
                    let rest = AcceptRequest { idempotency: None, event: None, ..decided };
                    self.accept_unwatched(rest).await?;
                    self.put_messages(messages).await?;
                    let fired = fired.iter().map(|(delivery, _)| delivery.snapshot.subscription_id);
                    return Ok(AcceptOutcome::Stored { fired: fired.collect() });
                }
                Decision::Known(known) => {
                    self.take_back(&tenant, &fired).await?;
                    return Ok(AcceptOutcome::Duplicate(known));
                }
                Decision::Overtaken => self.take_back(&tenant, &fired).await?,
            }
        }
        Err(StoreError::Busy)
    }

    /// Takes deliveries away again that nobody has heard of.
    async fn take_back(&mut self, tenant: &TenantId, fired: &[(Delivery, Bytes)]) -> StoreResult<()> {
        for (delivery, _) in fired {
            let trace = delivery.snapshot.trace_id;
            self.step(StepKind::Delivery, |state| state.take_back_delivery(tenant, trace)).await?;
        }
        Ok(())
    }
}

/// The trigger state of a loan, and the messages of deliveries that fired a short while ago and were never attempted:
/// who stored them may have stopped before their messages.
fn read(
    state: &State,
    (tenant, loan): (&TenantId, &LoanId),
    watched: &[WatchedTrigger],
    now: Timestamp,
) -> (TriggerState, Vec<QueueMessage>) {
    // What cannot be read is unknown, as before the loan's first event.
    let stored = state.trigger_states.get(&(tenant.clone(), loan.clone())).and_then(Stored::readable);
    let triggers = stored.cloned().unwrap_or_default();
    let fired = watched.iter().filter_map(|watched| triggers.fired_recently(watched.watch.subscription, now));
    let messages = fired.filter_map(|trace| state.first_message(state.delivery(tenant, trace)?)).collect();
    (triggers, messages)
}

/// Changes the trigger state, puts the record of the key and the event, and numbers what fired, all or none.
fn decide(
    state: &mut State,
    request: &AcceptRequest,
    fired: &[(Delivery, Bytes)],
    (before, mut after): (&TriggerState, TriggerState),
) -> StoreResult<Decision> {
    let AcceptRequest { tenant, loan_id, idempotency, event, now, .. } = request;
    let (of_loan, _) = read(state, (tenant, loan_id), &[], *now);
    if of_loan != *before {
        return Ok(Decision::Overtaken);
    }
    if let Some((key, record)) = idempotency
        && let Some(known) = remember(state, tenant, key, record.clone(), *now)?
    {
        return Ok(Decision::Known(known));
    }
    if after.has_deleted_triggers() {
        after.keep(&state.current_subscriptions(tenant));
    }
    state.trigger_states.insert((tenant.clone(), loan_id.clone()), Stored::new(after));
    if let Some(new) = event {
        state.put_event(new.event.clone());
    }
    let traces: Vec<_> = fired.iter().map(|(delivery, _)| delivery.snapshot.trace_id).collect();
    traces.iter().for_each(|trace| state.number(tenant, *trace));
    let messages = traces.iter().filter_map(|trace| state.first_message(state.delivery(tenant, *trace)?));
    Ok(Decision::Made(messages.collect()))
}
