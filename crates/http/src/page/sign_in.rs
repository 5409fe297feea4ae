//! Sign-in and sign-out: a session begins by a portal link or with an API key, and ends at its time or when its viewer
//! signs out. Both set and clear cookies of the browser, within the limits of wrong keys and of sessions.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use percent_encoding::percent_decode_str;

use super::error_page::{ErrorPage, SignInReason};
use super::fetch_metadata::{is_page_or_script, is_prefetch};
use super::form::Form;
use super::page_request::{check_same_origin, loan_page_path, with_opened_marker};
use super::session_cookies::SessionCookies;
use super::tenant_request::{OVERVIEW_PATH, is_tenant_page};
use super::view::sign_in::{self, SignInError};
use super::{PageStore, Pages};
use crate::web::authentication::authenticate;
use crate::web::call_limits::{CallLimits, EntryPoint};
use crate::web::{Client, Origin, SIGN_IN_PATH};
use loanhook_core::log;
use loanhook_core::model::id::LoanId;
use loanhook_core::model::key::KeyHash;
use loanhook_core::model::time::Timestamp;
use loanhook_core::portal::{self, IssuedGrant};

/// The time that a browser keeps the cookie of an expired session, so that the sign-in page can say that it expired.
const COOKIE_LIFE_AFTER_SESSION: Duration = Duration::from_secs(24 * 3600);

/// Has a browser drop the pages that its back button would show.
const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

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
    Ok(sign_in::page(next_page(&form).as_deref(), error, &pages.site.origin(&parts)?))
}

/// A form that comes from a page of this origin, and the cookies of the browser that sent it.
struct SameOriginForm {
    form: Form,
    origin: Origin,
    cookies: SessionCookies,
}

impl SameOriginForm {
    async fn read<S>(pages: &Pages<S>, parts: &Parts, body: Body) -> Result<Self, ErrorPage> {
        let form = Form::read(body).await?;
        let origin = pages.site.origin(parts)?;
        check_same_origin(&parts.headers, &origin)?;
        let cookies = SessionCookies::new(&pages.site, &origin);
        Ok(Self { form, origin, cookies })
    }
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
        let page = sign_in::page(next.as_deref(), Some(error), &origin);
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
    let mut response = begin_session(&cookies, &parts.headers, &issued, now, &destination);
    // The session of a link to this loan would be used instead of this one.
    if let Some(loan) = loan_of(&destination) {
        end_sessions(&pages.store, &cookies.tokens(&parts.headers, &loan), now).await?;
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

fn set_cookies(response: &mut Response, cookies: impl IntoIterator<Item = HeaderValue>) {
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

/// Signs out: ends every session by which the browser could open the loan that the form names, or else the pages of all loans.
pub(super) async fn sign_out<S: PageStore>(
    State(pages): State<Pages<S>>,
    parts: Parts,
    body: Body,
) -> Result<Response, ErrorPage> {
    // No CSRF token is needed: a viewer who is tricked into signing out loses nothing.
    let SameOriginForm { form, cookies, .. } = SameOriginForm::read(&pages, &parts, body).await?;
    let loan = match form.get("loan") {
        "" => None,
        named => Some(LoanId::try_from(named.to_owned()).map_err(|_| ErrorPage::NotFound)?),
    };
    let tokens = match &loan {
        Some(loan) => cookies.tokens(&parts.headers, loan),
        None => cookies.tokens_of(&parts.headers, None),
    };
    let (limits, client) = (CallLimits::of(&parts.extensions), Client::of(&parts.extensions));
    // Unknown tokens count as wrong keys do.
    for token in tokens {
        if !portal::sign_out(&pages.store, &token, Timestamp::now()).await? {
            limits.count_unknown_token(&client, Instant::now())?;
        }
    }
    let mut response = Redirect::to(SIGN_IN_PATH).into_response();
    response.headers_mut().insert(CLEAR_SITE_DATA, HeaderValue::from_static("\"cache\""));
    let cleared = loan.iter().map(Some).chain([None]);
    set_cookies(&mut response, cleared.filter_map(|loan| cookies.clear(loan)));
    Ok(response)
}

/// The page to open after the sign-in: a page of a loan or of all loans on this host, and nothing else.
fn next_page(form: &Form) -> Option<String> {
    let next = form.get("next");
    let plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let path = next.split(['?', '#']).next().unwrap_or_default();
    (plain && (next.starts_with("/loans/") || is_tenant_page(path))).then(|| next.to_owned())
}

/// The loan that the path of a page names.
fn loan_of(path: &str) -> Option<LoanId> {
    let segment = path.strip_prefix("/loans/")?.split(['/', '?', '#']).next()?;
    let loan = percent_decode_str(segment).decode_utf8().ok()?;
    LoanId::try_from(loan.into_owned()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loan_of_the_path_of_its_page_is_the_loan() {
        for loan in ["727", "a b", "Börse & Co", "a;b=c"] {
            let loan = LoanId::try_from(loan.to_owned()).expect("a loan");
            assert_eq!(loan_of(&format!("{}?outcome=failed", loan_page_path(&loan))), Some(loan));
        }
        assert_eq!(
            (loan_of("/sign-in"), loan_of("/loans/"), loan_of("/loans/%ff/webhooks")),
            (None, None, None)
        );
    }

    #[test]
    fn only_pages_of_ours_are_opened_after_a_sign_in() {
        for (destination, ok) in [
            ("/loans/727/webhooks", true),
            ("/loans/727/webhooks?outcome=failed&from=2026-11-23T10%3A00%3A00Z", true),
            ("//evil.example/loans/", false),
            ("https://evil.example/loans/", false),
            ("/\\evil.example/loans/", false),
            ("/loans/\r\nset-cookie: a=b", false),
            ("/", true),
            ("/?span=week", true),
            ("/webhooks?status=failed", true),
            ("/resends/0193", true),
            ("/resends", true),
            ("//evil.example/webhooks", false),
            ("/webhooks.evil", false),
            ("/sign-in", false),
            ("", false),
        ] {
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("next", destination)
                .finish();
            assert_eq!(next_page(&Form::of_query(Some(&query))).is_some(), ok, "{destination}");
        }
    }
}
