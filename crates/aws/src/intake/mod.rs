//! Intake of events. The order of effects: the idempotency record, the event of the ledger after its payload, the other
//! payloads, the deliveries, their queue messages.
//!
//! With an event that triggers watch, the trigger state is written together with the idempotency record, see [`watched`].

mod event;
mod formula_errors;
mod unwatched;
mod watched;

use crate::engine::Aws;
use loanhook_core::ports::{AcceptOutcome, AcceptRequest, Intake, StoreResult};

impl Intake for Aws {
    async fn accept(&self, request: AcceptRequest) -> StoreResult<AcceptOutcome> {
        match request.watched.is_empty() {
            true => self.accept_unwatched(request).await,
            false => self.accept_watched(request).await,
        }
    }
}
