//! The report of an overview as a file: what the API's own export writes, for a session in place of a key.

use axum::extract::State;
use axum::response::Response;
use http::request::Parts;

use super::error_page::ErrorPage;
use super::fetch_metadata::is_page_or_script;
use super::form::Form;
use super::overview::SPAN;
use super::tenant_request::{REPORT_PATH, TenantRequest};
use super::{PageStore, Pages};
use crate::api::{self, ExportFormat};
use crate::web::download::save_as;
use loanhook_core::model::report::{Grouping, ReportQuery};
use loanhook_core::model::time::Timestamp;
use loanhook_core::overview::OverviewSpan;
use loanhook_core::report::report;

/// The parameter that says by what the report is grouped.
const GROUP: &str = "group";

/// The groupings of the reports that a page offers, each with its word and what it is called.
pub(super) const GROUPINGS: [(Grouping, &str, &str); 3] = [
    (Grouping::Subscription, "subscription", "by webhook"),
    (Grouping::Event, "event", "by event"),
    (Grouping::None, "none", "in all"),
];

/// The path of the report of a span with a grouping of this word.
pub(super) fn report_path(span: OverviewSpan, group: &str) -> String {
    format!("{REPORT_PATH}?{SPAN}={}&{GROUP}={group}", span.as_str())
}

/// Downloads the report of a span as CSV.
pub(super) async fn download<S: PageStore>(
    State(pages): State<Pages<S>>,
    request: TenantRequest,
    parts: Parts,
) -> Result<Response, ErrorPage> {
    if !is_page_or_script(&parts.headers) {
        return Err(ErrorPage::NotFound);
    }
    let form = Form::of_query(parts.uri.query());
    let span: OverviewSpan = form.get(SPAN).parse().map_err(|_| ErrorPage::NotFound)?;
    let known = GROUPINGS.into_iter().find(|(_, word, _)| *word == form.get(GROUP));
    let (group, word, _) = known.ok_or(ErrorPage::NotFound)?;
    let query = ReportQuery { group, ..span.query(Timestamp::now()) };
    let made = report(&pages.store, &request.grant.tenant, query).await?;
    let mut response = api::report_for_page(made, ExportFormat::Csv).ok_or(ErrorPage::Unavailable)?;
    save_as(&mut response, &format!("report-{}-{word}.csv", span.as_str()));
    Ok(response)
}
