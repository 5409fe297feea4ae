//! An event comes in: it is matched, rendered, stored and queued; only then is it answered.
//!
//! With an idempotency key the first call leaves a record of what matched. A repeat with the same bytes
//! finishes exactly that list, from the same versions of the subscriptions, whatever was edited since;
//! what is stored already stays as it is, so nothing is sent twice.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use crate::model::delivery::Delivery;
use crate::model::event::Event;
use crate::model::id::{EventId, SubscriptionId, TenantId, TraceId};
use crate::model::subscription::Subscription;
use crate::model::time::Timestamp;
use crate::ports::{Accepted, Idempotency, Intake, Remembered, StoreError, Stored, Subscriptions};

/// How long an idempotency key is remembered.
pub const REMEMBERED_FOR: Duration = Duration::from_secs(24 * 3600);
/// How many versions of subscriptions are read at once.
const READ_AT_ONCE: usize = 16;

/// An event, and the idempotency key it came under.
#[derive(Debug)]
pub struct Submission {
    pub event: Event,
    pub key: Option<String>,
}

/// What is promised for an event.
#[derive(Debug)]
pub struct Receipt {
    pub event_id: EventId,
    pub deliveries: Vec<PromisedDelivery>,
}

#[derive(Debug)]
pub struct PromisedDelivery {
    pub trace_id: TraceId,
    pub subscription_id: SubscriptionId,
    pub event_title: String,
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
    S: Intake + Subscriptions,
{
    let Submission { event, key } = submission;
    let digest = event.digest();
    let subscriptions = store.subscriptions(tenant).await?;
    let matched: Vec<_> =
        subscriptions.iter().filter(|subscription| subscription.matches(&event)).cloned().collect();
    let id = EventId::at(now);
    let record = key.map(|key| {
        let matched = matched.iter().map(|subscription| (subscription.id, subscription.version)).collect();
        let remembered = Remembered { digest, event_id: id, accepted_at: now, matched };
        (Idempotency { key, until: now + REMEMBERED_FOR }, remembered)
    });
    let (receipt, deliveries) = render(&matched, &event, id, now);
    match store.accept(tenant, record, deliveries, now).await? {
        Accepted::Stored => Ok(receipt),
        Accepted::Known(known) if known.digest == digest => {
            Ok(finish(store, tenant, &event, known, now).await?)
        }
        Accepted::Known(_) => Err(IntakeError::KeyReused),
    }
}

/// Takes an event in for one subscription alone, whatever its criteria or state.
pub async fn accept_for<S>(
    store: &S,
    subscription: Arc<Subscription>,
    event: &Event,
    now: Timestamp,
) -> Stored<Receipt>
where
    S: Intake,
{
    let tenant = subscription.tenant.clone();
    let (receipt, deliveries) = render(&[subscription], event, EventId::at(now), now);
    store.accept(&tenant, None, deliveries, now).await?;
    Ok(receipt)
}

/// Does again, where a first call may have crashed, what its record says.
async fn finish<S>(
    store: &S,
    tenant: &TenantId,
    event: &Event,
    known: Remembered,
    now: Timestamp,
) -> Stored<Receipt>
where
    S: Intake + Subscriptions,
{
    let matched = stream::iter(known.matched).map(|(id, version)| async move {
        let subscription = store.subscription_version(tenant, id, version).await?;
        subscription.ok_or_else(|| StoreError::Failed("a subscription's version is gone".into()))
    });
    let matched: Vec<_> = matched.buffered(READ_AT_ONCE).try_collect().await?;
    let (receipt, deliveries) = render(&matched, event, known.event_id, known.accepted_at);
    store.accept(tenant, None, deliveries, now).await?;
    Ok(receipt)
}

fn render(
    matched: &[Arc<Subscription>],
    event: &Event,
    id: EventId,
    now: Timestamp,
) -> (Receipt, Vec<(Delivery, Bytes)>) {
    let deliveries: Vec<_> =
        matched.iter().map(|subscription| Delivery::render(subscription, event, id, now)).collect();
    let promised = deliveries.iter().map(|(delivery, _)| PromisedDelivery {
        trace_id: delivery.frozen.trace_id,
        subscription_id: delivery.frozen.subscription_id,
        event_title: delivery.frozen.event_title.clone(),
    });
    (Receipt { event_id: id, deliveries: promised.collect() }, deliveries)
}
