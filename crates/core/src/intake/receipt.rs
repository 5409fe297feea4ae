//! Receipt of an event: what its intake promises to the caller.

use crate::model::delivery::Delivery;
use crate::model::id::{EventId, SubscriptionId, TraceId};

/// What is promised for an event.
#[derive(Debug)]
pub struct Receipt {
    pub event_id: EventId,
    pub deliveries: Vec<PromisedDelivery>,
    /// Sentences for the sender: names in use that the event's name only nearly is.
    pub warnings: Vec<String>,
}

#[derive(Debug)]
pub struct PromisedDelivery {
    pub trace_id: TraceId,
    pub subscription_id: SubscriptionId,
    pub event_title: String,
}

/// What a delivery promises.
pub(super) fn promise(delivery: &Delivery) -> PromisedDelivery {
    PromisedDelivery {
        trace_id: delivery.snapshot.trace_id,
        subscription_id: delivery.snapshot.subscription_id,
        event_title: delivery.snapshot.event_title.clone(),
    }
}

/// What is promised, in the order of the subscriptions.
pub(super) fn receipt(id: EventId, promised: impl Iterator<Item = PromisedDelivery>) -> Receipt {
    let mut deliveries: Vec<_> = promised.collect();
    deliveries.sort_by_key(|promised| promised.subscription_id);
    Receipt { event_id: id, deliveries, warnings: Vec::new() }
}
