//! `/v1/subscriptions/{id}/check`: whether a request of a subscription could leave.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::api::openapi::{Denied, Invalid, NotFound, Unavailable};
use crate::api::problem::Problem;
use crate::api::request::caller::Caller;
use crate::api::request::path::PathParameters;
use crate::api::schema::check::CheckView;
use crate::api::schema::id;
use crate::api::{Api, CheckingSender, response};
use loanhook_core::check as use_case;
use loanhook_core::model::key::Scope;
use loanhook_core::ports::{Keys, Subscriptions};

/// Check the connection of a subscription
///
/// Goes the way of a request up to a secured connection, and fetches a token where the subscription has OAuth: no event, no
/// request, nothing is stored. What failed is said step by step, with 200 all the same.
#[utoipa::path(
    post, path = "/v1/subscriptions/{id}/check", operation_id = "checkSubscription", tag = "subscriptions",
    params(("id" = id::SubscriptionId, Path)),
    responses(
        (status = 200, body = CheckView, description = "how each step went"),
        Denied, NotFound, Invalid, Unavailable,
    )
)]
pub(in crate::api) async fn check<S: Subscriptions + Keys + Send + Sync, C: CheckingSender>(
    State(api): State<Api<S>>,
    Extension(sender): Extension<C>,
    caller: Caller,
    path: PathParameters,
) -> Result<Response, Problem> {
    let tenant = caller.require(Scope::SubscriptionsWrite)?;
    let id = path.id("id", "subscription")?;
    // Boxed: connections nest deeply.
    let checked = Box::pin(use_case::check(&api.store, &sender, tenant, id)).await?;
    let steps = checked.ok_or_else(|| Problem::not_found("subscription"))?;
    Ok(response::json(StatusCode::OK, &CheckView::from(steps)))
}
