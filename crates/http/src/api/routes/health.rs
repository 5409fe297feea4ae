//! `/health`: whether loanhook can store anything.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use crate::api::openapi::Unavailable;
use crate::api::problem::Problem;
use crate::api::{Api, response};
use loanhook_core::ports::Health;

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Health)]
pub(in crate::api) struct HealthView {
    status: &'static str,
    version: &'static str,
}

/// Whether loanhook is up
///
/// 503 while it cannot store anything.
#[utoipa::path(
    get, path = "/health", operation_id = "getHealth", tag = "reference", security(()),
    responses((status = 200, body = HealthView, description = "it is up"), Unavailable)
)]
pub(in crate::api) async fn get<S: Health + Send + Sync>(
    State(api): State<Api<S>>,
) -> Result<Response, Problem> {
    if !api.store.is_healthy().await {
        return Err(Problem::unavailable());
    }
    Ok(response::json(StatusCode::OK, &HealthView { status: "ok", version: env!("CARGO_PKG_VERSION") }))
}
