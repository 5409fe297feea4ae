//! What a row has beyond itself: the life of its delivery, and its payloads.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::request::Parts;

use super::files::bytes;
use super::preview::Preview;
use super::query::Asked;
use super::refused::Refused;
use super::view::{self, details};
use super::visit::Visit;
use super::{Pages, Store};
use crate::history;
use crate::model::attempt::Attempt;
use crate::model::payload::Payload;
use crate::model::time::Timestamp;
use crate::ports::{Payloads, Row};

/// All that an open row shows.
pub(super) struct Details {
    pub(super) row: Row,
    /// Every attempt of its delivery, the oldest first.
    pub(super) attempts: Vec<Attempt>,
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
    Ok(view::fragment(details::show(&details, &visit, &Asked::read(parts.uri.query()))).into_response())
}

pub(super) async fn of<S: Store>(store: &S, visit: &Visit, row: Row) -> Result<Details, Refused> {
    let now = Timestamp::now();
    let story = history::delivery(store, &visit.grant.tenant, row.attempt.trace_id, now).await?;
    let (delivery, attempts) = story.ok_or(Refused::NoPage)?;
    let answer = row.attempt.completion().and_then(|completion| completion.response.as_ref());
    let response = match answer {
        Some(answer) => Some(preview(store, visit, answer.payload).await?),
        None => None,
    };
    let source = preview(store, visit, row.attempt.source).await?;
    let (next, accepted_at) = (delivery.progress.next_due(), delivery.frozen.accepted_at);
    Ok(Details { row, attempts, next, accepted_at, source, response })
}

async fn preview<S: Payloads>(store: &S, visit: &Visit, payload: Payload) -> Result<Preview, Refused> {
    let bytes = bytes(store, visit, payload).await?;
    Ok(bytes.map_or(Preview::Gone, |bytes| Preview::of(&bytes)))
}
