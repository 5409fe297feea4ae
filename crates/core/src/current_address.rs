//! Current address of a delivery: the URL that its subscription has now, rendered for the delivery's event.
//!
//! Resends to it use this, and the page that offers them. The event is read from the ledger, as it came in.

use crate::model::address::Address;
use crate::model::delivery::Delivery;
use crate::model::event_evaluation::EventEvaluation;
use crate::model::rendering::render_url;
use crate::model::subscription::Subscription;
use crate::ports::{Ledger, Payloads, StoreResult, Subscriptions};
use crate::stored_event;

/// Why a delivery has no current address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAddress {
    #[error("the webhook is deleted, so it has no current address")]
    SubscriptionDeleted,
    /// The ledger does not have the event, or its context is gone.
    #[error("the event is not kept any more, so the webhook's current address cannot be made for it")]
    EventGone,
    /// Holds the reason.
    #[error("{0}")]
    Unrenderable(String),
}

/// The address that a delivery's subscription has now.
///
/// # Errors
///
/// When the store fails.
pub async fn current_address<S: Subscriptions + Ledger + Payloads>(
    store: &S,
    delivery: &Delivery,
) -> StoreResult<Result<Address, NoAddress>> {
    let snapshot = &delivery.snapshot;
    match store.subscription(&snapshot.tenant, snapshot.subscription_id).await? {
        Some(subscription) => address_by(store, delivery, &subscription).await,
        None => Ok(Err(NoAddress::SubscriptionDeleted)),
    }
}

/// The address that this version of a delivery's subscription gives.
///
/// # Errors
///
/// When the store fails.
pub async fn address_by<S: Ledger + Payloads>(
    store: &S,
    delivery: &Delivery,
    subscription: &Subscription,
) -> StoreResult<Result<Address, NoAddress>> {
    let snapshot = &delivery.snapshot;
    let Some(stored) = store.event(&snapshot.tenant, snapshot.event_id).await? else {
        return Ok(Err(NoAddress::EventGone));
    };
    let Some(event) = stored_event::event(store, &stored).await? else {
        return Ok(Err(NoAddress::EventGone));
    };
    let evaluation = EventEvaluation::new(&event, stored.accepted_at);
    let url = render_url(subscription, &evaluation, snapshot.trace_id);
    Ok(url.map(|url| Address { url, version: subscription.version }).map_err(NoAddress::Unrenderable))
}
