//! `/v1/event-types`: the catalogue of event types.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use crate::api::openapi::{Unauthorized, Unavailable};
use crate::api::problem::Problem;
use crate::api::request::caller::Caller;
use crate::api::{Api, response};
use loanhook_core::model::catalogue;
use loanhook_core::ports::Keys;

/// The names of events that are known; others are accepted all the same.
#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::api) struct EventTypes {
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

/// List event types
///
/// Any key may ask.
#[utoipa::path(
    get, path = "/v1/event-types", operation_id = "listEventTypes", tag = "reference",
    responses((status = 200, body = EventTypes, description = "the event types"), Unauthorized, Unavailable)
)]
pub(in crate::api) async fn list<S: Keys + Send + Sync>(
    State(_): State<Api<S>>,
    _: Caller,
) -> Result<Response, Problem> {
    let items = catalogue::TYPES
        .iter()
        .map(|known| EventType { event_name: &known.event_name, variables: &known.variables });
    Ok(response::json(StatusCode::OK, &EventTypes { items: items.collect() }))
}
