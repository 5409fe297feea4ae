//! Sign-in and sign-out: a session begins by a portal link or with an API key, and ends when its viewer asks for it.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use percent_encoding::percent_decode_str;

use super::error_page::{Refused, Why};
use super::fetch_metadata::{is_looked_at, is_prefetch};
use super::form::Form;
use super::page_request::{from_us, opened, path};
use super::session_cookies::Jar;
use super::view::sign_in::{self, Fault};
use super::{Pages, Store};
use crate::web::authentication::authenticate;
use crate::web::call_limits::{CallLimits, EntryPoint};
use crate::web::{Client, SIGN_IN_PATH};
use loanhook_core::log;
use loanhook_core::model::id::LoanId;
use loanhook_core::model::key::KeyHash;
use loanhook_core::model::time::Timestamp;
use loanhook_core::portal::{self, IssuedGrant};

/// How long a browser keeps the cookie of a session that is over, so that its viewer is told of that.
const REMEMBERED_FOR: Duration = Duration::from_secs(24 * 3600);

/// Has a browser forget the pages that it could go back to.
const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// Opens a portal link: gives the browser a session, in place of the one it had for that loan, and sends it on to
/// where no secret is in the address. Who only asks what is there, or asks before somebody looks, opens nothing.
pub(super) async fn open<S: Store>(State(pages): State<Pages<S>>, parts: Parts) -> Result<Response, Refused> {
    if parts.method == Method::HEAD {
        return Ok(StatusCode::OK.into_response());
    }
    if !is_looked_at(&parts.headers) || is_prefetch(&parts.headers) {
        return Err(Refused::NoPage);
    }
    let form = Form::of_query(parts.uri.query());
    let (now, token) = (Timestamp::now(), form.get("token"));
    let link = portal::link(&pages.store, token, now).await?.ok_or(Refused::NoLink)?;
    Client::of(&parts.extensions).notify_authenticated();
    let limits = CallLimits::of(&parts.extensions);
    limits.take_session(KeyHash::of(token), &link.tenant, &link.name, Instant::now())?;
    let made = portal::open(&pages.store, link, now).await?.ok_or(Refused::NoLink)?;
    let loan = made.grant.loan.as_ref().ok_or(Refused::NoLink)?;
    let jar = Jar::new(&pages.site, &pages.site.origin(&parts)?);
    end(&pages.store, &jar.tokens_of(&parts.headers, Some(loan)), now).await?;
    let mut response = begin(&jar, &parts.headers, &made, now, &path(loan));
    // The address that it leaves has the secret.
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}

pub(super) async fn show<S: Store>(State(pages): State<Pages<S>>, parts: Parts) -> Result<Response, Refused> {
    let form = Form::of_query(parts.uri.query());
    let said = |why: Why| why.parameter().is_some_and(|parameter| !form.get(parameter).is_empty());
    let faults = [(Why::Ended, Fault::SessionEnded), (Why::NoCookies, Fault::NoCookies)];
    let fault = faults.into_iter().find(|(why, _)| said(*why)).map(|(_, fault)| fault);
    Ok(sign_in::page(next(&form).as_deref(), fault, &pages.site.origin(&parts)?))
}

/// Signs in with an API key.
pub(super) async fn with_key<S: Store>(
    State(pages): State<Pages<S>>,
    parts: Parts,
    request: Body,
) -> Result<Response, Refused> {
    let form = Form::read(request).await?;
    let reached = pages.site.origin(&parts)?;
    from_us(&parts.headers, &reached)?;
    let jar = Jar::new(&pages.site, &reached);
    let next = next(&form);
    let again = |fault| {
        let page = sign_in::page(next.as_deref(), Some(fault), &reached);
        (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
    };
    let loan = || LoanId::try_from(form.get("loan").trim().to_owned()).map(|loan| path(&loan));
    let Some(to) = next.clone().or_else(|| loan().ok()) else { return Ok(again(Fault::NoSuchLoan)) };
    let (extensions, shown) = (&parts.extensions, form.get("key").trim());
    let authenticated =
        authenticate::<_, Refused>(&pages.store, extensions, EntryPoint::SignIn, shown).await?;
    let Some((key, hash)) = authenticated else { return Ok(again(Fault::NoSuchKey)) };
    CallLimits::of(extensions).take_session(hash, &key.tenant, &key.name, Instant::now())?;
    let now = Timestamp::now();
    let Some(made) = portal::sign_in(&pages.store, (&key, hash), now).await? else {
        return Ok(again(Fault::MayNotRead));
    };
    log::signed_in(&key, &Client::of(extensions).address_group());
    let mut response = begin(&jar, &parts.headers, &made, now, &to);
    // The session of the loan's own link would go before this one.
    if let Some(loan) = loan_of(&to) {
        end(&pages.store, &jar.tokens(&parts.headers, &loan), now).await?;
        keep(&mut response, jar.clear(Some(&loan)));
    }
    Ok(response)
}

/// Ends those of these sessions that stand.
async fn end<S: Store>(store: &S, tokens: &[String], now: Timestamp) -> Result<(), Refused> {
    for token in tokens {
        portal::sign_out(store, token, now).await?;
    }
    Ok(())
}

fn keep(response: &mut Response, cookies: impl IntoIterator<Item = HeaderValue>) {
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

fn begin(jar: &Jar, headers: &HeaderMap, made: &IssuedGrant, now: Timestamp, next: &str) -> Response {
    let seconds = (made.grant.until.since(now) + REMEMBERED_FOR).as_secs();
    let cookies = jar.set(headers, made.grant.loan.as_ref(), made.token.expose(), seconds);
    let mut response = Redirect::to(&opened(next)).into_response();
    keep(&mut response, cookies);
    response
}

/// Signs out of a loan's page: every session by which the browser could see it ends.
pub(super) async fn out<S: Store>(
    State(pages): State<Pages<S>>,
    parts: Parts,
    request: Body,
) -> Result<Response, Refused> {
    let form = Form::read(request).await?;
    let reached = pages.site.origin(&parts)?;
    // No secret of the session is asked for: whoever is made to sign out has lost nothing.
    from_us(&parts.headers, &reached)?;
    let loan = LoanId::try_from(form.get("loan").to_owned()).map_err(|_| Refused::NoPage)?;
    let jar = Jar::new(&pages.site, &reached);
    let (limits, source) = (CallLimits::of(&parts.extensions), Client::of(&parts.extensions));
    // No key was shown: tokens that are nobody's count as wrong keys do.
    for token in jar.tokens(&parts.headers, &loan) {
        if !portal::sign_out(&pages.store, &token, Timestamp::now()).await? {
            limits.count_unknown_token(&source, Instant::now())?;
        }
    }
    let mut response = Redirect::to(SIGN_IN_PATH).into_response();
    response.headers_mut().insert(CLEAR_SITE_DATA, HeaderValue::from_static("\"cache\""));
    keep(&mut response, [Some(&loan), None].into_iter().filter_map(|loan| jar.clear(loan)));
    Ok(response)
}

/// Where to go on: a page of a loan here, and nowhere else.
fn next(form: &Form) -> Option<String> {
    let next = form.get("next");
    let plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    (next.starts_with("/loans/") && plain).then(|| next.to_owned())
}

/// The loan whose page a path is of.
fn loan_of(path: &str) -> Option<LoanId> {
    let segment = path.strip_prefix("/loans/")?.split(['/', '?', '#']).next()?;
    let loan = percent_decode_str(segment).decode_utf8().ok()?;
    LoanId::try_from(loan.into_owned()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loan_of_a_path_is_the_one_its_page_is_of() {
        for loan in ["727", "a b", "Börse & Co", "a;b=c"] {
            let loan = LoanId::try_from(loan.to_owned()).expect("a loan");
            assert_eq!(loan_of(&format!("{}?outcome=failed", path(&loan))), Some(loan));
        }
        assert_eq!(
            (loan_of("/login"), loan_of("/loans/"), loan_of("/loans/%ff/webhooks")),
            (None, None, None)
        );
    }

    #[test]
    fn after_signing_in_nobody_is_sent_elsewhere() {
        for (to, ok) in [
            ("/loans/727/webhooks", true),
            ("/loans/727/webhooks?outcome=failed&from=2026-11-23T10%3A00%3A00Z", true),
            ("//evil.example/loans/", false),
            ("https://evil.example/loans/", false),
            ("/\\evil.example/loans/", false),
            ("/loans/\r\nset-cookie: a=b", false),
            ("/login", false),
            ("", false),
        ] {
            let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", to).finish();
            assert_eq!(next(&Form::of_query(Some(&query))).is_some(), ok, "{to}");
        }
    }
}
