//! The page of a loan's webhooks: one page of its history, with the details of the open row.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use http::request::Parts;

use super::attempt_details::{self, AttemptDetails};
use super::bulk_filter::BulkFilter;
use super::error_page::ErrorPage;
use super::page_parameters::{BEFORE, CheckedParameters, OPEN, PageParameters};
use super::page_request::PageRequest;
use super::view::webhook_list;
use super::{PageStore, Pages};
use loanhook_core::history::{self, HistoryPage};
use loanhook_core::holds::waiting_rows;
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::flow::Waiting;
use loanhook_core::model::id::AttemptId;
use loanhook_core::model::time::Timestamp;

/// All that the page shows.
pub(super) struct WebhookList {
    pub(super) parameters: PageParameters,
    pub(super) checked: CheckedParameters,
    pub(super) history: HistoryPage,
    /// Of the rows whose next attempt waits although it is due.
    pub(super) waiting: BTreeMap<AttemptId, Waiting>,
    /// The details of the open row.
    pub(super) open_row: Option<AttemptDetails>,
    /// The resend that was just queued.
    pub(super) resent: Option<AttemptId>,
    /// What a bulk resend of all that match would take, where one can be asked for.
    pub(super) bulk: Option<BulkFilter>,
    pub(super) now: Timestamp,
}

pub(super) async fn show<S: PageStore>(
    State(pages): State<Pages<S>>,
    request: PageRequest,
    parts: Parts,
) -> Result<Response, ErrorPage> {
    let parameters = PageParameters::read(parts.uri.query());
    let checked = parameters.check();
    let now = Timestamp::now();
    let history = read_history(&pages.store, &request, &checked, now).await?;
    let found = history.rows.iter().find(|row| Some(row.attempt.id) == checked.open).cloned();
    if let (None, Some(id), true) = (&found, checked.open, may_be_on_another_page(&checked))
        && let Some(row) = read_row(&pages.store, &request, id, now).await?
    {
        let query = parameters_to_find(&parameters, &row).query();
        return Ok(Redirect::to(&format!("{}{query}#a-{id}", request.path())).into_response());
    }
    let resent = match checked.resent {
        Some(id) => {
            read_row(&pages.store, &request, id, now).await?.filter(Attempt::is_manual).map(|row| row.id)
        }
        None => None,
    };
    let open_row = match found {
        Some(row) => Some(attempt_details::read_details(&pages.store, &request, row).await?),
        None => None,
    };
    let ok = checked.errors.0.is_empty();
    let status = if ok { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let waiting = waiting_rows(&pages.store, &request.grant.tenant, &history.rows, now).await?;
    let offers_bulk = request.may_resend() && !history.rows.is_empty();
    let bulk = offers_bulk.then(|| BulkFilter::of(&parameters, &request.loan));
    let list = WebhookList { parameters, checked, history, waiting, open_row, resent, bulk, now };
    Ok((status, webhook_list::page(&list, &request)).into_response())
}

/// Whether an open row that is not on this page may be on another: not where the page is already a part of its delivery.
fn may_be_on_another_page(checked: &CheckedParameters) -> bool {
    checked.errors.0.is_empty() && (checked.filter.trace_id.is_none() || checked.before.is_none())
}

/// The parameters of a page with a row that is on another page by now, or does not match the filters any more: the
/// attempts of its delivery, or where these are shown already, the page that begins with the row.
fn parameters_to_find(parameters: &PageParameters, row: &Attempt) -> PageParameters {
    let for_delivery = parameters.for_delivery(&row.trace_id);
    let is_here = parameters.filters().eq(for_delivery.filters());
    let for_delivery = for_delivery.with(OPEN, &row.id);
    if is_here { for_delivery.with(BEFORE, &row.id.next()) } else { for_delivery }
}

async fn read_row<S: PageStore>(
    store: &S,
    request: &PageRequest,
    id: AttemptId,
    now: Timestamp,
) -> Result<Option<Attempt>, ErrorPage> {
    let row = history::row(store, &request.grant.tenant, &request.loan, id, now).await?;
    Ok(row.map(|row| row.attempt))
}

/// The rows of the page; none where a filter is wrong.
async fn read_history<S: PageStore>(
    store: &S,
    request: &PageRequest,
    checked: &CheckedParameters,
    now: Timestamp,
) -> Result<HistoryPage, ErrorPage> {
    let CheckedParameters { filter, limit, before, errors, .. } = checked;
    if !errors.0.is_empty() {
        return Ok(HistoryPage::default());
    }
    let (tenant, loan) = (&request.grant.tenant, &request.loan);
    Ok(match filter.trace_id {
        Some(trace) => {
            history::page_of_delivery(store, (tenant, loan, trace), filter, *before, *limit, now).await?
        }
        None => history::page(store, (tenant, loan), filter, *before, *limit, now).await?,
    })
}
