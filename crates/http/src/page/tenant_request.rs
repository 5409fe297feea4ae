//! A request for a page of all loans, by a browser with a session of a sign-in. A portal link is for one loan, and opens none of
//! these.

use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use http::{HeaderMap, Method};

use super::Pages;
use super::error_page::ErrorPage;
use super::form::{Form, MadeFor};
use super::page_request::sign_in_before;
use super::session_cookies::SessionCookies;
use crate::web::{Client, Origin};
use loanhook_core::model::grant::Grant;
use loanhook_core::model::key::Scope;
use loanhook_core::model::time::Timestamp;
use loanhook_core::portal;
use loanhook_core::ports::{Grants, Keys};

pub(super) const OVERVIEW_PATH: &str = "/";
/// The report of the overview as a file.
pub(super) const REPORT_PATH: &str = "/report";
pub(super) const DELIVERIES_PATH: &str = "/webhooks";
pub(super) const WEBHOOKS_PATH: &str = "/subscriptions";
/// The form of a new webhook.
pub(super) const NEW_PATH: &str = "/subscriptions/new";
pub(super) const SEARCH_PATH: &str = "/search";
pub(super) const KEYS_PATH: &str = "/keys";
pub(super) const JOBS_PATH: &str = "/resends";

/// Whether this is the path of a page of all loans that a browser may be sent to after a sign-in.
pub(super) fn is_tenant_page(path: &str) -> bool {
    let is_list =
        |list: &str| path == list || path.strip_prefix(list).is_some_and(|rest| rest.starts_with('/'));
    path == OVERVIEW_PATH
        || [REPORT_PATH, DELIVERIES_PATH, WEBHOOKS_PATH, JOBS_PATH, KEYS_PATH, SEARCH_PATH]
            .into_iter()
            .any(is_list)
}

/// The session of the request.
pub(super) struct TenantRequest {
    pub(super) grant: Grant,
    pub(super) origin: Origin,
    /// The ID in the path.
    pub(super) id: String,
}

/// The request of a form, if it has a session. Where that ended while the form was filled in, or cannot be read now, another page would
/// lose what was typed.
pub(super) fn sent(request: Result<TenantRequest, ErrorPage>) -> Result<TenantRequest, ErrorPage> {
    request.map_err(kept)
}

/// What refuses a form so that it can be sent again.
pub(super) fn kept(refused: ErrorPage) -> ErrorPage {
    match refused {
        ErrorPage::SignIn { .. } => ErrorPage::SignedOutForm,
        ErrorPage::Unavailable => ErrorPage::UnavailableForm,
        refused => refused,
    }
}

impl TenantRequest {
    pub(super) fn may_resend(&self) -> bool {
        self.grant.may(Scope::WebhooksResend)
    }

    /// The fields of a form from a page that was made for this viewer.
    pub(super) async fn form(&self, body: Body, headers: &HeaderMap) -> Result<Form, ErrorPage> {
        Form::of_viewer(body, headers, (&self.grant, &self.origin)).await
    }

    /// The fields of a form that takes time to fill in, and for whom its page was made: see [`Form::typed`].
    pub(super) async fn typed_form(
        &self,
        body: Body,
        headers: &HeaderMap,
    ) -> Result<(Form, MadeFor), ErrorPage> {
        Form::typed(body, headers, (&self.grant, &self.origin)).await
    }
}

impl<S: Grants + Keys + Send + Sync> FromRequestParts<Pages<S>> for TenantRequest {
    type Rejection = ErrorPage;

    /// Without a session the browser is sent to the sign-in page; with sessions of links only, the page says what is missing.
    async fn from_request_parts(parts: &mut Parts, pages: &Pages<S>) -> Result<Self, ErrorPage> {
        let params =
            RawPathParams::from_request_parts(parts, pages).await.map_err(|_| ErrorPage::NotFound)?;
        let id = params.iter().find(|(name, _)| *name == "id").map_or("", |(_, id)| id).to_owned();
        let origin = pages.site.origin(parts)?;
        let cookies = SessionCookies::new(&pages.site, &origin);
        let tokens = cookies.tokens_of(&parts.headers, None);
        let settings = pages.site.sign_in_settings();
        for token in &tokens {
            if let Some(grant) =
                portal::tenant_session(&pages.store, token, settings, Timestamp::now()).await?
            {
                Client::of(&parts.extensions).notify_authenticated();
                return Ok(Self { grant, origin, id });
            }
        }
        // What only a form leads to is no page to open.
        let page = if parts.method == Method::GET { parts.uri.path() } else { DELIVERIES_PATH };
        if tokens.is_empty() && cookies.has_link_session(&parts.headers) {
            return Err(ErrorPage::OneLoanOnly { next: page.to_owned() });
        }
        Err(sign_in_before(page, parts, !tokens.is_empty()))
    }
}
