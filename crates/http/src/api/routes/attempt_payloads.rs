//! Payloads of an attempt, as downloads: what was sent, and what came back.

use axum::response::Response;
use bytes::Bytes;

use crate::api::problem::Problem;
use crate::web::download::download;
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::payload::Payload;
use loanhook_core::ports::Payloads;

pub(super) async fn source<S: Payloads>(store: &S, attempt: &Attempt) -> Result<Response, Problem> {
    let bytes = stored_payload(store, &attempt.tenant, attempt.source).await?;
    Ok(download(bytes, attempt.content_type.as_deref(), &format!("source-{}", attempt.id)))
}

pub(super) async fn response<S: Payloads>(store: &S, attempt: &Attempt) -> Result<Response, Problem> {
    let received = attempt.completion().and_then(|completion| completion.response.as_ref());
    let received =
        received.ok_or_else(|| Problem::not_found("response: nothing came back to this attempt,"))?;
    let bytes = stored_payload(store, &attempt.tenant, received.payload).await?;
    Ok(download(bytes, received.content_type.as_deref(), &format!("response-{}", attempt.id)))
}

async fn stored_payload<S: Payloads>(
    store: &S,
    tenant: &TenantId,
    payload: Payload,
) -> Result<Bytes, Problem> {
    let Some(key) = payload.key else { return Ok(Bytes::new()) };
    store.payload(tenant, key).await?.ok_or_else(|| Problem::not_found("payload: it is not kept any more,"))
}
