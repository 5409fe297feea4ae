//! The pages for people: the webhooks and the events of a loan, the pages of all loans, and signing in to see them.
//!
//! Pages are HTML from the server and complete without JavaScript: a row opens by a link, filters and resends are forms,
//! and one small script of ours makes them more convenient. What a receiver or an event says is shown as text
//! (`preview`), under a content security policy by which only that script runs (`headers`).
//!
//! - A portal link opens a session for one loan; a sign-in, with a key or at the OpenID provider (`oidc`), opens one for all loans of
//!   the tenant, and with it the pages of all loans: `overview`, `delivery_list`, `subscription_list` and `search`; `subscription_holds` answers the forms of the list of webhooks.
//! - `sign_in` and `sign_out` begin and end sessions, whose tokens are in `session_cookies`; `page_request` is a request for a page of
//!   a loan with a valid session, `tenant_request` one for a page of all loans; `csrf_token` and `fetch_metadata` tell our own forms from those of other sites.
//! - `webhook_list`, `attempt_details`, `payload_files`, `resend`, `bulk_resend` and `event_list` answer requests; `view` makes
//!   the HTML.
//! - `bulk_resend` is of a loan or of all (`bulk_scope`). The one thing that is taken from the API is the export of deliveries.
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
mod links;
mod next_page;
mod oidc;
mod open_event;
mod overview;
mod page_parameters;
mod page_request;
mod payload_files;
mod preview;
mod resend;
mod same_origin_form;
mod search;
mod session_cookies;
mod sign_in;
mod sign_out;
mod subscription_holds;
mod subscription_list;
mod tenant_request;
mod used_credentials;
mod view;
mod webhook_list;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get, post};

use self::page_request::PageRequest;
use self::tenant_request::{DELIVERIES_PATH, OVERVIEW_PATH, SEARCH_PATH, TenantRequest, WEBHOOKS_PATH};
use crate::web::{PORTAL_PATH, SIGN_IN_PATH, SiteSettings};
use loanhook_core::ports::{DeliveryList, FlowControl, Grants, Jobs, Keys, Reports};
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

/// The state of the handlers.
#[derive(Clone)]
struct Pages<S> {
    store: S,
    site: SiteSettings,
}

/// The router of the pages and their assets.
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
        .route("/loans/{loanId}/resends/{id}", get(bulk_resend::show::<S, PageRequest>))
        .route("/loans/{loanId}/resends/{id}/stop", post(bulk_resend::stop::<S, PageRequest>))
        .route("/loans/{loanId}/events", get(event_list::show::<S>))
        .route("/loans/{loanId}/events/{id}/context", get(event_list::context::<S>))
        .route("/loans/{loanId}", any(error_page::not_found))
        .route("/loans/{loanId}/{*rest}", any(error_page::not_found))
        .route(OVERVIEW_PATH, get(overview::show::<S>))
        .route(DELIVERIES_PATH, get(delivery_list::show::<S>))
        .route("/webhooks/export", get(delivery_list::export::<S>))
        .route(
            "/webhooks/resend-all",
            get(bulk_resend::ask::<S, TenantRequest>).post(bulk_resend::begin::<S, TenantRequest>),
        )
        .route("/resends/{id}", get(bulk_resend::show::<S, TenantRequest>))
        .route("/resends/{id}/stop", post(bulk_resend::stop::<S, TenantRequest>))
        .route(WEBHOOKS_PATH, get(subscription_list::show::<S>))
        .route("/subscriptions/{id}/hold", post(subscription_holds::hold::<S>))
        .route("/subscriptions/{id}/release", post(subscription_holds::release::<S>))
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
