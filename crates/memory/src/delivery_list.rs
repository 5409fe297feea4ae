//! Deliveries across loans, as they are read.

use std::cmp::Reverse;

use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::{TenantId, TraceId};
use loanhook_core::model::progress::Status;
use loanhook_core::ports::{DeliveryList, DeliveryPart, DeliverySet, DeliverySpan, StoreResult};

use super::Memory;
use super::state::Stored;
use super::step::{Operation, StepKind};

impl DeliveryList for Memory {
    async fn deliveries(
        &self,
        tenant: &TenantId,
        set: DeliverySet,
        span: DeliverySpan,
        limit: usize,
    ) -> StoreResult<DeliveryPart> {
        self.once(Operation::ReadHistory, StepKind::Read, |state| {
            let own = state.deliveries.iter().filter(|((of, _), _)| of == tenant).map(|(_, own)| own);
            let in_set = |delivery: &&Delivery| {
                set == DeliverySet::All || delivery.progress.status() == Status::Failed
            };
            let asked = own.filter(in_set).filter(|delivery| span.contains(delivery.position()));
            let mut deliveries: Vec<_> = asked.cloned().collect();
            deliveries.sort_by_key(|delivery| Reverse(delivery.position()));
            let more = deliveries.len() > limit;
            deliveries.truncate(limit);
            let goes_on = deliveries.last().filter(|_| more).map(Delivery::position);
            Ok(DeliveryPart { examined: deliveries.len(), deliveries, goes_on })
        })
        .await
    }

    async fn deliveries_of_traces(
        &self,
        tenant: &TenantId,
        traces: &[TraceId],
    ) -> StoreResult<Vec<Delivery>> {
        self.once(Operation::ReadHistory, StepKind::Read, |state| {
            Ok(traces.iter().filter_map(|trace| state.delivery(tenant, *trace)).cloned().collect())
        })
        .await
    }

    async fn newest_attempts(
        &self,
        tenant: &TenantId,
        deliveries: &[Delivery],
    ) -> StoreResult<Vec<Option<Attempt>>> {
        self.once(Operation::ReadHistory, StepKind::Read, |state| {
            let newest = |delivery: &Delivery| {
                let row = state.row(tenant, &delivery.snapshot.loan_id, delivery.history.newest_attempt?)?;
                Stored::readable(row).cloned()
            };
            Ok(deliveries.iter().map(newest).collect())
        })
        .await
    }
}
