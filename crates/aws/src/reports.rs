//! Reports: not kept by this engine yet.

use crate::engine::Aws;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::report::{ReportQuery, ReportRows};
use loanhook_core::ports::{Reports, StoreError, StoreResult};

impl Reports for Aws {
    async fn report_rows(&self, _: &TenantId, _: ReportQuery) -> StoreResult<ReportRows> {
        Err(StoreError::Failed("no counts are kept".into()))
    }
}
