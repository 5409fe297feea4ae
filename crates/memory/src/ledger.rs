//! Ledger: events as they are read.

use loanhook_core::model::id::{EventId, LoanId, TenantId, TraceId};
use loanhook_core::model::ledger::LedgerEvent;
use loanhook_core::model::progress::Status;
use loanhook_core::ports::{Ledger, StoreResult};

use super::Memory;
use super::state::Stored;
use super::step::{Operation, StepKind};

impl Ledger for Memory {
    async fn events(
        &self,
        tenant: &TenantId,
        loan: &LoanId,
        oldest: Option<EventId>,
        before: Option<EventId>,
        limit: usize,
    ) -> StoreResult<Vec<LedgerEvent>> {
        let asked = |event: &&LedgerEvent| {
            event.tenant == *tenant
                && event.loan_id == *loan
                && oldest.is_none_or(|oldest| oldest <= event.id)
                && before.is_none_or(|before| event.id < before)
        };
        self.once(Operation::ReadLedger, StepKind::Read, |state| {
            let events = state.events.values().rev().filter_map(Stored::readable);
            Ok(events.filter(asked).take(limit).cloned().collect())
        })
        .await
    }

    async fn event(&self, tenant: &TenantId, id: EventId) -> StoreResult<Option<LedgerEvent>> {
        self.once(Operation::ReadLedger, StepKind::Read, |state| {
            let found = state.events.get(&(tenant.clone(), id));
            found.map(|event| event.read().cloned()).transpose()
        })
        .await
    }

    async fn has_event(&self, tenant: &TenantId, loan: &LoanId, id: EventId) -> StoreResult<bool> {
        self.once(Operation::ReadLedger, StepKind::Read, |state| {
            let found = state.events.get(&(tenant.clone(), id));
            // What cannot be read says no loan.
            Ok(found.is_some_and(|event| event.readable().is_none_or(|event| event.loan_id == *loan)))
        })
        .await
    }

    async fn delivery_statuses(
        &self,
        tenant: &TenantId,
        traces: &[TraceId],
    ) -> StoreResult<Vec<Option<Status>>> {
        self.once(Operation::ReadLedger, StepKind::Read, |state| {
            let status = |trace: &TraceId| Some(state.delivery(tenant, *trace)?.progress.status());
            Ok(traces.iter().map(status).collect())
        })
        .await
    }
}
