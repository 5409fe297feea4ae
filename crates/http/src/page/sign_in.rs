//! Sign-in: a session begins by a portal link or with an API key (`oidc` has the sign-in at the OpenID provider). It sets and clears
//! cookies of the browser, within the limits of wrong keys and of sessions.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use super::error_page::{ErrorPage, SignInReason};
use super::fetch_metadata::{is_page_or_script, is_prefetch};
use super::form::Form;
use super::next_page::{loan_of, next_page};
use super::page_request::{loan_page_path, with_opened_marker};
use super::same_origin_form::SameOriginForm;
use super::session_cookies::SessionCookies;
use super::tenant_request::OVERVIEW_PATH;
use super::view::sign_in::{self, SignInError};
use super::{PageStore, Pages};
use crate::web::Client;
use crate::web::authentication::authenticate;
use crate::web::call_limits::{CallLimits, EntryPoint};
use loanhook_core::log;
use loanhook_core::model::id::LoanId;
use loanhook_core::model::key::KeyHash;
use loanhook_core::model::time::Timestamp;
use loanhook_core::portal::{self, IssuedGrant};

/// The time that a browser keeps the cookie of an expired session, so that the sign-in page can say that it expired.
const COOKIE_LIFE_AFTER_SESSION: Duration = Duration::from_secs(24 * 3600);

/// Opens a portal link: gives the browser a session, in place of the one it had for that loan, and redirects it to the
/// page of the loan, whose URL has no secret. `HEAD` requests and prefetches open nothing.
pub(super) async fn open_portal_link<S: PageStore>(
    State(pages): State<Pages<S>>,
    parts: Parts,
) -> Result<Response, ErrorPage> {
    if parts.method == Method::HEAD {
        return Ok(StatusCode::OK.into_response());
    }
    if !is_page_or_script(&parts.headers) || is_prefetch(&parts.headers) {
        return Err(ErrorPage::NotFound);
    }
    let form = Form::of_query(parts.uri.query());
    let (now, token) = (Timestamp::now(), form.get("token"));
    let link = portal::link(&pages.store, token, now).await?.ok_or(ErrorPage::LinkExpired)?;
    Client::of(&parts.extensions).notify_authenticated();
    let limits = CallLimits::of(&parts.extensions);
    limits.take_session(KeyHash::of(token), &link.tenant, &link.name, Instant::now())?;
    let issued = portal::open(&pages.store, link, now).await?.ok_or(ErrorPage::LinkExpired)?;
    let loan = issued.grant.loan.as_ref().ok_or(ErrorPage::LinkExpired)?;
    let cookies = SessionCookies::new(&pages.site, &pages.site.origin(&parts)?);
    end_sessions(&pages.store, &cookies.tokens_of(&parts.headers, Some(loan)), now).await?;
    let mut response = begin_session(&cookies, &parts.headers, &issued, now, &loan_page_path(loan));
    // The URL that the browser leaves has the secret.
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}

pub(super) async fn show<S: PageStore>(
    State(pages): State<Pages<S>>,
    parts: Parts,
) -> Result<Response, ErrorPage> {
    let form = Form::of_query(parts.uri.query());
    let given =
        |reason: SignInReason| reason.parameter().is_some_and(|parameter| !form.get(parameter).is_empty());
    let errors =
        [(SignInReason::Ended, SignInError::SessionEnded), (SignInReason::NoCookies, SignInError::NoCookies)];
    let error = errors.into_iter().find(|(reason, _)| given(*reason)).map(|(_, error)| error);
    Ok(sign_in::page(next_page(&form).as_deref(), error, &pages.site.origin(&parts)?, &pages.site))
}

/// Signs in with an API key.
pub(super) async fn sign_in<S: PageStore>(
    State(pages): State<Pages<S>>,
    parts: Parts,
    body: Body,
) -> Result<Response, ErrorPage> {
    let SameOriginForm { form, origin, cookies } = SameOriginForm::read(&pages, &parts, body).await?;
    let next = next_page(&form);
    let form_with_error = |error| {
        let page = sign_in::page(next.as_deref(), Some(error), &origin, &pages.site);
        (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
    };
    let named = form.get("loan").trim();
    let loan = || match named {
        "" => Some(OVERVIEW_PATH.to_owned()),
        named => LoanId::try_from(named.to_owned()).ok().map(|loan| loan_page_path(&loan)),
    };
    let Some(destination) = next.clone().or_else(loan) else {
        return Ok(form_with_error(SignInError::NoSuchLoan));
    };
    let (extensions, shown) = (&parts.extensions, form.get("key").trim());
    let authenticated =
        authenticate::<_, ErrorPage>(&pages.store, extensions, EntryPoint::SignIn, shown).await?;
    let Some((key, hash)) = authenticated else { return Ok(form_with_error(SignInError::NoSuchKey)) };
    CallLimits::of(extensions).take_session(hash, &key.tenant, &key.name, Instant::now())?;
    let now = Timestamp::now();
    let Some(issued) = portal::sign_in(&pages.store, (&key, hash), now).await? else {
        return Ok(form_with_error(SignInError::MayNotRead));
    };
    log::signed_in(&key, &Client::of(extensions).address_group());
    enter(&pages.store, (&cookies, &parts.headers), &issued, now, &destination).await
}

/// Begins the session of a sign-in, and redirects to its first page.
pub(super) async fn enter<S: PageStore>(
    store: &S,
    (cookies, headers): (&SessionCookies, &HeaderMap),
    issued: &IssuedGrant,
    now: Timestamp,
    destination: &str,
) -> Result<Response, ErrorPage> {
    let mut response = begin_session(cookies, headers, issued, now, destination);
    // The browser forgets those that it had.
    end_sessions(store, &cookies.tokens_of(headers, None), now).await?;
    // The session of a link to this loan would be used instead of this one.
    if let Some(loan) = loan_of(destination) {
        end_sessions(store, &cookies.tokens_of(headers, Some(&loan)), now).await?;
        set_cookies(&mut response, cookies.clear(Some(&loan)));
    }
    Ok(response)
}

/// Ends the sessions of these tokens, where they are valid.
async fn end_sessions<S: PageStore>(store: &S, tokens: &[String], now: Timestamp) -> Result<(), ErrorPage> {
    for token in tokens {
        portal::sign_out(store, token, now).await?;
    }
    Ok(())
}

pub(super) fn set_cookies(response: &mut Response, cookies: impl IntoIterator<Item = HeaderValue>) {
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

fn begin_session(
    cookies: &SessionCookies,
    headers: &HeaderMap,
    issued: &IssuedGrant,
    now: Timestamp,
    next: &str,
) -> Response {
    let seconds = (issued.grant.until.since(now) + COOKIE_LIFE_AFTER_SESSION).as_secs();
    let cookies = cookies.set(headers, issued.grant.loan.as_ref(), issued.token.expose(), seconds);
    let mut response = Redirect::to(&with_opened_marker(next)).into_response();
    set_cookies(&mut response, cookies);
    response
}
