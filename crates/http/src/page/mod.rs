//! The page of a loan's webhooks, for people.
//!
//! Servicers live on pages, not in an API. This one is HTML from the server and complete without JavaScript:
//! rows open by a link, filters are a form, a resend is a form, pages are links. One small script of our own
//! makes it smoother. Everything that a receiver or an event says is shown as text (`preview`), under a policy
//! by which nothing runs but that script (`headers`).
//!
//! - `visit`: whose session a request shows, and for which loan; `identity`: what stays the same from one session
//!   of a viewer to the next; `sign_in`: how one begins and ends.
//! - `list`, `details`, `resend`, `files`: what can be asked; `view`: how it looks.
//! - A page costs one page of rows; what a row has beyond itself (its delivery's story, its payloads) is read
//!   only when it is opened.

mod assets;
mod attempt_details;
mod csrf_token;
mod error_page;
mod fetch_metadata;
mod form;
mod headers;
mod page_parameters;
mod page_request;
mod payload_files;
mod preview;
mod resend;
mod session_cookies;
mod sign_in;
mod view;
mod webhook_list;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get, post};

use crate::web::{PORTAL_PATH, SIGN_IN_PATH, SiteSettings};
use loanhook_core::ports::{Attempts, Grants, Keys, Payloads, Resends};

/// What the pages ask of an engine.
pub trait Store: Attempts + Grants + Keys + Payloads + Resends + Clone + Send + Sync + 'static {}

impl<S: Attempts + Grants + Keys + Payloads + Resends + Clone + Send + Sync + 'static> Store for S {}

/// What the handlers share.
#[derive(Clone)]
struct Pages<S> {
    store: S,
    site: SiteSettings,
}

/// The pages of loans, signing in, and what they are made of.
pub fn router<S: Store>(store: S, site: SiteSettings) -> Router {
    Router::new()
        .route("/loans/{loanId}/webhooks", get(webhook_list::show::<S>))
        .route("/loans/{loanId}/webhooks/{id}/details", get(attempt_details::show::<S>))
        .route("/loans/{loanId}/webhooks/{id}/source", get(payload_files::source::<S>))
        .route("/loans/{loanId}/webhooks/{id}/response", get(payload_files::response::<S>))
        .route("/loans/{loanId}/webhooks/{id}/resend", post(resend::ask::<S>))
        .route("/loans/{loanId}", any(error_page::no_page))
        .route("/loans/{loanId}/{*rest}", any(error_page::no_page))
        .route(PORTAL_PATH, get(sign_in::open::<S>))
        .route("/portal/", any(error_page::no_page))
        .route(SIGN_IN_PATH, get(sign_in::show::<S>).post(sign_in::with_key::<S>))
        .route("/login/", any(error_page::no_page))
        .route("/logout", post(sign_in::out::<S>))
        .route("/assets/{name}", get(assets::get))
        .method_not_allowed_fallback(error_page::wrong_method)
        .layer(from_fn_with_state(site.frame_ancestors.clone(), headers::add))
        .with_state(Pages { store, site })
}

#[cfg(test)]
mod tests;
