//! The details of a row: the attempts of its delivery, and previews of its payloads.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use tracing::warn;

use super::error_page::ErrorPage;
use super::page_parameters::PageParameters;
use super::page_request::PageRequest;
use super::payload_files::stored_payload;
use super::preview::Preview;
use super::used_credentials::{self, UsedCredentials};
use super::view::{self, attempt_details};
use super::{PageStore, Pages};
use loanhook_core::current_address::address_by;
use loanhook_core::history::{self, DeliveryAttempts};
use loanhook_core::holds::waiting_of;
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::flow::Waiting;
use loanhook_core::model::id::EventId;
use loanhook_core::model::payload::Payload;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{AttemptRange, HistoryRow, Payloads};

/// How many attempts of the delivery are read.
const MAX_ATTEMPTS_READ: usize = 50;

/// All that the details of an open row show.
pub(super) struct AttemptDetails {
    pub(super) row: HistoryRow,
    /// The newest attempts of its delivery, the oldest of them first.
    pub(super) attempts: Vec<Attempt>,
    /// The delivery has older attempts than these.
    pub(super) has_older: bool,
    /// How often the delivery was manually resent.
    pub(super) resends: u32,
    /// The time at which the next automatic attempt is due.
    pub(super) next_due: Option<Timestamp>,
    /// Why that attempt waits although it is due.
    pub(super) waiting: Option<Waiting>,
    pub(super) accepted_at: Timestamp,
    pub(super) event_id: EventId,
    pub(super) credentials: Option<UsedCredentials>,
    /// The URL that the delivery was first sent to.
    pub(super) original_url: String,
    /// Where its webhook sends now, where that is another URL and the viewer may resend.
    pub(super) current: Option<CurrentUrl>,
    pub(super) source: Preview,
    pub(super) response: Option<Preview>,
}

/// The URL that the webhook of a delivery has now.
pub(super) struct CurrentUrl {
    pub(super) url: String,
    /// The version of the webhook that has it.
    pub(super) version: u64,
}

/// The details of one row as a part of a page, for the script.
pub(super) async fn show<S: PageStore>(
    State(pages): State<Pages<S>>,
    request: PageRequest,
    parts: Parts,
) -> Result<Response, ErrorPage> {
    let row = request.row(&pages.store).await?;
    let details = read_details(&pages.store, &request, row).await?;
    Ok(view::fragment(attempt_details::show(&details, &request, &PageParameters::read(parts.uri.query())))
        .into_response())
}

pub(super) async fn read_details<S: PageStore>(
    store: &S,
    request: &PageRequest,
    row: HistoryRow,
) -> Result<AttemptDetails, ErrorPage> {
    let now = Timestamp::now();
    let newest = AttemptRange::NewestFirst { before: None };
    let found = history::delivery_attempts(
        store,
        &request.grant.tenant,
        row.attempt.trace_id,
        newest,
        MAX_ATTEMPTS_READ,
        now,
    )
    .await?;
    let DeliveryAttempts { delivery, mut attempts, more: has_older } = found.ok_or(ErrorPage::NotFound)?;
    attempts.reverse();
    let waiting = waiting_of(store, &delivery, now).await?;
    let received = row.attempt.completion().and_then(|completion| completion.response.as_ref());
    let response = match received {
        Some(received) => Some(read_preview(store, request, received.payload).await?),
        None => None,
    };
    let source = read_preview(store, request, row.attempt.source).await?;
    let (next_due, accepted_at) = (delivery.progress.next_due(), delivery.snapshot.accepted_at);
    let event_id = delivery.snapshot.event_id;
    let credentials = used_credentials::of_row(store, &row, &delivery).await;
    let resends = delivery.history.resends;
    let current = if request.may_resend() { other_current_url(store, &delivery).await } else { None };
    Ok(AttemptDetails {
        row,
        attempts,
        has_older,
        resends,
        next_due,
        waiting,
        accepted_at,
        event_id,
        credentials,
        original_url: delivery.snapshot.request.url,
        current,
        source,
        response,
    })
}

/// The URL that a delivery's webhook has now, where that is another than the delivery's own. Where it cannot be known, none is
/// offered: the page shows the row all the same.
async fn other_current_url<S: PageStore>(store: &S, delivery: &Delivery) -> Option<CurrentUrl> {
    let snapshot = &delivery.snapshot;
    if snapshot.request.unrenderable.is_some() {
        return None;
    }
    let found = store.subscription(&snapshot.tenant, snapshot.subscription_id).await;
    let address = match found {
        // A webhook that was not edited has the URL that it had: of most rows no event is read.
        Ok(None) => return None,
        Ok(Some(now)) if now.version == snapshot.subscription_version => return None,
        Ok(Some(now)) => address_by(store, delivery, &now).await.map(|address| (address, now.version)),
        Err(failure) => Err(failure),
    };
    match address {
        Ok((address, version)) => {
            let url = address.ok().map(|address| address.url).filter(|url| *url != snapshot.request.url)?;
            Some(CurrentUrl { url, version })
        }
        Err(failure) => {
            warn!(trace_id = %snapshot.trace_id, %failure, "page.current_address_unknown");
            None
        }
    }
}

async fn read_preview<S: Payloads>(
    store: &S,
    request: &PageRequest,
    payload: Payload,
) -> Result<Preview, ErrorPage> {
    let bytes = stored_payload(store, request, payload).await?;
    Ok(bytes.map_or(Preview::NotKept, |bytes| Preview::of(&bytes)))
}
