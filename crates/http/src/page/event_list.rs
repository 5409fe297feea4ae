//! The page of a loan's events: one page of its ledger, with the verdicts of the open event explained, and contexts to
//! download.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, StatusCode};

use super::error_page::ErrorPage;
use super::event_parameters::CheckedEventParameters;
use super::open_event::{self, OpenEvent};
use super::page_parameters::PageParameters;
use super::page_request::PageRequest;
use super::payload_files::check_destination;
use super::view::event_list;
use super::{PageStore, Pages};
use crate::web::download::download;
use loanhook_core::holds::waiting_traces;
use loanhook_core::ledger::{self, EventPage, EventWithStatuses};
use loanhook_core::model::flow::Waiting;
use loanhook_core::model::id::{EventId, TraceId};
use loanhook_core::model::progress::Status;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DeliveryList, FlowControl, Ledger};
use loanhook_core::stored_event;

/// All that the page shows.
pub(super) struct EventList {
    pub(super) parameters: PageParameters,
    pub(super) checked: CheckedEventParameters,
    pub(super) page: EventPage,
    /// Of the deliveries that wait although their attempt is due.
    pub(super) waiting: BTreeMap<TraceId, Waiting>,
    /// What is known of the open event beside its verdicts.
    pub(super) open: Option<OpenEvent>,
    /// The open event is not on this page of the list, and stands alone.
    pub(super) alone: bool,
}

pub(super) async fn show<S: PageStore>(
    State(pages): State<Pages<S>>,
    request: PageRequest,
    parts: Parts,
) -> Result<Response, ErrorPage> {
    let parameters = PageParameters::read_of_events(parts.uri.query());
    let checked = CheckedEventParameters::of(&parameters);
    let (tenant, loan) = (&request.grant.tenant, &request.loan);
    let is_wrong = !checked.errors.0.is_empty();
    let CheckedEventParameters { filter, limit, before, open, .. } = &checked;
    let mut page = match is_wrong {
        true => EventPage::default(),
        false => ledger::page(&pages.store, (tenant, loan), filter, *before, *limit).await?,
    };
    let alone = open.is_some_and(|id| page.events.iter().all(|found| found.event.id != id));
    if alone {
        page = EventPage {
            events: event(&pages.store, &request, *open).await?.into_iter().collect(),
            next: None,
        };
    }
    let opened = page.events.iter().find(|found| Some(found.event.id) == *open);
    let open = match opened {
        Some(found) => Some(open_event::read(&pages.store, &found.event).await?),
        None => None,
    };
    let waiting = waiting(&pages.store, &request, &page).await?;
    let status = if is_wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let list = EventList { parameters, checked, page, waiting, open, alone };
    Ok((status, event_list::page(&list, &request)).into_response())
}

/// Why the pending deliveries of a page wait, of those that do.
async fn waiting<S: DeliveryList + FlowControl>(
    store: &S,
    request: &PageRequest,
    page: &EventPage,
) -> Result<BTreeMap<TraceId, Waiting>, ErrorPage> {
    let statuses = page.events.iter().flat_map(|found| &found.statuses);
    let pending: Vec<_> =
        statuses.filter(|(_, status)| **status == Status::Pending).map(|(trace, _)| *trace).collect();
    Ok(waiting_traces(store, &request.grant.tenant, &pending, Timestamp::now()).await?)
}

/// An event of the loan of the request.
async fn event<S: Ledger>(
    store: &S,
    request: &PageRequest,
    id: Option<EventId>,
) -> Result<Option<EventWithStatuses>, ErrorPage> {
    let Some(id) = id else { return Ok(None) };
    let found = ledger::event(store, &request.grant.tenant, id).await?;
    Ok(found.filter(|found| found.event.loan_id == request.loan))
}

/// Downloads the context of an event.
pub(super) async fn context<S: PageStore>(
    State(pages): State<Pages<S>>,
    request: PageRequest,
    headers: HeaderMap,
) -> Result<Response, ErrorPage> {
    check_destination(&headers)?;
    let found = event(&pages.store, &request, request.event_id()).await?.ok_or(ErrorPage::NotFound)?;
    let bytes: Option<Bytes> = stored_event::context(&pages.store, &found.event).await?;
    let name = format!("context-{}", found.event.id);
    Ok(download(bytes.ok_or(ErrorPage::NotFound)?, Some("application/json"), &name))
}
