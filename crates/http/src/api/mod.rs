//! The HTTP face: a router for each part, so that a function can serve one of them alone.
//!
//! Handlers read a request, ask a use case and show its answer. Every error is a problem document
//! (`problem`), every answer is described by the OpenAPI document, which is made from the handlers
//! (`openapi`).

pub mod direct_invocation;
pub mod openapi;
mod problem;
mod rejections;
mod request;
mod response;
mod routes;
mod schema;

pub use rejections::malformed_request;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{delete, get, post};
use axum::{Extension, Router};
use http::{Method, header};
use tracing::{Instrument, error_span};

use self::routes::{
    egress, event_batch, event_types, events, formulas, health, keys, loan_webhooks, openapi_json,
    portal_links, resend, subscriptions, templates, webhooks,
};
use crate::web::call_limits::CallLimits;
use crate::web::{self, SiteSettings};
use loanhook_core::ports::{
    Attempts, Deliveries, EgressAddresses, FormulaErrorLog, Grants, Health, Intake, Keys, Payloads, Resends,
    Subscriptions,
};

/// What the handlers share: the engine.
#[derive(Clone)]
struct Api<S> {
    store: S,
}

/// A store that a router can be built on.
pub trait SharedStore: Clone + Send + Sync + 'static {}

impl<S: Clone + Send + Sync + 'static> SharedStore for S {}

/// Events in.
pub fn events<S: SharedStore + Intake + Subscriptions + Keys + FormulaErrorLog>(store: S) -> Router {
    with_store(
        Router::new()
            .route("/v1/events", post(events::create::<S>))
            .route("/v1/events/batch", post(event_batch::create::<S>)),
        store,
    )
}

/// The history of loans, resends, and what is known of the whole.
pub fn history<S>(store: S) -> Router
where
    S: SharedStore + Attempts + Deliveries + EgressAddresses + Health + Keys + Payloads + Resends,
{
    with_store(
        Router::new()
            .route("/v1/loans/{loanId}/webhooks", get(loan_webhooks::list::<S>))
            .route("/v1/loans/{loanId}/webhooks/{id}", get(loan_webhooks::row::<S>))
            .route("/v1/loans/{loanId}/webhooks/{id}/source", get(loan_webhooks::source::<S>))
            .route("/v1/loans/{loanId}/webhooks/{id}/response", get(loan_webhooks::response::<S>))
            .route("/v1/webhooks/{traceId}", get(webhooks::get::<S>))
            .route("/v1/webhooks/{traceId}/cancel", post(webhooks::cancel::<S>))
            .route("/v1/webhooks/{traceId}/resend", post(resend::resend::<S>))
            .route("/v1/webhook/retry/{traceId}/{attempt}", post(resend::retry::<S>))
            .route("/api/public/api/1/webhook/retry/{traceId}/{attempt}", post(resend::retry_at_loanpro::<S>))
            .route("/v1/event-types", get(event_types::list::<S>))
            .route("/v1/egress", get(egress::get::<S>))
            .route("/openapi.json", get(openapi_json::get))
            .route("/health", get(health::get::<S>)),
        store,
    )
}

/// Links to the pages of loans.
pub fn portal<S: SharedStore + Grants + Keys>(store: S, site: SiteSettings) -> Router {
    let router =
        Router::new().route("/v1/portal-links", post(portal_links::create::<S>)).layer(Extension(site));
    with_store(router, store)
}

/// Subscriptions and keys.
pub fn subscriptions<S: SharedStore + Intake + Subscriptions + Keys + FormulaErrorLog>(store: S) -> Router {
    with_store(
        Router::new()
            .route("/v1/subscriptions", get(subscriptions::list::<S>).post(subscriptions::create::<S>))
            .route(
                "/v1/subscriptions/{id}",
                get(subscriptions::get::<S>)
                    .put(subscriptions::replace::<S>)
                    .delete(subscriptions::delete::<S>),
            )
            .route("/v1/subscriptions/{id}/rotate-secret", post(subscriptions::rotate_secret::<S>))
            .route("/v1/subscriptions/{id}/test", post(subscriptions::test::<S>))
            .route("/v1/formulas/evaluate", post(formulas::evaluate::<S>))
            .route("/v1/templates/render", post(templates::render::<S>))
            .route("/v1/keys", get(keys::list::<S>).post(keys::create::<S>))
            .route("/v1/keys/{id}", delete(keys::delete::<S>)),
        store,
    )
}

/// A router by itself or merged with others: what no route answers is a problem document too.
fn with_store<S: SharedStore>(router: Router<Api<S>>, store: S) -> Router {
    router.method_not_allowed_fallback(rejections::method_not_allowed).with_state(Api { store })
}

/// Answers what no route does, and what a handler's panic leaves unanswered; refuses what no handler could read;
/// what is logged on the way says of which request. What limits callers is made here: one for all that is routed.
pub fn with_middleware(router: Router) -> Router {
    let panics = tower_http::catch_panic::CatchPanicLayer::custom(rejections::panicked);
    router
        .fallback(no_route)
        .layer(Extension(CallLimits::default()))
        .layer(axum::middleware::from_fn(rejections::reject_unreadable))
        .layer(panics)
        .layer(axum::middleware::from_fn(in_request_span))
}

/// Who comes to no path at all with a browser looks for the pages.
async fn no_route(request: Request) -> Response {
    let accepted = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let is_browser = accepted.is_some_and(|accepted| accepted.contains("text/html"));
    if request.method() == Method::GET && request.uri().path() == "/" && is_browser {
        return Redirect::to(web::SIGN_IN_PATH).into_response();
    }
    rejections::no_route().into_response()
}

async fn in_request_span(request: Request, next: Next) -> Response {
    let span = error_span!("request", method = %request.method(), path = request.uri().path());
    next.run(request).instrument(span).await
}
