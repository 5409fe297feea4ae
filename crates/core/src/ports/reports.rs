//! Port of reports: counts that an engine keeps.

use std::future::Future;

use super::StoreResult;
use crate::model::id::TenantId;
use crate::model::report::{ReportQuery, ReportRows};

pub trait Reports {
    /// The counts of a tenant that a report asks for, added up in its rows.
    fn report_rows(
        &self,
        tenant: &TenantId,
        query: ReportQuery,
    ) -> impl Future<Output = StoreResult<ReportRows>> + Send;
}
