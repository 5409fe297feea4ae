//! Intake of events. The order of effects: the idempotency record, the payloads, the deliveries, their queue messages.
//!
//! With an event that triggers watch, the trigger state is written together with the idempotency record, see [`watched`].

mod formula_errors;
mod unwatched;
mod watched;

use crate::engine::Aws;
use loanhook_core::ports::{AcceptOutcome, AcceptRequest, Intake, StoreResult};

impl Intake for Aws {
    async fn accept(&self, request: AcceptRequest) -> StoreResult<AcceptOutcome> {
        let AcceptRequest { tenant, loan_id, idempotency, deliveries, watched, now } = request;
        if !watched.is_empty() {
            return self.accept_watched(&tenant, &loan_id, idempotency, deliveries, watched, now).await;
        }
        match self.accept_unwatched(&tenant, idempotency, deliveries, now).await? {
            None => Ok(AcceptOutcome::Stored { fired: Vec::new() }),
            Some(known) => Ok(AcceptOutcome::Duplicate(known)),
        }
    }
}
