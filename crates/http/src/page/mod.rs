//! The pages for people: the webhooks and the events of a loan, the pages of all loans, and signing in to see them.
//!
//! Pages are HTML from the server and complete without JavaScript: a row opens by a link, filters and resends are forms,
//! and one small script of ours makes them more convenient. What a receiver or an event says is shown as text
//! (`preview`), under a content security policy by which only that script runs (`headers`).
//!
//! - A portal link opens a session for one loan; a sign-in, with a key or at the OpenID provider (`oidc`), opens one for all loans of
//!   the tenant, and with it the pages of all loans: `overview`, `delivery_list`, `subscription_list` and `search`; `subscription_holds` answers the forms of the list of webhooks.
//! - `sign_in` and `sign_out` begin and end sessions, whose tokens are in `session_cookies`; `page_request` is a request for a page of
//!   a loan with a valid session, `tenant_request` one for a page of all loans; `csrf_token` and `fetch_metadata` tell our own forms from those of other sites, `once` those that were sent before.
//! - `webhook_list`, `attempt_details`, `payload_files`, `resend`, `bulk_resend` and `event_list` answer requests; `view` makes
//!   the HTML.
//! - `bulk_resend` is of a loan or of all (`bulk_scope`), and so is the page of its `job`; `job_list` has those of all, bulk cancels
//!   too. What is taken from the API is the export of deliveries, and of the report (`report_file`).
//! - `subscription_versions` has the versions of a webhook and what changed between them, `key_list` and `key_revocation` the API keys.
//! - Two routers: `settings_router` has the pages that change settings, and `router` all others, so that on AWS a function of other
//!   permissions serves each.
//! - A page reads one page of rows or events; the delivery and the payloads of a row, and why subscriptions decided about an
//!   event as they did, are read when it is opened.

mod assets;
mod attempt_details;
mod bulk_filter;
mod bulk_resend;
mod bulk_scope;
mod csrf_token;
mod delivery_list;
mod delivery_parameters;
mod error_page;
mod event_list;
mod event_parameters;
mod fetch_metadata;
mod form;
mod headers;
mod job;
mod job_list;
mod key_list;
mod key_revocation;
mod links;
mod next_page;
mod oidc;
mod once;
mod open_event;
mod overview;
mod page_parameters;
mod page_request;
mod payload_files;
mod preview;
mod report_file;
mod resend;
mod same_origin_form;
mod search;
mod session_cookies;
mod sign_in;
mod sign_out;
mod subscription_holds;
mod subscription_list;
mod subscription_versions;
mod tenant_request;
mod used_credentials;
mod view;
mod webhook_deletion;
mod webhook_form;
mod webhook_list;
mod webhook_page;

use axum::middleware::from_fn_with_state;
use axum::routing::{any, get, post};
use axum::{Extension, Router};

use self::page_request::PageRequest;
use self::tenant_request::{
    DELIVERIES_PATH, JOBS_PATH, KEYS_PATH, NEW_PATH, OVERVIEW_PATH, REPORT_PATH, SEARCH_PATH, TenantRequest,
    WEBHOOKS_PATH,
};
use crate::api::{CheckingSender, SharedStore};
use crate::web::{PORTAL_PATH, SIGN_IN_PATH, SiteSettings};
use loanhook_core::ports::{
    DeliveryList, FlowControl, FormulaErrorLog, Grants, Intake, Jobs, Keys, Ledger, Payloads, Reports,
    Subscriptions,
};
use loanhook_core::resend::ResendStore;

/// The ports that the pages use.
pub trait PageStore:
    ResendStore + DeliveryList + FlowControl + Grants + Jobs + Keys + Reports + Clone + Send + Sync + 'static
{
}

impl<S> PageStore for S where
    S: ResendStore
        + DeliveryList
        + FlowControl
        + Grants
        + Jobs
        + Keys
        + Reports
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// The ports that the pages use that change settings.
pub trait SettingsStore:
    FlowControl
    + FormulaErrorLog
    + Grants
    + Intake
    + Keys
    + Ledger
    + Payloads
    + Reports
    + SharedStore
    + Subscriptions
{
}

impl<S> SettingsStore for S where
    S: FlowControl
        + FormulaErrorLog
        + Grants
        + Intake
        + Keys
        + Ledger
        + Payloads
        + Reports
        + SharedStore
        + Subscriptions
{
}

/// The state of the handlers.
#[derive(Clone)]
struct Pages<S> {
    store: S,
    site: SiteSettings,
}

/// The router of the pages that change settings, with what connects for the check of a webhook. It has everything below
/// `/subscriptions/`, but not that list itself, and the pages of API keys.
pub fn settings_router<S: SettingsStore, C: CheckingSender>(
    store: S,
    sender: C,
    site: SiteSettings,
) -> Router {
    let pages = Pages { store, site };
    Router::new()
        .route(NEW_PATH, get(webhook_form::show_new::<S>).post(webhook_form::create::<S>))
        .route("/subscriptions/{id}", get(webhook_page::show::<S>))
        .route("/subscriptions/{id}/edit", get(webhook_form::show::<S>).post(webhook_form::change::<S>))
        .route(
            "/subscriptions/{id}/delete",
            get(webhook_deletion::ask::<S>).post(webhook_deletion::delete::<S>),
        )
        .route("/subscriptions/{id}/test", post(webhook_page::test::<S>))
        .route("/subscriptions/{id}/rotate-secret", post(webhook_page::rotate_secret::<S>))
        .route("/subscriptions/{id}/check", post(webhook_page::check::<S, C>))
        .route("/subscriptions/{id}/hold", post(subscription_holds::hold::<S>))
        .route("/subscriptions/{id}/release", post(subscription_holds::release::<S>))
        .route("/subscriptions/{id}/versions", get(subscription_versions::show::<S>))
        .route("/subscriptions/{id}/{*rest}", any(error_page::not_found))
        .route(KEYS_PATH, get(key_list::show::<S>).post(key_list::create::<S>))
        .route("/keys/new", get(key_list::ask))
        .route("/keys/{id}/revoke", get(key_revocation::ask::<S>).post(key_revocation::revoke::<S>))
        .route("/keys/{id}", any(error_page::not_found))
        .route("/keys/{id}/{*rest}", any(error_page::not_found))
        .method_not_allowed_fallback(error_page::method_not_allowed)
        .layer(Extension(sender))
        .layer(from_fn_with_state(pages.site.frame_ancestors.clone(), headers::add_security_headers))
        .with_state(pages)
}

/// The router of all other pages and of their assets.
pub fn router<S: PageStore>(store: S, site: SiteSettings) -> Router {
    let pages = Pages { store, site };
    let router = Router::new();
    #[cfg(debug_assertions)]
    let router = router.route("/styleguide", get(|| async { view::styleguide::page() }));
    router
        .route("/loans/{loanId}/webhooks", get(webhook_list::show::<S>))
        .route("/loans/{loanId}/webhooks/{id}/details", get(attempt_details::show::<S>))
        .route("/loans/{loanId}/webhooks/{id}/source", get(payload_files::source::<S>))
        .route("/loans/{loanId}/webhooks/{id}/response", get(payload_files::response::<S>))
        .route("/loans/{loanId}/webhooks/{id}/resend", post(resend::resend::<S>))
        .route(
            "/loans/{loanId}/webhooks/resend-all",
            get(bulk_resend::ask::<S, PageRequest>).post(bulk_resend::begin::<S, PageRequest>),
        )
        .route("/loans/{loanId}/resends/{id}", get(job::show::<S, PageRequest>))
        .route("/loans/{loanId}/resends/{id}/stop", post(job::stop::<S, PageRequest>))
        .route("/loans/{loanId}/events", get(event_list::show::<S>))
        .route("/loans/{loanId}/events/{id}/context", get(event_list::context::<S>))
        .route("/loans/{loanId}", any(error_page::not_found))
        .route("/loans/{loanId}/{*rest}", any(error_page::not_found))
        .route(OVERVIEW_PATH, get(overview::show::<S>))
        .route(REPORT_PATH, get(report_file::download::<S>))
        .route(DELIVERIES_PATH, get(delivery_list::show::<S>))
        .route("/webhooks/export", get(delivery_list::export::<S>))
        .route(
            "/webhooks/resend-all",
            get(bulk_resend::ask::<S, TenantRequest>).post(bulk_resend::begin::<S, TenantRequest>),
        )
        .route(JOBS_PATH, get(job_list::show::<S>))
        .route("/resends/{id}", get(job::show::<S, TenantRequest>))
        .route("/resends/{id}/stop", post(job::stop::<S, TenantRequest>))
        .route(WEBHOOKS_PATH, get(subscription_list::show::<S>))
        .route(SEARCH_PATH, get(search::show::<S>))
        .route(PORTAL_PATH, get(sign_in::open_portal_link::<S>))
        .route("/portal/", any(error_page::not_found))
        .route(SIGN_IN_PATH, get(sign_in::show::<S>).post(sign_in::sign_in::<S>))
        .route("/sign-in/", any(error_page::not_found))
        .route(oidc::BEGIN_PATH, post(oidc::begin::<S>))
        .route(oidc::CALLBACK_PATH, get(oidc::come_back::<S>))
        .route("/sign-out", post(sign_out::sign_out::<S>))
        .route("/assets/{name}", get(assets::get))
        .method_not_allowed_fallback(error_page::method_not_allowed)
        .layer(from_fn_with_state(pages.site.frame_ancestors.clone(), headers::add_security_headers))
        .with_state(pages)
}

#[cfg(test)]
mod tests;
