//! `/v1/egress`: the addresses that webhooks come from.

use std::net::IpAddr;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use crate::api::openapi::{Unauthorized, Unavailable};
use crate::api::problem::Problem;
use crate::api::request::caller::Caller;
use crate::api::{Api, response};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{EgressAddresses, Keys};

/// Where requests come from.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Egress)]
pub(in crate::api) struct EgressView {
    #[schema(value_type = Vec<String>)]
    addresses: Vec<IpAddr>,
    /// They will not change; else these are the ones seen of late.
    #[serde(rename = "static")]
    fixed: bool,
}

/// List the addresses requests come from
///
/// So that receivers can allow them. Any key may ask.
#[utoipa::path(
    get, path = "/v1/egress", operation_id = "getEgress", tag = "reference",
    responses((status = 200, body = EgressView, description = "the addresses"), Unauthorized, Unavailable)
)]
pub(in crate::api) async fn get<S: EgressAddresses + Keys + Send + Sync>(
    State(api): State<Api<S>>,
    _: Caller,
) -> Result<Response, Problem> {
    let egress = api.store.egress(Timestamp::now()).await?;
    Ok(response::json(StatusCode::OK, &EgressView { addresses: egress.addresses, fixed: egress.fixed }))
}
