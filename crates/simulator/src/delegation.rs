//! Ports of the store that have no deliberate error: all are delegated to the engine.

use std::net::IpAddr;
use std::sync::Arc;

use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::formula_errors::{FormulaErrors, SubscriptionFormulaError};
use loanhook_core::model::id::{AttemptId, EventId, LoanId, SubscriptionId, TenantId, TraceId};
use loanhook_core::model::ledger::LedgerEvent;
use loanhook_core::model::progress::Status;
use loanhook_core::model::subscription::{Origin, Subscription};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    AttemptRange, Attempts, DeleteOutcome, Egress, EgressAddresses, FormulaErrorLog, HistoryRow, Ledger,
    Queue, QueueMessage, ReplaceOutcome, StoreResult, Subscriptions,
};

use crate::breaks::Break;
use crate::store::Store;

impl Queue for Store {
    async fn enqueue(&self, message: QueueMessage) -> StoreResult<()> {
        self.memory().enqueue(message).await
    }
}

impl Attempts for Store {
    async fn rows(
        &self,
        tenant: &TenantId,
        loan: &LoanId,
        oldest: Option<AttemptId>,
        before: Option<AttemptId>,
        limit: usize,
    ) -> StoreResult<Vec<Attempt>> {
        self.memory().rows(tenant, loan, oldest, before, limit).await
    }

    async fn history_rows(&self, tenant: &TenantId, attempts: Vec<Attempt>) -> StoreResult<Vec<HistoryRow>> {
        self.memory().history_rows(tenant, attempts).await
    }

    async fn row(&self, tenant: &TenantId, loan: &LoanId, id: AttemptId) -> StoreResult<Option<HistoryRow>> {
        self.memory().row(tenant, loan, id).await
    }

    async fn delivery(&self, tenant: &TenantId, trace: TraceId) -> StoreResult<Option<Delivery>> {
        self.memory().delivery(tenant, trace).await
    }

    async fn delivery_with_attempts(
        &self,
        tenant: &TenantId,
        trace: TraceId,
        span: AttemptRange,
        limit: usize,
    ) -> StoreResult<Option<(Delivery, Vec<Attempt>)>> {
        self.memory().delivery_with_attempts(tenant, trace, span, limit).await
    }
}

impl Subscriptions for Store {
    async fn subscriptions(&self, tenant: &TenantId) -> StoreResult<Arc<Vec<Arc<Subscription>>>> {
        self.memory().subscriptions(tenant).await
    }

    async fn subscription(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
    ) -> StoreResult<Option<Arc<Subscription>>> {
        self.memory().subscription(tenant, id).await
    }

    async fn subscription_version(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        version: u64,
    ) -> StoreResult<Option<Arc<Subscription>>> {
        self.memory().subscription_version(tenant, id, version).await
    }

    async fn subscription_versions(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        before: Option<u64>,
        limit: usize,
    ) -> StoreResult<Vec<Arc<Subscription>>> {
        self.memory().subscription_versions(tenant, id, before, limit).await
    }

    async fn newest_version(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        version: u64,
    ) -> StoreResult<Option<Arc<Subscription>>> {
        self.memory().newest_version(tenant, id, version).await
    }

    async fn newest_version_to(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        origin: &Origin,
    ) -> StoreResult<Option<Arc<Subscription>>> {
        if self.breaks(Break::OtherCredentials) {
            return self.memory().newest_version(tenant, id, 0).await;
        }
        self.memory().newest_version_to(tenant, id, origin).await
    }

    async fn create(&self, subscription: Subscription, most: usize) -> StoreResult<bool> {
        self.memory().create(subscription, most).await
    }

    async fn replace(&self, subscription: Subscription) -> StoreResult<ReplaceOutcome> {
        self.memory().replace(subscription).await
    }

    async fn delete(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        version: Option<u64>,
    ) -> StoreResult<DeleteOutcome> {
        self.memory().delete(tenant, id, version).await
    }
}

impl FormulaErrorLog for Store {
    async fn record_formula_errors(
        &self,
        tenant: &TenantId,
        errors: Vec<SubscriptionFormulaError>,
    ) -> StoreResult<()> {
        self.memory().record_formula_errors(tenant, errors).await
    }

    async fn formula_errors(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
    ) -> StoreResult<Option<FormulaErrors>> {
        self.memory().formula_errors(tenant, id).await
    }
}

impl EgressAddresses for Store {
    async fn egress(&self, now: Timestamp) -> StoreResult<Egress> {
        self.memory().egress(now).await
    }

    fn record_source_address(&self, address: IpAddr, now: Timestamp) {
        self.memory().record_source_address(address, now);
    }
}

impl Ledger for Store {
    async fn events(
        &self,
        tenant: &TenantId,
        loan: &LoanId,
        oldest: Option<EventId>,
        before: Option<EventId>,
        limit: usize,
    ) -> StoreResult<Vec<LedgerEvent>> {
        self.memory().events(tenant, loan, oldest, before, limit).await
    }

    async fn event(&self, tenant: &TenantId, id: EventId) -> StoreResult<Option<LedgerEvent>> {
        self.memory().event(tenant, id).await
    }

    async fn has_event(&self, tenant: &TenantId, loan: &LoanId, id: EventId) -> StoreResult<bool> {
        self.memory().has_event(tenant, loan, id).await
    }

    async fn delivery_statuses(
        &self,
        tenant: &TenantId,
        traces: &[TraceId],
    ) -> StoreResult<Vec<Option<Status>>> {
        self.memory().delivery_statuses(tenant, traces).await
    }
}
