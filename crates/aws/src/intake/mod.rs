//! Intake of events. The order of effects: the idempotency record, the event of the ledger after its payload, the other
//! payloads, the deliveries, their queue messages.
//!
//! With an event that triggers watch, the trigger state is written together with the idempotency record and the event, see
//! [`watched`].

mod event;
mod formula_errors;
mod unwatched;
mod watched;

use std::collections::BTreeSet;

use crate::engine::Aws;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::ports::{AcceptOutcome, AcceptRequest, Intake, StoreResult};

impl Intake for Aws {
    type Room = ();

    /// The queue takes whatever comes.
    async fn wait_for_room(&self, _: &TenantId, _: BTreeSet<SubscriptionId>, _: usize) -> StoreResult<()> {
        Ok(())
    }

    async fn accept(&self, request: AcceptRequest, (): ()) -> StoreResult<AcceptOutcome> {
        match request.watched.is_empty() {
            true => self.accept_unwatched(request).await,
            false => self.accept_watched(request).await,
        }
    }
}
