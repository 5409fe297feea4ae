//! Downloads of the source payload and the response payload of a row.

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::HeaderMap;

use super::error_page::ErrorPage;
use super::fetch_metadata::is_page_or_script;
use super::page_request::PageRequest;
use super::{PageStore, Pages};
use crate::web::download::download;
use loanhook_core::model::payload::Payload;
use loanhook_core::ports;

/// Downloads the source payload.
pub(super) async fn source<S: PageStore>(
    State(pages): State<Pages<S>>,
    request: PageRequest,
    headers: HeaderMap,
) -> Result<Response, ErrorPage> {
    check_destination(&headers)?;
    let row = request.row(&pages.store).await?.attempt;
    let bytes = stored_payload(&pages.store, &request, row.source).await?.ok_or(ErrorPage::NotFound)?;
    Ok(download(bytes, row.content_type.as_deref(), &format!("source-{}", row.id)))
}

/// Downloads the response payload.
pub(super) async fn response<S: PageStore>(
    State(pages): State<Pages<S>>,
    request: PageRequest,
    headers: HeaderMap,
) -> Result<Response, ErrorPage> {
    check_destination(&headers)?;
    let row = request.row(&pages.store).await?.attempt;
    let received =
        row.completion().and_then(|completion| completion.response.as_ref()).ok_or(ErrorPage::NotFound)?;
    let bytes = stored_payload(&pages.store, &request, received.payload).await?.ok_or(ErrorPage::NotFound)?;
    Ok(download(bytes, received.content_type.as_deref(), &format!("response-{}", row.id)))
}

/// Refuses a payload to a page that would load it as a script, style or image.
pub(super) fn check_destination(headers: &HeaderMap) -> Result<(), ErrorPage> {
    if is_page_or_script(headers) { Ok(()) } else { Err(ErrorPage::NotFound) }
}

/// The bytes of a payload; none where they are not kept any more.
pub(super) async fn stored_payload<S: ports::Payloads>(
    store: &S,
    request: &PageRequest,
    payload: Payload,
) -> Result<Option<Bytes>, ErrorPage> {
    match payload.key {
        Some(key) => Ok(store.payload(&request.grant.tenant, key).await?),
        None => Ok(Some(Bytes::new())),
    }
}
