//! Error pages: why a request was refused or failed, and what its viewer can do; or a redirect to the sign-in page.

mod from_errors;

use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderValue, StatusCode, header};
use maud::html;
use url::form_urlencoded;

use crate::page::view::layout;
use crate::web::SIGN_IN_PATH;
use crate::web::body_reader::BodyError;
use crate::web::call_limits::RateLimited;
use crate::web::host::HostError;

/// Why a request has no session.
#[derive(Debug, Clone, Copy)]
pub(in crate::page) enum SignInReason {
    NoSession,
    /// Its session ended.
    Ended,
    /// A session began with the request before, and the browser did not keep its cookie.
    NoCookies,
}

impl SignInReason {
    /// The parameter that tells the sign-in page this reason.
    pub(in crate::page) const fn parameter(self) -> Option<&'static str> {
        match self {
            Self::NoSession => None,
            Self::Ended => Some("ended"),
            Self::NoCookies => Some("cookieless"),
        }
    }
}

#[derive(Debug)]
pub(in crate::page) enum ErrorPage {
    /// There is no session; `next` is the page to open after the sign-in.
    SignIn {
        next: String,
        reason: SignInReason,
    },
    /// The page does not exist, or the session is not valid for it.
    NotFound,
    /// The page is of all loans, and the session of one; `next` is the page.
    OneLoanOnly {
        next: String,
    },
    /// The portal link expired, or never was one.
    LinkExpired,
    /// The form does not come from a page that was made for this viewer.
    CrossSiteForm,
    MayNotResend,
    MayNotSeeJobs,
    MayNotManageKeys,
    /// The key has the scope `operator`, or would.
    MayNotManageOperatorKeys,
    MayNotChangeWebhooks,
    /// A long form was sent without a session.
    SignedOutForm,
    /// A form of a webhook that the tenant of the session never had.
    FormOfAnotherTenant,
    /// What a long form needs could not be read.
    UnavailableForm,
    /// The state of what it is about does not allow it.
    Conflict(String),
    /// The report would have so many rows.
    ReportTooLarge(usize),
    MethodNotAllowed,
    Body(BodyError),
    /// The request does not name one valid host.
    Host(HostError),
    RateLimited(RateLimited),
    Unavailable,
}

impl ErrorPage {
    fn content(&self) -> (StatusCode, &'static str, String) {
        let (status, title, text) = match self {
            Self::SignIn { .. } => (StatusCode::SEE_OTHER, "Sign in", ""),
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "There is no such page",
                "What you opened is not there, or is not for you to see. If you came from another system, such as your servicing system, open it \
                 there again.",
            ),
            Self::OneLoanOnly { .. } => (
                StatusCode::FORBIDDEN,
                "Your link opens one loan",
                "This page is about all loans, and what you opened in this browser is a link to one loan. What is missing is a \
                 sign-in that has the scope history:read: ask whoever administers loanhook in your company.",
            ),
            Self::LinkExpired => (
                StatusCode::NOT_FOUND,
                "This link is over",
                "Links to a loan's webhooks live for a short time. Open the loan again from your servicing system.",
            ),
            Self::CrossSiteForm => (
                StatusCode::FORBIDDEN,
                "That did not come from this page",
                "Nothing was done. Open the page again and repeat what you wanted there.",
            ),
            Self::MayNotResend => (
                StatusCode::FORBIDDEN,
                "You may look, but not resend",
                "Nothing was sent. What is missing is the scope webhooks:resend: ask whoever gave you access for it.",
            ),
            Self::MayNotSeeJobs => (
                StatusCode::FORBIDDEN,
                "Recovery jobs are not for you to see",
                "They are for whoever may resend. What is missing is the scope webhooks:resend: ask whoever gave you access for it.",
            ),
            Self::MayNotManageKeys => (
                StatusCode::FORBIDDEN,
                "API keys are not for you to see",
                "Nothing was changed. What is missing is the scope admin: ask whoever administers loanhook in your company.",
            ),
            Self::MayNotManageOperatorKeys => (
                StatusCode::FORBIDDEN,
                "Keys of an operator are made and revoked by an operator",
                "Nothing was changed. What is missing is the scope operator: ask whoever operates loanhook.",
            ),
            Self::MayNotChangeWebhooks => (
                StatusCode::FORBIDDEN,
                "You may look, but not change webhooks",
                "Nothing was changed. What is missing is the scope subscriptions:write: ask whoever gave you access for it.",
            ),
            Self::SignedOutForm => (
                StatusCode::FORBIDDEN,
                "Your session has ended",
                "Nothing was saved, and nothing is lost while this page stays open: sign in in another tab, then reload \
                 this page and let the browser send the form again.",
            ),
            Self::FormOfAnotherTenant => (
                StatusCode::NOT_FOUND,
                "This webhook is not in your tenant",
                "Nothing was saved, and nothing is lost while this page stays open: sign in to the tenant of the form in another tab, then \
                 reload this page and let the browser send the form again.",
            ),
            Self::UnavailableForm => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Not available now",
                "loanhook could not read what this needs. Nothing was saved, and nothing is lost while this page stays open: reload it in \
                 a moment, and let the browser send the form again.",
            ),
            Self::Conflict(text) => return (StatusCode::CONFLICT, "Nothing was done", text.clone()),
            Self::ReportTooLarge(rows) => {
                let text = format!("It would have {rows} rows. Export it in all, or of a shorter time.");
                return (StatusCode::UNPROCESSABLE_ENTITY, "The report is too long", text);
            }
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "This cannot be done here",
                "Nothing was done. Open the page again and repeat what you wanted there.",
            ),
            Self::Body(BodyError::TooLarge) => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "That was too much",
                "What was sent is longer than any form here.",
            ),
            Self::Body(BodyError::Stalled) => (
                StatusCode::REQUEST_TIMEOUT,
                "That did not arrive",
                "The form stopped coming. Send it again.",
            ),
            Self::Body(BodyError::Broken) => (
                StatusCode::BAD_REQUEST,
                "That did not arrive",
                "The form did not arrive whole. Send it again.",
            ),
            Self::Host(error) => {
                let text = format!("Open the page with a browser: {}.", error.detail());
                return (StatusCode::BAD_REQUEST, "The address is missing or wrong", text);
            }
            Self::RateLimited(wait) => {
                let text = format!("Nothing was done. Try again in {} s.", wait.retry_after_seconds());
                return (StatusCode::TOO_MANY_REQUESTS, "That was too often", text);
            }
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Not available now",
                "loanhook could not read or keep what this needs. Try again in a moment.",
            ),
        };
        (status, title, text.to_owned())
    }
}

/// The sign-in page before this page, told the reason by a parameter of this name.
pub(in crate::page) fn sign_in_path(next: &str, reason: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("next", next);
    if let Some(parameter) = reason {
        query.append_pair(parameter, "1");
    }
    format!("{SIGN_IN_PATH}?{}", query.finish())
}

impl IntoResponse for ErrorPage {
    fn into_response(self) -> Response {
        if let Self::SignIn { next, reason } = &self {
            return Redirect::to(&sign_in_path(next, reason.parameter())).into_response();
        }
        let (status, title, text) = self.content();
        let content = html! {
            section.card.narrow {
                h1 { (title) }
                p { (text) }
                @match &self {
                    Self::OneLoanOnly { next } => p { a href=(sign_in_path(next, None)) { "Sign in" } },
                    Self::SignedOutForm | Self::FormOfAnotherTenant => p { a href=(SIGN_IN_PATH) target="_blank" { "Sign in in another tab" } },
                    _ if status == StatusCode::NOT_FOUND => p { a href=(SIGN_IN_PATH) { "Sign in" } },
                    _ => {}
                }
            }
        };
        let mut response = (status, layout::page(title, &content)).into_response();
        let wait = match &self {
            Self::Unavailable | Self::UnavailableForm => Some(1),
            Self::RateLimited(wait) => Some(wait.retry_after_seconds()),
            _ => None,
        };
        if let Some(wait) = wait {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
        }
        response
    }
}

pub(in crate::page) async fn not_found() -> ErrorPage {
    ErrorPage::NotFound
}

pub(in crate::page) async fn method_not_allowed() -> ErrorPage {
    ErrorPage::MethodNotAllowed
}
