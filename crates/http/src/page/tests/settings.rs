//! Ports that a loan without settings, events and counts answers.

use std::sync::Arc;

use super::Loan;
use loanhook_core::model::id::{EventId, LoanId, SubscriptionId, TenantId, TraceId};
use loanhook_core::model::ledger::LedgerEvent;
use loanhook_core::model::progress::Status;
use loanhook_core::model::report::{ReportQuery, ReportRows};
use loanhook_core::model::subscription::{Origin, Subscription};
use loanhook_core::ports::{DeleteOutcome, Ledger, ReplaceOutcome, Reports, StoreResult, Subscriptions};

impl Subscriptions for Loan {
    async fn subscriptions(&self, _: &TenantId) -> StoreResult<Arc<Vec<Arc<Subscription>>>> {
        Ok(Arc::default())
    }

    async fn subscription(&self, _: &TenantId, _: SubscriptionId) -> StoreResult<Option<Arc<Subscription>>> {
        Ok(None)
    }

    async fn subscription_version(
        &self,
        _: &TenantId,
        _: SubscriptionId,
        _: u64,
    ) -> StoreResult<Option<Arc<Subscription>>> {
        Ok(None)
    }

    async fn subscription_versions(
        &self,
        _: &TenantId,
        _: SubscriptionId,
        _: Option<u64>,
        _: usize,
    ) -> StoreResult<Vec<Arc<Subscription>>> {
        Ok(Vec::new())
    }

    async fn newest_version(
        &self,
        _: &TenantId,
        _: SubscriptionId,
        _: u64,
    ) -> StoreResult<Option<Arc<Subscription>>> {
        Ok(None)
    }

    async fn newest_version_to(
        &self,
        _: &TenantId,
        _: SubscriptionId,
        _: &Origin,
    ) -> StoreResult<Option<Arc<Subscription>>> {
        Ok(None)
    }

    async fn create(&self, _: Subscription, _: usize) -> StoreResult<bool> {
        Ok(false)
    }

    async fn replace(&self, _: Subscription) -> StoreResult<ReplaceOutcome> {
        Ok(ReplaceOutcome::NotFound)
    }

    async fn delete(&self, _: &TenantId, _: SubscriptionId, _: Option<u64>) -> StoreResult<DeleteOutcome> {
        Ok(DeleteOutcome::NotFound)
    }
}

impl Ledger for Loan {
    async fn events(
        &self,
        _: &TenantId,
        _: &LoanId,
        _: Option<EventId>,
        _: Option<EventId>,
        _: usize,
    ) -> StoreResult<Vec<LedgerEvent>> {
        Ok(Vec::new())
    }

    async fn event(&self, _: &TenantId, _: EventId) -> StoreResult<Option<LedgerEvent>> {
        Ok(None)
    }

    async fn has_event(&self, _: &TenantId, _: &LoanId, _: EventId) -> StoreResult<bool> {
        Ok(false)
    }

    async fn delivery_statuses(&self, _: &TenantId, traces: &[TraceId]) -> StoreResult<Vec<Option<Status>>> {
        Ok(vec![None; traces.len()])
    }
}

impl Reports for Loan {
    async fn report_rows(&self, _: &TenantId, query: ReportQuery) -> StoreResult<ReportRows> {
        Ok(ReportRows::new(query, None))
    }
}
