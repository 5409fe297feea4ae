//! Port of the ledger: events of a loan, and what became of their deliveries.

use std::future::Future;

use super::StoreResult;
use crate::model::id::{EventId, LoanId, TenantId, TraceId};
use crate::model::ledger::LedgerEvent;
use crate::model::progress::Status;

/// Lists leave out an event that cannot be read, and say so in the log; what asks for one event fails then.
pub trait Ledger {
    /// Events of a loan, the newest first, with IDs from `oldest` to before `before`: at most `limit`, and fewer only where
    /// there are no more.
    fn events(
        &self,
        tenant: &TenantId,
        loan: &LoanId,
        oldest: Option<EventId>,
        before: Option<EventId>,
        limit: usize,
    ) -> impl Future<Output = StoreResult<Vec<LedgerEvent>>> + Send;

    /// One event, whichever loan it is of.
    fn event(
        &self,
        tenant: &TenantId,
        id: EventId,
    ) -> impl Future<Output = StoreResult<Option<LedgerEvent>>> + Send;

    /// Whether an event of a loan is kept, whether it can be read or not. Every event that was stored before is seen.
    fn has_event(
        &self,
        tenant: &TenantId,
        loan: &LoanId,
        id: EventId,
    ) -> impl Future<Output = StoreResult<bool>> + Send;

    /// The status of each of these deliveries, in the same order; none where there is no such delivery.
    fn delivery_statuses(
        &self,
        tenant: &TenantId,
        traces: &[TraceId],
    ) -> impl Future<Output = StoreResult<Vec<Option<Status>>>> + Send;
}
