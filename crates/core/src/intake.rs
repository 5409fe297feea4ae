//! Intake of an event: it is matched, rendered, stored and queued; only then is it answered.
//!
//! With an idempotency key the first call stores a record of what matched. A repeat with the same bytes finishes exactly that
//! list, from the same versions of the subscriptions, whatever was edited since; what is stored already stays as it is, so
//! nothing is sent twice.
//!
//! Formulas are evaluated before anything is stored, as they see nothing but the event. Only whether a trigger has *become* true
//! is decided by the store, in the step that stores what comes of it.

mod batch;
mod formula_errors;
mod ledger;
mod matching;
mod receipt;
mod render_memory;
mod sample_event;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::sync::SemaphorePermit;

pub use self::batch::accept_batch;
use self::formula_errors::record_formula_errors;
use self::ledger::{VERSION_GONE, lost_verdicts, new_ledger_event};
use self::matching::{
    EvaluatedEvent, EvaluatedTrigger, delivered, evaluate, render, render_watched, size_at_most,
};
pub use self::receipt::{PromisedDelivery, Receipt};
use self::receipt::{promise, receipt};
pub use self::sample_event::accept_test;
use crate::model::delivery::Delivery;
use crate::model::event::Event;
use crate::model::event_evaluation::EventEvaluation;
use crate::model::event_names;
use crate::model::flow::DeliveryOrder;
use crate::model::id::{EventId, SubscriptionId, TenantId};
use crate::model::subscription::Subscription;
use crate::model::time::Timestamp;
use crate::ports::{
    AcceptOutcome, AcceptRequest, FormulaErrorLog, IdempotencyKey, IdempotencyRecord, Intake, Ledger,
    NewLedgerEvent, StoreError, StoreResult, Subscriptions,
};
use crate::spans::IntakeSpan;

/// How long an idempotency key is remembered.
pub const IDEMPOTENCY_WINDOW: Duration = Duration::from_secs(24 * 3600);
/// How long an operational event is remembered: longer than any process is away between two of its steps.
const OPERATIONAL_WINDOW: Duration = Duration::from_secs(30 * 24 * 3600);
/// About how many bytes of memory an event takes besides its context.
const EVENT_BYTES: usize = 1024;
/// How many versions of subscriptions are read at once.
const CONCURRENT_VERSION_READS: usize = 16;

/// An event, and the idempotency key it came under.
#[derive(Debug)]
pub struct Submission {
    pub event: Event,
    pub key: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    #[error("the key was used before, with another body")]
    KeyReused,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes an event in for every subscription of the tenant that it matches.
pub async fn accept<S>(
    store: &S,
    tenant: &TenantId,
    submission: Submission,
    now: Timestamp,
) -> Result<Receipt, IntakeError>
where
    S: Intake + Subscriptions + Ledger + FormulaErrorLog,
{
    let (id, mut submission) = (EventId::at(now), submission);
    let span = IntakeSpan::begin(tenant, &mut submission.event, id);
    let result = accept_as(store, tenant, submission, id, now).await;
    span.end(result.as_ref().ok(), matches!(result, Err(IntakeError::KeyReused)));
    result
}

/// Takes an event in under this ID, unless its idempotency key has another.
async fn accept_as<S>(
    store: &S,
    tenant: &TenantId,
    Submission { event, key }: Submission,
    id: EventId,
    now: Timestamp,
) -> Result<Receipt, IntakeError>
where
    S: Intake + Subscriptions + Ledger + FormulaErrorLog,
{
    let digest = key.is_some().then(|| event.digest());
    let subscriptions = store.subscriptions(tenant).await?;
    let evaluation = EventEvaluation::new(&event, now);
    let EvaluatedEvent { matched, watched, formula_errors, mut verdicts } =
        evaluate(&subscriptions, &evaluation).await;
    let room = wait_for_room(store, tenant, &matched, &event).await?;
    let to_render = matched.iter().chain(watched.iter().filter_map(EvaluatedTrigger::allowed));
    let memory = render_memory::reserve(size_at_most(to_render, &evaluation)).await?;
    let deliveries = render(&matched, &evaluation, id).await;
    let watched = render_watched(watched, &evaluation, id).await;
    verdicts.extend(deliveries.iter().map(|(delivery, _)| delivered(delivery)));
    let idempotency = key.zip(digest).map(|(key, digest)| {
        let record = IdempotencyRecord::new(digest, id, now, &verdicts);
        let window = if event.is_operational() { OPERATIONAL_WINDOW } else { IDEMPOTENCY_WINDOW };
        (IdempotencyKey { key, until: now + window }, record)
    });
    let of_ledger = new_ledger_event(&event, tenant, (id, now), verdicts);
    let promised: Vec<_> = deliveries.iter().map(|(delivery, _)| promise(delivery)).collect();
    let rising = watched.iter().filter_map(|watched| watched.delivery.as_ref());
    let rising: Vec<_> = rising.map(|(delivery, _)| promise(delivery)).collect();
    let (tenant_id, loan_id) = (tenant.clone(), event.loan_id.clone());
    let in_order = in_order(&subscriptions);
    let request = AcceptRequest {
        tenant: tenant_id,
        loan_id,
        idempotency,
        event: Some(of_ledger),
        deliveries,
        watched,
        in_order: in_order.clone(),
        completes_earlier: false,
        now,
    };
    let known = match store.accept(request, room).await? {
        AcceptOutcome::Stored { fired } => {
            let fired = rising.into_iter().filter(|delivery| fired.contains(&delivery.subscription_id));
            Ok(receipt(id, promised.into_iter().chain(fired)))
        }
        AcceptOutcome::Duplicate(known) => Err(known),
    };
    // What was rendered is stored or dropped: a repeat renders anew, and reserves for itself.
    drop(memory);
    let receipt = match known {
        Ok(receipt) => {
            record_formula_errors(store, tenant, formula_errors).await;
            receipt
        }
        Err(known) if Some(known.digest) == digest => {
            complete_duplicate(store, (tenant, &event), known, in_order, now).await?
        }
        Err(_) => return Err(IntakeError::KeyReused),
    };
    Ok(Receipt { warnings: event_names::warnings(&event.name, &subscriptions), ..receipt })
}

/// Does again, where a first call may have crashed, what its record says.
async fn complete_duplicate<S>(
    store: &S,
    (tenant, event): (&TenantId, &Event),
    known: IdempotencyRecord,
    in_order: BTreeSet<SubscriptionId>,
    now: Timestamp,
) -> StoreResult<Receipt>
where
    S: Intake + Subscriptions + Ledger,
{
    let (id, accepted_at) = (known.event_id, known.accepted_at);
    let evaluation = EventEvaluation::new(event, accepted_at);
    let lost = lost_verdicts(store, (tenant, &event.loan_id), &known, &evaluation).await?;
    let matched = stream::iter(known.matched).map(|(id, version)| async move {
        let subscription = store.subscription_version(tenant, id, version).await?;
        subscription.ok_or_else(|| StoreError::Failed(VERSION_GONE.into()))
    });
    let matched: Vec<_> = matched.buffered(CONCURRENT_VERSION_READS).try_collect().await?;
    let room = wait_for_room(store, tenant, &matched, event).await?;
    let (receipt, deliveries, _memory) = render_matched(&matched, &evaluation, id).await?;
    let of_ledger = lost.map(|mut verdicts| {
        verdicts.extend(deliveries.iter().map(|(delivery, _)| delivered(delivery)));
        new_ledger_event(event, tenant, (id, accepted_at), verdicts)
    });
    let rest = without_key(tenant.clone(), event, of_ledger, deliveries, now);
    store.accept(AcceptRequest { in_order, completes_earlier: true, ..rest }, room).await?;
    Ok(receipt)
}

/// Room for the deliveries of an event that these subscriptions match. It comes before the memory of what they render to
/// (`render_memory`): an event that waits for a receiver keeps no other from being rendered.
async fn wait_for_room<S: Intake>(
    store: &S,
    tenant: &TenantId,
    matched: &[Arc<Subscription>],
    event: &Event,
) -> StoreResult<S::Room> {
    let subscriptions = matched.iter().map(|subscription| subscription.id).collect();
    // It is held as it came and as it was read.
    let bytes = EVENT_BYTES + 2 * event.context.get().len();
    store.wait_for_room(tenant, subscriptions, bytes).await
}

/// Renders for these subscriptions, whatever they ask for; the memory of that is reserved as long as the last of it
/// is kept.
async fn render_matched(
    matched: &[Arc<Subscription>],
    evaluation: &EventEvaluation<'_>,
    id: EventId,
) -> StoreResult<(Receipt, Vec<(Delivery, Bytes)>, SemaphorePermit<'static>)> {
    let memory = render_memory::reserve(size_at_most(matched.iter(), evaluation)).await?;
    let deliveries = render(matched, evaluation, id).await;
    Ok((receipt(id, deliveries.iter().map(|(delivery, _)| promise(delivery))), deliveries, memory))
}

/// Those of these subscriptions that keep an order.
fn in_order(subscriptions: &[Arc<Subscription>]) -> BTreeSet<SubscriptionId> {
    let in_order =
        subscriptions.iter().filter(|subscription| subscription.settings.flow.order == DeliveryOrder::Loan);
    in_order.map(|subscription| subscription.id).collect()
}

/// Deliveries that are stored in any case.
fn without_key(
    tenant: TenantId,
    event: &Event,
    of_ledger: Option<NewLedgerEvent>,
    deliveries: Vec<(Delivery, Bytes)>,
    now: Timestamp,
) -> AcceptRequest {
    AcceptRequest {
        tenant,
        loan_id: event.loan_id.clone(),
        idempotency: None,
        event: of_ledger,
        deliveries,
        watched: Vec::new(),
        in_order: BTreeSet::new(),
        completes_earlier: false,
        now,
    }
}

#[cfg(test)]
#[path = "intake_tests.rs"]
mod tests;
