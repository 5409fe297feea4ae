//! Sign-in at the OpenID provider, and the sign-out there. A browser is sent to the provider and comes back with a code; in between
//! nothing is stored but a cookie of the browser (`flow`).
//!
//! Browsers are sent away by a page that goes on by itself, not by a redirect: a form whose answer redirects would need every address
//! that the provider leads on to in the policy of our pages (`form-action`), and those are known to the provider alone.

mod flow;
mod returned;

pub(super) use returned::come_back;

use std::time::Instant;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderValue, header};

use self::flow::Flow;
use super::error_page::ErrorPage;
use super::next_page::next_page;
use super::same_origin_form::SameOriginForm;
use super::sign_in::set_cookies;
use super::view::oidc::{self as view, SignInFailure};
use super::{PageStore, Pages};
use crate::web::call_limits::CallLimits;
use crate::web::{Client, Origin, SIGN_IN_PATH};
use loanhook_core::model::id::TenantId;
use loanhook_core::model::time::Timestamp;
use loanhook_oidc::AuthorizationRequest;

/// Where the form of the sign-in page leads.
pub(super) const BEGIN_PATH: &str = "/sign-in/oidc";
/// Where the provider sends a browser back to; it must be registered there.
pub(super) const CALLBACK_PATH: &str = "/sign-in/oidc/callback";

fn callback_url(origin: &Origin) -> String {
    format!("{origin}{CALLBACK_PATH}")
}

/// A page that sends a browser to the provider.
fn leave_for(url: &str, page: Response) -> Response {
    let mut response = page;
    if let Ok(refresh) = HeaderValue::from_str(&format!("0; url={url}")) {
        response.headers_mut().insert(header::REFRESH, refresh);
    }
    response
}

/// Begins a sign-in: sends the browser to the provider.
pub(super) async fn begin<S: PageStore>(
    State(pages): State<Pages<S>>,
    parts: Parts,
    body: Body,
) -> Result<Response, ErrorPage> {
    let provider = pages.site.provider.as_deref().ok_or(ErrorPage::NotFound)?;
    let SameOriginForm { form, origin, cookies } = SameOriginForm::read(&pages, &parts, body).await?;
    let (limits, client) = (CallLimits::of(&parts.extensions), Client::of(&parts.extensions));
    limits.take_begun_sign_in(&client, Instant::now())?;
    let next = next_page(&form);
    let tenant = TenantId::try_from(form.get(view::TENANT_FIELD).to_owned()).ok();
    let flow = Flow::begin(next.as_deref(), tenant.as_ref(), Timestamp::now())?;
    let asked = provider
        .authorization_url(AuthorizationRequest {
            redirect_uri: &callback_url(&origin),
            state: &flow.state(),
            nonce: &flow.nonce(),
            verifier: &flow.verifier(),
            ask_anew: !form.get(view::ANEW_FIELD).is_empty(),
        })
        .await;
    let Ok(url) = asked else {
        return Ok(view::failure(&SignInFailure::Unavailable, provider.host(), next.as_deref()));
    };
    let mut response = leave_for(url.as_str(), view::leaving(provider.host(), url.as_str()));
    set_cookies(&mut response, flow.cookies(&cookies, &parts.headers));
    Ok(response)
}

/// The page that sends a browser to the provider to sign out there too; none where it has no page for that.
pub(super) async fn sign_out<S>(pages: &Pages<S>, origin: &Origin) -> Option<Response> {
    let provider = pages.site.provider.as_deref()?;
    let url = provider.sign_out_url(&format!("{origin}{SIGN_IN_PATH}")).await?;
    Some(leave_for(url.as_str(), view::signed_out(provider.host(), url.as_str())))
}
