//! What is known of the whole: event types, where requests come from, the API itself.

use std::net::IpAddr;
use std::sync::LazyLock;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;

use super::auth::Caller;
use super::openapi::{Unauthorized, Unavailable};
use super::problem::Problem;
use super::{Api, body, openapi};
use loanhook_core::model::catalogue;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{EgressAddresses, Health, Keys};

static DOCUMENT: LazyLock<String> = LazyLock::new(openapi::document);

/// The names of events that are known; others are accepted all the same.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct EventTypes {
    items: Vec<EventType>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct EventType {
    event_name: &'static str,
    /// The variables of its context.
    #[schema(value_type = Vec<String>)]
    variables: &'static [String],
}

/// Where requests come from.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Egress)]
pub(super) struct EgressView {
    #[schema(value_type = Vec<String>)]
    addresses: Vec<IpAddr>,
    /// They will not change; else these are the ones seen of late.
    #[serde(rename = "static")]
    fixed: bool,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Health)]
pub(super) struct HealthView {
    status: &'static str,
    version: &'static str,
}

/// List event types
///
/// Any key may ask.
#[utoipa::path(
    get, path = "/v1/event-types", operation_id = "listEventTypes", tag = "reference",
    responses((status = 200, body = EventTypes, description = "the event types"), Unauthorized, Unavailable)
)]
pub(super) async fn event_types<S: Keys + Send + Sync>(
    State(_): State<Api<S>>,
    _: Caller,
) -> Result<Response, Problem> {
    let items = catalogue::TYPES
        .iter()
        .map(|known| EventType { event_name: &known.event_name, variables: &known.variables });
    Ok(body::json(StatusCode::OK, &EventTypes { items: items.collect() }))
}

/// List the addresses requests come from
///
/// So that receivers can allow them. Any key may ask.
#[utoipa::path(
    get, path = "/v1/egress", operation_id = "getEgress", tag = "reference",
    responses((status = 200, body = EgressView, description = "the addresses"), Unauthorized, Unavailable)
)]
pub(super) async fn egress<S: EgressAddresses + Keys + Send + Sync>(
    State(api): State<Api<S>>,
    _: Caller,
) -> Result<Response, Problem> {
    let egress = api.store.egress(Timestamp::now()).await?;
    Ok(body::json(StatusCode::OK, &EgressView { addresses: egress.addresses, fixed: egress.fixed }))
}

/// Whether loanhook is up
///
/// 503 while it cannot store anything.
#[utoipa::path(
    get, path = "/health", operation_id = "getHealth", tag = "reference", security(()),
    responses((status = 200, body = HealthView, description = "it is up"), Unavailable)
)]
pub(super) async fn health<S: Health + Send + Sync>(State(api): State<Api<S>>) -> Result<Response, Problem> {
    if !api.store.is_healthy().await {
        return Err(Problem::unavailable());
    }
    Ok(body::json(StatusCode::OK, &HealthView { status: "ok", version: env!("CARGO_PKG_VERSION") }))
}

/// This document
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "getOpenApi", tag = "reference", security(()),
    responses((status = 200, body = Object, description = "this document", content_type = "application/json"))
)]
pub(super) async fn openapi() -> Response {
    (body::JSON, DOCUMENT.as_str()).into_response()
}
