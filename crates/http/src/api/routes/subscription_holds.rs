//! `/v1/subscriptions/{id}/hold` and `/release`: a subscription is held by hand, and released.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::api::openapi::{Denied, Invalid, NotFound, Unavailable};
use crate::api::problem::Problem;
use crate::api::request::caller::Caller;
use crate::api::request::path::PathParameters;
use crate::api::schema::id;
use crate::api::schema::subscription_view::SubscriptionView;
use crate::api::{Api, response};
use loanhook_core::holds::{self, ShownHold};
use loanhook_core::log;
use loanhook_core::model::key::Scope;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{FlowControl, Keys, Subscriptions};

/// Hold a subscription
///
/// Its deliveries wait until it is released: nothing is lost, no attempt is used up, and what is under way ends. Events are
/// taken in as before. A resend goes through a hold. May be repeated: a hold by hand stays as it is, an automatic one
/// becomes one by hand.
#[utoipa::path(
    post, path = "/v1/subscriptions/{id}/hold", operation_id = "holdSubscription", tag = "subscriptions",
    params(("id" = id::SubscriptionId, Path)),
    responses(
        (status = 200, body = SubscriptionView, description = "the subscription", headers(("ETag" = String, description = "its version, in quotes"))),
        Denied, NotFound, Invalid, Unavailable,
    )
)]
pub(in crate::api) async fn hold<S: FlowControl + Subscriptions + Keys + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    path: PathParameters,
) -> Result<Response, Problem> {
    let tenant = caller.require(Scope::SubscriptionsWrite)?;
    let id = path.id("id", "subscription")?;
    let (key, _) = caller.key();
    let (subscription, hold) = holds::hold(&api.store, tenant, id, &key.name, Timestamp::now()).await?;
    log::change("subscription.held", key, tenant, &id);
    Ok(shown(&subscription, hold, &caller))
}

/// Release a subscription
///
/// Ends its hold, by hand or automatic: what waited leaves, the oldest first, 4 in the first second and at most twice as many
/// in each that follows. May be repeated.
#[utoipa::path(
    post, path = "/v1/subscriptions/{id}/release", operation_id = "releaseSubscription", tag = "subscriptions",
    params(("id" = id::SubscriptionId, Path)),
    responses(
        (status = 200, body = SubscriptionView, description = "the subscription", headers(("ETag" = String, description = "its version, in quotes"))),
        Denied, NotFound, Invalid, Unavailable,
    )
)]
pub(in crate::api) async fn release<S: FlowControl + Subscriptions + Keys + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    path: PathParameters,
) -> Result<Response, Problem> {
    let tenant = caller.require(Scope::SubscriptionsWrite)?;
    let id = path.id("id", "subscription")?;
    let (subscription, hold) = holds::release(&api.store, tenant, id, Timestamp::now()).await?;
    log::change("subscription.released", caller.key().0, tenant, &id);
    Ok(shown(&subscription, hold, &caller))
}

fn shown(subscription: &Subscription, hold: Option<ShownHold>, caller: &Caller) -> Response {
    let view = SubscriptionView::new(subscription, hold, caller);
    response::versioned(subscription.version, response::json(StatusCode::OK, &view))
}
