//! The list of a loan's webhooks.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use http::request::Parts;

use super::attempt_details::{self, Details};
use super::error_page::Refused;
use super::page_parameters::{Asked, BEFORE, OPEN, Wanted};
use super::page_request::Visit;
use super::view::webhook_list;
use super::{Pages, Store};
use loanhook_core::history;
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::id::AttemptId;
use loanhook_core::model::time::Timestamp;

/// What the page shows.
pub(super) struct List {
    pub(super) asked: Asked,
    pub(super) wanted: Wanted,
    pub(super) page: history::HistoryPage,
    /// Of the row that is open.
    pub(super) open: Option<Details>,
    /// The resend that was just asked for.
    pub(super) resent: Option<AttemptId>,
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
    if let (None, Some(id), true) = (&opened, wanted.open, may_be_elsewhere(&wanted))
        && let Some(row) = row(&pages.store, &visit, id, now).await?
    {
        let there = elsewhere(&asked, &row).query();
        return Ok(Redirect::to(&format!("{}{there}#a-{id}", visit.path())).into_response());
    }
    let resent = match wanted.resent {
        Some(id) => row(&pages.store, &visit, id, now).await?.filter(Attempt::is_manual).map(|row| row.id),
        None => None,
    };
    let open = match opened {
        Some(row) => Some(attempt_details::of(&pages.store, &visit, row).await?),
        None => None,
    };
    let ok = wanted.faults.0.is_empty();
    let status = if ok { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let list = List { asked, wanted, page, open, resent, now };
    Ok((status, webhook_list::page(&list, &visit)).into_response())
}

/// Whether a row that is not here is looked for: a part of a story that it is not in is no place to go on from.
fn may_be_elsewhere(wanted: &Wanted) -> bool {
    wanted.faults.0.is_empty() && (wanted.filter.trace_id.is_none() || wanted.before.is_none())
}

/// Where a row is found that is on another page by now, or does not match any more: with its story, or in a long
/// one where it begins with that row.
fn elsewhere(asked: &Asked, row: &Attempt) -> Asked {
    let story = asked.story(&row.trace_id);
    let is_here = asked.filters().eq(story.filters());
    let story = story.with(OPEN, &row.id);
    if is_here { story.with(BEFORE, &row.id.next()) } else { story }
}

async fn row<S: Store>(
    store: &S,
    visit: &Visit,
    id: AttemptId,
    now: Timestamp,
) -> Result<Option<Attempt>, Refused> {
    let row = history::row(store, &visit.grant.tenant, &visit.loan, id, now).await?;
    Ok(row.map(|row| row.attempt))
}

/// Nothing is read for filters that are wrong.
async fn page<S: Store>(
    store: &S,
    visit: &Visit,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<history::HistoryPage, Refused> {
    let Wanted { filter, limit, before, faults, .. } = wanted;
    if !faults.0.is_empty() {
        return Ok(history::HistoryPage::default());
    }
    let (tenant, loan) = (&visit.grant.tenant, &visit.loan);
    Ok(match filter.trace_id {
        Some(trace) => {
            history::page_of_delivery(store, (tenant, loan, trace), filter, *before, *limit, now).await?
        }
        None => history::page(store, (tenant, loan), filter, *before, *limit, now).await?,
    })
}
