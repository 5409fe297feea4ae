//! Context of an event of the ledger, as it came.
//!
//! The API and the page show it, and evaluate formulas on it again. Only its bytes are kept, as a part of a payload, which may
//! be gone before the event is.

use bytes::Bytes;

use crate::model::ledger::LedgerEvent;
use crate::ports::{Payloads, StoreError, StoreResult};

/// The bytes of an event's context; none where they are not kept any more.
///
/// # Errors
///
/// When the store fails, or its payload is shorter than the event says.
pub async fn context<S: Payloads>(store: &S, event: &LedgerEvent) -> StoreResult<Option<Bytes>> {
    let stored = event.context;
    let Some(payload) = store.payload(&event.tenant, stored.payload).await? else { return Ok(None) };
    let from = stored.offset as usize;
    let range = from..from.saturating_add(stored.bytes as usize);
    if payload.len() < range.end {
        return Err(StoreError::Failed("the payload of a context is shorter than its event says".into()));
    }
    Ok(Some(payload.slice(range)))
}
