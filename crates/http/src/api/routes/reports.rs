//! `/v1/reports/deliveries`: how many events, deliveries and attempts there were, and what became of them.

use axum::extract::State;
use axum::response::Response;

use crate::api::Api;
use crate::api::export::{self, ExportFormat, REPORT_COLUMNS, RequestedExport};
use crate::api::openapi::{Denied, Invalid, Unavailable};
use crate::api::problem::Problem;
use crate::api::request::caller::Caller;
use crate::api::request::query::CheckedQuery;
use crate::api::request::report_query::DeliveryReportQuery;
use crate::api::schema::report::DeliveryReportView;
use loanhook_core::model::key::Scope;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Keys, Reports, Subscriptions};
use loanhook_core::report::{self, Report};

/// Report on deliveries
///
/// Counts by hour or day, and by subscription or event name, exact and kept as things happen: reading them costs the same
/// whatever the history has. `from` and `to` are rounded outward to whole periods in UTC, and the answer says to what. A
/// count of a past period changes while deliveries of that period are pending. Percentiles are wrong by at most 0.4 %.
///
/// As CSV or NDJSON it is the rows alone.
#[utoipa::path(
    get, path = "/v1/reports/deliveries", operation_id = "reportDeliveries", tag = "history",
    params(DeliveryReportQuery),
    responses(
        (
            status = 200, description = "the report",
            content((DeliveryReportView = "application/json"), (String = "text/csv"), (String = "application/x-ndjson")),
        ),
        Denied, Invalid, Unavailable,
    )
)]
pub(in crate::api) async fn deliveries<S: Reports + Subscriptions + Keys + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    CheckedQuery(query): CheckedQuery<DeliveryReportQuery>,
    export: RequestedExport,
) -> Result<Response, Problem> {
    let tenant = caller.require(Scope::HistoryRead)?;
    let query = query.check(Timestamp::now())?;
    let report = DeliveryReportView::from(report::report(&api.store, tenant, query).await?);
    match export.format() {
        Some(format) => write(&report, format),
        None => Ok(export::json(&report)),
    }
}

/// A report as a page for people gives it, who have a session in place of a key. None where it could not be written.
pub(crate) fn report_for_page(report: Report, format: ExportFormat) -> Option<Response> {
    write(&DeliveryReportView::from(report), format).ok()
}

fn write(report: &DeliveryReportView, format: ExportFormat) -> Result<Response, Problem> {
    export::rows((format, REPORT_COLUMNS), &report.items)
}
