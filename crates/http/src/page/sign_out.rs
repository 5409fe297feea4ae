//! Sign-out: ends sessions, and clears what the browser has of them.

use std::time::Instant;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;
use http::{HeaderName, HeaderValue};

use super::error_page::ErrorPage;
use super::oidc;
use super::same_origin_form::SameOriginForm;
use super::sign_in::set_cookies;
use super::{PageStore, Pages};
use crate::web::call_limits::CallLimits;
use crate::web::{Client, SIGN_IN_PATH};
use loanhook_core::model::grant::GrantMaker;
use loanhook_core::model::id::LoanId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::portal;

/// Has a browser drop the pages that its back button would show.
const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// Signs out: ends every session by which the browser could open the loan that the form names, or else the pages of all loans.
/// Whoever signed in at the OpenID provider is signed out there too, where it has a page for that.
pub(super) async fn sign_out<S: PageStore>(
    State(pages): State<Pages<S>>,
    parts: Parts,
    body: Body,
) -> Result<Response, ErrorPage> {
    // No CSRF token is needed: a viewer who is tricked into signing out loses nothing.
    let SameOriginForm { form, origin, cookies } = SameOriginForm::read(&pages, &parts, body).await?;
    let loan = match form.get("loan") {
        "" => None,
        named => Some(LoanId::try_from(named.to_owned()).map_err(|_| ErrorPage::NotFound)?),
    };
    let tokens = match &loan {
        Some(loan) => cookies.tokens(&parts.headers, loan),
        None => cookies.tokens_of(&parts.headers, None),
    };
    let (limits, client) = (CallLimits::of(&parts.extensions), Client::of(&parts.extensions));
    let mut of_person = false;
    for token in tokens {
        match portal::sign_out(&pages.store, &token, Timestamp::now()).await? {
            Some(ended) => of_person |= matches!(ended.maker, GrantMaker::Person(_)),
            // Unknown tokens count as wrong keys do.
            None => limits.count_unknown_token(&client, Instant::now())?,
        }
    }
    let mut response = if of_person { oidc::sign_out(&pages, &origin).await } else { None }
        .unwrap_or_else(|| Redirect::to(SIGN_IN_PATH).into_response());
    response.headers_mut().insert(CLEAR_SITE_DATA, HeaderValue::from_static("\"cache\""));
    let cleared = loan.iter().map(Some).chain([None]);
    set_cookies(&mut response, cleared.filter_map(|loan| cookies.clear(loan)));
    Ok(response)
}
