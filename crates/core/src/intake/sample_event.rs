//! Intake of a sample event, which one subscription's test sends.

use std::sync::Arc;

use super::ledger::new_ledger_event;
use super::matching::delivered;
use super::{Receipt, render_matched, wait_for_room, without_key};
use crate::model::event::Event;
use crate::model::event_evaluation::EventEvaluation;
use crate::model::id::EventId;
use crate::model::subscription::Subscription;
use crate::model::time::Timestamp;
use crate::ports::{Intake, StoreResult};
use crate::spans::IntakeSpan;

/// Takes a sample event in for one subscription alone, whatever its criteria or state. What is sent of it says that it
/// is a test, and no trigger remembers it.
pub async fn accept_test<S>(
    store: &S,
    subscription: Arc<Subscription>,
    event: &Event,
    now: Timestamp,
) -> StoreResult<Receipt>
where
    S: Intake,
{
    let (id, mut event) = (EventId::at(now), event.clone());
    let span = IntakeSpan::begin(&subscription.tenant, &mut event, id);
    let result = accept_as(store, subscription, &event, id, now).await;
    span.end(result.as_ref().ok(), false);
    result
}

async fn accept_as<S: Intake>(
    store: &S,
    subscription: Arc<Subscription>,
    event: &Event,
    id: EventId,
    now: Timestamp,
) -> StoreResult<Receipt> {
    let tenant = subscription.tenant.clone();
    let evaluation = EventEvaluation::new(event, now);
    let matched = [subscription];
    let room = wait_for_room(store, &tenant, &matched, event).await?;
    let (receipt, mut deliveries, _memory) = render_matched(&matched, &evaluation, id).await?;
    for (delivery, _) in &mut deliveries {
        delivery.snapshot.test = true;
    }
    let verdicts = deliveries.iter().map(|(delivery, _)| delivered(delivery)).collect();
    let mut of_ledger = new_ledger_event(event, &tenant, (id, now), verdicts);
    of_ledger.event.test = true;
    store.accept(without_key(tenant, event, Some(of_ledger), deliveries, now), room).await?;
    Ok(receipt)
}
