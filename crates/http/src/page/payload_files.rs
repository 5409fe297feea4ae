//! The payloads of a row, as files to save.

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::HeaderMap;

use super::error_page::Refused;
use super::fetch_metadata::is_looked_at;
use super::page_request::Visit;
use super::{Pages, Store};
use crate::web::download::download;
use loanhook_core::model::payload::Payload;
use loanhook_core::ports;

/// The bytes sent.
pub(super) async fn source<S: Store>(
    State(pages): State<Pages<S>>,
    visit: Visit,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    saved(&headers)?;
    let row = visit.row(&pages.store).await?.attempt;
    let bytes = bytes(&pages.store, &visit, row.source).await?.ok_or(Refused::NoPage)?;
    Ok(download(bytes, row.content_type.as_deref(), &format!("source-{}", row.id)))
}

/// The bytes that came back.
pub(super) async fn response<S: Store>(
    State(pages): State<Pages<S>>,
    visit: Visit,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    saved(&headers)?;
    let row = visit.row(&pages.store).await?.attempt;
    let answer =
        row.completion().and_then(|completion| completion.response.as_ref()).ok_or(Refused::NoPage)?;
    let bytes = bytes(&pages.store, &visit, answer.payload).await?.ok_or(Refused::NoPage)?;
    Ok(download(bytes, answer.content_type.as_deref(), &format!("response-{}", row.id)))
}

/// A payload is saved, and is never a part of a page: not its script, style or picture.
fn saved(headers: &HeaderMap) -> Result<(), Refused> {
    if is_looked_at(headers) { Ok(()) } else { Err(Refused::NoPage) }
}

/// None where they are not kept any more.
pub(super) async fn bytes<S: ports::Payloads>(
    store: &S,
    visit: &Visit,
    payload: Payload,
) -> Result<Option<Bytes>, Refused> {
    match payload.key {
        Some(key) => Ok(store.payload(&visit.grant.tenant, key).await?),
        None => Ok(Some(Bytes::new())),
    }
}
