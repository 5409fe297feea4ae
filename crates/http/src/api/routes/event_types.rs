//! `/v1/event-types`: the catalogue of event types.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use crate::api::openapi::{Unauthorized, Unavailable};
use crate::api::problem::Problem;
use crate::api::request::caller::Caller;
use crate::api::schema::operational::OperationalName;
use crate::api::{Api, response};
use loanhook_core::model::catalogue;
use loanhook_core::model::operational::OperationalKind;
use loanhook_core::ports::Keys;

/// The names of events that are known; others are accepted all the same.
#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::api) struct EventTypes {
    items: Vec<EventType>,
    /// Operational events, which tell of loanhook itself: they are subscribed to by `criteria.operational`, and what they send without
    /// a template has the same facts under names such as `failuresInARow`.
    operational: Vec<OperationalEventType>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct EventType {
    event_name: &'static str,
    /// The variables of its context.
    #[schema(value_type = Vec<String>)]
    variables: &'static [String],
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct OperationalEventType {
    event_name: OperationalName,
    /// The variables that its templates and restrictions see.
    variables: Vec<String>,
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
    let operational = OperationalKind::ALL
        .into_iter()
        .map(|kind| OperationalEventType { event_name: kind.into(), variables: kind.variables() });
    let types = EventTypes { items: items.collect(), operational: operational.collect() };
    Ok(response::json(StatusCode::OK, &types))
}
