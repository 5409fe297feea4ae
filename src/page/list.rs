//! The list of a loan's webhooks.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

use super::details::{self, Details};
use super::query::{Asked, Wanted};
use super::refused::Refused;
use super::view::list;
use super::visit::Visit;
use super::{Pages, Store};
use crate::history;
use crate::model::time::Timestamp;

/// What the page shows.
pub(super) struct List {
    pub(super) asked: Asked,
    pub(super) wanted: Wanted,
    pub(super) page: history::Page,
    /// Of the row that is open.
    pub(super) open: Option<Details>,
    pub(super) now: Timestamp,
}

pub(super) async fn show<S: Store>(
    State(pages): State<Pages<S>>,
    visit: Visit,
    parts: Parts,
) -> Result<Response, Refused> {
    let asked = Asked::read(parts.uri.query());
    let wanted = asked.check();
    let now = Timestamp::now();
    let page = page(&pages.store, &visit, &wanted, now).await?;
    let opened = page.rows.iter().find(|row| Some(row.attempt.id) == wanted.open).cloned();
    let open = match opened {
        Some(row) => Some(details::of(&pages.store, &visit, row).await?),
        None => None,
    };
    let ok = wanted.faults.0.is_empty();
    let status = if ok { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let list = List { asked, wanted, page, open, now };
    Ok((status, list::page(&list, &visit)).into_response())
}

/// Nothing is read for filters that are wrong.
async fn page<S: Store>(
    store: &S,
    visit: &Visit,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<history::Page, Refused> {
    let Wanted { filter, limit, before, faults, .. } = wanted;
    if !faults.0.is_empty() {
        return Ok(history::Page::default());
    }
    let (tenant, loan) = (&visit.grant.tenant, &visit.loan);
    Ok(match filter.trace_id {
        Some(trace) => {
            history::page_of_delivery(store, (tenant, loan, trace), filter, *before, *limit, now).await?
        }
        None => history::page(store, (tenant, loan), filter, *before, *limit, now).await?,
    })
}
