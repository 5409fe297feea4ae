//! `/ready`: whether what comes now would be stored.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use crate::api::openapi::Unavailable;
use crate::api::problem::Problem;
use crate::api::{Api, response};
use loanhook_core::ports::Health;

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Ready)]
pub(in crate::api) struct ReadyView {
    status: &'static str,
}

/// Whether loanhook can store what comes now
///
/// It tries, once a second at most: in one process by a commit of its own, on AWS by a write to the table (each instance of the
/// function). 503 says why not, with `/problems/not-ready`.
#[utoipa::path(
    get, path = "/ready", operation_id = "getReady", tag = "reference", security(()),
    responses((status = 200, body = ReadyView, description = "it can"), Unavailable)
)]
pub(in crate::api) async fn get<S: Health + Send + Sync>(
    State(api): State<Api<S>>,
) -> Result<Response, Problem> {
    match api.store.readiness().await {
        Ok(()) => Ok(response::json(StatusCode::OK, &ReadyView { status: "ready" })),
        Err(reason) => Err(Problem::not_ready(reason)),
    }
}
