//! What a row has beyond itself: the life of its delivery, and its payloads.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::request::Parts;

use super::error_page::Refused;
use super::page_parameters::Asked;
use super::page_request::Visit;
use super::payload_files::bytes;
use super::preview::Preview;
use super::view::{self, attempt_details};
use super::{Pages, Store};
use loanhook_core::history::{self, DeliveryAttempts};
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::payload::Payload;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{AttemptRange, HistoryRow, Payloads};

/// How many attempts of a delivery are read for it.
const READ: usize = 50;

/// All that an open row shows.
pub(super) struct Details {
    pub(super) row: HistoryRow,
    /// The newest attempts of its delivery, the oldest of them first.
    pub(super) attempts: Vec<Attempt>,
    /// There are older ones.
    pub(super) older: bool,
    /// How often the delivery was manually resent.
    pub(super) resends: u32,
    /// When the next automatic one is due, as things stand now.
    pub(super) next: Option<Timestamp>,
    pub(super) accepted_at: Timestamp,
    pub(super) source: Preview,
    pub(super) response: Option<Preview>,
}

/// The details of one row, for the script.
pub(super) async fn show<S: Store>(
    State(pages): State<Pages<S>>,
    visit: Visit,
    parts: Parts,
) -> Result<Response, Refused> {
    let row = visit.row(&pages.store).await?;
    let details = of(&pages.store, &visit, row).await?;
    Ok(view::fragment(attempt_details::show(&details, &visit, &Asked::read(parts.uri.query())))
        .into_response())
}

pub(super) async fn of<S: Store>(store: &S, visit: &Visit, row: HistoryRow) -> Result<Details, Refused> {
    let now = Timestamp::now();
    let newest = AttemptRange::NewestFirst { before: None };
    let story =
        history::delivery_attempts(store, &visit.grant.tenant, row.attempt.trace_id, newest, READ, now)
            .await?;
    let DeliveryAttempts { delivery, mut attempts, more: older } = story.ok_or(Refused::NoPage)?;
    attempts.reverse();
    let answer = row.attempt.completion().and_then(|completion| completion.response.as_ref());
    let response = match answer {
        Some(answer) => Some(preview(store, visit, answer.payload).await?),
        None => None,
    };
    let source = preview(store, visit, row.attempt.source).await?;
    let (next, accepted_at) = (delivery.progress.next_due(), delivery.snapshot.accepted_at);
    let resends = delivery.history.resends;
    Ok(Details { row, attempts, older, resends, next, accepted_at, source, response })
}

async fn preview<S: Payloads>(store: &S, visit: &Visit, payload: Payload) -> Result<Preview, Refused> {
    let bytes = bytes(store, visit, payload).await?;
    Ok(bytes.map_or(Preview::Gone, |bytes| Preview::of(&bytes)))
}
