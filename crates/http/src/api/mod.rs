//! The API for programs: a router for each part of it, so that a Lambda function can serve one part alone.
//!
//! - `routes`: the handlers, in a file for each path; they use `request` to read and `response` to answer.
//! - `schema`: the JSON of requests and responses; `openapi`: the document, made from handlers and schemas.
//! - `export`: lists as CSV and NDJSON.
//! - `problem`: every error as the API answers it; `rejections`: requests that reach no handler.
//! - `direct_invocation`: resends without HTTP.

pub mod direct_invocation;
mod export;
pub mod openapi;
mod problem;
mod rejections;
mod request;
mod response;
mod routes;
mod schema;

pub use export::BoundedExports;
pub(crate) use export::{ExportFormat, MAX_ROWS_PER_PART, is_bounded};
pub use rejections::malformed_request;
pub(crate) use rejections::no_route;
pub(crate) use routes::deliveries::export_for_page;
pub(crate) use routes::reports::report_for_page;
pub(crate) use schema::event_draft::SAMPLE_NAME;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::{delete, get, post};
use axum::{Extension, Router};
use tracing::{Instrument, error_span};

use self::routes::{
    dead_letters, deliveries, egress, event, event_batch, event_explanation, event_types, events, formulas,
    health, jobs, keys, loan_events, loan_webhooks, openapi_json, portal_links, ready, reports, resend,
    subscription_changes, subscription_check, subscription_holds, subscriptions, templates, webhook_attempts,
    webhooks,
};
use crate::web::SiteSettings;
use crate::web::call_limits::CallLimits;
use loanhook_core::ports::{
    Attempts, ConnectionCheck, DeadLetters, Deliveries, DeliveryList, EgressAddresses, FlowControl,
    FormSender, FormulaErrorLog, Grants, Health, Intake, Jobs, Keys, Ledger, Payloads, Reports, Resends,
    Subscriptions,
};

/// The state of the handlers: the engine.
#[derive(Clone)]
struct Api<S> {
    store: S,
}

/// An engine whose clones share one store, as a router needs it.
pub trait SharedStore: Clone + Send + Sync + 'static {}

impl<S: Clone + Send + Sync + 'static> SharedStore for S {}

/// The routes by which events come in.
pub fn events<S: SharedStore + Intake + Subscriptions + Ledger + Keys + FormulaErrorLog>(store: S) -> Router {
    with_store(
        Router::new()
            .route("/v1/events", post(events::create::<S>))
            .route("/v1/events/batch", post(event_batch::create::<S>)),
        store,
    )
}

/// The routes of the history, of the ledger, of reports, of resends, and of reference data.
pub fn history<S>(store: S) -> Router
where
    S: SharedStore
        + Attempts
        + Deliveries
        + DeliveryList
        + EgressAddresses
        + FlowControl
        + Health
        + Keys
        + Ledger
        + Payloads
        + Reports
        + Resends
        + Subscriptions,
{
    with_store(
        Router::new()
            .route("/v1/loans/{loanId}/webhooks", get(loan_webhooks::list::<S>))
            .route("/v1/loans/{loanId}/webhooks/{id}", get(loan_webhooks::row::<S>))
            .route("/v1/loans/{loanId}/webhooks/{id}/source", get(loan_webhooks::source::<S>))
            .route("/v1/loans/{loanId}/webhooks/{id}/response", get(loan_webhooks::response::<S>))
            .route("/v1/loans/{loanId}/events", get(loan_events::list::<S>))
            .route("/v1/events/{eventId}", get(event::get::<S>))
            .route("/v1/events/{eventId}/context", get(event::context::<S>))
            .route("/v1/events/{eventId}/explain", get(event_explanation::explain::<S>))
            .route("/v1/webhooks", get(deliveries::list::<S>))
            .route("/v1/webhooks/{traceId}", get(webhooks::get::<S>))
            .route("/v1/webhooks/{traceId}/attempts/{id}", get(webhook_attempts::row::<S>))
            .route("/v1/webhooks/{traceId}/attempts/{id}/source", get(webhook_attempts::source::<S>))
            .route("/v1/webhooks/{traceId}/attempts/{id}/response", get(webhook_attempts::response::<S>))
            .route("/v1/webhooks/{traceId}/cancel", post(webhooks::cancel::<S>))
            .route("/v1/webhooks/{traceId}/resend", post(resend::resend::<S>))
            .route("/v1/webhook/retry/{traceId}/{attempt}", post(resend::retry::<S>))
            .route("/api/public/api/1/webhook/retry/{traceId}/{attempt}", post(resend::retry_at_loanpro::<S>))
            .route("/v1/reports/deliveries", get(reports::deliveries::<S>))
            .route("/v1/event-types", get(event_types::list::<S>))
            .route("/v1/egress", get(egress::get::<S>))
            .route("/openapi.json", get(openapi_json::get))
            .route("/health", get(health::get::<S>))
            .route("/ready", get(ready::get::<S>)),
        store,
    )
}

/// The routes of recovery jobs.
pub fn jobs<S: SharedStore + Jobs + DeliveryList + FlowControl + Ledger + Keys>(store: S) -> Router {
    use jobs::{cancels, resends};
    with_store(
        Router::new()
            .route("/v1/resends", get(resends::list::<S>).post(resends::create::<S>))
            .route("/v1/resends/{id}", get(resends::get::<S>).delete(resends::stop::<S>))
            .route("/v1/resends/{id}/items", get(resends::items::<S>))
            .route("/v1/cancels", get(cancels::list::<S>).post(cancels::create::<S>))
            .route("/v1/cancels/{id}", get(cancels::get::<S>).delete(cancels::stop::<S>))
            .route("/v1/cancels/{id}/items", get(cancels::items::<S>)),
        store,
    )
}

/// The routes of what could not be handled.
pub fn operation<S: SharedStore + DeadLetters + Keys>(store: S) -> Router {
    with_store(
        Router::new()
            .route("/v1/dead-letters", get(dead_letters::list::<S>))
            .route("/v1/dead-letters/redrive", post(dead_letters::redrive_all::<S>))
            .route("/v1/dead-letters/{id}", delete(dead_letters::delete::<S>))
            .route("/v1/dead-letters/{id}/redrive", post(dead_letters::redrive::<S>)),
        store,
    )
}

/// The route of portal links.
pub fn portal<S: SharedStore + Grants + Keys>(store: S, site: SiteSettings) -> Router {
    let router =
        Router::new().route("/v1/portal-links", post(portal_links::create::<S>)).layer(Extension(site));
    with_store(router, store)
}

/// The routes of subscriptions and keys, and of formulas and templates that are tried out.
pub fn subscriptions<S>(store: S) -> Router
where
    S: SharedStore + FlowControl + FormulaErrorLog + Intake + Keys + Ledger + Subscriptions,
{
    with_store(
        Router::new()
            .route("/v1/subscriptions", get(subscriptions::list::<S>).post(subscriptions::create::<S>))
            .route(
                "/v1/subscriptions/{id}",
                get(subscriptions::get::<S>)
                    .put(subscription_changes::replace::<S>)
                    .patch(subscription_changes::patch::<S>)
                    .delete(subscriptions::delete::<S>),
            )
            .route("/v1/subscriptions/{id}/rotate-secret", post(subscriptions::rotate_secret::<S>))
            .route("/v1/subscriptions/{id}/hold", post(subscription_holds::hold::<S>))
            .route("/v1/subscriptions/{id}/release", post(subscription_holds::release::<S>))
            .route("/v1/subscriptions/{id}/test", post(subscriptions::test::<S>))
            .route("/v1/formulas/evaluate", post(formulas::evaluate::<S>))
            .route("/v1/templates/render", post(templates::render::<S>))
            .route("/v1/keys", get(keys::list::<S>).post(keys::create::<S>))
            .route("/v1/keys/{id}", delete(keys::delete::<S>)),
        store,
    )
}

/// What checks the connections of subscriptions. Clones share their connections.
pub trait CheckingSender: ConnectionCheck + FormSender + SharedStore {}

impl<C: ConnectionCheck + FormSender + SharedStore> CheckingSender for C {}

/// The route by which the connection of a subscription is checked, with what connects.
pub fn subscription_check<S, C>(store: S, sender: C) -> Router
where
    S: SharedStore + Keys + Subscriptions,
    C: CheckingSender,
{
    let router = Router::new()
        .route("/v1/subscriptions/{id}/check", post(subscription_check::check::<S, C>))
        .layer(Extension(sender));
    with_store(router, store)
}

/// The router with its engine. A method that a path does not have is answered with a problem.
fn with_store<S: SharedStore>(router: Router<Api<S>>, store: S) -> Router {
    router.method_not_allowed_fallback(rejections::method_not_allowed).with_state(Api { store })
}

/// The middleware around all routes: problems of unknown paths and of panics, the rejection of unreadable requests, the
/// span of the request for the log, and the limits of callers, one set for all routes.
pub fn with_middleware(router: Router) -> Router {
    let panics = tower_http::catch_panic::CatchPanicLayer::custom(rejections::panicked);
    router
        .fallback(|| async { no_route() })
        .layer(Extension(CallLimits::default()))
        .layer(axum::middleware::from_fn(rejections::reject_unreadable))
        .layer(panics)
        .layer(axum::middleware::from_fn(in_request_span))
}

async fn in_request_span(request: Request, next: Next) -> Response {
    let span = error_span!("request", method = %request.method(), path = request.uri().path());
    next.run(request).instrument(span).await
}
