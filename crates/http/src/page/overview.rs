//! The overview: pictures and numbers of what became of a tenant's webhooks in the last hour, day or week.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, header};

use super::error_page::ErrorPage;
use super::form::Form;
use super::tenant_request::TenantRequest;
use super::view::overview;
use super::{PageStore, Pages};
use crate::api;
use loanhook_core::model::time::Timestamp;
use loanhook_core::overview::OverviewSpan;

/// The parameter that says of which time the overview is.
pub(super) const SPAN: &str = "span";

/// The page at the root. A program that asks for it gets the problem that every unknown path has.
pub(super) async fn show<S: PageStore>(
    State(pages): State<Pages<S>>,
    request: Result<TenantRequest, ErrorPage>,
    parts: Parts,
) -> Result<Response, ErrorPage> {
    if !is_browser(&parts.headers) {
        return Ok(api::no_route());
    }
    let request = request?;
    // A span that there is not is none.
    let span = Form::of_query(parts.uri.query()).get(SPAN).parse().unwrap_or_default();
    let read = loanhook_core::overview::overview(&pages.store, &request.grant.tenant, span, Timestamp::now());
    let found = read.await?;
    Ok(overview::page(&found, span, &request).into_response())
}

fn is_browser(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("text/html"))
}

/// The path of the overview of a span.
pub(super) fn overview_path(span: OverviewSpan) -> String {
    format!("{}?{SPAN}={}", super::tenant_request::OVERVIEW_PATH, span.as_str())
}
