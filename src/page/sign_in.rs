//! How a session begins, by a portal link or with an API key, and how it ends.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};

use super::cookies::Jar;
use super::form::Form;
use super::refused::Refused;
use super::view::login::{self, Fault};
use super::visit::{from_us, path};
use super::{Pages, Store};
use crate::model::id::LoanId;
use crate::model::time::Timestamp;
use crate::portal::{self, Made, SignIn};
use crate::web::Site;

/// Opens a portal link: gives the browser a session, and sends it on to where no secret is in the address.
pub(super) async fn open<S: Store>(State(pages): State<Pages<S>>, parts: Parts) -> Result<Response, Refused> {
    let form = Form::of_query(parts.uri.query());
    let now = Timestamp::now();
    let opened = portal::open(&pages.store, form.get("token"), now).await?.ok_or(Refused::NoLink)?;
    let next = opened.grant.loan.as_ref().map(path).ok_or(Refused::NoLink)?;
    let mut response = begin(&pages.site, &parts, &opened, now, &next);
    // The address that it leaves has the secret.
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}

pub(super) async fn show(parts: Parts) -> Response {
    let form = Form::of_query(parts.uri.query());
    let fault = (!form.get("ended").is_empty()).then_some(Fault::SessionEnded);
    login::page(next(&form).as_deref(), fault).into_response()
}

/// Signs in with an API key.
pub(super) async fn with_key<S: Store>(
    State(pages): State<Pages<S>>,
    parts: Parts,
    request: Body,
) -> Result<Response, Refused> {
    let form = Form::read(request).await?;
    from_us(&parts.headers, &pages.site.reached(&parts))?;
    let next = next(&form);
    let again =
        |fault| (StatusCode::UNPROCESSABLE_ENTITY, login::page(next.as_deref(), Some(fault))).into_response();
    let loan = || LoanId::try_from(form.get("loan").trim().to_owned()).map(|loan| path(&loan));
    let Some(to) = next.clone().or_else(|| loan().ok()) else { return Ok(again(Fault::NoSuchLoan)) };
    let now = Timestamp::now();
    Ok(match portal::sign_in(&pages.store, form.get("key").trim(), now).await? {
        SignIn::Done(made) => begin(&pages.site, &parts, &made, now, &to),
        SignIn::NoSuchKey => again(Fault::NoSuchKey),
        SignIn::MayNotRead => again(Fault::MayNotRead),
    })
}

fn begin(site: &Site, parts: &Parts, made: &Made, now: Timestamp, next: &str) -> Response {
    let jar = Jar::new(site, &site.reached(parts));
    // A part of a second counts: a browser gives a cookie up at its end.
    let seconds = (made.grant.until.since(now) + Duration::from_millis(999)).as_secs();
    let cookies = jar.set(&parts.headers, made.grant.loan.as_ref(), made.token.expose(), seconds);
    let mut response = Redirect::to(next).into_response();
    cookies.into_iter().for_each(|cookie| {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    });
    response
}

/// Signs out of a loan's page: every session by which the browser could see it ends.
pub(super) async fn out<S: Store>(
    State(pages): State<Pages<S>>,
    parts: Parts,
    request: Body,
) -> Result<Response, Refused> {
    let form = Form::read(request).await?;
    let reached = pages.site.reached(&parts);
    // No secret of the session is asked for: whoever is made to sign out has lost nothing.
    from_us(&parts.headers, &reached)?;
    let loan = LoanId::try_from(form.get("loan").to_owned()).map_err(|_| Refused::NoPage)?;
    let jar = Jar::new(&pages.site, &reached);
    for token in jar.tokens(&parts.headers, &loan) {
        portal::sign_out(&pages.store, &token).await?;
    }
    let mut response = Redirect::to("/login").into_response();
    jar.clear(&loan).into_iter().for_each(|cookie| {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    });
    Ok(response)
}

/// Where to go on: a page of a loan here, and nowhere else.
fn next(form: &Form) -> Option<String> {
    let next = form.get("next");
    let plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    (next.starts_with("/loans/") && plain).then(|| next.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

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
