//! Reports: counts as they are read. Each step that changes something counts it.

use loanhook_core::model::id::TenantId;
use loanhook_core::model::report::{ReportQuery, ReportRows};
use loanhook_core::ports::{Reports, StoreResult};

use super::Memory;
use super::step::{Operation, StepKind};

impl Reports for Memory {
    async fn report_rows(&self, tenant: &TenantId, query: ReportQuery) -> StoreResult<ReportRows> {
        self.once(Operation::ReadReport, StepKind::Read, |state| {
            let mut rows = ReportRows::new(query, None);
            for (group, counts) in state.counts.iter().filter(|(group, _)| group.tenant == *tenant) {
                rows.add(group.hour, group.subscription, &group.event_name, counts);
            }
            Ok(rows)
        })
        .await
    }
}
